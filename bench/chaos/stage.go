package chaos

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/build"
	"github.com/hive-spore/hive/internal/publisher"
)

// stage is a hive that is to be hurt, and those who look on.
type stage struct {
	road    road
	spores  []*program
	nexuses []*program
	look    *broker.Broker // not by way of what fails
	raw     redis.UniversalClient
	told    told // what attempts told outside
	server  *httptest.Server
	where   folders
	say     func(string)

	producers *producers     // they end with play
	steady    Cron           // is there all the time
	freed     time.Time      // by here no limit was lifted yet
	faults    map[Kind]int   // how often each was done
	measuring sync.WaitGroup // what is measured beside what goes on
	nexusHurt sync.Mutex     // held by who hurts a nexus

	mu    sync.Mutex
	fell  []string                   // programs that ended by themselves
	spans map[string][]time.Duration // that were measured
}

func newStage(p Profile, where folders, say func(string)) (s *stage, err error) {
	logging.Disable() // all of it comes back as errors, too
	s = &stage{where: where, say: say, spans: map[string][]time.Duration{}, faults: map[Kind]int{}}
	s.road, err = newRoad(p, where)
	return s, err
}

//go:embed skill/main.go
var skillMain []byte

//go:embed skill/skill.toml
var skillManifest []byte

// tally is the skill of all tasks.
const tally = "tally"

// buildSkill builds the skill within a folder, with the SDK of the repository.
func buildSkill(ctx context.Context, repo, dir string) (*rig.Skill, error) {
	sdk, err := os.ReadFile(filepath.Join(repo, "skills", "sdk", "go", "hive.go"))
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(dir, tally)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{"main.go": skillMain, "skill.toml": skillManifest, "hive.go": sdk} {
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	s, program, err := build.Builder{}.Skill(ctx, folder)
	if err != nil {
		return nil, err
	}
	return &rig.Skill{Skill: *s, Program: program}, nil
}

// begin starts all of it and waits until every spore is ready.
func (s *stage) begin(ctx context.Context, kit *rig.Kit, o Options) (err error) {
	s.server = httptest.NewServer(&s.told)
	if err := s.road.begin(ctx); err != nil {
		return err
	}
	if s.look, err = broker.Dial(ctx, s.road.direct()); err != nil {
		return err
	}
	s.raw = rawClient(s.road.direct())
	if err := errors.Join(s.setLimits(ctx), s.addSteady(ctx)); err != nil { // nobody leads yet
		return err
	}
	if err := s.publish(ctx, kit, o.Repo); err != nil {
		return err
	}
	s.cast(kit, s.where.logs)
	for _, p := range append(s.nexuses, s.spores...) {
		if err := p.begin(); err != nil {
			return err
		}
	}
	return await(ctx, "the hive to be ready", func() (bool, error) {
		leader, err := s.look.Leader(ctx)
		return err == nil && leader != "" && s.ready(ctx), s.fallen()
	})
}

func rawClient(o broker.Options) redis.UniversalClient {
	return redis.NewUniversalClient(&redis.UniversalOptions{Addrs: o.Addrs, MasterName: o.Master, DisableIdentity: true})
}

// publish makes the repository with the skill, and a hive.toml for each program.
func (s *stage) publish(ctx context.Context, kit *rig.Kit, repo string) error {
	skill, err := buildSkill(ctx, repo, s.where.dir)
	if err != nil {
		return err
	}
	skill.Grants = []hive.Grant{hive.GrantKV, hive.GrantHTTP, hive.GrantSpawn}
	skill.Allow = hive.Allow{HTTP: []string{strings.TrimPrefix(s.server.URL, "http://")}, Spawn: []string{tally}}
	p, _, err := publisher.Make(s.where.dir)
	if err != nil {
		return err
	}
	if _, err := p.Register(tally, &skill.Skill, skill.Program, time.Time{}); err != nil {
		return err
	}
	text := s.road.config() + fmt.Sprintf("[spore]\nslots = %d\ngrace = \"3s\"\nhttp_private = [\"127.0.0.1/32\"]\n[ota]\nrepo = %q\nkeys = %q\nstate_dir = %q\nupdate_every = \"0s\"\n",
		slots, p.Dir, filepath.Join(s.where.dir, "keys"), filepath.Join(s.where.dir, "state"))
	for i := range nexuses {
		named := fmt.Sprintf("%s[nexus]\nname = %q\n", text, nexusName(i))
		if err := os.WriteFile(filepath.Join(s.where.dir, nexusName(i)+".toml"), []byte(named), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(s.where.dir, "spore.toml"), []byte(text), 0o600)
}

func nexusName(i int) string { return fmt.Sprintf("n%d", i+1) }

// slots are those of each spore.
const slots = 4

// tagsOf are what the spores offer, so that some tasks can only run on some of them.
var tagsOf = [spores]string{"zone=a", "zone=b", "zone=a,big=true"}

// cast names the programs and says how each begins.
func (s *stage) cast(kit *rig.Kit, logs string) {
	add := func(all []*program, name string, launch func() (*rig.Process, error)) []*program {
		return append(all, &program{name: name, logs: logs, fell: s.fall, launch: launch})
	}
	for i := range nexuses {
		config := filepath.Join(s.where.dir, nexusName(i)+".toml")
		s.nexuses = add(s.nexuses, nexusName(i), func() (*rig.Process, error) { return kit.Launch("nexus", "serve", "--config", config) })
	}
	for i := range spores {
		name, config := fmt.Sprintf("s%d", i+1), filepath.Join(s.where.dir, "spore.toml")
		s.spores = add(s.spores, name, func() (*rig.Process, error) {
			return kit.Launch("spore", "--config", config, "--name", name, "--tags", tagsOf[i])
		})
	}
}

// ready reports whether every spore is online with the skill.
func (s *stage) ready(ctx context.Context) bool {
	nodes, err := s.look.Nodes(ctx)
	n := 0
	for i := range nodes {
		if nodes[i].Online && !nodes[i].Draining && len(nodes[i].Skills) > 0 {
			n++
		}
	}
	return err == nil && n == spores
}

func (s *stage) fall(name, how string) {
	s.say(name + " " + how)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fell = append(s.fell, name+" "+how)
}

func (s *stage) fallen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.fell) > 0 {
		return errors.New(s.fell[0])
	}
	return nil
}

// span enters how long something took.
func (s *stage) span(what string, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spans[what] = append(s.spans[what], took)
}

// heal mends everything and waits until all programs are well.
func (s *stage) heal(ctx context.Context) error {
	if err := s.road.heal(ctx); err != nil {
		return err
	}
	for _, p := range append(s.nexuses, s.spores...) {
		if err := p.process().Resume(); err != nil {
			return err
		}
		if err := p.begin(); err != nil {
			return err
		}
	}
	return await(ctx, "all spores to be back", func() (bool, error) { return s.ready(ctx), nil })
}

// end stops the programs as their users would.
func (s *stage) end(ctx context.Context) error {
	for _, p := range append(s.spores, s.nexuses...) {
		if err := p.terminate(ctx); err != nil {
			return err
		}
	}
	return nil
}

// stop ends what still runs.
func (s *stage) stop() {
	for _, p := range append(s.spores, s.nexuses...) {
		p.stop()
	}
	if s.look != nil {
		s.look.Close()
	}
	if s.raw != nil {
		s.raw.Close()
	}
	s.road.stop()
	s.server.Close()
}
