package main

import (
	"slices"
	"sync"
)

// rules are all rules, with the index of their keywords.
type rules struct {
	rules    []rule
	keywords *keywordIndex
}

// ruleset is built once: the tables cost nothing until then, so that bad input is refused at once.
var ruleset = sync.OnceValue(func() rules {
	all := rules{rules: slices.Concat(secretRules(), codeRules()), keywords: newKeywordIndex()}
	for id, r := range all.rules {
		for _, keyword := range r.keywords {
			all.keywords.add(keyword, id)
		}
	}
	return all
})

// secretRules also look in comments.
func secretRules() []rule {
	return slices.Concat(keyRules(), cloudRules(), forgeRules(), chatRules(), serviceRules(), aiRules(),
		credentialRules(), assignRules())
}

func codeRules() []rule {
	all := slices.Concat(goRules(), pythonRules(), jsRules(), shellRules(), sqlRules(), tlsRules(), modeRules(),
		cryptoRules(), pythonDependencyRules(), npmDependencyRules(), otherDependencyRules())
	for i := range all {
		all[i].code = true
	}
	return all
}

// partIndex finds the parts of secret names.
var partIndex = sync.OnceValue(func() *keywordIndex {
	index := newKeywordIndex()
	for _, part := range nameParts {
		index.add(part, 0)
	}
	return index
})
