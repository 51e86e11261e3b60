package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/internal/config"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Hold the running system against the checklist for production",
		Long: `Hold the system that the configuration names against the checklist for production: Redis,
keys and secrets on this machine, the repository, the nexus that leads, the spores, and the
audit log. Nothing is changed. Run it where a nexus runs, with its configuration.

Exit code 1 if a check is missed. One that cannot be made says why, and is no miss: to have
CONFIG looked at, too, run it once as a user who may ask for it.`,
		Example: "  nexus doctor --config hive.toml\n  nexus doctor --json",
		Args:    wantArgs(0, 0),
		RunE:    a.onRoad(a.doctor),
	}
}

// outcome is what a check came to.
type outcome string

const (
	passed outcome = "ok"
	missed outcome = "miss"
	unmade outcome = "skipped" // it could not be made, or there is nothing to look at
)

// finding is what a check found.
type finding struct {
	Check   string  `json:"check"`
	Outcome outcome `json:"outcome"`
	Found   string  `json:"found"`
	Do      string  `json:"do,omitempty"` // about a miss
}

func good(format string, args ...any) finding {
	return finding{Outcome: passed, Found: fmt.Sprintf(format, args...)}
}

func miss(do, format string, args ...any) finding {
	return finding{Outcome: missed, Found: fmt.Sprintf(format, args...), Do: do}
}

func skip(format string, args ...any) finding {
	return finding{Outcome: unmade, Found: fmt.Sprintf(format, args...)}
}

// check is one line of the checklist.
type check struct {
	name string
	look func(context.Context, *patient) finding
}

// checklist is what production asks for, in the order in which it is shown.
var checklist = []check{
	{"redis version", redisVersion},
	{"redis password", redisPassword},
	{"redis in the clear", redisClear},
	{"redis certificate", redisCertificate},
	{"redis user", redisUser},
	{"redis persistence", redisPersistence},
	{"redis fsync", redisFsync},
	{"redis eviction", redisEviction},
	{"redis memory", redisMemory},
	{"clock", clockSkew},
	{"shared token", sharedToken},
	{"secret files", secretFiles},
	{"key files", keyFiles},
	{"offline keys", offlineKeys},
	{"passphrases", passphrases},
	{"repository", repositoryVerifies},
	{"repository address", repositoryAddress},
	{"repository hosts", repositoryHosts},
	{"root threshold", rootThreshold},
	{"root expiry", expiryOf(bundle.RoleRoot, 14*day, "nexus keys rotate --extend, with the root keys")},
	{"targets expiry", expiryOf(bundle.RoleTargets, 14*day, "publish something, or nexus keys rotate --extend, with the targets keys")},
	{"snapshot expiry", expiryOf(bundle.RoleSnapshot, day, keepIt)},
	{"timestamp", timestampAge},
	{"assignments", assignmentsAge},
	{"leader", leads},
	{"spores", sporesOnline},
	{"digests", sporesKnown},
	{"versions", sporesInStep},
	{"refused skills", sporesRefuse},
	{"audit log", auditLog},
	{"audit head", auditHead},
}

const day = 24 * time.Hour

// patient is the system that is looked at.
type patient struct {
	cfg   *config.Config
	now   time.Time
	redis *broker.Health
	keys  []bundle.KeyInfo // of ota.keys
	noKey error            // why there are none
	repo  listing

	leader   string
	noLeader error       // why it is not known
	nodes    []hive.Node // that are online
	noNodes  error       // why they are not known
}

func (a *app) doctor(ctx context.Context, road *broker.Broker) error {
	p, err := a.patient(ctx, road)
	if err != nil {
		return err
	}
	findings := make([]finding, len(checklist))
	for i, c := range checklist {
		findings[i] = c.look(ctx, p)
		findings[i].Check = c.name
	}
	return a.showFindings(findings)
}

// patient gathers what checks look at.
func (a *app) patient(ctx context.Context, road *broker.Broker) (p *patient, err error) {
	p = &patient{cfg: a.cfg, now: time.Now()}
	if p.redis, err = road.Health(ctx); err != nil {
		return nil, err
	}
	nodes, err := road.Nodes(ctx)
	p.noNodes = err
	p.leader, p.noLeader = road.Leader(ctx)
	for _, err := range []error{p.noNodes, p.noLeader} {
		if err != nil && !strings.Contains(err.Error(), " may not ") {
			return nil, err
		}
	}
	for _, n := range nodes {
		if n.Online {
			p.nodes = append(p.nodes, n)
		}
	}
	if dir := a.cfg.OTA.Keys; dir != "" {
		p.keys, p.noKey = bundle.ListKeys(dir, "")
	}
	p.repo = a.readListing(ctx, p.nodes)
	return p, nil
}

// checkup is all that was found.
type checkup struct {
	Checks  []finding `json:"checks"`
	Missed  int       `json:"missed"`
	Skipped int       `json:"skipped"`
	Verdict string    `json:"verdict"`
}

func newCheckup(findings []finding) checkup {
	c := checkup{Checks: findings}
	for _, f := range findings {
		switch f.Outcome {
		case missed:
			c.Missed++
		case unmade:
			c.Skipped++
		}
	}
	c.Verdict = fmt.Sprintf("%d of %s missed", c.Missed, plural(len(findings), "check"))
	if c.Missed == 0 {
		c.Verdict = fmt.Sprintf("none of %s missed", plural(len(findings), "check"))
	}
	if c.Skipped > 0 {
		c.Verdict += fmt.Sprintf(", %d skipped", c.Skipped)
	}
	return c
}

func (a *app) showFindings(findings []finding) (err error) {
	c := newCheckup(findings)
	if a.flags.json {
		err = printJSON(a.Out, c)
	} else {
		var rows [][]string
		for _, f := range findings {
			rows = append(rows, []string{f.Check, string(f.Outcome), f.Found})
			if f.Do != "" {
				rows = append(rows, []string{" ", "do", f.Do})
			}
		}
		err = table(a.Out, []string{"CHECK", "OUTCOME", "FOUND"}, rows)
	}
	if err == nil && c.Missed > 0 {
		return errors.New(c.Verdict)
	}
	if err == nil {
		a.say("%s", c.Verdict)
	}
	return err
}

// some names the first few of many things.
func some(things []string) string {
	const most = 5
	if len(things) <= most {
		return strings.Join(things, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(things[:most], ", "), len(things)-most)
}

// brief shortens what a spore says.
func brief(s fmt.Stringer) string { return hive.Clip(s.String(), 80) }

// about shows a time in the largest unit that says enough.
func about(d time.Duration) string {
	switch d = max(d, 0); {
	case d >= 2*day:
		return plural(int(d/day), "day")
	case d >= 2*time.Hour:
		return plural(int(d/time.Hour), "hour")
	case d >= 2*time.Minute:
		return plural(int(d/time.Minute), "minute")
	}
	return plural(int(d/time.Second), "second")
}
