package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hive-spore/hive"
)

// Register lets a spore join the road, or join again. What an earlier
// incarnation still held goes back to its lanes. ErrTaken: another incarnation
// is alive.
func (b *Broker) Register(ctx context.Context, s *Session, report *hive.NodeReport) error {
	body, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	lost := packOutcome(&hive.Outcome{Failure: hive.NewFailure(hive.FailLost, "spore "+s.Node+" was restarted during the attempt")})
	ok, err := b.run(ctx, scriptRegister, s.Node, s.Incarnation, body, b.opts.Lease.Milliseconds(), lost,
		b.opts.Retention.Milliseconds(), hive.ForgetNode.Milliseconds()).Int()
	if err != nil {
		return b.wrap("register", err)
	}
	if ok == 0 {
		return fmt.Errorf("register %s: %w", s.Node, hive.ErrTaken)
	}
	return nil
}

// Pulse is the road's answer to a heartbeat.
type Pulse struct {
	Holds  map[string]bool // ids of the attempts whose lease was extended
	Skills int64           // generation of the registered skills
}

// Heartbeat reports a spore and extends the lease of all it holds. News (what it
// offers has changed) reaches the foreman at once.
func (b *Broker) Heartbeat(ctx context.Context, s *Session, report *hive.NodeReport, news bool) (Pulse, error) {
	urgent := 0
	if news {
		urgent = 1
	}
	body, err := json.Marshal(report)
	if err != nil {
		return Pulse{}, fmt.Errorf("heartbeat: %w", err)
	}
	status, reply, err := list(b.run(ctx, scriptHeartbeat, s.Node, s.Incarnation, body, hive.ForgetNode.Milliseconds(), urgent).Result())
	if err != nil {
		return Pulse{}, b.wrap("heartbeat", err)
	}
	if status != "ok" || len(reply) == 0 {
		return Pulse{}, fmt.Errorf("heartbeat: %w", hive.ErrUnregistered)
	}
	p := Pulse{Holds: make(map[string]bool, len(reply)-1), Skills: number(reply[0])}
	for _, id := range reply[1:] {
		p.Holds[text(id)] = true
	}
	return p, nil
}

// Unregister lets a spore leave. What it still holds goes back at no cost; n
// counts it.
func (b *Broker) Unregister(ctx context.Context, s *Session) (n int, err error) {
	n, err = b.run(ctx, scriptUnregister, s.Node, s.Incarnation, b.opts.Retention.Milliseconds()).Int()
	return max(0, n), b.wrap("unregister", err)
}

// Knock is what a spore's doorbell says.
type Knock struct {
	Work   bool // tasks were put into its queue
	Skills bool // the registered skills changed
	Kill   []Kill
}

// Kill names an attempt that must stop: it holds its task no more.
type Kill struct {
	ID      string
	Attempt int
}

// Listen waits up to d for a spore's doorbell. It is only a hint: the queue and
// the heartbeat's answer are the truth.
func (b *Broker) Listen(ctx context.Context, s *Session, d time.Duration) (Knock, error) {
	items, err := b.popDoor(ctx, b.keys.door(s.Node), d, inboxBatch)
	if err != nil {
		return Knock{}, b.wrap("listen", err)
	}
	var k Knock
	for _, item := range items {
		switch {
		case item == "W":
			k.Work = true
		case item == "S":
			k.Skills = true
		case strings.HasPrefix(item, "K"):
			if attempt, id, ok := strings.Cut(item[1:], " "); ok {
				n, _ := strconv.Atoi(attempt)
				k.Kill = append(k.Kill, Kill{id, n})
			}
		}
	}
	return k, nil
}

// Nodes returns every registered spore, by id, with its last report and how many
// tasks it holds. Redis' clock decides who is online.
func (b *Broker) Nodes(ctx context.Context) ([]hive.Node, error) {
	ids, err := b.rdb.SMembers(ctx, b.keys.nodes()).Result()
	if err != nil {
		return nil, b.wrap("list spores", err)
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return hive.CheckNodeID(id) != nil })
	slices.Sort(ids)
	used, err := b.rdb.HGetAll(ctx, b.keys.used()).Result()
	if err != nil {
		return nil, b.wrap("list spores", err)
	}
	nodes := make([]hive.Node, 0, len(ids))
	for some := range slices.Chunk(ids, nodesAtOnce) {
		reply, err := b.run(ctx, scriptNodes, append([]any{maxReport}, anys(some)...)...).Slice()
		if err == nil && len(reply) != 1+3*len(some) {
			err = fmt.Errorf("unexpected answer of %d parts from redis", len(reply))
		}
		if err != nil {
			return nil, b.wrap("list spores", err)
		}
		now := time.UnixMilli(number(reply[0]))
		for i, id := range some {
			nodes = append(nodes, readNode(id, reply[1+3*i:4+3*i], used[id], now))
		}
	}
	return nodes, nil
}

const (
	// maxSlots bounds what a report may claim.
	maxSlots = 10_000
	// maxReport bounds a report in bytes. One that names 4,000 bundles has less.
	maxReport = 1 << 20
	// nodesAtOnce is how many reports are read at once.
	nodesAtOnce = 64
)

// clamp bounds a number from outside to 0..most; not a number becomes most.
func clamp[N int | float64](n, most N) N {
	if n != n {
		return most
	}
	return min(max(n, 0), most)
}

func readNode(id string, beat []any, used string, now time.Time) hive.Node {
	n := hive.Node{}
	// A report that cannot be read leaves a node without slots or skills.
	if json.Unmarshal([]byte(text(beat[1])), &n.NodeReport) != nil {
		n.NodeReport = hive.NodeReport{}
	}
	n.Beat = time.UnixMilli(number(beat[0]))
	n.Online = text(beat[2]) != "" && now.Sub(n.Beat) < hive.OfflineAfter
	n.ID = id
	n.CPU, n.Memory = clamp(n.CPU, 1), clamp(n.Memory, 1)
	n.Slots, n.Prefetch = clamp(n.Slots, maxSlots), clamp(n.Prefetch, maxSlots)
	n.Active, _ = strconv.Atoi(used)
	return n
}

// Active returns how many tasks every spore holds: queued for it and running.
func (b *Broker) Active(ctx context.Context) (map[string]int, error) {
	used, err := b.rdb.HGetAll(ctx, b.keys.used()).Result()
	if err != nil {
		return nil, b.wrap("read active counts", err)
	}
	return numbers(used), nil
}

func numbers(texts map[string]string) map[string]int {
	all := make(map[string]int, len(texts))
	for name, text := range texts {
		all[name], _ = strconv.Atoi(text)
	}
	return all
}
