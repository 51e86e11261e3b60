package main

import (
	"slices"
	"strings"
)

func goRules() []rule {
	return []rule{
		{
			id: "go-shell-exec", severity: high,
			about:    "Go: a shell is run with a command that is not constant",
			kinds:    kindGo,
			keywords: []string{"exec.", "syscall.exec", "forkexec", "startprocess"},
			find:     call(goExecNames, runsShell),
		},
		{
			id: "go-exec-input", severity: high,
			about:    "Go: a program or its arguments are put together from input",
			kinds:    kindGo,
			keywords: []string{"exec.command"},
			find:     call(`\bexec\.Command(?:Context)?`, runsInput),
		},
		{
			id: "shell-array", severity: high,
			about:    "a shell with -c in a list of arguments, with a command that is not constant",
			kinds:    kindCode,
			keywords: []string{`sh"`, `sh'`, `cmd.exe`, `"cmd"`, `'cmd'`},
			generic:  true,
			find:     unless(goExecNames, patternIf(shellArrayExpr, dynamicRest)),
		},
	}
}

const goExecNames = `\b(?:exec\.Command(?:Context)?|syscall\.Exec|syscall\.ForkExec|os\.StartProcess)`

const shellArrayExpr = `["'](?:/\S*/)?(?:(?:ba|z|k|da|a)?sh|cmd(?:\.exe)?|powershell|pwsh)["']` +
	`\s*,\s*\[?\s*["'](?:-\w*c|/[cC]|-Command)["']\s*,`

// dynamicRest says that the next argument is not a constant.
func dynamicRest(v view, groups []int) bool {
	args, _, closed := splitArgs(v.text[groups[1]:min(len(v.text), groups[1]+maxArgs)])
	return len(args) > 0 && dynamic(args[0]) || len(args) == 0 && !closed
}

var shellNameExpr = lazy("^[\"`](?:.*/)?(?:(?:ba|z|k|da|a)?sh|cmd(?:\\.exe)?|powershell(?:\\.exe)?|pwsh)[\"`]$")

// command returns the arguments without the context and without env, which only looks up the program.
func (c callSite) command() []string {
	args := c.args
	if strings.HasSuffix(c.name, "Context") && len(args) > 0 {
		args = args[1:]
	}
	if len(args) > 1 && (args[0] == `"env"` || args[0] == `"/usr/bin/env"`) {
		args = args[1:]
	}
	return args
}

// runsShell accepts exec.Command("sh", "-c", command), also when the command is on the next line.
func runsShell(c callSite) bool {
	args := c.command()
	if len(args) == 0 || !isShell(args) {
		return false
	}
	return slices.ContainsFunc(args[1:], dynamic) || !c.closed && len(args) < 3
}

// isShell also takes a program that is not constant for a shell, if its first argument is -c.
func isShell(args []string) bool {
	return shellNameExpr().MatchString(args[0]) || dynamic(args[0]) && len(args) > 1 && (args[1] == `"-c"` || args[1] == `"/c"`)
}

// goInputExpr matches requests, the command line, and names that people give to what comes from there.
var goInputExpr = lazy(`FormValue|PostForm|\.URL\.|\bQuery\(|\bos\.Args\b|mux\.Vars|URLParam|PathValue|` +
	`\.Param\(|\.Params\.|flag\.Arg|\.Header\.Get|\.Body\b|(?i:\buser_?(?:input|cmd|command)|\binput\b|untrusted)`)

// runsInput accepts a program name that is put together, and arguments that visibly come from outside.
func runsInput(c callSite) bool {
	args := c.command()
	if len(args) == 0 || isShell(args) {
		return false
	}
	fields := strings.Contains(args[0], "strings.Fields(") || strings.Contains(args[0], "strings.Split(")
	return built(args[0]) || fields || slices.ContainsFunc(args, fromOutside)
}

func fromOutside(arg string) bool {
	skeleton, _ := withoutStrings(arg)
	return goInputExpr().MatchString(skeleton)
}
