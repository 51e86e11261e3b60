package main

import "strings"

func pythonRules() []rule {
	return append(pythonExecRules(), pythonLoadRules()...)
}

// start is what may stand before the name of a function that is not a method.
const start = `(?:^|[^.\w$#@])`

func pythonExecRules() []rule {
	return []rule{
		{
			id: "python-eval", severity: high,
			about: "Python: eval, exec or compile of something that is not constant",
			kinds: kindPython, keywords: []string{"eval", "exec", "compile", "runsource", "runcode"},
			find: either(
				call(start+`(?:(?:builtins|__builtins__)\.)?(?:eval|exec|execfile)`, callSite.firstDynamic),
				call(`\.(?:runsource|runcode)`, callSite.firstDynamic),
				call(start+`compile`, compilesCode),
			),
		},
		{
			id: "python-shell-command", severity: high,
			about: "Python: os.system, os.popen or the like with a command that is not constant",
			kinds: kindPython,
			keywords: []string{
				"os.system", ".system", "popen", "getoutput", "getstatusoutput", "_shell", "exec_command", "os.exec", "spawn",
			},
			find: call(anyOf(
				`\bos\.(?:system|popen[234]?|exec[lv]p?e?|spawn[lv]p?e?|posix_spawn)`,
				`\b(?:(?:commands|subprocess)\.)?(?:getoutput|getstatusoutput)`,
				`\bcreate_subprocess_shell`, `\bpopen2\.\w+`, `\b(?:pty|pexpect)\.spawn`, `\w\.exec_command`,
				`\b__import__\(["']os["']\)\.(?:system|popen)`,
			), callSite.anyDynamic),
		},
		{
			id: "python-os-system", severity: low,
			about: "Python: os.system or os.popen with a constant command",
			kinds: kindPython, keywords: []string{"os.system", "os.popen"},
			find: call(`\bos\.(?:system|popen)`, callSite.constant),
		},
		{
			id: "python-subprocess-shell", severity: high,
			about: "Python: subprocess with shell=True",
			kinds: kindPython, keywords: []string{"shell"},
			find: pattern(`\bshell["']?\s*[=:]\s*(?:True|1)\b`),
		},
		{
			id: "python-subprocess-string", severity: medium,
			about: "Python: subprocess with a command line put together from strings",
			kinds: kindPython, keywords: []string{"subprocess", "popen", "check_output", "check_call"},
			find: call(`\b(?:subprocess\.(?:run|call)|Popen|check_call|check_output)`, startsBuiltCommand),
		},
		{
			id: "python-dynamic-import", severity: medium,
			about: "Python: import of a module whose name is put together from strings",
			kinds: kindPython, keywords: []string{"__import__", "import_module"},
			find: call(`(?:__import__|\bimport_module)`, callSite.anyBuilt),
		},
		{
			id: "python-template-injection", severity: high,
			about: "Python: a template that is not constant is rendered, or escaping is turned off",
			kinds: kindPython,
			keywords: []string{
				"render_template_string", "template(", "from_string", "mark_safe", "autoescape",
			},
			find: either(
				call(`\brender_template_string`, callSite.firstDynamic),
				call(`(?:\bTemplate|\.from_string|\bmark_safe)`, callSite.anyBuilt),
				pattern(`\bautoescape\s*=\s*False\b`),
			),
		},
	}
}

// compilesCode tells the builtin from other functions of that name: only the builtin takes a mode.
func compilesCode(c callSite) bool {
	_, mode, _ := strings.Cut("="+c.arg(2), "=")
	mode = strings.Trim(mode[strings.LastIndex(mode, "=")+1:], `"' `)
	return c.firstDynamic() && (mode == "exec" || mode == "eval" || mode == "single")
}

// startsBuiltCommand leaves out lists of arguments, which no shell parses.
func startsBuiltCommand(c callSite) bool {
	first := c.arg(0)
	isList := strings.HasPrefix(first, "[") || strings.HasPrefix(first, "(")
	return built(first) && !isList && !strings.Contains(first, "shlex.split")
}

func pythonLoadRules() []rule {
	return []rule{
		{
			id: "python-unsafe-deserialization", severity: high,
			about: "Python: pickle, marshal, shelve, dill, joblib, jsonpickle, torch or numpy load objects",
			kinds: kindPython,
			keywords: []string{
				"pickle", "pkl.", "marshal", "shelve", "dill", "joblib", "torch.load", "allow_pickle",
			},
			find: unless(`weights_only\s*=\s*True`, either(
				call(anyOf(
					`\b(?:c?[pP]ickle|_pickle|pkl|dill|cloudpickle|marshal)\.(?:loads?|Unpickler)`,
					`\b(?:Unpickler|shelve\.open|joblib\.load|jsonpickle\.decode|torch\.load|read_pickle)`,
				), anyCall),
				pattern(`\ballow_pickle\s*=\s*True\b`),
			)),
		},
		{
			id: "python-yaml-load", severity: high,
			about: "Python: yaml.load without a safe loader",
			kinds: kindPython, keywords: []string{"yaml.", "loader", "yaml("},
			find: either(
				call(`\byaml\.load(?:_all)?`, usesUnsafeLoader),
				call(`\byaml\.(?:unsafe|full)_load(?:_all)?`, anyCall),
				pattern(
					`Loader\s*=\s*(?:yaml\.(?:Unsafe|Full)?|Unsafe|Full)Loader\b`,
					`\bYAML\(\s*typ\s*=\s*["']unsafe["']`,
				),
			),
		},
	}
}

func usesUnsafeLoader(c callSite) bool {
	for _, arg := range c.args {
		if strings.Contains(arg, "Safe") || strings.Contains(arg, "BaseLoader") {
			return false
		}
	}
	return true
}
