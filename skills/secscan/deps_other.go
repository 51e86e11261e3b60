package main

import (
	"slices"
	"strings"
)

// otherDependencyRules cover go.mod, container images, workflows and the install commands of scripts.
func otherDependencyRules() []rule {
	return append(goModRules(), imageRules()...)
}

// branch is a version that is not the same tomorrow.
const branch = `(?:main|master|develop|dev|trunk|HEAD|next)`

func goModRules() []rule {
	return []rule{
		{
			id: "dep-go-replace", severity: medium,
			about: "go.mod: module replaced by a local path or a fork",
			kinds: kindGoMod,
			find:  pattern(`\S+\s*=>\s*\S+`),
		},
		{
			id: "dep-go-untagged", severity: low,
			about:   "go.mod: commit without a release, a branch, or no version at all",
			kinds:   kindGoMod,
			generic: true,
			find: unless(`=>|^\s*(?:module|go|toolchain|godebug|retract|exclude|tool|ignore)\b`, pattern(anyOf(
				`\sv\d+\.\d+\.\d+-(?:[\w.]+\.)?(?:0\.)?\d{14}-[0-9a-f]{12}`,
				`^\s*(?:require\s+)?[\w-]+\.[\w.-]+/\S+\s+(?:latest|`+branch+`|[0-9a-f]{7,40}|v\d+(?:\.\d+)?)(?:\s|$)`,
				`^\s*require\s+[\w-]+\.[\w.-]+/\S+\s*$`,
			))),
		},
		{
			id: "dep-install-unpinned", severity: low,
			about:    "install command that takes the latest version or a branch",
			kinds:    kindShell | kindDocker | kindWorkflow,
			keywords: []string{"@latest", "@master", "@main", "@head", "@next"},
			find: pattern(
				`\bgo\s+(?:install|get|run)\s.*@(?:latest|`+branch+`)\b`,
				`\b(?:npx|bunx|npm\s+(?:i|install|add|exec)|yarn\s+(?:global\s+)?add|pnpm\s+(?:add|dlx))\s.*@(?:latest|next)\b`,
			),
		},
		{
			id: "docker-unpinned-install", severity: low,
			about:    "Dockerfile: pip, npm or gem install of a package in any version",
			kinds:    kindDocker,
			keywords: []string{"pip", "npm ", "gem install"},
			find: unless(`\s(?:-r|--requirement|-e|-c)[\s=]`, pattern(anyOf(
				`\bpip[\d.]*\s+install\s+(?:-\S+\s+)*[A-Za-z][\w.-]*(?:\[[^\]]*\])?(?:\s|$)`,
				`\bnpm\s+(?:i|install)\s+(?:-g|--global)\s+[a-z@][\w/-]*(?:\s|$)`,
				`\bgem\s+install\s+[a-z][\w-]*\s*(?:$|&&|;)`,
			))),
		},
		{
			id: "dep-toml-any", severity: medium,
			about:    "dependency in any version in pyproject.toml, Pipfile or Cargo.toml",
			kinds:    kindTOML,
			keywords: []string{`"*"`, `'*'`, `"latest"`, `">=0"`},
			find:     pattern(`^\s*["']?[\w.-]+["']?\s*=\s*(?:\{.*version\s*=\s*)?["'](?:\*|latest|>=0)["']`),
		},
	}
}

func imageRules() []rule {
	return []rule{
		{
			id: "docker-unpinned-image", severity: low,
			about:    "Dockerfile: base image without a tag, or latest",
			kinds:    kindDocker,
			keywords: []string{"from", "--from="},
			find:     patternIf(unpinnedImageExpr, isNoStage),
		},
		{
			id: "docker-add-url", severity: medium,
			about:    "Dockerfile: ADD from a URL, which is not checked",
			kinds:    kindDocker,
			keywords: []string{"add"},
			find:     unless(`--checksum=`, pattern(`(?i)^\s*ADD\s+(?:--\S+\s+)*\[?\s*["']?(?:https?://|git@|ftp://)`)),
		},
		{
			id: "docker-copied-secret", severity: medium,
			about:    "Dockerfile: a private key or a file of credentials is copied into the image",
			kinds:    kindDocker,
			keywords: []string{"copy", "add"},
			find: pattern(
				`(?i)^\s*(?:COPY|ADD)\s.*\bid_(?:rsa|dsa|ecdsa|ed25519)\b`,
				`(?i)^\s*(?:COPY|ADD)\s.*\.(?:(?:p12|pfx|netrc|npmrc|pypirc|env)(?:\s|$)|(?:ssh|aws)(?:/|\s|$)|key\s)`,
			),
		},
		{
			id: "docker-root-user", severity: low,
			about:    "Dockerfile: container runs as root",
			kinds:    kindDocker,
			keywords: []string{"user"},
			find:     pattern(`(?i)^\s*USER\s+(?:root|0)(?::\w+)?\s*$`),
		},
		{
			id: "image-latest", severity: low,
			about:    "YAML: image with the tag latest, or without a tag in a compose file",
			kinds:    kindYAML,
			keywords: []string{"image"},
			find:     either(pattern(`^\s*-?\s*["']?image["']?\s*:\s*["']?[\w./-]+(?::\d+/[\w./-]+)?:latest\b`), untaggedComposeImage),
		},
		{
			id: "workflow-unpinned-action", severity: low,
			about:    "GitHub workflow: action from a branch or without a version",
			kinds:    kindYAML,
			keywords: []string{"uses"},
			find: pattern(
				`^\s*-?\s*uses\s*:\s*["']?(?:docker://\S+:latest|\w[\w.-]*/[\w./-]+(?:@(?:latest|` + branch + `))?)["']?\s*(?:#.*)?$`,
			),
		},
		{
			id: "privileged-container", severity: medium,
			about:    "YAML: privileged container, or shell: docker run --privileged",
			kinds:    kindYAML | kindShell,
			keywords: []string{"privileged"},
			find:     pattern(`^\s*-?\s*privileged\s*:\s*true\b`, `\b(?:docker|podman)\b.*\s--privileged\b`),
		},
	}
}

var (
	unpinnedImageExpr = `(?i)^\s*FROM\s+(?:--\S+\s+)*(?:[\w.-]+(?::\d+)?/)*[\w.-]+` +
		`(?::(?:latest|edge|nightly|` + branch + `))?(?:\s+AS\s+\S+)?\s*$` +
		`|--from=(?:[\w.-]+/)*[\w.-]+:latest\b`
	stageExpr = lazy(`(?i)^\s*FROM\s.*\sAS\s+(\S+)`)
)

// dockerStage returns the name that a FROM line gives to a stage.
func dockerStage(line string) string {
	if groups := stageExpr().FindStringSubmatch(line); groups != nil {
		return groups[1]
	}
	return ""
}

// isNoStage tells an image from scratch and from an earlier stage.
func isNoStage(v view, groups []int) bool {
	words := strings.Fields(v.text[groups[0]:groups[1]])
	return !slices.ContainsFunc(words, func(word string) bool {
		return word == "scratch" || slices.Contains(v.stages, word)
	})
}

var untaggedExpr = lazy(`^\s*image\s*:\s*["']?(?:[\w.-]+/)*[\w.-]+["']?\s*(?:#.*)?$`)

func untaggedComposeImage(v view) []match {
	if at := untaggedExpr().FindStringIndex(v.text); at != nil && v.kinds&kindCompose != 0 {
		return []match{{span: span{at[0], at[1]}}}
	}
	return nil
}
