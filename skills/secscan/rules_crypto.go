package main

func cryptoRules() []rule {
	return []rule{
		{
			id: "weak-password-hash", severity: high,
			about:    "MD5 or SHA-1 of a password or another secret",
			keywords: []string{"md5", "sha1", "sha-1", "openssl passwd"}, // secscan:ignore
			kinds:    kindScripts | kindNPM,
			find:     unless(definition, pattern(passwordHashExpr)),
		},
		{
			id: "weak-hash", severity: medium,
			about:    "MD5, SHA-1, MD4 or RIPEMD, but not for a checksum, an ETag or a cache key",
			keywords: []string{"md5", "sha1", "sha-1", "md4", "ripemd"},
			kinds:    kindScripts,
			find:     unless(anyOf(checksumWords, passwordHashExpr), pattern(weakHashExpr)),
		},
		{
			id: "weak-cipher", severity: high,
			about: "DES, 3DES, RC4, RC2 or Blowfish",
			keywords: []string{
				"des.new", "des3", "3des", "tripledes", "desede", "crypto/des", "import des", "-des",
				"openssl des", `"des"`, `'des'`, "'des-", `"des-`, "`des-", "des-", "rc4", "rc2", // secscan:ignore
				"arc2", "arcfour", "blowfish", "algorithms.", "cast.new", "cryptojs.", "-bf-", "'bf-", `"bf-`,
			},
			kinds: kindScripts,
			find:  pattern(weakCipherExpr),
		},
		{
			id: "weak-cipher-suite", severity: medium,
			about:    "TLS setting that allows RC4, DES, export or null ciphers",
			keywords: []string{"cipher"},
			kinds:    kindScripts,
			// A cipher behind ! is one that is not allowed.
			find: pattern(`(?i)cipher(?:_?suite|_?list|_?string)?s?["']?\s*[=: ]\s*["']?(?:[^;#"']*[\s:+,])?` +
				`(?:RC4|DES-CBC3?|3DES|EXPORT|[ae]NULL)\b`),
		},
		{
			id: "ecb-mode", severity: high,
			about:    "block cipher in ECB mode",
			keywords: []string{"ecb"}, // secscan:ignore
			kinds:    kindScripts,
			find: pattern(
				`\b(?:AES|DES3?|Blowfish|ARC2|CAST)\.MODE_ECB\b`, // secscan:ignore
				`\bMODE_ECB\b`,
				`\bmodes\.ECB\b`,
				`\bmode\.ECB\b`,
				`(?i:["']?\b(?:aes|des|des3|des-ede3|bf|camellia|sm4)[-_/]?(?:\d+[-_/])?ecb\b)`,
				`\bNewECB(?:En|De)crypter\b`,
				`\bnewECB\w*\(`,
				`(?i:/ECB/)`, // secscan:ignore
				`\bCipherMode\.ECB\b`,
				`(?i:["']ecb["'])`,
			),
		},
		{
			id: "weak-random", severity: medium,
			about:    "a secret from a random source that can be predicted",
			keywords: []string{"math.random", "rand.", "random."},
			kinds:    kindCode,
			find: pattern(fold(`(?:` + secretWords + `|otp|nonce)\w*["'\]]*\s*(?::=|=|:)[^=;]{0,100}?` +
				`(?:\bMath\.random\(|\bm?rand\.(?:Int|Uint|Read|N\()|` +
				`\brandom\.(?:random|randint|choices?|randrange|getrandbits|sample)\()`)),
		},
		{
			id: "weak-key-size", severity: medium,
			about:    "RSA or DSA key of 1024 bits or less",
			keywords: []string{"rsa", "dsa", "modulus", "ssh-keygen"},
			kinds:    kindScripts,
			find: pattern(
				`\brsa\.GenerateKey\([^,]+,\s*(?:512|768|1024)\)`,
				`\b(?:RSA|DSA)\.generate\(\s*(?:512|768|1024)\b`,
				`\bkey_size\s*=\s*(?:512|768|1024)\b`,
				`\bmodulusLength["']?\s*:\s*(?:512|768|1024)\b`,
				`\bgenrsa\b.*\s(?:512|768|1024)\b`,
				`\brsa:(?:512|768|1024)\b`,
				`\bssh-keygen\b.*-b\s*(?:512|768|1024)\b`,
				`\bssh-keygen\b.*-t\s*dsa\b`,
				`\brsa_keygen_bits:(?:512|768|1024)\b`,
			),
		},
		{
			id: "jwt-unverified", severity: high,
			about:    "JSON Web Token that is not verified, or the algorithm none",
			keywords: []string{"verify_signature", `"none"`, "'none'", "unsafeallownone", "jwt.decode"},
			kinds:    kindScripts,
			find: pattern(
				`\bverify_signature["']?\s*[:=]\s*(?i:false)\b`,
				`\balg(?:orithms?)?["']?\s*[:=]\s*\[?\s*["'](?i:none)["']`,
				`\bUnsafeAllowNoneSignatureType\b`,
				`\bjwt\.decode\([^)]*verify\s*=\s*False`,
			),
		},
		{
			id: "deprecated-cipher-call", severity: medium,
			about:    "crypto.createCipher, which derives its key with MD5 and has no IV",
			keywords: []string{"createcipher", "createdecipher"},
			kinds:    kindJS,
			find:     pattern(`\bcreate(?:C|Dec)ipher\s*\(`),
		},
	}
}

const (
	hashCall = `(?:\b(?:md5|sha_?-?1)\w*\s*[.(]|\b\w*(?:md5|sha1)\(|["'](?:md5|sha-?1)["']|` +
		`\|\s*(?:md5|sha1)sum\b|openssl\s.*(?:md5|sha1))`
	secretWords   = `passw|passphrase|\bpwd?\b|\bpass\b|secret|token|credential|api_?key|\bpin\b`
	checksumWords = `(?i)usedforsecurity\s*=\s*False|etag|checksum|content-?md5|cache_?-?key|gravatar|fingerprint|dedup`
)

var passwordHashExpr = fold(
	hashCall+`.*(?:`+secretWords+`)`,
	`(?:`+secretWords+`).*`+hashCall,
	`openssl\s+passwd\s+-(?:1|crypt|apr1)\b`,
)

// weakValue is what a setting has for a hash.
const weakValue = `["']?\s*[:=]\s*["']?(?:md5|sha-?1|unsalted_md5)(?:["'\s,;]|$)`

var weakHashExpr = anyOf(
	`\b(?:md5|sha1|md4|ripemd160)\.(?:New|Sum|Sum160)\b`,
	`\bcrypto\.(?:MD5|SHA1|MD4)\.New\b|\bSign\w*\(.*\bcrypto\.(?:MD5|SHA1)\b`,
	`\bhashlib\.(?:md5|sha1|md4|new\s*\(\s*["'](?i:md5|sha-?1|md4|ripemd160)["'])`,
	`\bhashes\.(?:MD5|SHA1)\s*\(|\b(?:MD5|SHA1|SHA|MD4|MD2)\.new\s*\(|\bhmac\.new\(.*["']?(?:md5|sha1)\b`,
	`\bcreate(?:Hash|Hmac|Sign|Verify)\s*\(\s*["'`+"`"+`](?i:(?:RSA-)?(?:md5|sha-?1|md4|rmd160|ripemd160))["'`+"`"+`]`,
	`\bCryptoJS\.(?:Hmac)?(?:MD5|SHA1)\b|\bsubtle\.(?:digest|sign)\s*\(\s*\{?[^)]*["']SHA-1["']`,
	`\b(?:require\(|from\s+)["'](?:js-|blueimp-)?(?:md5|sha1)["']`,
	`\bimport\s+md5\b|\bfrom\s+Crypto\.Hash\s+import\s+.*\b(?:MD5|SHA1?|MD4)\b`,
	`(?:^|[^.\w$"'])(?:md5|sha1)\s*\(\s*[\w"'`+"`"+`$]`,
	`\bMessageDigest\.getInstance\(\s*"(?:MD5|SHA-?1)"|\bDigest::(?:MD5|SHA1)\b|\b(?:MD5|SHA1)\.Create\(`,
	`\bopenssl\s+(?:dgst\s+.*-(?:md5|sha1)|md5|sha1|md4)\b|\bforge\.md\.(?:md5|sha1)\b`,
	`\bx509\.(?:SHA1WithRSA|MD5WithRSA|ECDSAWithSHA1)\b`,
	`(?i)\b(?:hash|digest|signature|algo)_?-?(?:rithm|alg|algo|algorithm|function|method|type|er|ers)?`+weakValue,
	`\b(?:MD5|SHA1|UnsaltedMD5)PasswordHasher\b|\bpassword_encryption\s*=\s*'?md5`,
)

var weakCipherExpr = anyOf(
	`\bdes\.New(?:TripleDES)?Cipher\b|\brc4\.NewCipher\b|\bblowfish\.New\w*Cipher\b`,
	`^\s*(?:import\s+)?(?:\w+\s+)?"crypto/(?:des|rc4)"\s*(?://.*)?$`,
	`\b(?:DES3?|ARC4|ARC2|Blowfish|CAST)\.new\s*\(`,
	`\bfrom\s+Crypto(?:dome)?\.Cipher\s+import\s+.*\b(?:DES3?|ARC4|ARC2|Blowfish)\b`,
	`\balgorithms\.(?:ARC4|TripleDES|Blowfish|IDEA|CAST5|SEED)\b`,
	`\bcreate(?:C|Dec)ipher(?:iv)?\s*\(\s*["'`+"`"+`](?i:des|rc4|rc2|bf|blowfish|idea|cast)[\w-]*["'`+"`"+`]`,
	`\bCryptoJS\.(?:DES|TripleDES|RC4|RC4Drop|Rabbit)\b`,
	`\bCipher\.getInstance\(\s*"(?:DES|DESede|RC4|RC2|Blowfish|ARCFOUR)\b`,
	`\bopenssl\s+(?:enc\s+.*-)?(?:des|des3|des-\w+|rc4|rc2|bf)(?:-\w+)*\b`,
	`\btls\.TLS_\w*(?:RC4|3DES|_DES_)\w*`,
	`(?i)\b(?:cipher|encryption|algorithm|algo|alg|enc)["']?\s*[:=]\s*["']?`+
		`(?:des|3des|des3|rc4|rc2|arcfour|blowfish)(?:-[\w-]+)?(?:["'\s,;]|$)`,
)
