package main

func shellRules() []rule {
	return []rule{
		{
			id: "shell-eval", severity: high,
			about: "shell: eval of a variable",
			kinds: kindShell, keywords: []string{"eval"},
			// eval "$(ssh-agent)" is how such programs want to be called.
			find: unless(`eval\s+["']?\$\((?:[^$"]|"[^$"]*")*\)["']?\s*$`,
				pattern("(?:^|[\\s;&|({`])eval\\s+[^#\\n]*?[$`]")),
		},
		{
			id: "shell-c-variable", severity: high,
			about: "shell: sh -c with a variable in the command",
			kinds: kindShell, keywords: []string{"sh -", "sh  -", "su "},
			find: pattern(
				anyShell+` (?:-\w+\s+)*-\w*c\s+"[^"]*[$`+"`"+`{]`,
				anyShell+` (?:-\w+\s+)*-\w*c\s+'[^']*(?:\{\}|'\$|'"\$)`,
				anyShell+` (?:-\w+\s+)*-\w*c\s+\$[\w{@*]`,
				`\bsu\s.*-c\s+["']?[^'"]*\$\w`,
			),
		},
		{
			id: "curl-pipe-shell", severity: high,
			about: "a download is run without a look at it, as in curl ... | sh", // secscan:ignore
			kinds: kindScripts | kindNPM,
			keywords: []string{
				"curl", "wget", "iwr", "irm", "invoke-webrequest", "invoke-restmethod", "downloadstring", "fetch ",
			},
			find: having(pattern(
				`\b`+downloader+`[^|]*\|(?:[^|]*\|)?\s*`+interpreter,
				`\b`+interpreter+`\s+(?:-\w+\s+)*["']?`+substitution+`\s*`+downloader,
				`(?:^|[\s;&|"'])(?:source|\.|eval|exec)\s+["']?`+substitution+`\s*`+downloader,
				`\b(?:curl|wget)\b.*(?:&&|;)\s*(?:sudo\s+)?(?:(?:ba|z|k|da)?sh|python[\d.]*)\s+[\w./-]+`,
				`\b(?:curl|wget)\b.*(?:&&|;)\s*(?:sudo\s+)?chmod\s+\S*\+?x\S*\s+\S+\s*(?:&&|;)\s*(?:sudo\s+)?\S*/`,
				`(?i)\biex\s*[("']+\s*(?:iwr|irm|invoke-|\(?\s*new-object)`,
				`(?i)downloadstring\(.*\|\s*iex`,
			), "|", "(", "&&", ";", "`"),
		},
		{
			id: "pipe-to-shell", severity: medium,
			about: "shell: a variable or decoded text is piped into a shell",
			kinds: kindShell, keywords: []string{"| sh", "|sh", "| bash", "|bash", "| sudo", "| /", "| zsh"},
			find: pattern(`(?:\b(?:echo|printf)\b[^|]*\$|<<<\s*"?\$|\bbase64\s+(?:-d|-D|--decode)|` +
				`\bopenssl\s|\bgunzip\b|\bxxd\s+-r)[^|]*\|\s*(?:sudo\s+)?(?:/\S*/)?(?:ba|z|k|da)?sh\b`),
		},
		{
			id: "rm-variable", severity: high,
			about: "shell: rm -r of a path that an empty variable turns into another one",
			kinds: kindShell, keywords: []string{"rm "},
			find: pattern(`\brm\s+(?:-[\w-]+\s+)*-(?:\w*[rR]\w*|-recursive)\s+(?:-[\w-]+\s+)*(?:[^\s;&|]+\s+)*?` +
				anyOf(rmTargets...)),
		},
		{
			id: "workflow-injection", severity: high,
			about: "GitHub workflow: text that a stranger wrote is put into a command",
			kinds: kindWorkflow, keywords: []string{"github.event", "github.head_ref"},
			find: pattern(
				`\$\{\{[^}]*github\.head_ref\b[^}]*\}\}`,
				`\$\{\{[^}]*github\.event\.(?:[\w.\[\]*]*\.)?(?:title|body|message|name|email|ref|label)\b[^}]*\}\}`,
			),
		},
	}
}

const (
	anyShell     = `\b(?:ba|z|k|da|a)?sh\s*`
	downloader   = `(?:curl|wget|fetch|http|iwr|irm|Invoke-WebRequest|Invoke-RestMethod)\b`
	substitution = "(?:<\\(|\\$\\(|`)"
	interpreter  = `(?:sudo\s+(?:-\S+\s+)*(?:\w+=\S*\s+)*)?(?:env\s+(?:\S+=\S*\s+)*)?(?:/\S*/)?` +
		`(?:(?:ba|z|k|da|a)?sh|python[\d.]*|perl|ruby|node|php|iex|Invoke-Expression|powershell|pwsh|source)\b`
)

// rmTargets: an unquoted variable may also be split at spaces; a quoted one is only a danger before a slash.
var rmTargets = []string{
	`\$\w+`, `\$\{\w+\}`, `[\w./-]+/\$\w`,
	`"\$\w+"?/(?:["*\s]|$)`, `"\$\{\w+\}"?/(?:["*\s]|$)`, `"\$\w+"/\*`, `"\$\{\w+\}"/\*`,
}
