package main

var keyCases = []ruleCase{
	{
		rule: "private-key", file: "deploy.key",
		found: []string{
			"-----BE¦GIN RSA PRIVATE KEY-----", "-----BE¦GIN OPENSSH PRIVATE KEY-----", "-----BE¦GIN PRIVATE KEY-----",
			"-----BE¦GIN EC PRIVATE KEY-----", "-----BE¦GIN ENCRYPTED PRIVATE KEY-----",
			"-----BE¦GIN PGP PRIVATE KEY BLOCK-----", "---- BE¦GIN SSH2 ENCRYPTED PRIVATE KEY ----",
			`  "private_key": "-----BE¦GIN PRIVATE KEY-----\nMIIE«200»\n-----END PRIVATE KEY-----\n",`,
		},
		clean: []string{
			"-----BEGIN CERTIFICATE-----", "-----BEGIN PUBLIC KEY-----",
			`if strings.Contains(text, "-----BE¦GIN RSA PRIVATE KEY-----") {`,
		},
	},
	{
		rule: "putty-private-key", file: "id.ppk",
		found: []string{"PuTTY-User-¦Key-File-2: ssh-rsa"}, clean: []string{"PuTTY user key file"},
	},
	{
		rule: "age-private-key", file: "keys.txt",
		found: []string{"AGE-SECRET-¦KEY-1QQPQ5«58»"}, clean: []string{"# public key: age1«58»"},
	},
	{
		rule: "encoded-private-key", file: "secret.yaml",
		found: []string{"  tls.key: LS0tLS1CRUdJTi¦BSU0EgUFJJVkFURSBLRVktLS0tLQo="},
		clean: []string{"  tls.crt: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUM="},
	},
	{
		rule: "jwk-private-key", file: "jwk.json",
		found: []string{`{"kty":"EC","crv":"P-256","d":"«43»"}`}, clean: []string{`{"d": "2024-01-01"}`},
	},
}

var cloudCases = []ruleCase{
	{
		rule: "aws-access-key", file: "main.go",
		found: []string{`key := "AKIA¦IOSFODNN7EXAMPLE"`, "// ASIA¦Q3EGNNSWUFZG2LQP is old"},
		clean: []string{`key := "AKIA"`, `const name = "AKIAlowercaseletters"`, `"XAKIA¦IOSFODNN7EXAMPLE"`},
	},
	{
		rule: "aws-secret-key", file: ".env",
		found: []string{
			"AWS_SEC¦RET_ACCESS_K¦EY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY¦EXAMPLEKEY", `aws_sec¦ret_access¦_key = "«40»"`,
			"secretKey: «40»",
		},
		clean: []string{"AWS_SECRET_ACCESS_KEY=${SECRET}", "AWS_REGION=eu-central-1"},
	},
	{
		rule: "aws-session-token", file: ".env",
		found: []string{"AWS_SESSION_TOKEN=«120»"}, clean: []string{"AWS_SESSION_TOKEN=${TOKEN}"},
	},
	{
		rule: "aws-mws-token", file: "a.yaml",
		found: []string{"mws: amzn.mws.¦0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"}, clean: []string{"mws: amzn.mws.none"},
	},
	{
		rule: "gcp-api-key", file: "maps.js",
		found: []string{`const key = "AIza¦Sy«33»"`}, clean: []string{`const key = "AIza"`},
	},
	{
		rule: "gcp-oauth-token", file: "a.json",
		found: []string{`"to¦ken": "ya29.¦«60»"`, `"client_sec¦ret": "GOCSPX-¦«28»"`}, clean: []string{`"to¦ken": "ya29."`},
	},
	{
		rule: "gcp-service-account", file: "sa.json",
		found: []string{`"type": "service_¦account",`, `"private_key_¦id": "«hex:40»",`}, clean: []string{`"type": "authorized_user",`},
	},
	{
		rule: "azure-storage-key", file: "app.config",
		found: []string{
			"DefaultEndpointsProtocol=https;AccountName=x;Account¦Key=«86»==;EndpointSuffix=core.windows.net",
			"Endpoint=sb://x.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccess¦Key=«43»=",
		},
		clean: []string{"DefaultEndpointsProtocol=https;AccountName=x;AccountKey=<key>", "UseDevelopmentStorage=true"},
	},
	{
		rule: "azure-sas", file: "a.sh",
		found: []string{`curl "https://x.blob.core.windows.net/c?sv=2022-11-02&se=2030-01-01&sig¦=«43»%3D"`},
		clean: []string{`curl "https://example.com/?sig=«43»"`},
	},
	{
		rule: "azure-client-secret", file: "a.yaml",
		found: []string{"secret: abc8Q¦~«34»"}, clean: []string{"secret: abc8Q~short"},
	},
	{
		rule: "azure-subscription-key", file: "a.py",
		found: []string{`headers = {"Ocp-Apim-¦Subscription-K¦ey": "«hex:32»"}`, `AZURE_OPENAI_API_K¦EY = "«hex:32»"`},
		clean: []string{`AZURE_OPENAI_API_KEY = os.environ["KEY"]`},
	},
	{
		rule: "alibaba-access-key", file: "a.yaml",
		found: []string{"id: LTAI¦«20»", "id: AKID¦«32»"}, clean: []string{"id: LTAI5"},
	},
	{
		rule: "digitalocean-token", file: ".env",
		found: []string{"T=dop_¦v1_«hex:64»", "DIGITALOCEAN_¦TOKEN=«hex:64»"}, clean: []string{"T=dop_v1_xxx"},
	},
	{
		rule: "heroku-api-key", file: "a.sh",
		found: []string{"export HEROKU_¦API_K¦EY=01234567-89ab-cdef-0123-456789abcdef", "K=HRKU-¦«60»"},
		clean: []string{"heroku login"},
	},
	{
		rule: "cloudflare-token", file: ".env",
		found: []string{"CLOUDFLARE_¦API_TO¦KEN=«40»", "CF_¦API_K¦EY=«hex:37»"}, clean: []string{"CLOUDFLARE_ZONE=example.org"},
	},
	{
		rule: "vault-token", file: "a.sh",
		found: []string{"vault login hvs.¦«90»", "export VAULT_¦TOKEN=s.«24»"}, clean: []string{"vault login -method=github"},
	},
	{
		rule: "terraform-token", file: "credentials.tfrc.json",
		found: []string{`"token": "«14».atlas¦v1.«67»"`}, clean: []string{`"token": "x.atlasv1.y"`},
	},
	{
		rule: "databricks-token", file: "a.cfg",
		found: []string{"token = dapi¦«hex:32»"}, clean: []string{"token = dapi"},
	},
	{
		rule: "platform-token", file: "a.yaml",
		found: []string{
			"pulumi: pul-¦«hex:40»", "doppler: dp.pt¦.«43»", "tailscale: tskey-¦auth-«12»-«32»", "db: pscale_¦pw_«43»",
		},
		clean: []string{"import: pul-", "netlify: nfp_short"},
	},
}

var forgeCases = []ruleCase{
	{
		rule: "github-token", file: "a.py",
		found: []string{`t = "ghp¦_«36»"`, `t = 'gho¦_«36»'`, "# ghs¦_«36»", `GITHUB_¦TOKEN = "«hex:40»"`},
		clean: []string{`t = "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"`, `t = "ghp_short"`},
	},
	{
		rule: "github-fine-grained-token", file: ".env",
		found: []string{"T=github_¦pat_«22»_«59»"}, clean: []string{"T=github_pat_"},
	},
	{
		rule: "gitlab-token", file: ".gitlab-ci.yml",
		found: []string{"T: glpat¦-«20»", "T: glrt¦-«20»", "T: GR1348941¦«20»"}, clean: []string{"T: glpat-xxxxxxxxxxxxxxxxxxxx"},
	},
	{
		rule: "atlassian-token", file: ".env",
		found: []string{"T=ATATT3¦«180»", "T=ATBB¦«32»"}, clean: []string{"JIRA_URL=https://jira.local"},
	},
	{
		rule: "ci-token", file: ".env",
		found: []string{"T=CCIPAT¦_«22»_«hex:40»", "CIRCLE_¦TOKEN=«hex:40»", "T=bkua¦_«hex:40»"}, clean: []string{"CIRCLE_TOKEN=${T}"},
	},
	{
		rule: "terraform-module-git", file: "main.tf",
		found: []string{`source = "git:¦:https://example.com/vpc.git"`},
		clean: []string{`source = "git::https://example.com/vpc.git?ref=v1.2.0"`},
	},
	{
		rule: "npm-token", file: ".npmrc",
		found: []string{"//registry.npmjs.org/:_auth¦Token=npm_¦«36»", "_auth¦=dXNlcjpwYXNz"},
		clean: []string{"//registry.npmjs.org/:_authToken=${NPM_TOKEN}"},
	},
	{
		rule: "pypi-token", file: ".pypirc",
		found: []string{"password = pypi-¦AgEIcHlwaS5vcmc«70»"}, clean: []string{"repository = pypi-test"},
	},
	{
		rule: "docker-token", file: "config.json",
		found: []string{`"auth¦": "dXNlcjpodW50ZXIy"`, `"t": "dckr_¦pat_«27»"`}, clean: []string{`"auth": {}`, `"auth": "none"`},
	},
	{
		rule: "registry-token", file: ".env",
		found: []string{"T=rubygems¦_«hex:48»", "SONAR=squ¦_«hex:40»"}, clean: []string{"T=rubygems_api"},
	},
}

var chatCases = []ruleCase{
	{
		rule: "slack-token", file: "a.js",
		found: []string{`t = "xoxb¦-123456789012-«24»"`, `t = 'xoxp¦-1-2-3-«32»'`, `t = "xapp¦-1-A0-12-«hex:64»"`},
		clean: []string{`t = "xoxb-"`},
	},
	{
		rule: "slack-webhook", file: "a.yaml",
		found: []string{"url: https://hooks.slack¦.com/services/T00000000/B00000000/«24»"},
		clean: []string{"url: https://hooks.slack.com/services/${SLACK}"},
	},
	{
		rule: "discord-webhook", file: "a.yaml",
		found: []string{"url: https://discord¦.com/api/webhooks/«dec:18»/«68»"}, clean: []string{"url: https://discord.com/api/webhooks/"},
	},
	{
		rule: "discord-token", file: "bot.py",
		found: []string{`client.run("MTE¦«21».«6».«38»")`, `DISCORD_CLIENT_¦SEC¦RET = "«32»"`}, clean: []string{`client.run(TO¦KEN)`},
	},
	{
		rule: "telegram-bot-token", file: "bot.py",
		found: []string{`bot = Bot(token="«dec:10»:¦AA«33»")`, `url = "https://api.telegram.org/bot«dec:6»:¦«35»/getMe"`},
		clean: []string{`bot = Bot(token=os.environ["TOKEN"])`},
	},
	{
		rule: "teams-webhook", file: "a.yaml",
		found: []string{"u: https://x.webhook.office¦.com/webhookb2/«36»@«36»/IncomingWebhook/«32»/«36»"},
		clean: []string{"u: https://x.webhook.office.com/"},
	},
}

var serviceCases = []ruleCase{
	{
		rule: "stripe-key", file: "a.rb",
		found: []string{`Stripe.api_k¦ey = "sk_¦live_«24»"`, "rk_¦test_«24»", "whsec¦_«32»"}, clean: []string{`pk_live_«24»`, "sk_live_"},
	},
	{
		rule: "square-token", file: "a.py",
		found: []string{`t = "sq0¦atp-«22»"`, `t = "EAAA¦«60»"`}, clean: []string{`t = "sq0"`, `d = "AAA/EAAA¦«60»"`},
	},
	{
		rule: "shopify-token", file: "a.py",
		found: []string{`t = "shpat¦_«hex:32»"`}, clean: []string{`t = "shpat_"`},
	},
	{
		rule: "paypal-token", file: ".env",
		found: []string{"T=access_to¦ken¦$production$«hex:16»$«hex:32»", "RAZORPAY=rzp¦_live_«14»", "PAYPAL_CLIENT_¦SEC¦RET=«60»"},
		clean: []string{"PAYPAL_MODE=sandbox"},
	},
	{
		rule: "twilio-key", file: ".env",
		found: []string{"SID=AC¦«hex:32»", "KEY=SK¦«hex:32»", "TWILIO_AUTH_¦TOKEN=«hex:32»"}, clean: []string{"SID=ACabc"},
	},
	{
		rule: "sendgrid-key", file: "a.js",
		found: []string{`setApiK¦ey("SG¦.«22».«43»")`}, clean: []string{`import SG.Core`},
	},
	{
		rule: "mailgun-key", file: ".env",
		found: []string{"K=key¦-«hex:32»", "MAILGUN_¦KEY=«hex:32»-«hex:8»-«hex:8»"}, clean: []string{"K=key-value"},
	},
	{
		rule: "mail-service-key", file: ".env",
		found: []string{"K=«hex:32»-us¦12", "K=xkeysib¦-«hex:64»-«16»"}, clean: []string{"REGION=en-us1"},
	},
	{
		rule: "social-token", file: ".env",
		found: []string{"TWITTER_API_¦SEC¦RET=«50»", "FB=EAA¦«100»"}, clean: []string{"TWITTER_USER=gopher"},
	},
	{
		rule: "grafana-token", file: "a.yaml",
		found: []string{"t: glsa¦_«32»_«hex:8»", "t: glc¦_«60»"}, clean: []string{"t: glsa_"},
	},
	{
		rule: "sentry-token", file: "a.js",
		found: []string{`dsn: "https¦://«hex:32»¦@o1.ingest.sentry.io/2"`, `t = "sntrys¦_«60»"`},
		clean: []string{`dsn: "https://sentry.io"`},
	},
	{
		rule: "newrelic-key", file: ".env",
		found: []string{"K=NRAK¦-«27»", "NEW_RELIC_LICENSE_¦KEY=«40»"}, clean: []string{"NEW_RELIC_APP_NAME=web"},
	},
	{
		rule: "datadog-key", file: ".env",
		found: []string{"DATADOG_¦API_K¦EY=«hex:32»", "DD_¦APP_K¦EY=«hex:40»"}, clean: []string{"DD_ENV=production"},
	},
	{
		rule: "monitoring-key", file: ".env",
		found: []string{"PAGERDUTY_¦TO¦KEN=«20»", "SNYK_¦TO¦KEN=01234567-89ab-cdef-0123-456789abcdef"}, clean: []string{"SNYK_ORG=acme"},
	},
	{
		rule: "linear-key", file: ".env",
		found: []string{"K=lin_¦api_«40»"}, clean: []string{"K=lin_api_"},
	},
	{
		rule: "workspace-token", file: ".env",
		found: []string{"K=ntn¦_«46»", "K=figd¦_«40»", "K=PMAK¦-«hex:24»-«hex:34»"}, clean: []string{"K=ntn_short"},
	},
	{
		rule: "openai-key", file: "a.py",
		found: []string{`k = "sk-¦proj-«48»"`, `k = "sk-¦«48»"`}, clean: []string{`css = "sk-fading-circle"`, `k = "sk-..."`},
	},
	{
		rule: "anthropic-key", file: "a.py",
		found: []string{`k = "sk-¦ant-api03-«80»"`}, clean: []string{`k = "sk-ant-..."`},
	},
	{
		rule: "huggingface-token", file: "a.py",
		found: []string{`login("hf¦_«34»")`}, clean: []string{`hf_hub_download("x")`},
	},
	{
		rule: "ai-service-key", file: "a.py",
		found: []string{`k = "gsk¦_«52»"`, `k = "r8¦_«37»"`, `COHERE_¦API_K¦EY = "«40»"`}, clean: []string{`k = "gsk_"`},
	},
}
