package main

var credentialCases = []ruleCase{
	{
		rule: "jwt", file: "a.js",
		found: []string{`t = "eyJ¦hbGciOiJIUzI1NiJ9.eyJ¦zdWIiOiIxMjM0NTY3ODkwIn0.«43»"`}, clean: []string{`t = "eyJ"`},
	},
	{
		rule: "url-password", file: "a.py",
		found: []string{
			`db = "postgres¦://admin:S3cr3t@db.local:5432/app"`, `r = "redis¦://:p4ss@redis"`,
			`git clone https¦://oauth2:«20»@gitlab.local/x.git`,
		},
		clean: []string{
			`db = "postgres://user:password@localhost/app"`, `db = f"postgres://{user}:{pw}@host"`,
			`db = "postgres://$USER:$PASSWORD@host"`, `u = "https://host:8080/@x"`, `db = "mysql://USER:PASSWORD@host"`,
		},
	},
	{
		rule: "basic-auth-header", file: "a.sh",
		found: []string{`curl -H "Authorization: Basic ¦YWRtaW46aHVudGVyMg==" https://x`, `"Basic ¦dXNlcjpwYXNzd29yZA=="`},
		clean: []string{`echo "basic authentication"`, `-H "Authorization: Basic $TOKEN"`},
	},
	{
		rule: "bearer-token", file: "a.go",
		found: []string{`req.Header.Set("Authorization", "Bearer ¦«40»")`, `"Authorization", "Token ¦«hex:40»"`, `"X-Api-Key: ¦«32»"`},
		clean: []string{`"Bearer "+token`, `// Bearer authentication is used`, `"Authorization: Bearer <token>"`},
	},
	{
		rule: "basic-auth-call", file: "a.go",
		found: []string{
			`req.SetBasic¦Auth("admin", "letmein42")`, `smtp.Plain¦Auth("", "me", "mailpw12", "host")`,
			`requests.get(url, auth¦=("me", "s3cretpw"))`, `server.login¦("me@example.org", "pw123456")`,
		},
		clean: []string{`req.SetBasicAuth(user, password)`, `server.login(user, pw)`},
	},
	{
		rule: "basic-auth-encoded", file: "a.js",
		found: []string{`h = "Basic " + btoa¦("admin:hunter2")`, `Buffer.from¦("me:s3cret").toString("base64")`},
		clean: []string{`btoa(user + ":" + password)`, `Buffer.from("hello world")`},
	},
	{
		rule: "command-line-password", file: "a.sh",
		found: []string{
			"cu¦rl -u admin:¦hunter2 https¦://x", "my¦sql -u root -p¦S3cret db", "sshpa¦ss -p '¦hunter2' ssh h",
			"docker lo¦gin -u me -p ¦s3cretpw registry", `ec¦ho "¦hunter2" | sudo -S true`, `ec¦ho "root:¦toor" | chpa¦sswd`,
			"wg¦et --pa¦ssword=¦hunter2 ftp¦://x", "redis¦-cli -a ¦foobared ping", "htpa¦sswd -bc .htpa¦sswd me ¦s3cret",
			"open¦ssl rsa -in k -passin pa¦ss:¦hunter2", "gpg --pass¦phrase hunter2 -d f",
		},
		clean: []string{
			`curl -u "$USER:$PASSWORD" https://x`, "mysql -u root -p db", "curl -u admin https://x",
			`docker login -u me --password-stdin`, "zip -r a.zip b", `echo "$PASSWORD" | sudo -S true`,
		},
	},
	{
		rule: "database-credential", file: "a.go",
		found: []string{
			`dsn := "root:¦hunter2@¦tcp(127.0.0.1:3306)/app"`, `"CREATE USER bob IDENT¦IFIED BY '¦hunter2'"`,
			`"CREATE ROLE bob WITH PA¦SSWORD '¦hunter2'"`,
		},
		clean: []string{`dsn := user + ":" + pw + "@tcp(db)/app"`, `"IDENTIFIED BY '${PASSWORD}'"`},
	},
	{
		rule: "client-file-password", file: ".netrc",
		found: []string{"  password ¦hunter2"}, clean: []string{"login me", "machine example.org"},
	},
}

var assignCases = []ruleCase{
	{
		rule: "hardcoded-password", file: "a.go",
		found: []string{
			`pa¦ssword := "hunter2¦!"`, `Pa¦ssword: "Tr0ub4dor&3",`, `const dbPa¦sswd = 'x1y2z3'`, `os.Setenv("DB_PA¦SSWORD", "s3cr3t")`,
			`if pa¦ssword == "opensesame¦1" {`, `dsn := "host=db user=me pa¦ssword=pa55w0rd dbname=app"`, `var p¦w string = "letmein¦99"`,
			`flag.StringVar(&p, "pa¦ssword", "hunter2¦2", "usage")`, `c.SetPa¦ssword("hunter2¦2")`, `// pa¦ssword = "hunter2¦2"`,
		},
		clean: []string{
			`password := os.Getenv("DB_PASSWORD")`, `password := ""`, `password := "<your-password>"`, `password := "${PASSWORD}"`,
			`password := "xxxxxxxx"`, `password := "example"`, `passwordFile := "/run/secrets/db"`, `passwordField := "form-pw"`,
			`fmt.Println("password: " + p)`, `"PASSWORD=" + password`, `errors.New("password: must not be empty")`,
			`Password string ` + "`json:\"password\"`", `passwordMessage = "Your password is wrong"`, `bypass := "left-lane"`,
			`label("Password:", "Enter your password")`, `case "password":`, `getPassword("database")`, `password = readPassword(tty)`,
		},
	},
	{
		rule: "hardcoded-password", file: ".env",
		found: []string{"DB_PA¦SSWORD=hunter2", "export ADMIN_PA¦SS='p@ss¦w1rd'", "SMTP_PA¦SSWORD=\"correct horse battery\"", "MYSQL_P¦W=s3cret"},
		clean: []string{
			"DB_PASSWORD=", "DB_PASSWORD=${DB_PASSWORD}", "DB_PASSWORD=$(cat /run/secret)", "PWD=/home/me", "PASSWORD_FILE=/run/pw",
			"DB_PASSWORD={{ db_password }}", "DB_PASSWORD=********", "PASSWORD_MIN_LENGTH=12",
		},
	},
	{
		rule: "hardcoded-password", file: "values.yaml",
		found: []string{
			"pa¦ssword: hunter2", `  db_pa¦ssword: "S3cret¦!"`, "adminPa¦ssword: 'pw123¦456'", "- POSTGRES_PA¦SSWORD=pg¦12345",
			"  PA¦SSWORD: ${PA¦SSWORD:-hunter2}",
		},
		clean: []string{
			"password: !vault |", "password: ${{ secrets.DB }}", "password: null", "password: <%= ENV['PW'] %>",
			"passwordSecretName: db", "password: true", "# password: none",
		},
	},
	{
		rule: "hardcoded-password", file: "a.json",
		found: []string{`"pa¦ssword": "hunter2"`, `{"user": "me", "pa¦ss": "x1y2z3"}`, `"conn": "Server=db;Pa¦ssword=Pa¦ssw0rd1;"`},
		clean: []string{`"password": ""`, `"password": {"type": "string"}`, `"type": "password"`},
	},
	{
		rule: "hardcoded-password", file: "a.py",
		found: []string{
			`db_pa¦ss: str = "qwertz99"`, `os.environ["DB_PA¦SSWORD"] = "hunter2"`, `os.environ.get("DB_PA¦SSWORD", "hunter2")`,
			`connect(host="db", pa¦ssword="Sup3r¦S3cret")`, `parser.add_argument("--pa¦ssword", default="hunter2")`,
		},
		clean: []string{`pa¦ssword = getpa¦ss.getpa¦ss("Pa¦ssword: ")`, `pa¦ssword=pa¦ssword`, `f"pa¦ssword={pa¦ssword}"`, `pa¦ssword = input("pw")`},
	},
	{
		rule: "hardcoded-password", file: "a.xml",
		found: []string{"<pa¦ssword>hunter2</pa¦ssword>", `<property name="pa¦ssword" value="hunter2"/>`},
		clean: []string{"<password>${password}</password>", `<input type="password"/>`},
	},
	{
		rule: "hardcoded-password", file: "Dockerfile",
		found: []string{"ENV DB_PA¦SSWORD hunter2", "ENV A=b DB_PA¦SSWORD=hunter2"}, clean: []string{"ENV DB_PA¦SSWORD", "ARG DB_PA¦SSWORD"},
	},
	{
		rule: "hardcoded-password", file: "README.md",
		found: []string{"pa¦ssword: hunter2"}, clean: []string{"pa¦ssword: sec¦retly", "Use --pa¦ssword options", "pa¦ssword = none"},
	},
	{
		rule: "default-password", file: "a.yaml",
		found: []string{"password: change¦me", "POSTGRES_PASSWORD: ro¦ot", "password: adm¦in", "secret_key: de¦v"},
		clean: []string{"password: ${PW}", "label: Password", "password: Password"},
	},
	{
		rule: "hardcoded-secret", file: "a.py",
		found: []string{
			`SEC¦RET_K¦EY = "django-insecure¦-«40»"`, `client_sec¦ret = "«24»"`, `api_k¦ey = "abc123¦def456"`, `apiK¦ey: str = "«32»"`,
			`app.sec¦ret_key = "my-super¦-sec¦ret"`, `headers = {"X-API-K¦ey": "«32»"}`, `SEC¦RET = os.getenv("SEC¦RET", "fallback¦-s3cret")`,
			`url = "https¦://example.org/?api_k¦ey=«32»"`,
		},
		clean: []string{
			`api_key = os.environ["API_KEY"]`, `secret_name = "db-credentials"`, `SECRET_KEY = config("SECRET_KEY")`, `TOKEN_KEY = "access_token"`,
			`client_secret = "client_secret"`, `apiKey = "YOUR_API_KEY"`, `credentials = "same-origin"`, `secret = secrets.token_hex(32)`,
			`private_key: "RSAPrivateKey"`, `api_key_header = "X-Api-Key"`, `api_key = "<api key>"`,
		},
	},
	{
		rule: "high-entropy-token", file: "a.js",
		found: []string{`const token = "«32»"`, `pageToken2: "«hex:32»"`, `let jwt = '«40»'`},
		clean: []string{`const token = "identifier"`, `token: "next-token"`, `token = "v1.2.3"`, `tokenType: "«32»"`, `auth: "oauth2"`},
	},
	{
		rule: "high-entropy-key", file: ".env",
		found: []string{"ENC_KEY=«32»", "DATA_SALT=«hex:32»"}, clean: []string{"PUBLIC_KEY=«32»", "CACHE_KEY=«32»", "KEY=name"},
	},
	{
		rule: "literal-key", file: "a.py",
		found: []string{`jwt.¦encode(claims, "mysecret")`, `hmac.¦new(b"topsecret", msg, sha256)`, `AES.¦new(b"0123456789abcdef", mode)`},
		clean: []string{`jwt.encode(claims, key)`, `hmac.new(key, msg, sha256)`},
	},
	{
		rule: "literal-key", file: "a.js",
		found: []string{`jwt.¦sign({ id }, 'shhhhh')`, `crypto.create¦Hmac('sha256', 'abcdef')`}, clean: []string{`jwt.sign({ id }, key)`},
	},
	{
		rule: "literal-key", file: "a.go",
		found: []string{`t.Signed¦String([]byte("topsecret"))`, `hmac.¦New(sha256.New, []byte("topsecret"))`}, clean: []string{`hmac.New(sha256.New, key)`},
	},
	{
		rule: "secret-variable", file: "deploy.yaml",
		found: []string{"- name: DB_PASSWORD\n  value: hunter2", "- {name: API_TOKEN, value: «32»}"},
		clean: []string{"- name: DB_HOST\n  value: localhost", "- name: DB_PASSWORD\n  valueFrom: x", "- name: DB_PASSWORD\n  value: ${PW}"},
	},
}
