package main

// pythonDependencyRules cover requirements files, and pip where else it is called.
func pythonDependencyRules() []rule {
	return []rule{
		{
			id: "dep-python-unpinned", severity: low,
			about: "requirement without an exact version",
			kinds: kindRequirements, find: unpinnedRequirement,
		},
		{
			id: "dep-python-url", severity: medium,
			about: "requirement from a URL, a file or a local path",
			kinds: kindRequirements,
			find: pattern(
				`^\s*`+editable+`?`+namedSource+`?(?:(?:https?|file|ftp)://|file:)`,
				`^\s*`+editable+`\s*[./]`,
				`^\s*\.{0,2}/\S`,
			),
		},
		{
			id: "dep-install-url", severity: medium,
			about:    "pip or npm install from a URL, or a dependency on one in a setup file",
			kinds:    kindScripts,
			keywords: []string{"pip install", "pip3 install", "pip download", `pip"`, "pip'", "npm i", "yarn add", "pnpm add", "@ http", "@http", "@ file:", "@ git+", "@git+"},
			find: either(
				unless(`(?:-i|-f|--(?:extra-)?index-url|--find-links|--proxy)[ =]["']?https?://\S+$`,
					pattern(`\bpip[\d.]*["']?[\s,]+["']?(?:install|download)\b.*["'\s]`+namedSource+`?`+anySource)),
				pattern(
					`\b(?:npm\s+(?:i|install|add)|yarn\s+add|pnpm\s+add)\s+(?:\S+\s+)*["']?https?://`,
					`["']`+namedSource+anySource,
				),
			),
		},
		{
			id: "dep-git", severity: medium,
			about: "dependency straight from a version control system",
			kinds: kindShell | kindDocker | kindYAML | kindTOML | kindConfig | kindRequirements | kindOther,
			keywords: []string{
				"git+", "hg+", "svn+", "bzr+", "git@", "git =", "git=", "git:", "npm i", "yarn add", "pnpm add",
			},
			find: pattern(
				`\b(?:git|hg|svn|bzr)\+(?:https?|ssh|git|file)(?::|\b)`,
				`^\s*`+editable+`?(?:git@[\w.-]+:|git://)`,
				`\bgit["']?\s*=\s*["'](?:https?|ssh|git)(?:://|@)`,
				`^\s*gem\s+.*\bgit(?:hub)?:\s*["']`,
				`\b(?:npm\s+(?:i|install|add)|yarn\s+add|pnpm\s+add)\s+.*(?:git://|github:|git@|https?://\S+\.git\b)`,
			),
		},
		{
			id: "dep-insecure-index", severity: high,
			about: "package index without TLS, or trusted without a check",
			kinds: kindScripts | kindRequirements | kindNPM,
			keywords: []string{
				"trusted-host", "trusted_host", "index-url", "index_url", "find-links", "find_links", "-i http:", "-f http:", "goproxy", "registry", "deb http", "deb-src", "deb [", "source ", "<url>", // secscan:ignore
			},
			find: pattern(
				`\btrusted-host\b`, `\btrusted_host\s*=`, `\bPIP_TRUSTED_HOST\b`,
				`(?:^|\s)(?:-i|-f|--(?:extra-)?index-url|--find-links)[ =]["']?http://`,
				`(?i)\b(?:(?:extra[-_])?index[-_]url|find[-_]links)\s*=\s*["']?http://`,
				`\b(?:PIP_(?:EXTRA_)?INDEX_URL|GOPROXY)["']?\s*[=:]\s*["']?http://`,
				`\bregistry["']?(?:\s*[=:]\s*|\s+)["']?http://`,
				`(?:^|\s)(?:deb|deb-src)\s+(?:\[[^\]]*\]\s+)?http://\S+\s+\S+\s+\S+`,
				`\bsource\s+["']http://`, `<url>http://\S*(?:maven|repo)`, // secscan:ignore
			),
		},
		{
			id: "dep-extra-index", severity: low,
			about: "second package index, which may answer for names of the first",
			kinds: kindRequirements | kindShell | kindConfig, keywords: []string{"extra-index-url"},
			find: pattern(`\bextra-index-url[ =]+["']?https://`),
		},
	}
}

const (
	editable = `(?:(?:-e|--editable)[ =]\s*)`
	// namedSource is the "name @" of a requirement, anySource what may follow it.
	namedSource = `(?:[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*)`
	anySource   = `(?:git\+)?(?:https?|ssh|file|ftp)://`
)

var (
	// A requirement is a name, perhaps with extras, versions, a condition, a comment or hashes.
	requirementExpr = lazy(`^\s*[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*(?:\(?\s*[<>=!~][^;#@]*)?` +
		`(?:;.*|\s#.*)?(?:--hash.*|\\)?\s*$`)
	pinnedExpr = lazy(`^[^#;]*(?:===[^;#,]+|==\s*[^\s*;#,<>=]*\d[^\s*;#,]*)(?:\s*[)\\;#].*|\s+--.*|\s*)$`)
)

// unpinnedRequirement takes the line for a requirement if it looks like one; options start with a dash.
func unpinnedRequirement(v view) []match {
	if !requirementExpr().MatchString(v.text) || pinnedExpr().MatchString(v.text) {
		return nil
	}
	return []match{{span: span{0, len(v.text)}}}
}
