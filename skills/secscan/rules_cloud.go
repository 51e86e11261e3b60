package main

func cloudRules() []rule {
	return append(hyperscalerRules(), hostingRules()...)
}

func hyperscalerRules() []rule {
	return []rule{
		{
			id: "aws-access-key", severity: critical,
			about: "AWS access key id",
			keywords: []string{
				"akia", "asia", "abia", "acca", "agpa", "aida", "aipa", "anpa", "anva", "aroa", "a3t",
			},
			find: token(`\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA)[A-Z0-9]{16})\b`),
		},
		{
			id: "aws-secret-key", severity: critical,
			about:    "AWS secret access key",
			keywords: []string{"aws", "secret", "amazon"},
			find:     namedValue(`(?:aws|amazon)\w{0,20}(?:secret|key)|secret_?access_?key|secret_?key`, `[A-Za-z0-9/+]{40}`),
		},
		{
			id: "aws-session-token", severity: high,
			about:    "AWS session token or Bedrock key",
			keywords: []string{"session", "absk", "bedrock"},
			find: token(
				`(?i:session_?token)["'\]]{0,2}\s*[=:,]\s*["']?([A-Za-z0-9/+=]{60,})`,
				`\b(ABSK[A-Za-z0-9+/]{60,}={0,2})`,
			),
		},
		{
			id: "aws-mws-token", severity: high,
			about:    "Amazon MWS token",
			keywords: []string{"amzn.mws."},
			find:     token(`\b(amzn\.mws\.[0-9a-f-]{30,})`),
		},
		{
			id: "gcp-api-key", severity: high,
			about:    "Google API key",
			keywords: []string{"aiza"},
			find:     token(`\b(AIza[0-9A-Za-z_-]{30,})`),
		},
		{
			id: "gcp-oauth-token", severity: high,
			about:    "Google OAuth token or client secret",
			keywords: []string{"ya29.", "gocspx-", "1//0"},
			find:     token(`\b(ya29\.[0-9A-Za-z_-]{20,})`, `\b(GOCSPX-[0-9A-Za-z_-]{20,})`, `\b(1//0[0-9A-Za-z_-]{40,})`),
		},
		{
			id: "gcp-service-account", severity: critical,
			about:    "Google service account file",
			keywords: []string{"service_account", "private_key_id"},
			find:     pattern(`["']type["']\s*:\s*["']service_account["']`, `["']private_key_id["']\s*:\s*["']([0-9a-f]{16,})`),
		},
		{
			id: "azure-storage-key", severity: critical,
			about:    "Azure storage key or connection string",
			keywords: []string{"accountkey", "sharedaccesskey", "account_key", "storage_key", "accesskey="},
			find: token(
				`(?i)(?:accountkey|sharedaccesskey|accesskey|account_key|storage_(?:account_)?key)["']?\s*[=:]` +
					`\s*["']?([A-Za-z0-9+/]{30,}={0,2})`,
			),
		},
		{
			id: "azure-sas", severity: high,
			about:    "Azure shared access signature",
			keywords: []string{"sig="},
			find:     patternIf(`[?&;]sig=([A-Za-z0-9%+/=_-]{20,})`, nextToSASFields),
		},
		{
			id: "azure-client-secret", severity: critical,
			about:    "Azure AD client secret",
			keywords: crossed(digits, []string{"q~"}),
			find:     token(`(?:^|[^\w~.-])([\w~.-]{3}\dQ~[\w~.-]{30,36})`),
		},
		{
			id: "azure-subscription-key", severity: high,
			about:    "Azure API, search, DevOps or function key",
			keywords: []string{"ocp-apim-subscription-key", "azure", "azdo", "vsts"},
			find: namedValue(`Ocp-Apim-Subscription-Key|azure[\w.-]{0,40}(?:key|token|secret|pat|password)|azdo|vsts`,
				`[A-Za-z0-9+/_~.-]{32,90}={0,2}`),
		},
		{
			id: "alibaba-access-key", severity: high,
			about:    "Alibaba or Tencent Cloud access key",
			keywords: []string{"ltai", "akid"},
			find:     token(`\b(LTAI[A-Za-z0-9]{12,24})\b`, `\b(AKID[A-Za-z0-9]{28,36})\b`),
		},
	}
}

var sasFieldExpr = lazy(`[?&;](?:sv|se|sp|sr|st|spr|srt|ss|skn)=`)

func nextToSASFields(v view, _ []int) bool { return sasFieldExpr().MatchString(v.text) }

const uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`

func hostingRules() []rule {
	return []rule{
		{
			id: "digitalocean-token", severity: critical,
			about:    "DigitalOcean token",
			keywords: []string{"dop_v1_", "doo_v1_", "dor_v1_", "digitalocean", "do_token", "do_api"},
			find: either(token(`\b(do[opr]_v1_[a-fA-F0-9]{32,})`),
				namedValue(`digitalocean|do_(?:api_)?token`, `[a-f0-9]{64}`)),
		},
		{
			id: "heroku-api-key", severity: high,
			about:    "Heroku API key",
			keywords: []string{"heroku", "hrku-"},
			find:     either(token(`\b(HRKU-[A-Za-z0-9_-]{30,})`), namedValue(`heroku`, uuid)),
		},
		{
			id: "cloudflare-token", severity: high,
			about:    "Cloudflare API token, global key or origin CA key",
			keywords: []string{"cloudflare", "cf_", "cf-", "x-auth-key", "v1.0-"},
			find: either(namedValue(`cloudflare|\bcf[_-](?:api|global|auth|token|key)|x-auth-key`, `[0-9a-f]{37}|[\w-]{40}`),
				token(`\b(v1\.0-[a-f0-9]{20,}-[a-f0-9]{100,})`)),
		},
		{
			id: "vault-token", severity: critical,
			about:    "HashiCorp Vault token",
			keywords: []string{"hvs.", "hvb.", "hvr.", "vault"},
			find: either(token(`\b(hv[sbr]\.[A-Za-z0-9_-]{20,})`),
				token(`(?i:vault_?token|x-vault-token|vault login)["'\]]{0,2}\s*[=:,]?\s*["']?(s\.[A-Za-z0-9]{20,})`)),
		},
		{
			id: "terraform-token", severity: critical,
			about:    "HCP Terraform token",
			keywords: []string{".atlasv1."},
			find:     token(`\b([A-Za-z0-9]{10,}\.atlasv1\.[A-Za-z0-9_=-]{30,})`),
		},
		{
			id: "databricks-token", severity: critical,
			about:    "Databricks token",
			keywords: []string{"dapi"},
			find:     token(`\b(dapi[a-hA-H0-9]{32}(?:-\d)?)\b`),
		},
		{
			id: "platform-token", severity: high,
			about: "Pulumi, Doppler, Fly.io, Netlify, Supabase, PlanetScale, Scaleway, Tailscale, Render or Vercel token",
			keywords: []string{
				"pul-", "dp.pt.", "dp.st.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit.", "fm1_", "fm2_", "fo1_", "nfp_", "sbp_", "sb_secret_", "pscale_", "tskey-", "rnd_",
				"vcp_", "aqvn", "scw",
			},
			find: token(
				`\b(pul-[a-f0-9]{40})\b`,
				`\b(dp\.(?:pt|st|ct|sa|scim|audit)\.[A-Za-z0-9_.-]{40,})`,
				`\b(f(?:m1|m2|o1)_[\w+/=-]{40,})`,
				`\b(nfp_[A-Za-z0-9]{36,})`,
				`\b(sbp_[a-f0-9]{40})`,
				`\b(sb_secret_[\w-]{20,})`,
				`\b(pscale_(?:tkn|pw|oauth)_[\w.=-]{32,})`,
				`\b(tskey-[a-z]+-[A-Za-z0-9]{6,}-?[A-Za-z0-9-]{10,})`,
				`\b(rnd_[A-Za-z0-9]{28,})\b`,
				`\b(vcp_[A-Za-z0-9]{24,})\b`,
				`\b(AQVN[A-Za-z0-9_-]{35,38})\b`,
				`\b(SCW[A-Z0-9]{17})\b`,
			),
		},
	}
}
