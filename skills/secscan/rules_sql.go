package main

import (
	"strings"
)

// sqlRules find statements that are put together from strings. They look for a statement in a literal
// and for a value that enters it; where the value comes from cannot be seen from one line.
func sqlRules() []rule {
	return []rule{
		{
			id: "go-sql-format", severity: high,
			about:    "Go: SQL built with Sprintf or concatenation",
			kinds:    kindGo,
			keywords: sqlKeywords,
			find:     unless(shownSQL, having(sqlBuilt(`%[-+#]*[svdqxt](?:\W|$)`, anyOf(plusValue, `\bSprintf\(`)), "%", "+")),
		},
		{
			id: "python-sql-format", severity: high,
			about:    "Python: SQL built with an f-string, %, format or concatenation",
			kinds:    kindPython,
			keywords: sqlKeywords,
			find: unless(shownSQL, having(sqlBuilt(
				`(?:^|[^{])\{(?:\}|[A-Za-z_0-9][^{}]*\})`,
				anyOf(plusValue, `["']\s*%\s*[\w({\[]`, `["']\s*\.\s*(?:format|join|replace|format_map)\s*\(`),
			), "{", "%", "+", ".")),
		},
		{
			id: "js-sql-format", severity: high,
			about:    "JavaScript: SQL built with a template or concatenation",
			kinds:    kindJS,
			keywords: sqlKeywords,
			find: unless(anyOf(shownSQL, taggedTemplate),
				having(sqlBuilt(`\$\{`, anyOf(plusValue, "[\"'`]\\s*\\.\\s*(?:concat|replace)\\s*\\(")), "${", "+", ".")),
		},
	}
}

// sqlKeywords are two words where one is also an English one.
var sqlKeywords = []string{
	"select ", "insert into", "insert ignore", "insert or", "update ", "delete from", "truncate table", "where ", "order by",
	"group by", "union select", "union all", "values (", "values(", "= '", "like '", "grant ", "replace into", "merge into",
	"exec ", "execute ", "where(", "having(", "whereraw(",
	"drop table", "drop database", "drop user", "drop role", "drop view", "drop index", "drop schema",
	"create table", "create database", "create user", "create role", "create view", "create index", "create schema",
	"alter table", "alter database", "alter user", "alter role", "alter view", "alter index", "alter schema",
}

// plusValue is a literal and something else that are added, whichever comes first.
const plusValue = "[\"'`]\\s*\\+\\s*[A-Za-z_(]|[\\w)\\]]\\s*\\+\\s*[\"'`]"

// shownSQL are lines that show a statement to a person and not to a database.
const shownSQL = `(?i)\b(?:log(?:ger|ging)?|console)\.\w+\(|\bassert|` +
	`\b(?:errorf|errors\.new|raise|throw|panic|print(?:ln|f)?|fatalf)\s*\(`

// taggedTemplate is a template whose tag binds the values.
const taggedTemplate = "\\b(?:sql|SQL|Prisma\\.sql|gql|graphql|html|css)(?:<\\w+>)?`"

var sqlExpr = lazy(`(?i)` + anyOf(
	`\bselect\s+(?:.+?\s+from\b|\*|[\w(*][\w,.*() ]*["']?\s*\+)`,
	`\binsert\s+(?:ignore\s+|or\s+\w+\s+)?into\b`, `\bupdate\s+\S+\s+set\b`, `\bdelete\s+from\b`,
	`\b(?:drop|alter|create)\s+(?:table|database|user|role|view|index|schema)\b`, `\btruncate\s+table\b`,
	`\b(?:replace|merge)\s+into\b`, `\bunion\s+(?:all\s+)?select\b`, `\bgrant\s+\w+.*\s+(?:on|to)\b`,
	`\bexec(?:ute)?\s+(?:[sx]p_|\w+\s+@)`,
	// Parts that are added to the rest of a statement.
	`\bwhere\s+[\w."'(\[\]]+\s*(?:=|<|>|!=|like\b|in\b)`, `\b(?:order|group)\s+by\s`,
	`\.(?:or|and)?(?:where|having)(?:raw)?\(\s*["']`,
	`\b(?:and|or)\s+[\w.]+\s*(?:=|like)\s*['%]`, `\bvalues\s*\(`, `\blike\s+'%`,
))

// sqlBuilt finds a statement into which a value goes: at a placeholder in its text, or by an operation on
// the literal. A statement that starts the line may be in a literal that began on a line before.
func sqlBuilt(placeholder, operation string) finder {
	enters, joined := lazy(anyOf(placeholder, operation)), lazy(operation)
	return func(v view) []match {
		if !enters().MatchString(v.text) {
			return nil
		}
		quotes := openQuotes(v.text)
		for _, at := range sqlExpr().FindAllStringIndex(v.text, maxPerPlace) {
			rest := v.text[at[0]:]
			quoted := quotes[at[0]] != 0 || quotes[at[1]] != 0
			alone := strings.TrimSpace(v.text[:at[0]]) == "" && !joined().MatchString(rest)
			if (quoted || alone) && enters().MatchString(rest) {
				return []match{{span: span{at[0], at[1]}}}
			}
		}
		return nil
	}
}
