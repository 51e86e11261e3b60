package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
)

const broadcastLong = `Tell spores a command, signed with the key of the nexus, and show who answers.

  PING           answer
  DRAIN          take no more tasks; what runs goes on
  RESUME         take tasks again
  UPDATE_SYSTEM  look for new bundles now
  STOP           end, as by the first SIGTERM

It is for all spores, unless --to names some or --tags says what they have. One that
is away gets it if it is back within two minutes. Exit code 1: a spore that is online
did not answer or refused, or one that --to names is not online.`

// broadcastFlags say whom a command is for, and whose key signs it.
type broadcastFlags struct{ to, tags, keys string }

func (a *app) broadcastCommand() *cobra.Command {
	var f broadcastFlags
	cmd := &cobra.Command{
		Use:     "broadcast PING|DRAIN|RESUME|UPDATE_SYSTEM|STOP",
		Short:   "Tell spores a signed command",
		Long:    broadcastLong,
		Example: "  nexus broadcast PING --keys keys\n  nexus broadcast DRAIN --tags zone=eu --keys keys",
		Args:    wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			command, err := f.command(args[0])
			if err != nil {
				return err
			}
			if err := a.configure(); err != nil {
				return err
			}
			if f.keys = cmp.Or(f.keys, a.cfg.OTA.Keys); f.keys == "" {
				return usagef("broadcast: spores obey what the nexus signed: --keys DIR (or ota.keys) says where its key is (nexus keys init makes one)")
			}
			return a.withRoad(cmd.Context(), func(road *broker.Broker) error {
				return a.broadcast(cmd.Context(), road, command, f.keys)
			})
		},
	}
	cmd.Flags().StringVar(&f.to, "to", "", "spores it is for: ID,ID (default: all)")
	cmd.Flags().StringVar(&f.tags, "tags", "", "tags of the spores it is for, as --require of a task, such as zone=eu,gpu")
	cmd.Flags().StringVar(&f.keys, "keys", "", "directory with the key of the nexus, as nexus keys init makes it (default: ota.keys)")
	return cmd
}

// command is what the arguments say, not yet numbered.
func (f *broadcastFlags) command(name string) (*bundle.Command, error) {
	c := &bundle.Command{ID: hive.NewID(), Issuer: issuer(), Command: hive.Command(strings.ToUpper(name))}
	if !slices.Contains(hive.Commands, c.Command) {
		return nil, usagef("broadcast %q: want one of %v", name, hive.Commands)
	}
	if f.to != "" && f.tags != "" {
		return nil, usagef("--to and --tags: want one of them")
	}
	if f.to != "" {
		c.Target.Spores = strings.Split(f.to, ",")
		for _, id := range c.Target.Spores {
			if err := hive.CheckNodeID(id); err != nil {
				return nil, usagef("--to: %w", err)
			}
		}
	}
	selector, err := hive.ParseSelector(f.tags)
	if err != nil {
		return nil, usagef("--tags: %w", err)
	}
	c.Target.Selector = selector
	return c, nil
}

// answersFor is how long answers to a command are collected.
const answersFor = 2 * time.Second

// saying is what one spore said to a command.
type saying struct {
	Node     string  `json:"node_id"`
	Answered bool    `json:"answered"`
	MS       float64 `json:"ms"` // until it answered
	OK       bool    `json:"ok"`
	Reason   string  `json:"reason,omitempty"`
}

// Reasons of ours, where a spore said nothing.
const (
	reasonSilent  = "no_answer"
	reasonOffline = "offline"
)

func (a *app) broadcast(ctx context.Context, road *broker.Broker, c *bundle.Command, dir string) error {
	keys, err := a.load(ctx, &repoFlags{keys: dir}, bundle.RoleNexus)
	if err != nil {
		return err
	}
	nodes, err := road.Nodes(ctx)
	if err != nil {
		return err
	}
	said := expected(nodes, &c.Target)
	inbox := hive.NewID()
	defer road.CloseInbox(context.WithoutCancel(ctx), inbox)
	begun := time.Now()
	if err := sendCommand(ctx, road, c, inbox, keys[0][0]); err != nil {
		return err
	}
	if err := collect(ctx, road, inbox, begun, said); err != nil {
		return err
	}
	return a.showSaid(said)
}

// expected lists those that are to answer; of those that are named, also who cannot.
func expected(nodes []hive.Node, target *bundle.Target) (said []saying) {
	online := map[string]bool{}
	for _, n := range nodes {
		if online[n.ID] = n.Online; n.Online && target.Has(bundle.Spore{ID: n.ID, Tags: n.Tags}) {
			said = append(said, saying{Node: n.ID, Reason: reasonSilent})
		}
	}
	for _, id := range target.Spores {
		if !online[id] {
			said = append(said, saying{Node: id, Reason: reasonOffline})
		}
	}
	slices.SortFunc(said, func(a, b saying) int { return strings.Compare(a.Node, b.Node) })
	return slices.CompactFunc(said, func(a, b saying) bool { return a.Node == b.Node })
}

// sendCommand numbers a command, signs and sends it.
func sendCommand(ctx context.Context, road *broker.Broker, c *bundle.Command, inbox string, key *bundle.Key) (err error) {
	if c.Data, err = json.Marshal(broker.ReplyTo{Inbox: inbox}); err != nil {
		return err
	}
	if c.Generation, err = road.NextControl(ctx); err != nil {
		return err
	}
	c.Issued = time.Now().UTC()
	c.Expires = c.Issued.Add(hive.MaxControlAge)
	envelope, err := c.Sign(key)
	if err != nil {
		return err
	}
	return road.SendControl(ctx, envelope)
}

// collect notes the first answer of each spore, until all have answered or it takes
// too long.
func collect(ctx context.Context, road *broker.Broker, inbox string, begun time.Time, said []saying) error {
	left := 0
	for _, s := range said {
		if s.Reason == reasonSilent {
			left++
		}
	}
	for left > 0 && time.Since(begun) < answersFor {
		answers, err := road.Answers(ctx, inbox, answersFor-time.Since(begun))
		if err != nil {
			return err
		}
		ms := float64(time.Since(begun).Microseconds()) / 1000
		for _, answer := range answers {
			i := slices.IndexFunc(said, func(s saying) bool { return s.Node == answer.Node && s.Reason == reasonSilent })
			if i < 0 {
				continue // it was not asked, or said something before
			}
			left--
			said[i] = saying{Node: answer.Node, Answered: true, MS: ms, OK: answer.OK}
			if !answer.OK {
				said[i].Reason = word(answer.Reason)
			}
		}
	}
	return nil
}

var oneWord = regexp.MustCompile(`^[a-z_]{1,40}$`)

// word is the reason that a spore gives, if it is one.
func word(reason string) string {
	if oneWord.MatchString(reason) && reason != reasonSilent {
		return reason
	}
	return "unknown"
}

func (a *app) showSaid(said []saying) error {
	bad := 0
	rows := make([][]string, len(said))
	for i, s := range said {
		rows[i] = []string{s.Node, "", "ok"}
		if s.Answered {
			rows[i][1] = fmt.Sprintf("%.1f ms", s.MS)
		}
		if !s.OK {
			bad++
			rows[i][2] = s.Reason
		}
	}
	var err error
	if a.flags.json {
		err = printJSON(a.Out, slices.Concat([]saying{}, said))
	} else {
		err = table(a.Out, []string{"SPORE", "ANSWERED AFTER", "SAYS"}, rows)
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(said, func(s saying) bool { return s.Reason == reasonSilent }) {
		a.say("hint: a spore obeys the keys that its repository lists for the nexus, and is silent to others")
	}
	if bad > 0 {
		return fmt.Errorf("%d of %s did not say ok", bad, plural(len(said), "spore"))
	}
	a.say("%s said ok", plural(len(said), "spore"))
	return nil
}
