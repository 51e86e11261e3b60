package main

// forgeRules cover code hosting, package registries and build services.
func forgeRules() []rule {
	return append(hostRules(), registryRules()...)
}

func hostRules() []rule {
	return []rule{
		{
			id: "github-token", severity: critical,
			about:    "GitHub token (personal, OAuth, app, refresh)",
			keywords: []string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github"},
			find: either(
				token(`\b(gh[pousr]_[A-Za-z0-9]{20,})`),
				namedValue(`github[\w-]*(?:token|key|secret|pat)`, `[0-9a-f]{40}`),
			),
		},
		{
			id: "github-fine-grained-token", severity: critical,
			about:    "GitHub fine-grained token",
			keywords: []string{"github_pat_"},
			find:     token(`\b(github_pat_[A-Za-z0-9_]{20,})`),
		},
		{
			id: "gitlab-token", severity: critical,
			about: "GitLab token (personal, deploy, runner, CI, agent, feed)",
			keywords: []string{
				"glpat-", "glptt-", "gldt-", "glrt-", "glrtr-", "glcbt-", "glsoat-", "glimt-", "glagent-", "glft-",
				"glffct-", "gloas-", "glwt-", "gr1348941",
			},
			find: token(
				`\b(gl(?:pat|ptt|dt|rt|rtr|cbt|soat|imt|agent|ft|ffct|oas|wt)-[A-Za-z0-9_.-]{16,})`,
				`\b(GR1348941[\w-]{16,})`,
			),
		},
		{
			id: "atlassian-token", severity: critical,
			about:    "Atlassian or Bitbucket token",
			keywords: []string{"atatt", "atctt", "atbb", "bitbucket", "atlassian", "jira"},
			find: either(token(`\b(AT(?:A|C)TT3[A-Za-z0-9_=-]{20,})`, `\b(ATBB[A-Za-z0-9]{20,})`),
				namedValue(`bitbucket|atlassian|jira`, `[A-Za-z0-9]{24}|[A-Za-z0-9]{32,44}`)),
		},
		{
			id: "ci-token", severity: high,
			about: "CircleCI, Buildkite, Travis, Codecov or Drone token",
			keywords: []string{
				"ccipat_", "ccipro", "bkua_", "bkct_", "circleci", "circle_token", "buildkite", "travis",
				"codecov", "drone_",
			},
			find: either(token(`\b(CCIP(?:AT|RJ)_[A-Za-z0-9_]{20,})`, `\b(bk(?:ua|ct)_[a-f0-9]{32,})`),
				namedValue(`circle(?:ci)?_?(?:api_?)?token|buildkite|travis|codecov|drone_`, `[0-9a-f]{32,40}|`+uuid)),
		},
		{
			id: "terraform-module-git", severity: low,
			about:    "Terraform module from git without a fixed revision",
			kinds:    kindTOML,
			keywords: []string{"git::"},
			find:     unless(`[?&]ref=(?:v?\d|[0-9a-f]{40})`, pattern(`"git::(?:https?|ssh|git)://[^"]+"`)),
		},
	}
}

func registryRules() []rule {
	return []rule{
		{
			id: "npm-token", severity: critical,
			about:    "npm token, or a credential in .npmrc",
			keywords: []string{"npm_", "_auth", "_password"},
			find: either(token(`\b(npm_[A-Za-z0-9]{30,})`),
				secretIf(`(?:^|[/:])_(?:authToken|auth|password)\s*=\s*["']?([^\s"'$]{6,})`, isTyped)),
		},
		{
			id: "pypi-token", severity: critical,
			about:    "PyPI token",
			keywords: []string{"pypi-"},
			find:     token(`\b(pypi-Ag[A-Za-z0-9_-]{20,}|pypi-[A-Za-z0-9_-]{50,})`),
		},
		{
			id: "docker-token", severity: critical,
			about:    "Docker Hub token, or a credential in a docker config",
			keywords: []string{"dckr_", `"auth"`, `"identitytoken"`},
			find: token(
				`\b(dckr_(?:pat|oat)_[A-Za-z0-9_-]{16,})`,
				`"(?:auth|identitytoken)"\s*:\s*"([A-Za-z0-9+/=_.-]{12,})"`,
			),
		},
		{
			id: "registry-token", severity: critical,
			about:    "RubyGems, crates.io, NuGet, Artifactory, Clojars, Cloudsmith or SonarQube token",
			keywords: []string{"rubygems_", "cio", "oy2", "akc", "clojars_", "sqp_", "squ_", "sqa_", "cmvmdgtu"},
			find: token(
				`\b(rubygems_[a-f0-9]{32,})`,
				`\b(cio[A-Za-z0-9]{32})\b`,
				`\b(oy2[a-z0-9]{43})\b`,
				`(?:^|[^\w+/-])(AKCp[A-Za-z0-9]{10,})`,
				`\b(CLOJARS_[a-z0-9]{40,})`,
				`\b(sq[apu]_[a-f0-9]{32,})`,
				`\b(cmVmdGtu[A-Za-z0-9]{20,})`,
			),
		},
	}
}
