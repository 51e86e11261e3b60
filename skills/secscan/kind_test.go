package main

import "testing"

func TestKinds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path, text string
		want       kind
	}{
		{"cmd/main.go", "", kindGo},
		{`src\app.PY`, "", kindPython},
		{"a.ipynb", "", kindPython | kindJSON},
		{"web/App.vue", "", kindJS | kindMarkup},
		{"run.sh", "", kindShell},
		{"Makefile", "", kindShell},
		{"a.yml", "", kindYAML | kindShell},
		{".github/workflows/ci.yml", "", kindYAML | kindShell | kindWorkflow},
		{"docker-compose.yaml", "", kindYAML | kindShell | kindCompose},
		{"Dockerfile", "", kindDocker | kindShell},
		{"Dockerfile.dev", "", kindDocker | kindShell},
		{"build/app.dockerfile", "", kindDocker | kindShell},
		{"requirements.txt", "", kindRequirements},
		{"requirements/dev.txt", "", kindRequirements},
		{"dev-requirements.in", "", kindRequirements},
		{"web/package.json", "", kindNPM | kindJSON},
		{"go.mod", "", kindGoMod},
		{".env", "", kindConfig},
		{".env.production", "", kindConfig},
		{"config/.env.example", "", kindConfig},
		{"prod.env", "", kindConfig},
		{"main.go.txt", "", kindGo},
		{"app.py.tmpl", "", kindPython},
		{"Dockerfile.txt", "", kindDocker | kindShell},
		{"notes.txt", "", kindDocs},
		{"README.md", "", kindDocs},
		{"Main.java", "", kindForeign},
		{"bin/tool", "#!/usr/bin/env python3\n", kindPython},
		{"bin/tool", "#!/bin/bash -e\n", kindShell},
		{"bin/tool", "#!/usr/bin/env node\n", kindJS},
		{"bin/tool", "#!/usr/bin/perl\n", kindOther},
		{"LICENSE", "text", kindOther},
	}
	for _, test := range tests {
		if got := kindsOf(test.path, test.text); got != test.want {
			t.Errorf("kindsOf(%q, %q) = %b, want %b", test.path, test.text, got, test.want)
		}
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]nameClass{
		"password": passwordName, "DB_PASSWORD": passwordName, "dbPassword": passwordName, "user-passwd": passwordName,
		"PASSWORD_PROD": passwordName, "pass2": passwordName, "rootpw": passwordName, "sshPass": passwordName,
		"secret": secretName, "API_KEY": secretName, "apiKey": secretName, "x-api-key": secretName, "clientSecret": secretName,
		"STRIPE_SECRET_KEY": secretName, "accessToken": secretName, "AWSSecretAccessKey": secretName,
		"token": tokenName, "csrf_token": tokenName, "Authorization": tokenName, "GITHUB_PAT": tokenName,
		"ENC_KEY": keyName, "salt": keyName, "cookieKey": keyName,
		"passwordFile": plainName, "password_min_length": plainName, "secretName": plainName, "tokenType": plainName,
		"bypass": plainName, "compass": plainName, "author": plainName, "publicKey": plainName, "keyboard": plainName,
		"": plainName, "_": plainName,
	} {
		if got := classify(name); got != want {
			t.Errorf("classify(%q) = %d, want %d", name, got, want)
		}
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string][2]bool{ // dynamic, built
		`"ls"`: {false, false}, `'a' "b"`: {false, false}, `12`: {false, false}, `x`: {true, false}, `"a" + x`: {true, true},
		`f"{x}"`: {true, true}, `f"x"`: {false, false}, "`${x}`": {true, true}, "`x`": {false, false}, `rb"x"`: {false, false},
		`"a" % x`: {true, true}, `fmt.Sprintf("a", x)`: {true, true}, `"{}".format(x)`: {true, true}, `"a\"+b"`: {false, false},
		`"""a"b"""`: {false, false}, `g("a")`: {true, false},
	} {
		if got := [2]bool{dynamic(expr), built(expr)}; got != want {
			t.Errorf("%s: dynamic and built are %v, want %v", expr, got, want)
		}
	}
}

func TestSplitArgs(t *testing.T) {
	t.Parallel()
	args, after, closed := splitArgs(`a, f(b, "),("), [c, d]) + e`)
	if len(args) != 3 || args[1] != `f(b, "),(")` || args[2] != "[c, d]" || after != " + e" || !closed {
		t.Errorf("got %q, %q, %t", args, after, closed)
	}
	if args, _, closed := splitArgs(`a, "b`); len(args) != 2 || closed {
		t.Errorf("unclosed: got %q, %t", args, closed)
	}
}
