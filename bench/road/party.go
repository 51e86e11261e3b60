package road

import (
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hive-spore/hive/bench/rig"
	"github.com/hive-spore/hive/bench/road/order"
)

// The peers, as the programs know them.
const (
	ours   = "ours"
	asynq  = "asynq"
	bullmq = "bullmq"
	nats   = "nats"
)

// party is one of those that are compared.
type party struct {
	name   string
	peer   string
	skill  string // ours: what spores run; "": a native handler
	result bool   // is kept
	every  int    // ms: how often a worker looks that must look; 0: its default
}

// What is compared. A native handler does nothing, but it answers where a result is kept.
var (
	native         = party{name: "ours, native", peer: ours, result: true}
	sandboxC       = party{name: "ours, sandboxed, C", peer: ours, skill: "c", result: true}
	sandboxGo      = party{name: "ours, sandboxed, Go", peer: ours, skill: "go", result: true}
	asynqKept      = party{name: "asynq, Retention", peer: asynq, result: true}
	asynqGone      = party{name: "asynq", peer: asynq}
	asynqKeptLooks = party{name: "asynq, Retention, looks every 5 ms", peer: asynq, result: true, every: 5}
	asynqLooks     = party{name: "asynq, looks every 5 ms", peer: asynq, every: 5}
	bull           = party{name: "BullMQ", peer: bullmq, result: true}
	jetStream      = party{name: "NATS JetStream", peer: nats}
	parties        = []party{native, sandboxC, sandboxGo, asynqKept, asynqGone, bull, jetStream}
	enqueuers      = []party{native, asynqKept, bull, jetStream}
	overlappers    = []party{native, sandboxC, asynqKeptLooks, bull, jetStream}
	idlers         = []party{native, sandboxC, sandboxGo, asynqGone, asynqLooks, bull, jetStream}
)

// backlog is how long that of a party is, of so many tasks of a fast one.
func (p party) backlog(n int) int {
	if p.peer != ours || p.skill == sandboxGo.skill {
		n /= slower
	}
	return n
}

// Programs are what the parties are started with.
type Programs struct {
	Party   string // of Go: ours, asynq and nats
	BullMQ  string // party.mjs
	Modules string // folder in which npm has installed BullMQ
	Guests  string // folder of the built guests
}

// NewPrograms builds the programs of Go into a directory. Modules and guests are there.
func NewPrograms(ctx context.Context, repo, dir, modules, guests string) (Programs, error) {
	p := Programs{Party: filepath.Join(dir, "party"), BullMQ: filepath.Join(repo, "bench", "road", "bullmq", "party.mjs"), Modules: modules, Guests: guests}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", p.Party, "./road/party")
	cmd.Dir = filepath.Join(repo, "bench")
	if said, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build the parties: %w\n%s", err, said)
	}
	return p, nil
}

// Versions names the peers and what runs them.
func (p Programs) Versions(ctx context.Context) ([]string, error) {
	info, err := buildinfo.ReadFile(p.Party)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, m := range info.Deps {
		if peer, is := strings.CutPrefix(m.Path, "github.com/hibiken/"); is || m.Path == natsServer {
			all = append(all, strings.TrimPrefix(peer, "github.com/")+" "+m.Version)
		}
	}
	for _, name := range []string{"bullmq", "ioredis"} {
		text, err := os.ReadFile(filepath.Join(p.Modules, "node_modules", name, "package.json"))
		var module struct{ Version string }
		if err = errors.Join(err, json.Unmarshal(text, &module)); err != nil {
			return nil, fmt.Errorf("version of %s: %w", name, err)
		}
		all = append(all, name+" "+module.Version)
	}
	version, err := exec.CommandContext(ctx, "node", "--version").Output()
	return append(all, "node "+strings.TrimSpace(string(version))), err
}

const natsServer = "github.com/nats-io/nats-server/v2"

// start starts a client, a worker or a server of a peer.
func (p Programs) start(peer string) (*rig.Talk, error) {
	if peer == bullmq {
		return rig.StartTalk(peer, "node", p.BullMQ, p.Modules)
	}
	return rig.StartTalk(peer, p.Party, peer)
}

// skills are those that the spores of a party have. Who has none is sent noops, which
// nobody runs.
func (s *suite) skills(p party) ([]rig.Skill, error) {
	if p.skill == "" {
		return []rig.Skill{s.kit.Skill(rig.Noop)}, nil
	}
	program, err := os.ReadFile(filepath.Join(s.programs.Guests, p.skill+".wasm"))
	return []rig.Skill{rig.Reactor(p.skill, program)}, err
}

// order is one for a party's programs.
func (p party) order(do order.Verb) order.Order {
	o := order.Order{Do: do, Result: p.result, Every: p.every}
	if p.peer == ours {
		o.Skill, o.Sandboxed = p.skill, p.skill != ""
		if o.Skill == "" {
			o.Skill = rig.Noop
		}
	}
	return o
}
