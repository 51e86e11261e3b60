package main

var tlsCases = []ruleCase{
	{
		rule: "tls-skip-verify", file: "a.go",
		found: []string{`&tls.Config{InsecureSkip¦Verify: true}`, `c.InsecureSkip¦Verify = true`}, clean: []string{`InsecureSkipVerify: false`, `if c.InsecureSkipVerify {`},
	},
	{
		rule: "tls-skip-verify", file: "a.yaml",
		found: []string{"insecure_skip¦_verify: true", "insecureSkip¦Verify: true", "cmd: kubectl --insecure-skip¦-tls-verify get"}, clean: []string{"insecure_skip_verify: false"},
	},
	{
		rule: "ssh-no-host-key-check", file: "a.sh",
		found: []string{"ssh -o StrictHost¦KeyChecking=no h", "scp -o UserKnown¦HostsFile=/dev/null a b:"}, clean: []string{"ssh -o StrictHostKeyChecking=yes h"},
	},
	{
		rule: "ssh-no-host-key-check", file: "a.go", found: []string{`ssh.InsecureIgnore¦HostKey()`}, clean: []string{`HostKeyCallback: knownHosts,`},
	},
	{
		rule: "python-no-tls-verify", file: "a.py",
		found: []string{
			"requests.get(u, verify¦=False)", "ssl._create_unverified¦_context()", "ctx.verify_mode = ssl.CERT¦_NONE", "ctx.check_host¦name = False",
		},
		clean: []string{"requests.get(u, verify=True)", "if ctx.verify_mode != ssl.CERT_NONE:", "def get(url, verify=False):"},
	},
	{
		rule: "js-no-tls-verify", file: "a.js",
		found: []string{"{ rejectUn¦authorized: false }", "strict¦SSL: false", "checkServer¦Identity: () => undefined"}, clean: []string{"{ rejectUnauthorized: true }"},
	},
	{
		rule: "weak-tls-version", file: "a.go", found: []string{"MinVersion: tls.Version¦TLS10,"}, clean: []string{"MinVersion: tls.VersionTLS12,"},
	},
	{
		rule: "weak-tls-version", file: "nginx.conf", found: []string{"ssl_proto¦cols TLSv1 TLSv1.2;"}, clean: []string{"ssl_protocols TLSv1.2 TLSv1.3;"},
	},
	{
		rule: "plaintext-transport", file: "a.go",
		found: []string{"grpc.Dial(a, grpc.With¦Insecure())", `"postgres://db/app?ssl¦mode=disable"`}, clean: []string{`"postgres://db/app?sslmode=verify-full"`},
	},
	{
		rule: "tls-verify-env", file: "a.sh",
		found: []string{
			"export NODE_TLS_REJECT¦_UNAUTHORIZED=0", "git config http.ssl¦Verify false", "GIT_SSL_NO¦_VERIFY=1 git pull", "npm config set strict¦-ssl false",
		},
		clean: []string{"export NODE_TLS_REJECT_UNAUTHORIZED=1", "git config http.sslVerify true"},
	},
	{
		rule: "tls-verify-env", file: "a.yaml", found: []string{"verify¦_ssl: false", "validate¦_certs: no"}, clean: []string{"verify_ssl: true"},
	},
	{
		rule: "curl-insecure", file: "a.sh",
		found: []string{"cu¦rl -k https://x", "cu¦rl -sSLk https://x", "cu¦rl --insecure https://x", "wget --no-check¦-certificate https://x"},
		clean: []string{"curl -s https://x", "curl --key k.pem https://x", "curl https://x/-k"},
	},
}

var modeCases = []ruleCase{
	{
		rule: "chmod-world-writable", file: "a.sh",
		found: []string{"chm¦od 777 f", "chm¦od -R 0777 d", "chm¦od a+w f", "chm¦od u+rw,o+w f", "um¦ask 000", "install -m ¦777 a b", "mkdir -m ¦777 d"},
		clean: []string{"chmod 755 f", "chmod +x f", "chmod u+w f", "chmod 1777 /tmp", "umask 022", "chmod 640 f"},
	},
	{
		rule: "chmod-world-writable", file: "Dockerfile", found: []string{"RUN chm¦od -R 777 /app", "COPY --chm¦od=777 a b"}, clean: []string{"COPY --chmod=755 a b"},
	},
	{
		rule: "go-world-writable", file: "a.go",
		found: []string{`os.Chm¦od(p, 0777)`, `os.Mkdir¦All(d, 0o777)`, `os.Write¦File(p, b, 0666)`, `os.Open¦File(p, f, os.ModePerm)`, `syscall.Um¦ask(0)`},
		clean: []string{`os.Chmod(p, 0755)`, `os.WriteFile(p, b, 0o600)`, `os.WriteFile("tables.go", b, 0666)`, `os.MkdirAll(d, 0o755)`},
	},
	{
		rule: "python-world-writable", file: "a.py",
		found: []string{`os.chm¦od(p, 0o777)`, `os.um¦ask(0)`, `os.chm¦od(p, stat.S_IRWXU | stat.S_IRWXO)`, `Path(p).chm¦od(0o666)`},
		clean: []string{`os.chmod(p, 0o755)`, `os.umask(0o077)`, `if mode & stat.S_IWOTH:`},
	},
	{
		rule: "js-world-writable", file: "a.js",
		found: []string{`fs.chm¦odSync(p, 0o777)`, `fs.chm¦od(p, "777", cb)`, `fs.write¦File(p, d, { mode: 0o666 }, cb)`, `process.um¦ask(0)`},
		clean: []string{`fs.chmodSync(p, 0o644)`, `fs.mkdirSync(d)`},
	},
	{
		rule: "mode-setting", file: "a.yaml",
		found: []string{`mo¦de: "0777"`, "default¦Mode: 0777", "mo¦de: a+rwx"}, clean: []string{"mode: 0644", "mode: 1777", "mode: production", "mode: rw"},
	},
}

var cryptoCases = []ruleCase{
	{
		rule: "weak-password-hash", file: "a.py",
		found: []string{"hashlib.m¦d5(pa¦ssword.encode())", "digest = sha¦1(to¦ken)"}, clean: []string{"hashlib.sha256(pa¦ssword)", "def md5_pa¦ssword(x):"},
	},
	{
		rule: "weak-password-hash", file: "a.sh", found: []string{`echo -n "$PASSWORD" | m¦d5sum`}, clean: []string{"md5sum archive.tgz"},
	},
	{
		rule: "weak-hash", file: "a.go",
		found: []string{"h := m¦d5.New()", "sum := sha¦1.Sum(data)"}, clean: []string{"h := sha256.New()", "etag := md5.Sum(body)", `import "crypto/md5"`},
	},
	{
		rule: "weak-hash", file: "a.js",
		found: []string{`crypto.create¦Hash("md5")`, `crypto.create¦Hash('sha1')`}, clean: []string{`crypto.createHash("sha256")`, `const checksum = crypto.createHash("md5")`},
	},
	{
		rule: "weak-cipher", file: "a.go", found: []string{"des.New¦Cipher(key)", "rc4.New¦Cipher(key)", `"crypto/d¦es"`}, clean: []string{"aes.NewCipher(key)"},
	},
	{
		rule: "weak-cipher", file: "a.py", found: []string{"D¦ES.new(key)", "AR¦C4.new(key)"}, clean: []string{"AES.new(key, AES.MODE_GCM)", "codes.new(x)"},
	},
	{
		rule: "weak-cipher", file: "a.js", found: []string{`crypto.createCipher¦iv("des-ede3-cbc", k, iv)`}, clean: []string{`crypto.createCipheriv("aes-256-gcm", k, iv)`},
	},
	{
		rule: "weak-cipher-suite", file: "nginx.conf", found: []string{"ssl_ciph¦ers RC4:HIGH;"}, clean: []string{"ssl_ciphers HIGH:!RC4:!aNULL;"},
	},
	{
		rule: "ecb-mode", file: "a.py", found: []string{"AES.new(k, AES.MODE_E¦CB)", "Cipher(algorithms.AES(k), modes.E¦CB())"}, clean: []string{"AES.new(k, AES.MODE_CBC)"},
	},
	{
		rule: "weak-random", file: "a.js", found: []string{"const token = Math.ran¦dom().toString(36)"}, clean: []string{"const x = Math.random()"},
	},
	{
		rule: "weak-key-size", file: "a.go", found: []string{"rsa.Generate¦Key(rand.Reader, 1024)"}, clean: []string{"rsa.GenerateKey(rand.Reader, 2048)"},
	},
	{
		rule: "jwt-unverified", file: "a.py",
		found: []string{`jwt.decode(t, options={"verify_sig¦nature": False})`}, clean: []string{`jwt.decode(t, key, algorithms=["HS256"])`},
	},
	{
		rule: "deprecated-cipher-call", file: "a.js", found: []string{`crypto.create¦Cipher("aes192", pw)`}, clean: []string{`crypto.createCipheriv("aes-256-gcm", k, iv)`},
	},
}

var dependencyCases = []ruleCase{
	{
		rule: "dep-python-unpinned", file: "requirements.txt",
		found: []string{"flask", "requests>=2.0", "django~=3.2", "numpy==1.*", "pkg[extra]>=1,<2", `six; python_version<"3"`, "foo  # why"},
		clean: []string{"flask==2.0.1", "pkg[extra]==1.0", "-r base.txt", "# flask", "", "--hash=sha256:abc", `six==1.16.0 ; python_version<"3"`},
	},
	{rule: "dep-python-unpinned", file: "notes.txt", found: nil, clean: []string{"flask"}},
	{
		rule: "dep-python-url", file: "requirements-dev.txt",
		found: []string{"https¦://example.org/x-1.0.tgz", "foo @ https¦://example.org/foo.whl", "-e .", "../libs/foo"}, clean: []string{"flask==2.0.1"},
	},
	{
		rule: "dep-install-url", file: "a.sh",
		found: []string{"pip ¦install https://example.org/x.whl", "npm ¦install https://example.org/x.tgz"}, clean: []string{"pip install flask", "pip install -i https://example.org/simple"},
	},
	{
		rule: "dep-git", file: "requirements.txt",
		found: []string{"git¦+https://example.org/y.git", "-e git¦+ssh://git@example.org/y.git#egg=y"}, clean: []string{"gitpython==3.1.0"},
	},
	{
		rule: "dep-git", file: "Cargo.toml", found: []string{`foo = { git¦ = "https://example.org/foo" }`}, clean: []string{`foo = "1.2.3"`},
	},
	{
		rule: "dep-insecure-index", file: "requirements.txt",
		found: []string{"--index¦-url http://pypi.local/simple", "--trusted¦-host pypi.local"}, clean: []string{"--index-url https://pypi.org/simple"},
	},
	{
		rule: "dep-extra-index", file: "requirements.txt", found: []string{"--extra-index¦-url https://pypi.local/simple"}, clean: []string{"--index-url https://pypi.org/simple"},
	},
	{
		rule: "dep-npm-git", file: "package.json",
		found: []string{`"foo": "git+https://example.org/foo.git",`, `"foo": "github:x/foo",`, `"foo": "x/foo#main"`},
		clean: []string{`"foo": "1.0.0"`, `"url": "git+https://example.org/foo.git"`, `"homepage": "x/foo"`},
	},
	{
		rule: "dep-npm-url", file: "package.json",
		found: []string{`"foo": "https://example.org/foo.tgz"`, `"foo": "file:../foo"`}, clean: []string{`"foo": "1.0.0"`, `"homepage": "https://example.org"`},
	},
	{
		rule: "dep-npm-any", file: "package.json", found: []string{`"foo": "*"`, `"foo": "latest"`, `"foo": ""`}, clean: []string{`"foo": "1.0.0"`, `"version": "next"`},
	},
	{
		rule: "dep-npm-range", file: "package.json",
		found: []string{`"foo": "^1.0.0"`, `"foo": "~1.2"`, `"foo": ">=1.0.0"`, `"foo": "1.x"`, `{"dependencies": {"foo": "^1.0.0"}}`},
		clean: []string{`"foo": "1.0.0"`, `"node": ">=18"`, "{\n \"engines\": {\n  \"thing\": \">=18\"\n }\n}"},
	},
	{
		rule: "npm-install-hook", file: "package.json",
		found: []string{`"post¦install": "cu¦rl https¦://example.org/x | sh"`, `"pre¦install": "node -e 1"`}, clean: []string{`"postinstall": "node build.js"`, `"start": "cu¦rl https¦://x"`},
	},
	{
		rule: "dep-go-replace", file: "go.mod", found: []string{"replace example.org/x => ../x", "\texample.org/x => example.org/fork v1.0.0"}, clean: []string{"require example.org/x v1.0.0"},
	},
	{
		rule: "dep-go-untagged", file: "go.mod",
		found: []string{"\texample.org/x v0.0.0-20210101000000-abcdef123456", "require example.org/x main"},
		clean: []string{"require example.org/x v1.0.0", "module example.org/x", "go 1.26.0", "\texample.org/x v1.0.0 // indirect"},
	},
	{
		rule: "dep-install-unpinned", file: "a.sh", found: []string{"go ¦install example.org/x@latest", "npx ¦tool@latest"}, clean: []string{"go install example.org/x@v1.2.3"},
	},
	{
		rule: "docker-unpinned-install", file: "Dockerfile",
		found: []string{"RUN pip ¦install flask", "RUN npm ¦install -g typescript"}, clean: []string{"RUN pip install flask==2.0.1", "RUN pip install -r requirements.txt"},
	},
	{
		rule: "dep-toml-any", file: "pyproject.toml", found: []string{`requests = "¦*"`}, clean: []string{`requests = "2.31.0"`},
	},
	{
		rule: "docker-unpinned-image", file: "Dockerfile",
		found: []string{"FROM ubuntu", "FROM ubuntu:latest", "FROM example.org/app AS build", "FROM --platform=linux/amd64 node"},
		clean: []string{"FROM ubuntu:24.04", "FROM scratch", "FROM golang:1.26 AS build\nFROM build", "FROM app@sha256:«hex:64»"},
	},
	{
		rule: "docker-add-url", file: "Dockerfile", found: []string{"ADD https://example.org/x.tgz /x"}, clean: []string{"ADD x.tgz /x", "ADD --checksum=sha256:x https://example.org/x.tgz /x"},
	},
	{
		rule: "docker-copied-secret", file: "Dockerfile", found: []string{"COPY id_rsa /root/.ssh/", "COPY .env /app/"}, clean: []string{"COPY . /app"},
	},
	{
		rule: "docker-root-user", file: "Dockerfile", found: []string{"USER root", "USER 0"}, clean: []string{"USER app"},
	},
	{
		rule: "image-latest", file: "compose.yaml", found: []string{"    image: redis:latest", "    image: redis"}, clean: []string{"    image: redis:7.2"},
	},
	{
		rule: "workflow-unpinned-action", file: ".github/workflows/ci.yml",
		found: []string{"- uses: actions/checkout@main", "- uses: actions/checkout"}, clean: []string{"- uses: actions/checkout@v4", "- uses: ./local"},
	},
	{
		rule: "privileged-container", file: "compose.yaml", found: []string{"    privileged: true"}, clean: []string{"    privileged: false"},
	},
}
