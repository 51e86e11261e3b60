package main

import (
	"strings"
)

func jsRules() []rule {
	return append(jsExecRules(), jsPageRules()...)
}

func jsExecRules() []rule {
	return []rule{
		{
			id: "js-eval", severity: high,
			about: "JavaScript: eval of something that is not constant",
			kinds: kindJS, keywords: []string{"eval"},
			find: either(
				call(start+`(?:(?:window|globalThis|global|self|top)\.)?eval`, callSite.firstDynamic),
				call(`\(0,\s*eval\)`, callSite.firstDynamic),
			),
		},
		{
			id: "js-new-function", severity: high,
			about: "JavaScript: Function constructor with code that is not constant",
			kinds: kindJS,
			keywords: []string{
				"new function", "window.function", "globalthis.function", `function("`, `function('`, "function(`",
			},
			find: call(start+`(?:new\s+)?(?:(?:window|globalThis)\.)?Function`, callSite.anyDynamic),
		},
		{
			id: "js-timer-string", severity: medium,
			about: "JavaScript: setTimeout or setInterval with code in a string",
			kinds: kindJS, keywords: []string{"settimeout", "setinterval", "setimmediate", "execscript"},
			find: pattern("\\b(?:set(?:Timeout|Interval|Immediate)|execScript)\\s*\\(\\s*[\"'`]"),
		},
		{
			id: "js-child-process", severity: high,
			about: "JavaScript: child_process.exec with a command that is not constant",
			kinds: kindJS, keywords: []string{"exec", "runcommand"},
			find: call(start+jsExecNames, callSite.firstDynamic),
		},
		{
			id: "js-spawn-shell", severity: high,
			about: "JavaScript: spawn with shell: true, or of a program put together from strings",
			kinds: kindJS, keywords: []string{"shell", "spawn", "execfile", "fork"},
			find: either(
				pattern(`\bshell["']?\s*:\s*(?:true\b|["']/)`),
				call(`\b(?:spawn|spawnSync|execFile|execFileSync|fork)`, startsBuiltCommand),
			),
		},
		{
			id: "js-vm-code", severity: high,
			about: "JavaScript: the vm module, or a deserializer, runs code that is not constant",
			kinds: kindJS, keywords: []string{"vm.", "vm2", "runin", "unserialize"},
			find: call(anyOf(
				`\bvm2?\.(?:runIn\w+|compileFunction|Script|run)`, `\brunIn(?:New|This)?Context`, `\.unserialize`,
			), callSite.anyDynamic),
		},
	}
}

// jsExecNames leaves out .exec of anything else: regular expressions have one, and so have databases.
const jsExecNames = `(?:(?:cp|child_process|childProcess|child|proc|shell|shelljs|` +
	`require\(["'](?:node:)?child_process["']\))\.)?` +
	`(?:exec|execSync|execAsync|execPromise|execP|execaCommand|execaCommandSync|execa\.command|` +
	`promisify\(exec\)|pexec|runCommand|shellExec)`

func jsPageRules() []rule {
	return []rule{
		{
			id: "js-html-sink", severity: medium,
			about: "JavaScript: innerHTML, outerHTML, document.write or the like with something not constant",
			kinds: kindJS,
			keywords: []string{
				"innerhtml", "outerhtml", "insertadjacenthtml", "document.write", "createcontextualfragment",
				"srcdoc", "html(", ".append(", ".prepend(", "sethtmlunsafe",
			},
			find: unless(sanitizer, either(
				patternIf(`\.\s*(?:innerHTML|outerHTML|srcdoc)\s*\+?=(?:[^=]|$)`, assignsDynamic),
				patternIf(`\[\s*["'](?:innerHTML|outerHTML)["']\s*\]\s*\+?=(?:[^=]|$)`, assignsDynamic),
				call(`(?:\.insertAdjacentHTML|\bdocument\.write(?:ln)?)`, callSite.anyDynamic),
				call(`\.createContextualFragment`, callSite.anyDynamic),
				call(`\$\([^)]*\)\.(?:html|append|prepend)`, callSite.firstDynamic),
				call(`\.(?:html|setHTMLUnsafe)`, callSite.anyBuilt),
			)),
		},
		{
			id: "js-dangerous-html", severity: medium,
			about: "React, Vue, Angular or Svelte: raw HTML in a template",
			kinds: kindJS,
			keywords: []string{
				"dangerouslysetinnerhtml", "v-html", "[innerhtml]", "bypasssecuritytrust", "{@html",
			},
			find: unless(sanitizer, pattern(
				`\bdangerouslySetInnerHTML\b`, `\bv-html\s*=`, `\[innerHTML\]\s*=`,
				`\bbypassSecurityTrust\w+\(`, `\{@html\b`,
			)),
		},
		{
			id: "js-script-url", severity: medium,
			about: "JavaScript: a javascript: URL or an event handler put together from strings",
			kinds: kindJS, keywords: []string{"javascript:", "setattribute"},
			find: either(
				pattern("[\"'`]javascript:[^\"'`]*(?:[\"']\\s*\\+|\\$\\{)"),
				call(`\.setAttribute`, setsHandler),
			),
		},
	}
}

const sanitizer = `(?i)sanitize|DOMPurify|escape_?Html|\bpurify\b`

func setsHandler(c callSite) bool {
	return strings.HasPrefix(strings.Trim(c.arg(0), `"'`), "on") && dynamic(c.arg(1))
}

// assignsDynamic says that the right side of an assignment is not constant. The expression before ends
// with the sign and the byte behind it.
func assignsDynamic(v view, groups []int) bool {
	from := strings.LastIndex(v.text[:groups[1]], "=") + 1
	parts, _, _ := splitArgs(v.text[from:min(len(v.text), from+maxArgs)])
	if len(parts) == 0 {
		return true
	}
	skeleton, interpolated := withoutStrings(parts[0])
	statement, _, _ := strings.Cut(skeleton, ";")
	statement, _, _ = strings.Cut(statement, "//")
	return interpolated || identifierExpr().MatchString(constantExpr().ReplaceAllString(statement, ""))
}

var constantExpr = lazy(`\b(?:null|undefined|true|false)\b`)
