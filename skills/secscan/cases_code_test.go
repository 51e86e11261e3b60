package main

var goCases = []ruleCase{
	{
		rule: "go-shell-exec", file: "a.go",
		found: []string{
			`exec.Com¦mand("sh", "-¦c", "ls "+dir)`, `exec.Com¦mandContext(ctx, "/bin/bash", "-¦c", fmt.Sprintf("ls %s", d))`,
			`exec.Com¦mand("cmd", "/¦C", line)`, `exec.Com¦mand(shell, "-¦c", script)`, `exec.Com¦mand("sh", "-¦c",`,
			`syscall.Ex¦ec("/bin/sh", []string{"sh", "-¦c", line}, env)`,
		},
		clean: []string{`exec.Command("sh", "-c", "ls -l")`, `exec.Command("ls", dir)`, `exec.Command("ping", "-c", "1", host)`, `// exec.Com¦mand("sh", "-c", x)`},
	},
	{
		rule: "go-exec-input", file: "a.go",
		found: []string{`exec.Com¦mand(r.FormValue("cmd"))`, `exec.Com¦mand("tool-" + name)`, `exec.Com¦mand("git", "log", os.Args[1])`},
		clean: []string{`exec.Command("git", "log")`, `exec.Command(name, args...)`, `exec.Command("git", "-c", "core.eol=input")`},
	},
	{
		rule: "shell-array", file: "a.go",
		found: []string{`args := []string{"sh", "-¦c", line}`}, clean: []string{`args := []string{"sh", "-c", "date"}`},
	},
}

var pythonCases = []ruleCase{
	{
		rule: "python-eval", file: "a.py",
		found: []string{`ev¦al(expr)`, `x = ev¦al(f"{a}+1")`, `ex¦ec(open("a.py").read())`, `code = comp¦ile(src, "x", "exec")`},
		clean: []string{`eval("1 + 1")`, `model.eval()`, `ast.literal_eval(x)`, `re.compile(x)`, `def eval(self, x):`, `# eval(x)`, `print("eval(x)")`},
	},
	{
		rule: "python-eval", file: "a.go", found: nil, clean: []string{`ev¦al(expr)`},
	},
	{
		rule: "python-shell-command", file: "a.py",
		found: []string{`os.sys¦tem("ping " + host)`, `os.po¦pen(f"ls {d}")`, `subprocess.get¦output(cmd)`},
		clean: []string{`os.system("clear")`, `os.path.join(a, b)`},
	},
	{
		rule: "python-os-system", file: "a.py", found: []string{`os.sys¦tem("clear")`}, clean: []string{`os.sys¦tem(cmd)`},
	},
	{
		rule: "python-subprocess-shell", file: "a.py",
		found: []string{`subprocess.run(cmd, shell¦=True)`, `    shell¦ = True,`}, clean: []string{`subprocess.run(cmd, shell=False)`},
	},
	{
		rule: "python-subprocess-string", file: "a.py",
		found: []string{`subprocess.ru¦n(f"ls {d}")`, `subprocess.ca¦ll("ls " + d)`}, clean: []string{`subprocess.run(["ls", d])`, `subprocess.run("ls")`},
	},
	{
		rule: "python-dynamic-import", file: "a.py",
		found: []string{`__imp¦ort__("plugins." + name)`}, clean: []string{`__import__("os")`, `import_module(name)`},
	},
	{
		rule: "python-template-injection", file: "a.py",
		found: []string{`render_template¦_string(request.args["t"])`, `env = Environment(auto¦escape=False)`},
		clean: []string{`render_template_string("<b>hi</b>")`, `Template("hello")`},
	},
	{
		rule: "python-unsafe-deserialization", file: "a.py",
		found: []string{`pick¦le.loads(data)`, `mars¦hal.load(f)`, `np.load(f, allow¦_pickle=True)`, `torch.¦load(path)`},
		clean: []string{`json.loads(data)`, `torch.load(path, weights_only=True)`, `pickle.dumps(x)`},
	},
	{
		rule: "python-yaml-load", file: "a.py",
		found: []string{`yaml.lo¦ad(f)`, `yaml.lo¦ad(f, Loader=yaml.Loader)`, `yaml.unsafe¦_load(f)`},
		clean: []string{`yaml.safe_load(f)`, `yaml.load(f, Loader=yaml.SafeLoader)`, `def scan(stream, Loader=Loader):`},
	},
}

var jsCases = []ruleCase{
	{
		rule: "js-eval", file: "a.js",
		found: []string{`ev¦al(code)`, `window.ev¦al("x" + y)`, "ev¦al(`${x}`)"}, clean: []string{`eval("1")`, `page.$eval(x)`, `obj.eval(x)`, `// eval(x)`},
	},
	{
		rule: "js-new-function", file: "a.ts",
		found: []string{`new Func¦tion("a", body)`, `Func¦tion("return " + x)()`}, clean: []string{`new Function("return this")`, `function (a) {}`},
	},
	{
		rule: "js-timer-string", file: "a.js", found: []string{`set¦Timeout("go()", 10)`}, clean: []string{`setTimeout(go, 10)`},
	},
	{
		rule: "js-child-process", file: "a.js",
		found: []string{"ex¦ec(`ls ${dir}`)", `child_process.ex¦ec("ls " + d)`, `await ex¦ecAsync(cmd)`, `require("child_process").ex¦ecSync(cmd)`},
		clean: []string{`exec("ls")`, `/a/.exec(text)`, `this.exec(sql)`, `exec(sql, params) {`},
	},
	{
		rule: "js-spawn-shell", file: "a.js",
		found: []string{`spawn(cmd, { shell¦: true })`, "spa¦wn(`tool ${x}`)"}, clean: []string{`spawn("ls", [dir])`, `{ shell: false }`},
	},
	{
		rule: "js-vm-code", file: "a.js", found: []string{`vm.runIn¦NewContext(code)`, `serialize.unseri¦alize(x)`}, clean: []string{`vm.createContext(x)`},
	},
	{
		rule: "js-html-sink", file: "a.js",
		found: []string{
			`el.inner¦HTML = text`, "el.inner¦HTML += `<b>${x}</b>`", `document.wri¦te("<p>" + x)`, `el.insertAdjacent¦HTML("beforeend", x)`, `$("#a").ht¦ml(x)`,
		},
		clean: []string{`el.innerHTML = ""`, `el.innerHTML = '<b>hi</b>';`, `if (el.innerHTML == x) {`, `el.innerHTML = DOMPurify.sanitize(x)`, `el.textContent = x`},
	},
	{
		rule: "js-dangerous-html", file: "a.jsx",
		found: []string{`<div dangerouslySet¦InnerHTML={{ __html: x }} />`}, clean: []string{`<div dangerouslySetInnerHTML={{ __html: sanitize(x) }} />`, `<div>{x}</div>`},
	},
	{
		rule: "js-script-url", file: "a.js",
		found: []string{`a.href = "java¦script:" + x`, `a.set¦Attribute("onclick", x)`}, clean: []string{`a.href = "javascript:void(0)"`, `a.setAttribute("class", x)`},
	},
}

var shellCases = []ruleCase{
	{
		rule: "shell-eval", file: "a.sh",
		found: []string{`ev¦al "$1"`, `ev¦al $cmd`, "ev¦al `make args`"}, clean: []string{`eval "$(ssh-agent -s)"`, `# eval "$1"`, `evaluate "$x"`},
	},
	{
		rule: "shell-c-variable", file: "a.sh",
		found: []string{`bash -¦c "$1"`, `sh -¦c "rm $x"`, `find . -exec sh -¦c "cat {}" \;`}, clean: []string{`sh -c "date"`, `bash -x run.sh`},
	},
	{
		rule: "curl-pipe-shell", file: "a.sh",
		found: []string{
			"cu¦rl -fsSL https¦://x | sh", "wg¦et -qO- https¦://x | sudo bash", "ba¦sh <(cu¦rl -s https¦://x)", `s¦h -c "$(cu¦rl -fsSL https¦://x)"`,
			"cu¦rl -o i.sh https://x && bash i.sh",
		},
		clean: []string{"cu¦rl https¦://x | jq .", "cu¦rl -o x.tgz https¦://x", "cat x | sh"},
	},
	{
		rule: "pipe-to-shell", file: "a.sh",
		found: []string{`echo "$x" ¦| bash`, `base64 -d f ¦| sh`}, clean: []string{`echo hello | sort`, `cat list | ssh host`},
	},
	{
		rule: "rm-variable", file: "a.sh",
		found: []string{"r¦m -rf $DIR/", "r¦m -fr ${TMP}/x", `r¦m -rf "$DIR"/*`, `r¦m -r $1`}, clean: []string{`rm -rf "$DIR"`, "rm -rf build/", `rm -rf "${DIR:?}"/`, "rm $f"},
	},
	{
		rule: "workflow-injection", file: ".github/workflows/a.yml",
		found: []string{`run: echo "${{ github.event¦.issue.title }}"`, `run: git checkout ${{ github.head¦_ref }}`}, clean: []string{`run: echo "${{ github.sha }}"`},
	},
}

var sqlCases = []ruleCase{
	{
		rule: "go-sql-format", file: "a.go",
		found: []string{
			`q := fmt.Sprintf("SEL¦ECT * FR¦OM users WH¦ERE name = '%s'", name)`, `db.Query("SEL¦ECT id FR¦OM users WH¦ERE id = " + id)`,
			`q += " WH¦ERE name =¦ '" + name + "'"`, `db.Whe¦re("name =¦ '" + name + "'")`,
		},
		clean: []string{
			`db.Query("SELECT id FROM users WHERE id = $1", id)`, `log.Printf("SELECT took %s", d)`, `"SELECT a " + "FROM b"`,
			`// "SELECT * FROM " + table`, `fmt.Errorf("cannot select from %s", x)`,
		},
	},
	{
		rule: "python-sql-format", file: "a.py",
		found: []string{
			`cur.execute(f"SEL¦ECT * FR¦OM users WH¦ERE id = {uid}")`, `cur.execute("SEL¦ECT * FR¦OM t WH¦ERE a = '%s'" % a)`,
			`q = "DEL¦ETE FR¦OM t WH¦ERE id = {}".format(i)`, `q = "UPD¦ATE t SET a = " + a`, `    WH¦ERE name = '{name}'`,
		},
		clean: []string{`cur.execute("SELECT * FROM t WHERE a = %s", (a,))`, `print(f"select {x} from the list")`, `s = "drop {}".format(x)`},
	},
	{
		rule: "js-sql-format", file: "a.js",
		found: []string{`db.query("SEL¦ECT * FR¦OM t WH¦ERE id = " + id)`, "q = `INS¦ERT INTO t VAL¦UES (${v})`", `q = 'DR¦OP TAB¦LE ' + t`},
		clean: []string{"await sql`SELECT * FROM t WHERE id = ${id}`", `db.query("SELECT * FROM t WHERE id = ?", [id])`, "console.log(`update ${x} set`)"},
	},
}
