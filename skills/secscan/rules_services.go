package main

import "strings"

// serviceRules cover payment, mail, telephony, monitoring and other hosted services.
func serviceRules() []rule {
	rules := append(paymentRules(), messagingRules()...)
	return append(append(rules, monitoringRules()...), productivityRules()...)
}

func paymentRules() []rule {
	return []rule{
		{
			id: "stripe-key", severity: critical,
			about:    "Stripe secret or restricted key, webhook secret",
			keywords: []string{"sk_live_", "sk_test_", "rk_live_", "rk_test_", "sk_prod_", "whsec_"},
			find:     token(`\b([sr]k_(?:live|test|prod)_[A-Za-z0-9_]{10,})`, `\b(whsec_[A-Za-z0-9+/=]{20,})`),
		},
		{
			id: "square-token", severity: critical,
			about:    "Square token",
			keywords: []string{"sq0", "eaaa", "square"},
			find:     token(`\b(sq0[a-z]{3}-[A-Za-z0-9_-]{20,})`, `(?:^|[^\w+/-])(EAAA[A-Za-z0-9_-]{50,})`),
		},
		{
			id: "shopify-token", severity: critical,
			about:    "Shopify token",
			keywords: []string{"shpat_", "shpca_", "shppa_", "shpss_", "shptka_", "shpua_"},
			find:     token(`\b(shp(?:at|ca|pa|ss|tka|ua)_[a-zA-Z0-9]{24,})`),
		},
		{
			id: "paypal-token", severity: critical,
			about:    "PayPal, Braintree, Adyen, Plaid, Razorpay, Paystack or Flutterwave key",
			keywords: []string{"access_token$", "rzp_", "aqe", "flwseck", "paypal", "plaid", "braintree"},
			find: either(token(
				`(access_token\$(?:production|sandbox)\$[a-z0-9]{10,}\$[a-f0-9]{32})`,
				`\b(rzp_(?:live|test)_[A-Za-z0-9]{14,})`,
				`\b(AQE[a-z0-9+/]{10,}[A-Za-z0-9+/=.*-]{30,})`,
				`\b(FLWSECK(?:_TEST)?-[A-Za-z0-9-]{12,})`,
			),
				namedValue(`(?:paypal|plaid|braintree)[\w-]*(?:secret|key|token)`, `[A-Za-z0-9_-]{30,90}`)),
		},
	}
}

func messagingRules() []rule {
	return []rule{
		{
			id: "twilio-key", severity: critical,
			about:    "Twilio API key, account SID or auth token",
			keywords: append(crossed([]string{"sk", "ac"}, digits), "twilio", "account_sid", "accountsid"),
			find:     either(token(`\b((?:SK|AC)[0-9a-f]{32})\b`), namedValue(`twilio`, `[0-9a-f]{32}`)),
		},
		{
			id: "sendgrid-key", severity: critical,
			about:    "SendGrid API key",
			keywords: []string{"sg."},
			find:     token(`\b(SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{16,64})`),
		},
		{
			id: "mailgun-key", severity: critical,
			about:    "Mailgun key",
			keywords: []string{"key-", "mailgun", "pubkey-"},
			find: either(token(`\b((?:pub)?key-[0-9a-zA-Z]{32})\b`),
				namedValue(`mailgun`, `[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}|[0-9a-f]{32}`),
				token(`\b([0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8})\b`)),
		},
		{
			id: "mail-service-key", severity: high,
			about:    "Mailchimp, Brevo, Postmark, Mailjet, Resend or Mandrill key",
			keywords: []string{"-us", "xkeysib-", "xsmtpsib-", "postmark", "mailjet", "resend", "mandrill"},
			find: either(token(
				`\b([0-9a-f]{32}-us\d{1,2})\b`,
				`\b(x(?:key|smtp)sib-[a-f0-9]{40,}[\w-]*)`,
				`\b(re_[A-Za-z0-9]{8,}_[A-Za-z0-9]{16,})`,
			),
				namedValue(`postmark|mailjet|mandrill`, uuid+`|[0-9a-f]{32}|md-[\w-]{22}`)),
		},
		{
			id: "social-token", severity: high,
			about: "Twitter, Facebook, LinkedIn, Twitch or Spotify token or secret",
			keywords: []string{
				"twitter", "facebook", "fb_", "eaa", "linkedin", "twitch", "spotify",
			},
			find: either(token(
				`(?:^|[^\w+/-])(AAAAAAAAAAAAAAAAAAAAA[A-Za-z0-9%]{30,})`,
				`(?:^|[^\w+/-])(EAA[A-Za-z0-9]{60,})`,
				`\b(EAACEdEose0cBA[A-Za-z0-9]{20,})`,
			),
				namedValue(`(?:twitter|facebook|fb|linkedin|twitch|spotify)[\w-]*(?:secret|key|token)`, `[A-Za-z0-9-]{16,60}`)),
		},
	}
}

func monitoringRules() []rule {
	return []rule{
		{
			id: "grafana-token", severity: critical,
			about:    "Grafana service account, cloud or API token",
			keywords: []string{"glsa_", "glc_", "eyjrijoi"},
			find: token(
				`\b(glsa_[A-Za-z0-9]{16,}_?[A-Za-f0-9]*)`,
				`\b(glc_[A-Za-z0-9+/=]{20,})`,
				`\b(eyJrIjoi[A-Za-z0-9+/=]{30,})`,
			),
		},
		{
			id: "sentry-token", severity: high,
			about:    "Sentry token or DSN",
			keywords: []string{"sntrys_", "sntryu_", "sentry"},
			find: either(token(`\b(sntry[su]_[A-Za-z0-9+/=_]{20,})`, `https://([0-9a-f]{16,}(?::[0-9a-f]+)?)@[\w.-]*sentry`),
				namedValue(`sentry[\w-]*(?:token|key|secret)`, `[0-9a-f]{40,64}`)),
		},
		{
			id: "newrelic-key", severity: high,
			about:    "New Relic key",
			keywords: []string{"nrak-", "nrjs-", "nrii-", "nrra-", "nral", "new_relic", "newrelic"},
			find: either(token(`\b(NR(?:AK|JS|II|RA)-[A-Za-z0-9_-]{18,})`, `\b([0-9a-f]{36}NRAL)\b`),
				namedValue(`new_?relic[\w-]*key`, `[A-Za-z0-9]{32,47}`)),
		},
		{
			id: "datadog-key", severity: high,
			about:    "Datadog API or application key",
			keywords: []string{"datadog", "dd_", "dd-"},
			find:     namedValue(`datadog|\bdd[_-](?:api|app|application|client)[_-](?:key|token)`, `[0-9a-f]{32,40}|pub[0-9a-f]{32}`),
		},
		{
			id: "monitoring-key", severity: high,
			about: "PagerDuty, Opsgenie, Dynatrace, Honeycomb, Rollbar, Snyk, LaunchDarkly or Algolia key",
			keywords: []string{
				"pagerduty", "pd_", "opsgenie", "dt0", "honeycomb", "hcaik_", "rollbar", "snyk", "sdk-",
				"launchdarkly", "algolia",
			},
			find: either(token(`\b(dt0[a-z]\d\d\.[A-Z0-9]{20,}\.[A-Z0-9]{40,})|\b(hca?ik_[a-z0-9]{40,})|\b((?:sdk|api|mob)-`+uuid+`)\b`),
				namedValue(`pagerduty|\bpd_(?:api_)?(?:token|key)|opsgenie|honeycomb|rollbar|snyk|algolia[\w-]*(?:key|secret)`,
					uuid+`|[0-9a-f]{32}|[A-Za-z0-9+_-]{20,22}`)),
		},
	}
}

func productivityRules() []rule {
	return []rule{
		{
			id: "linear-key", severity: high,
			about:    "Linear key",
			keywords: []string{"lin_api_", "lin_oauth_"},
			find:     token(`\b(lin_(?:api|oauth)_[A-Za-z0-9]{24,})`),
		},
		{
			id: "workspace-token", severity: high,
			about: "Notion, Figma, Airtable, Asana, Dropbox, Postman, Contentful, Typeform, Mapbox or Okta token",
			keywords: []string{
				"ntn_", "secret_", "figd_", "sl.", "pmak-", "cfpat-", "tfp_", "sk.eyj", "okta", "asana",
				"airtable",
			},
			find: either(token(
				`\b(ntn_[A-Za-z0-9]{30,})`,
				`\b(secret_[A-Za-z0-9]{43})\b`,
				`\b(figd_[A-Za-z0-9_-]{20,})`,
				`\b(pat[A-Za-z0-9]{14}\.[a-f0-9]{40,})`,
				`\b(sl\.[A-Za-z0-9_-]{60,})`,
				`\b(PMAK-[a-f0-9]{20,}-?[a-f0-9]*)`,
				`\b(CFPAT-[\w-]{40,})`,
				`\b(tfp_[\w.=-]{40,})`,
				`\b(sk\.eyJ[\w-]{20,}\.[\w-]{20,})`,
			),
				namedValue(`okta[\w-]*token|asana|airtable`, `00[\w-]{40}|\d/\d{10,}:[0-9a-f]{32}|key[A-Za-z0-9]{14}|[0-9a-f]{32}`)),
		},
	}
}

var digits = strings.Split("0123456789", "")

// crossed returns keywords made of a first and a second part, for parts that are too short or too common.
func crossed(firsts, seconds []string) []string {
	var keywords []string
	for _, first := range firsts {
		for _, second := range seconds {
			keywords = append(keywords, first+second)
		}
	}
	return keywords
}
