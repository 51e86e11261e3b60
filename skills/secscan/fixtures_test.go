package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The tests are full of what the rules look for, and neither a hosting service nor secscan itself shall
// take them for leaks. So fixtures are written with two marks that fixture() resolves:
//
//	¦       nothing; it stands in the middle of a tell-tale word
//	«20»    20 letters and digits; «hex:20» and «dec:20» are made of hexadecimal and of decimal digits
var fillExpr = regexp.MustCompile(`«(?:(hex|dec):)?(\d+)»`)

var alphabets = map[string]string{
	"":    "aB3dE5fG7hJ9kLmN2pQrS4tUvW6xYz8",
	"hex": "0a1b2c3d4e5f6789",
	"dec": "1093857264",
}

func fixture(text string) string {
	text = strings.ReplaceAll(text, "¦", "")
	return fillExpr.ReplaceAllStringFunc(text, func(mark string) string {
		groups := fillExpr.FindStringSubmatch(mark)
		length, _ := strconv.Atoi(groups[2])
		return fill(alphabets[groups[1]], length)
	})
}

func fill(alphabet string, length int) string {
	return strings.Repeat(alphabet, length/len(alphabet)+1)[:length]
}

// scanFixture returns the findings of a file that is made of one fixture.
func scanFixture(path, text string) []Finding { return Scan(path, fixture(text)) }

func rulesOf(findings []Finding) []string {
	var rules []string
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

// ruleCase says where a rule has to find something, and where not. Files are named as they count: a path,
// or just an ending.
type ruleCase struct {
	rule  string
	file  string
	found []string
	clean []string
}

func ruleCases() []ruleCase {
	var all []ruleCase
	for _, cases := range [][]ruleCase{
		keyCases, cloudCases, forgeCases, chatCases, serviceCases, credentialCases, assignCases,
		goCases, pythonCases, jsCases, shellCases, sqlCases, tlsCases, modeCases, cryptoCases, dependencyCases,
	} {
		all = append(all, cases...)
	}
	return all
}

func TestRules(t *testing.T) {
	t.Parallel()
	for _, c := range ruleCases() {
		for _, line := range c.found {
			if !containsRule(scanFixture(c.file, line), c.rule) {
				t.Errorf("%s: %s does not find %s", c.file, c.rule, line)
			}
		}
		for _, line := range c.clean {
			if containsRule(scanFixture(c.file, line), c.rule) {
				t.Errorf("%s: %s finds %s", c.file, c.rule, line)
			}
		}
	}
}

// What is not a secret is not masked, and scanning may stop before all of it is found.
func TestCodeRulesHaveNoSecrets(t *testing.T) {
	t.Parallel()
	for _, c := range ruleCases() {
		for _, text := range c.found {
			for _, line := range scanLines(c.file, fixture(text)) {
				for _, h := range line.hits {
					if h.rule.code && len(h.secrets) > 0 {
						t.Errorf("%s takes a part of %q for a secret", h.rule.id, line.text)
					}
				}
			}
		}
	}
}

func containsRule(findings []Finding, rule string) bool {
	for _, f := range findings {
		if f.Rule == rule {
			return true
		}
	}
	return false
}

func TestEveryRuleHasCases(t *testing.T) {
	t.Parallel()
	found, clean := map[string]bool{}, map[string]bool{}
	for _, c := range ruleCases() {
		found[c.rule] = found[c.rule] || len(c.found) > 0
		clean[c.rule] = clean[c.rule] || len(c.clean) > 0
	}
	for _, r := range ruleset().rules {
		if !found[r.id] || !clean[r.id] {
			t.Errorf("%s: has lines to find: %t, has clean lines: %t", r.id, found[r.id], clean[r.id])
		}
	}
}
