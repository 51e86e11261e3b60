package main

import (
	"path"
	"slices"
	"strings"
)

// kind is a set of file kinds. A file can be of several: a workflow is YAML that holds shell.
type kind uint32

const (
	kindGo kind = 1 << iota
	kindPython
	kindJS
	kindShell
	kindYAML
	kindJSON
	kindTOML
	kindConfig // .env, ini, properties, conf: bare values after a key
	kindMarkup // XML and HTML
	kindDocker
	kindCompose
	kindWorkflow
	kindRequirements
	kindNPM
	kindGoMod
	kindDocs
	kindForeign // programming languages that have no rules of their own
	kindOther
)

// kindScripts are the files in which a shell command may be run: all but documentation, whose examples
// would drown the rest, and lists of dependencies.
const kindScripts = kindGo | kindPython | kindJS | kindShell | kindYAML | kindJSON | kindTOML |
	kindConfig | kindMarkup | kindDocker | kindForeign | kindOther

// kindCode are the programming languages, in which a bare word is a name and not a value.
const kindCode = kindGo | kindPython | kindJS

// kindQuoted are the files in which a value in a string is part of a URL or a connection string.
const kindQuoted = kindCode | kindForeign | kindJSON | kindTOML | kindMarkup

// kindBare are the files in which a value needs no quotes.
const kindBare = kindShell | kindYAML | kindConfig | kindDocker | kindOther | kindDocs

var kindsByExtension = map[string]kind{
	".go": kindGo,
	".py": kindPython, ".pyw": kindPython, ".pyi": kindPython, ".ipynb": kindPython | kindJSON,
	".js": kindJS, ".jsx": kindJS, ".mjs": kindJS, ".cjs": kindJS, ".ts": kindJS, ".tsx": kindJS,
	".mts": kindJS, ".cts": kindJS, ".vue": kindJS | kindMarkup, ".svelte": kindJS | kindMarkup,
	".html": kindJS | kindMarkup, ".htm": kindJS | kindMarkup, ".ejs": kindJS | kindMarkup,
	".xml": kindMarkup, ".config": kindMarkup,
	".sh": kindShell, ".bash": kindShell, ".zsh": kindShell, ".ksh": kindShell, ".dash": kindShell,
	".bats": kindShell, ".mk": kindShell, ".ps1": kindShell, ".bat": kindShell, ".cmd": kindShell,
	".yaml": kindYAML | kindShell, ".yml": kindYAML | kindShell,
	".json": kindJSON, ".jsonc": kindJSON, ".json5": kindJSON, ".webmanifest": kindJSON,
	".toml": kindTOML, ".tf": kindTOML, ".tfvars": kindTOML, ".hcl": kindTOML,
	".env": kindConfig, ".ini": kindConfig, ".cfg": kindConfig, ".conf": kindConfig, ".cnf": kindConfig,
	".properties": kindConfig, ".envrc": kindConfig | kindShell,
	".dockerfile": kindDocker | kindShell, ".containerfile": kindDocker | kindShell,
	".java": kindForeign, ".kt": kindForeign, ".scala": kindForeign, ".rb": kindForeign, ".php": kindForeign,
	".c": kindForeign, ".h": kindForeign, ".cc": kindForeign, ".cpp": kindForeign, ".hpp": kindForeign,
	".cs": kindForeign, ".rs": kindForeign, ".swift": kindForeign, ".m": kindForeign, ".lua": kindForeign,
	".pl": kindForeign, ".sql": kindForeign, ".gradle": kindForeign, ".groovy": kindForeign, ".ex": kindForeign,
	".dart": kindForeign, ".r": kindForeign, ".erl": kindForeign, ".hs": kindForeign, ".clj": kindForeign,
	".md": kindDocs, ".markdown": kindDocs, ".rst": kindDocs, ".adoc": kindDocs, ".txt": kindDocs,
}

var kindsByName = map[string]kind{
	"dockerfile": kindDocker | kindShell, "containerfile": kindDocker | kindShell,
	"makefile": kindShell, "gnumakefile": kindShell, "justfile": kindShell, "jenkinsfile": kindShell,
	"procfile": kindShell, "vagrantfile": kindShell, ".bashrc": kindShell, ".zshrc": kindShell,
	".profile": kindShell, ".bash_profile": kindShell, ".bash_aliases": kindShell,
	".npmrc": kindConfig, ".yarnrc": kindConfig, ".pypirc": kindConfig, ".netrc": kindConfig,
	".pgpass": kindConfig, ".gitconfig": kindConfig, ".curlrc": kindConfig, ".wgetrc": kindConfig,
	".editorconfig": kindConfig, "pipfile": kindTOML, "credentials": kindConfig, "config": kindConfig,
	"ssh_config": kindConfig, "sshd_config": kindConfig,
	"package.json": kindNPM | kindJSON, "go.mod": kindGoMod,
}

// wrappers are endings of copies and templates; what stands before them says what the file is.
var wrappers = []string{".txt", ".tmpl", ".template", ".tpl", ".example", ".sample", ".dist", ".bak", ".orig", ".old"}

var kindsByInterpreter = map[string]kind{
	"sh": kindShell, "bash": kindShell, "zsh": kindShell, "ksh": kindShell, "dash": kindShell, "ash": kindShell,
	"python": kindPython, "node": kindJS, "deno": kindJS, "bun": kindJS,
}

// kindsOf tells the kinds of a file from its path, and from its first line where the path says nothing.
func kindsOf(file, text string) kind {
	file = strings.ToLower(strings.ReplaceAll(file, `\`, "/"))
	if k := kindsOfPath(file); k != 0 {
		return k
	}
	for _, ending := range wrappers {
		if k := kindsOfPath(strings.TrimSuffix(file, ending)); k != 0 && strings.HasSuffix(file, ending) {
			return k
		}
	}
	return kindsOfShebang(text)
}

func kindsOfPath(file string) kind {
	name := path.Base(file)
	if k, ok := kindsByName[name]; ok {
		return k
	}
	if isRequirements(file) {
		return kindRequirements
	}
	if strings.HasPrefix(name, ".env") {
		return kindConfig
	}
	if strings.HasPrefix(name, "dockerfile.") && path.Ext(name) != ".txt" {
		return kindDocker | kindShell
	}
	return kindsOfExtension(file)
}

func kindsOfExtension(file string) kind {
	k := kindsByExtension[path.Ext(file)]
	if k == kindDocs && path.Ext(file) == ".txt" {
		k = kindsOfText(file)
	}
	if k&kindYAML == 0 {
		return k
	}
	if strings.Contains(file, ".github/workflows/") || strings.Contains(path.Base(file), "workflow") {
		k |= kindWorkflow
	}
	if strings.Contains(path.Base(file), "compose") {
		k |= kindCompose
	}
	return k
}

// kindsOfText sees through the .txt of main.go.txt.
func kindsOfText(file string) kind {
	if k := kindsOfPath(strings.TrimSuffix(file, ".txt")); k != 0 {
		return k
	}
	return kindDocs
}

func isRequirements(file string) bool {
	name := path.Base(file)
	if path.Ext(name) != ".txt" && path.Ext(name) != ".in" {
		return false
	}
	return strings.Contains(name, "requirements") || strings.HasPrefix(name, "constraints") ||
		path.Base(path.Dir(file)) == "requirements"
}

func kindsOfShebang(text string) kind {
	first, _, _ := strings.Cut(text, "\n")
	command, ok := strings.CutPrefix(first, "#!")
	if !ok {
		return kindOther
	}
	for _, word := range strings.Fields(command) {
		if k, ok := kindsByInterpreter[strings.TrimRight(path.Base(word), "0123456789.")]; ok {
			return k
		}
	}
	return kindOther
}

// commentMarks says how comment lines start; "* " continues a block comment.
func commentMarks(k kind) []string {
	switch {
	case k&(kindGo|kindGoMod) != 0:
		return []string{"//", "/*", "* ", "*/"}
	case k&kindMarkup != 0:
		return []string{"//", "/*", "* ", "*/", "<!--"}
	case k&kindJS != 0:
		return []string{"//", "/*", "* ", "*/", "<!--", "{/*"}
	case k&(kindDocs|kindJSON) != 0:
		return nil
	case k&kindOther != 0:
		return []string{"//", "/*", "* ", "*/", "#", "--", ";"}
	case k&kindConfig != 0:
		return []string{"#", ";", "//"}
	}
	return []string{"#"}
}

func isComment(line string, marks []string) bool {
	line = strings.TrimLeft(line, " \t")
	return slices.ContainsFunc(marks, func(mark string) bool {
		return strings.HasPrefix(line, mark) || line == strings.TrimSpace(mark)
	})
}
