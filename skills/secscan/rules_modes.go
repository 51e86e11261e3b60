package main

import (
	"strings"
)

// modeRules find files and directories that everybody may write to.
func modeRules() []rule {
	return []rule{
		{
			id: "chmod-world-writable", severity: high,
			about: "chmod, install, mkdir -m or COPY --chmod makes a file writable for everybody",
			kinds: kindScripts | kindNPM,
			keywords: []string{
				"chmod", "install -", "mkdir -", "setfacl", "icacls", "umask", "mknod", "mkfifo",
			},
			find: having(pattern(
				`\bchmod\b["']?(?:[\s,]+["']?-{1,2}[\w-]+["']?)*[\s,]+["']?`+writable+`\b`,
				`\bchmod\b(?:\s+-{1,2}[\w-]+)*\s+["']?(?:[ugoa]*,?[ugo]*[=+]?[rwx]*,)*(?:a|[ug]*o[ug]*)[+=][rx]*w`,
				`\b(?:install|mkdir|mknod|mkfifo)\b[^|;&]*?\s(?:-m\s*|--mode[= ])["']?(?:`+writable+`\b|\S*[ao]\+\w*w)`,
				`--chmod=(?:`+writable+`\b|\S*[ao]\+\w*w)`,
				`(?:^|[\s;&|"'])umask\s+(?:-S\s+)?(?:0{1,4}|\S*o=rwx?|a=rwx?)(?:[\s;&|"']|$)`,
				`\bsetfacl\b.*\bo(?:ther)?::?[r-]?w`,
				`\bicacls\b.*(?:\bEveryone|\*S-1-1-0):\(?[FMW]`,
			), writableParts...),
		},
		{
			id: "go-world-writable", severity: medium,
			about: "Go: os call with a mode that lets everybody write",
			kinds: kindGo, keywords: []string{"chmod", "writefile", "mkdir", "openfile", "mkfifo", "umask"},
			find: either(
				call(`\b\w+\.(?:F?[Cc]hmod|WriteFile|MkdirAll|Mkdir|OpenFile|Mkfifo)`, grantsWrite),
				call(`\b(?:syscall|unix)\.Umask`, clearsMask),
			),
		},
		{
			id: "python-world-writable", severity: medium,
			about: "Python: os call with a mode that lets everybody write, or clears the umask",
			kinds: kindPython,
			keywords: []string{
				"chmod", "mkdir", "makedirs", "umask", "os.open", "mkfifo", "s_iwoth", "s_irwxo",
			},
			find: either(
				call(`\b(?:chmod|lchmod|fchmod|mkdir|makedirs|os\.open|mkfifo)`, grantsWrite),
				call(`\bos\.umask`, clearsMask),
				unless(`&`, pattern(`\|\s*(?:stat\.)?S_I(?:WOTH|RWXO)\b`, `\bS_I(?:WOTH|RWXO)\s*\|`)),
			),
		},
		{
			id: "js-world-writable", severity: medium,
			about: "JavaScript: fs call with a mode that lets everybody write, or clears the umask",
			kinds: kindJS,
			keywords: []string{
				"chmod", "mkdir", "writefile", "open(", "opensync", "umask", "createwritestream", "appendfile",
				"ensuredir", "outputfile",
			},
			find: having(either(
				call(`\b(?:[lf]?chmod|mkdirp?|writeFile|appendFile|open|ensureDir|outputFile)(?:Sync)?`, grantsWrite),
				call(`\bcreateWriteStream`, grantsWrite),
				call(`\bprocess\.umask`, clearsMask),
			), writableParts...),
		},
		{
			id: "mode-setting", severity: medium,
			about:    "mode in a setting lets everybody write",
			kinds:    kindYAML | kindJSON | kindTOML | kindConfig | kindJS | kindPython | kindDocker | kindForeign | kindOther,
			keywords: []string{"mode", "permission", "umask", "mask", "perms"},
			generic:  true,
			find: having(unless(definition, pattern(
				`(?i)(?:mode|permissions?|perms)["']?\s*(?:[:=]|=>)\s*["']?(?:0o?)?`+writable+`["']?\s*(?:[,}#);]|$)`,
				`(?i)\b(?:mode|perms)["']?\s*[:=]\s*["']?(?:[ao]\+\w*w|[ugo=rwx,+]*o=?\+?r?w|ugo?\+r?w)`,
				`(?i)\b(?:create_?mask|umask)["']?\s*[:=]\s*["']?0{1,4}["']?\s*(?:[,}#]|$)`,
			)), writableParts...),
		},
	}
}

// writable is an octal mode that lets others write. In a directory with the sticky bit (1777, as /tmp has)
// nobody can write to the files of others.
const writable = `[0246]?[0-7][0-7][2367]`

// writableParts are parts of every mode that modeRules look for.
var writableParts = []string{"77", "66", "76", "67", "o+", "a+", "rw", "+w", "mask", "Mask", "MASK", "511", "438", "22", "Everyone"}

// 511 and 438 are 0777 and 0666 in decimal.
var modeExpr = lazy(`(?:^|[^\w])(?:0o?` + writable + `|["']` + writable + `["']|511|438)(?:[^\w]|$)` +
	`|\bModePerm\b|\bS_I(?:WOTH|RWXO)\b`)

// grantsWrite looks at the arguments behind the name of the file. A mode behind & is a mask.
func grantsWrite(c callSite) bool {
	if isSourceFile(c) {
		return false
	}
	for i, arg := range c.args {
		if (i > 0 || len(c.args) == 1) && modeExpr().MatchString(arg) && !strings.ContainsAny(arg, "&^") {
			return true
		}
	}
	return false
}

var sourceFileExpr = lazy("\\.(?:go|s)[\"`]\\)*$")

// isSourceFile says that a generator writes Go or assembler: such a file goes into version control, which
// does not keep its mode.
func isSourceFile(c callSite) bool {
	return strings.HasSuffix(c.name, "WriteFile") && sourceFileExpr().MatchString(c.arg(0))
}

func clearsMask(c callSite) bool {
	mask := strings.TrimPrefix(strings.ToLower(c.arg(0)), "0o")
	return mask != "" && strings.Trim(mask, "0") == ""
}
