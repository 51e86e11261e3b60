package main

func chatRules() []rule {
	return []rule{
		{
			id: "slack-token", severity: critical,
			about:    "Slack token",
			keywords: []string{"xox", "xapp-", "xwfp-"},
			find: token(
				`\b(xox[a-z](?:\.xox[a-z])?-[A-Za-z0-9-]{10,})`,
				`\b(xapp-\d-[A-Za-z0-9-]{10,})`,
				`\b(xwfp-[A-Za-z0-9-]{10,})`,
			),
		},
		{
			id: "slack-webhook", severity: high,
			about:    "Slack webhook",
			keywords: []string{"hooks.slack"},
			find:     token(`hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9+/_-]{12,})`),
		},
		{
			id: "discord-webhook", severity: high,
			about:    "Discord webhook",
			keywords: []string{"/api/webhooks/", "/webhooks/"},
			find:     token(`discord(?:app)?\.com/api/(?:v\d+/)?webhooks/(\d{6,}/[\w-]{16,})`),
		},
		{
			id: "discord-token", severity: critical,
			about:    "Discord bot token, or client secret next to its name",
			keywords: []string{"discord", "bot_", "bot.", "token", "login(", ".run(", "mfa."},
			find: either(
				having(token(
					`\b([MNO][A-Za-z0-9_-]{22,27}\.[A-Za-z0-9_-]{6,7}\.[A-Za-z0-9_-]{25,40})\b`,
					`\b(mfa\.[\w-]{60,})`,
				), "."),
				namedValue(`discord[\w-]*(?:secret|token|key)`, `[\w.-]{32,72}`),
			),
		},
		{
			id: "telegram-bot-token", severity: critical,
			about:    "Telegram bot token",
			keywords: []string{":aa", "telegram", "bot_token", "bot("},
			find: token(
				`(?:^|[^\d])(\d{7,11}:AA[A-Za-z0-9_-]{28,40})`,
				`(?i:telegram|api\.telegram\.org/bot|bot_?token).*?(\d{5,12}:[A-Za-z0-9_-]{30,40})`,
			),
		},
		{
			id: "teams-webhook", severity: high,
			about: "Microsoft Teams or Google Chat webhook",
			keywords: []string{
				"webhook.office.com", "outlook.office.com/webhook", "chat.googleapis.com", "logic.azure.com",
			},
			find: token(
				`webhook\.office\.com/webhookb2/([\w@/.-]{30,})`,
				`outlook\.office\.com/webhook/([\w@/.-]{30,})`,
				`chat\.googleapis\.com/v1/spaces/([\w/]+/messages\?key=[\w%=&-]{20,})`,
				`logic\.azure\.com\S*?sig=([\w%-]{20,})`,
			),
		},
	}
}
