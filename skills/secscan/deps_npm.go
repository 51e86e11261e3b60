package main

import (
	"regexp"
	"slices"
)

// npmDependencyRules cover package.json.
func npmDependencyRules() []rule {
	return []rule{
		{
			id: "dep-npm-git", severity: medium,
			about: "npm dependency from git",
			kinds: kindNPM, find: npmDependency(matching(npmGitExpr)),
		},
		{
			id: "dep-npm-url", severity: medium,
			about:    "npm dependency from a URL, a file or a link",
			kinds:    kindNPM,
			keywords: []string{"://", "file:", "link:", "portal:", `"../`, `"./`}, find: npmDependency(isNPMURL),
		},
		{
			id: "dep-npm-any", severity: medium,
			about: "npm dependency in any version: *, latest, a tag or nothing",
			kinds: kindNPM, find: npmDependency(matching(npmAnyExpr)),
		},
		{
			id: "dep-npm-range", severity: low,
			about: "npm dependency in a range of versions",
			kinds: kindNPM, find: npmDependency(matching(npmRangeExpr)),
		},
		{
			id: "npm-install-hook", severity: high,
			about:    "package.json hook that downloads something or runs a shell at install time",
			kinds:    kindNPM,
			keywords: []string{"install", "prepare", "prepublish"},
			find: pattern(`"(?:pre|post)?(?:install|prepare|prepublish)"\s*:\s*"[^"]*` + anyOf(
				`\b(?:curl|wget|eval|powershell|base64)\b`, `https?:`, `\bnode\s+-e`, `\b(?:ba)?sh\s+-c`, // secscan:ignore
				`\|\s*(?:ba)?sh\b`, `Invoke-WebRequest`, `\bnc\s`,
			)),
		},
	}
}

// otherKeys hold strings that are not versions of dependencies.
var (
	otherKeys = map[string]bool{
		"version": true, "name": true, "description": true, "url": true, "type": true, "license": true, "main": true,
		"module": true, "types": true, "typings": true, "bin": true, "author": true, "homepage": true, "bugs": true,
		"repository": true, "node": true, "npm": true, "yarn": true, "pnpm": true, "vscode": true, "packageManager": true,
		"email": true, "directory": true, "registry": true, "browser": true, "funding": true, "private": true, "access": true,
		"tag": true, "unpkg": true, "jsdelivr": true, "test": true, "start": true, "build": true, "import": true,
		"require": true, "default": true, "style": true, "sideEffects": true, "extends": true, "preset": true, "$schema": true,
		"bun": true, "icon": true, "displayName": true, "publisher": true, "man": true, "es2015": true,
	}
)

const npmAlias = `(?:npm:@?[\w./-]+@)`

var (
	npmPairExpr = lazy(`"(@?[\w$][\w./*@>-]*)"\s*:\s*"([^"]*)"`)

	npmGitExpr = lazy(anyOf(
		`^(?:git(?:\+\w+)?:|git@|ssh://|github:|gitlab:|bitbucket:|gist:)`,
		`\.git(?:#.*)?$`,
		`^[\w-]+/[\w.-]+(?:#.*)?$`,
		`^https?://(?:github|gitlab|bitbucket)\.\w+/[^/]+/[^/]+/?(?:#.*)?$`,
	))
	npmURLExpr   = lazy(`^https?://|^(?:file|link|portal):|^\.{1,2}/|^~?/`)
	npmAnyExpr   = lazy(`^` + npmAlias + `?(?:|\*|x|latest|next|beta|alpha|canary|nightly|dev|rc|master|main)$`)
	npmRangeExpr = lazy(`^` + npmAlias + `?` + anyOf(
		`[\^~<>]=?\s*v?\d.*`,
		`v?\d+(?:\.\d+)?`,
		`v?\d+(?:\.\d+)?\.[x*](?:\.[x*])?`,
		`v?\d[\w.+-]*\s+(?:-|\|\||[<>]).*`,
	) + `$`)
	npmOpenExpr  = lazy(`(?:"([^"]*)"\s*:\s*)?[{\[]\s*$`)
	npmCloseExpr = lazy(`^\s*[}\]]`)
)

// npmDependency finds versions of some kind, in lists of dependencies. A fragment of a file
// does not say what list it is from; there, what is not known to be something else counts.
func npmDependency(is func(version string) bool) finder {
	return func(v view) []match {
		if !inDependencies(v.sections) {
			return nil
		}
		var found []match
		for _, groups := range npmPairExpr().FindAllStringSubmatchIndex(v.text, maxPerPlace) {
			key, value := v.text[groups[2]:groups[3]], v.text[groups[4]:groups[5]]
			if !otherKeys[key] && is(value) {
				found = append(found, match{span: span{groups[0], groups[1]}})
			}
		}
		return found
	}
}

// matching asks an expression.
func matching(expr func() *regexp.Regexp) func(string) bool {
	return func(s string) bool { return expr().MatchString(s) }
}

// isNPMURL leaves the URL of a git repository to its own rule.
func isNPMURL(version string) bool {
	return npmURLExpr().MatchString(version) && !npmGitExpr().MatchString(version)
}

var dependencyListExpr = lazy(`(?i)dependencies$|^(?:resolutions|overrides|catalogs?)$`)

func inDependencies(sections []string) bool {
	return len(sections) == 0 || slices.ContainsFunc(sections, dependencyListExpr().MatchString)
}

// npmSections tracks the names of the objects that a line of package.json is in, outermost first.
func npmSections(sections []string, line string) []string {
	if npmCloseExpr().MatchString(line) && len(sections) > 0 {
		sections = sections[:len(sections)-1]
	}
	if groups := npmOpenExpr().FindStringSubmatch(line); groups != nil {
		sections = append(sections, groups[1])
	}
	return sections
}
