package main

// commandRules cover credentials on command lines and in the files of database clients.
func commandRules() []rule {
	return []rule{
		{
			id: "command-line-password", severity: high,
			about: "password on a command line (curl -u, mysql -p, sshpass, docker login, ...)",
			kinds: kindScripts | kindDocs | kindNPM,
			keywords: []string{
				"curl", "wget", "http -a", "--auth", "sshpass", "mysql", "mariadb", "login", "redis-cli", "mongo",
				"echo", "htpasswd", "openssl", "ldap", "smbclient", "zip -", "7z ", "passphrase", "storepass",
				"keypass", "sqlcmd", "useradd", "usermod", "net use", "rabbitmqctl", "lftp", "-pass",
			},
			find: having(secretIf(commandExpr, isTyped), " -", "echo", "net use", "rabbitmqctl"),
		},
		{
			id: "database-credential", severity: high,
			about:    "password in a data source name or in SQL",
			keywords: []string{"@tcp(", "@unix(", "@/\"", "identified", "with password", "encrypted password", "password '", "machine ", "jdbc:oracle"},
			find:     secretIf(databaseExpr, isTyped),
		},
		{
			id: "client-file-password", severity: high,
			about:    "password in a .netrc or .pgpass file",
			kinds:    kindConfig | kindOther,
			keywords: []string{"password ", ":5432:", ":3306:", ":*:"},
			find:     secretIf(`^\s*password\s+(\S{4,})\s*$|^[^\s:]+:(?:\d+|\*):[^:\s]+:[^:\s]+:([^\s:]+)$`, isTyped),
		},
	}
}

// typed is a password on a command line, quoted or not; what starts like a variable or an option is none.
const typed = `["']?([^\s"'$<>{}*%|;&()` + "`" + `-][^\s"'` + "`" + `$|;&)<>]{2,})`

var commandExpr = anyOf(
	`\bcurl\b.*?\s(?:-u|--user|-U|--proxy-user|-\w*u)[ =]?["']?[^\s:"'$]+:`+typed,
	`\bhttps?\s.*?(?:-a|--auth)[ =]["']?[^\s:"'$]+:`+typed,
	`\bwget\b.*?--(?:http-|ftp-|proxy-)?password[ =]`+typed,
	`\bsshpass\s+-p\s*`+typed,
	`\b(?:mysql|mysqldump|mysqladmin|mariadb)\b.*?\s(?:-p|--password=)`+typed,
	`\b(?:docker|podman|helm|oc|buildah|skopeo|crane|az)\b.*\blogin\b.*?\s(?:-p|--password)[ =]`+typed,
	`\bredis-cli\b.*?\s-a\s+`+typed,
	`\bmongo(?:sh|dump|restore)?\b.*?\s-p[ =]?`+typed,
	`\becho\s+(?:-n\s+)?`+typed+`["']?\s*\|\s*(?:sudo\s+-S|.*--password-stdin|.*chpasswd|passwd)`,
	`\bhtpasswd\s+-\w*b\w*\s+\S+\s+\w+\s+`+typed,
	`\bhtpasswd\s+-\w*n\w*\s+\w+\s+`+typed,
	`-pass(?:in|out)?\s+["']?pass:`+typed,
	`\bopenssl\s+enc\b.*?\s-k\s+`+typed,
	`\bldap\w+\b.*?\s-w\s+`+typed,
	`\bsmbclient\b.*?-U\s*["']?[\w\\.]+%`+typed,
	`\bzip\b.*?\s-P\s+`+typed,
	`\b7z\b.*?\s-p`+typed,
	`--passphrase[ =]`+typed,
	`-(?:store|key)pass\s+`+typed,
	`\bsqlcmd\b.*?\s-P\s*`+typed,
	`\bnet\s+use[r]?\s+\S+\s+`+typed+`\s+/(?:add|user)`,
	`\brabbitmqctl\s+\w+_(?:user|password)\s+\S+\s+`+typed,
	`\b(?:useradd|usermod)\b.*?\s-p\s+`+typed,
	`\blftp\b.*?-u\s*[\w.]+,`+typed,
)

var databaseExpr = anyOf(
	quote+"[\\w.-]+:([^\\s@:/\"'`]{3,})@(?:(?:tcp|unix|udp)\\(|/\\w)",
	`(?i:identified\s+(?:with\s+\S+\s+)?by)\s+`+literal,
	`(?i:(?:role|user|login|with|encrypted)\b.*\bpassword)\s*=?\s*N?`+literal,
	`\bmachine\s+\S+\s+login\s+\S+\s+password\s+(\S{3,})`,
	`jdbc:oracle:\w+:\w+/([^\s@]+)@`,
)
