package manifest

import (
	"errors"
	"regexp"
	"slices"

	"github.com/hive-spore/hive"
)

// maxAllowed bounds each list of what grants are for.
const maxAllowed = 64

var (
	spaceName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
)

// checkAllow checks what the grants are for. What is allowed without its grant
// would never be of use, and a grant that allows nothing neither.
func checkAllow(m *hive.Manifest, c *complaints) {
	for _, list := range []struct {
		grant hive.Grant
		names []string
		check func(string) error
		needs bool // the grant is of no use without
	}{
		{hive.GrantHTTP, m.Allow.HTTP, hive.CheckHostPattern, true},
		{hive.GrantKV, m.Allow.KV, matching(spaceName, "want letters, digits and '-', in lower case"), false},
		{hive.GrantSpawn, m.Allow.Spawn, hive.CheckSkillName, true},
		{hive.GrantSecrets, m.Allow.Secrets, hive.CheckProvided, true},
		{hive.GrantFiles, m.Allow.Files, hive.CheckProvided, true},
	} {
		key := "allow." + string(list.grant)
		granted := slices.Contains(m.Grants, list.grant)
		switch {
		case len(list.names) > maxAllowed:
			c.add(key, "%d of them, at most %d allowed", len(list.names), maxAllowed)
			continue
		case len(list.names) > 0 && !granted:
			c.add(key, "grants lack %q", list.grant)
		case len(list.names) == 0 && granted && list.needs:
			c.add("grants", "%q is of no use without %s", list.grant, key)
		}
		for i, name := range list.names {
			if err := list.check(name); err != nil {
				c.add(key, "item %d: %.80q: %w", i+1, name, err)
			}
		}
	}
	checkSource("allow.clock", m.Allow.Clock, c)
	checkSource("allow.random", m.Allow.Random, c)
}

func checkSource(key string, s hive.Source, c *complaints) {
	switch s {
	case hive.SourceLive, hive.SourceTask:
	default:
		c.add(key, "%.40q: want %q, or nothing for live", s, hive.SourceTask)
	}
}

func matching(pattern *regexp.Regexp, want string) func(string) error {
	return func(s string) error {
		if !pattern.MatchString(s) {
			return errors.New(want)
		}
		return nil
	}
}
