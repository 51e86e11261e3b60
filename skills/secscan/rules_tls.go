package main

func tlsRules() []rule {
	return append(tlsCodeRules(), tlsConfigRules()...)
}

func tlsCodeRules() []rule {
	return []rule{
		{
			id: "tls-skip-verify", severity: high,
			about: "TLS certificates are not checked (Go InsecureSkipVerify and settings of that name)",
			kinds: kindScripts,
			keywords: []string{
				"skipverify", "verifypeercertificate", "verifyconnection", "skip_verify", "skip-verify",
				"skip-tls-verify", "skip_tls_verify", "skiptlsverify",
			},
			find: pattern(
				`(?i)skip[_-]?(?:(?:tls|ssl)[_-]?)?verify(?:ication)?`+on,
				`(?i)Verify(?:PeerCertificate|Connection):\s*func\([^)]*\)\s*error\s*\{\s*return nil`,
				`(?i)--(?:insecure-)?skip-(?:tls-)?verify(?:[\s"']|$)`,
			),
		},
		{
			id: "ssh-no-host-key-check", severity: high,
			about: "SSH host keys are not checked",
			kinds: kindScripts | kindDocs,
			keywords: []string{
				"insecureignorehostkey", "hostkeycallback", "stricthostkeychecking", "userknownhostsfile",
				"autoaddpolicy", "warningpolicy", "missinghostkey", "host_key_checking", "known_hosts",
				"hostverifier", "hostkeychecking",
			},
			find: pattern(
				`\bInsecureIgnoreHostKey\b`,
				`HostKeyCallback(?::\s*|\()(?:nil\b|func\([^)]*\)\s*error\s*\{\s*return nil)`,
				`(?i:StrictHostKeyChecking["']?(?:\s*[=:]\s*|\s+|["']\s*,\s*)["']?(?:no|off|false|never)\b)`,
				`(?i:UserKnownHostsFile\s*[= ]\s*["']?/dev/null)`,
				`\b(?:AutoAddPolicy|WarningPolicy)\b`, // secscan:ignore
				`(?i:host_key_checking["']?\s*[=:]\s*["']?(?:false|no|0)\b)`,
				`\bknown_hosts\s*=\s*None\b`,
				`hostVerifier:\s*\([^)]*\)\s*=>\s*true`,
			),
		},
		{
			id: "python-no-tls-verify", severity: high,
			about: "Python: certificates are not checked",
			kinds: kindPython,
			keywords: []string{
				"verify", "_create_", "cert_none", "check_hostname", "ssl=", "ssl =", "ssl\"", "disable_warnings",
				"ssl_cert", "cert_reqs", "validate_cert", "pythonhttpsverify",
			},
			find: unless(definition, pattern(
				`\bverify(?:_ssl|_certs?|_tls|_hostname)?["'\]]*\s*[=:]\s*(?:False|0)\b`,
				`\b_create_unverified_context\b`,
				`\b_create_default_https_context\s*=`,
				`(?:[^=!<>]=|[,(:])\s*["']?(?:ssl\.)?CERT_NONE\b`,
				`\bcheck_hostname["']?\s*[=:]\s*False\b`,
				`\bssl\s*=\s*False\b`,
				`\bverify_mode\s*=\s*0\b`,
				`\.disable_warnings\s*\(`,
				`(?i)\b(?:ssl_verify|validate_certs?|verify_peer|ssl_cert_verify|use_ssl_verification|tls_verify)`+off,
			)),
		},
		{
			id: "js-no-tls-verify", severity: high,
			about: "JavaScript: certificates are not checked",
			kinds: kindJS | kindJSON | kindYAML | kindTOML,
			keywords: []string{
				"rejectunauthorized", "strictssl", "strict-ssl", "checkserveridentity", "insecurehttpparser",
				"ignorehttpserrors", "certificate-errors", "rejectunauthorised", "acceptinsecurecerts",
				"agentoptions",
			},
			find: pattern(
				`\brejectUnauthori[sz]ed["'\]]*\s*[:=]\s*(?:false|0|!1)`,
				`(?i:strict-?ssl)["']?\s*[:=]\s*["']?false`,
				`\bcheckServerIdentity["']?\s*[:=]\s*(?:\([^)]*\)|\w+)\s*=>\s*(?:undefined|null|\{\s*\}|true|void)`,
				`\bcheckServerIdentity["']?\s*:\s*function\s*\([^)]*\)\s*\{\s*(?:return[^}]*)?\}`,
				`\bignoreHTTPSErrors["']?\s*[:=]\s*true`,
				`ignore-certificate-errors`,
				`\bacceptInsecureCerts["']?\s*:\s*true`,
			),
		},
		{
			id: "weak-tls-version", severity: medium,
			about: "SSL, TLS 1.0 or TLS 1.1 is allowed",
			kinds: kindScripts,
			keywords: []string{
				"versionssl30", "versiontls10", "versiontls11", "protocol_ssl", "protocol_tls", "sslv", "tlsv1",
				"tls1", "tlsversion.", "minversion",
			},
			find: pattern(
				`\b(?:Min|Max)Version["']?\s*[:=]\s*(?:tls\.Version(?:SSL30|TLS10|TLS11)\b|["']TLSv1(?:\.[01])?["'])`,
				`(?:^|[^/])\btls\.VersionSSL30\b`,
				`\bssl\.PROTOCOL_(?:SSLv[23]|SSLv23|TLSv1(?:_1)?)\b`,
				`\bTLSVersion\.(?:SSLv3|TLSv1|TLSv1_1)\b`,
				`(?i)\b(?:secureProtocol|(?:ssl|tls|min|min_tls|tls_min)_?version)["']?\s*[:=]\s*["']?`+
					`(?:SSLv[23]\w*|TLSv?1(?:[._]?[01])?(?:_method)?)(?:["'\s,;]|$)`,
				`(?i:\bssl_?protocols?\s[^;#]*\b(?:SSLv[23]|TLSv1(?:\.[01])?)(?:[\s;]|$))`,
				`\s--(?:sslv[23]|tlsv1\.[01])\b`,
			),
		},
		{
			id: "plaintext-transport", severity: medium,
			about: "transport security is turned off (gRPC, PostgreSQL, MySQL, LDAP, SMTP)",
			kinds: kindScripts,
			keywords: []string{
				"withinsecure", "insecure.newcredentials", "sslmode", "ssl_mode", "trustservercertificate",
				"tls=skip-verify", "insecure_channel", "encrypt=false", "usessl=false", "use_tls", // secscan:ignore
				"createinsecure", "tls_reqcert", "ssl-mode", "sslvalidate",
			},
			find: pattern(
				`\bgrpc\.WithInsecure\(`,
				`\binsecure\.NewCredentials\(`,
				`\binsecure_channel\s*\(`,
				`\bcredentials\.createInsecure\(`,
				`\bssl_?mode["']?\s*[=:]\s*["']?(?:disabled?|allow|none)\b`,
				`(?i)\btrustservercertificate\s*[=:]\s*(?:true|yes)|\busessl=false|--ssl-mode=disabled`, // secscan:ignore
				`(?i)(?:^|[;"'\s])encrypt=false(?:[;"'\s]|$)|\btls_reqcert\s*[= ]\s*(?:never|allow)`,
				`\btls=skip-verify`,
				`\bsslValidate["']?\s*[=:]\s*false`,
			),
		},
	}
}

func tlsConfigRules() []rule {
	return []rule{
		{
			id: "tls-verify-env", severity: high,
			about: "environment or setting that turns certificate checks off",
			kinds: kindScripts | kindNPM,
			keywords: []string{
				"node_tls_reject_unauthorized", "pythonhttpsverify", "git_ssl_no_verify", "sslverify",
				"ssl_verify", "verify_ssl", "verify-ssl", "verifyssl", "verifytls", "verifycert", "tls_verify",
				"tls-verify", "tlsverify", "strict-ssl", "strict_ssl", "validate_certs", "verify_peer",
				"verifypeer", "verify_none", "verifyhost", "check_certificate", "check-certificate", // secscan:ignore
				"ssl_no_verify", "curl_insecure", "verify_tls", "verify_certs", "verify_cert", "verify: ",
				"ssl_skip", "tls_insecure", "insecure", "goinsecure", "gonosum", "gosumdb", "gpgcheck",
				"proxy_ssl_verify", "disable-tls", "secure-http",
			},
			find: pattern(tlsSettingExpr),
		},
		{
			id: "curl-insecure", severity: high,
			about: "curl, wget or another client is told not to check certificates",
			kinds: kindScripts | kindDocs | kindNPM,
			keywords: []string{
				"curl", "wget", "--no-check-certificate", "--no-verify-ssl", "--verify=no", "--no-check-cert", // secscan:ignore
				"--allow-unauthenticated", "--force-yes", "--nogpgcheck", "--no-gpg", "--insecure", "--tls-verify", // secscan:ignore
				"s_client", "trustpolicy", "certificatecheck", "--tlsskipverify", "servercertificate", // secscan:ignore
				"--disable-content-trust", "trusted=yes", // secscan:ignore
			},
			find: having(pattern(
				`\bcurl\b[^|;&]*?["'\s,](?:-[a-zA-Z]*k[a-zA-Z]*|--insecure|--proxy-insecure)(?:["'\s,)\]]|$)`,
				`^\s*(?:"?-k"?|--insecure|insecure)\s*\\?$`,
				`--(?:no-check-certificate|no-check-cert|no-verify-ssl|verify[= ]no|tls-verify=false|tlsskipverify)\b`, // secscan:ignore
				`\bapt(?:-get)?\b.*(?:--allow-unauthenticated|--force-yes)|--nogpgcheck\b|--no-gpg-checks?\b`,          // secscan:ignore
				`\[.*trusted=yes.*\]\s*https?:|\b(?:helm|argocd|mc|skopeo|crane|oras|http|grpcurl)\b.*\s--insecure\b`,
				`(?i)-SkipCertificateCheck\b|--disable-content-trust\b`, // secscan:ignore
				`ServerCertificateValidationCallback\s*=\s*(?:\{\s*\$true|\(.*=>\s*true|delegate)`,
			), "-", "Validation", "trusted", "insecure"),
		},
	}
}

// off and on are the values of a setting, with the sign before them.
const (
	off = `["']?\s*[:=]\s*["']?(?:false|no|off|0|none|never)\b`
	on  = `["']?\s*[:=]\s*["']?(?:true|1|yes|on)\b`
)

var tlsSettingExpr = fold(
	`\bNODE_TLS_REJECT_UNAUTHORIZED["'\]]*\s*[=:,]?\s*["']?0|name:\s*["']?NODE_TLS_REJECT_UNAUTHORIZED`,
	`\b(?:PYTHONHTTPSVERIFY|ANSIBLE_HOST_KEY_CHECKING)["'\]]*\s*[=:,]\s*["']?(?:0|false)`,
	`\bGIT_SSL_NO_VERIFY["'\]]*\s*[=:,]\s*["']?(?:1|true|yes)`,
	`\b(?:http\.|https\.|http\.\S+\.)?sslVerify(?:["']?\s*[=:]\s*["']?|\s+["']?)(?:false|0|no|off)\b`,
	`\b(?:\w+[._-])?(?:ssl|tls|cert|certs|https)[_-]?verify(?:[_-]?(?:peer|host|client|ssl|certs?))?`+off,
	`\b(?:\w+[._-])?verify[_-]?(?:ssl|tls|https|certs?|certificates?|peer|peer_name|host|hostname)`+off,
	`\bverify:\s*(?:false|no)\s*\}?\s*(?:#.*)?$`,
	`\b(?:validate|check)[_-]certs?(?:ificates?)?`+off,
	`\b(?:strict[_-]ssl|ssl_verify)(?:["']?\s*[=:]\s*["']?|\s+)false\b`,
	`\bSSL_VERIFYPEER["']?\s*(?:,|=>|=)\s*(?:false|0)\b|\bSSL_VERIFYHOST["']?\s*(?:,|=>|=)\s*(?:false|0)\b`,
	`["']verify_peer(?:_name)?["']\s*=>\s*false|\bVERIFY_NONE\b`,
	`(?:\b|_)insecure(?:_tls|_ssl|_skip_tls|_registry)?`+on,
	`\bGOINSECURE=["']?\S|\bGONOSUM(?:DB|CHECK)=["']?\S|\bGOSUMDB=["']?off|\bGOFLAGS=.*-insecure`,
	`\binsecure["']?\s*>>?\s*\S*curlrc|\binsecure-registr(?:y|ies)\b|\bssl_verify_mode\s+0`,
	`\bdisable-tls["']?\s*[=: ]\s*true|\bsecure-http["']?\s*[=: ]\s*false`,
	`\bgpgcheck\s*=\s*0|\bproxy_ssl_verify\s+off|\bssl_verify_client\s+off|\bssl_no_verify["']?\s*[:=]\s*["']?(?:true|1)`,
)
