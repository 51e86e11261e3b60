package spore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/audit"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/bundle"
)

// unsigned stands for the command of what no key of the nexus signed.
const unsigned = "unknown"

// settle does what a verdict says, and tells it.
func (c *control) settle(v *verdict) {
	if v.err == nil {
		v.err = c.obey(v.command)
	}
	anew := !v.told
	if c.tell(v); anew {
		c.answer(v)
	}
	if v.err == nil && v.command.Command == hive.CommandStop {
		c.stop()
	}
}

// obey does what a command says. To stop is for later: it is to be answered before.
func (c *control) obey(command *bundle.Command) error {
	var err error
	switch command.Command {
	case hive.CommandDrain:
		err = c.Drain(c.life)
	case hive.CommandResume:
		err = c.Resume(c.life)
	case hive.CommandUpdate:
		if c.o.Update == nil {
			return refusal(bundle.ReasonInvalid, command.String(), errors.New("this spore has no repository"))
		}
		c.o.Update()
	}
	switch {
	case errors.Is(err, errReleased):
		return refusal(bundle.ReasonStopped, command.String(), err)
	case err != nil:
		return refusal(bundle.ReasonUnreachable, command.String(), err)
	}
	return nil
}

func (c *control) stop() {
	select {
	case <-c.stopping:
	default:
		close(c.stopping)
	}
}

// answer answers who asked for it, in the name of the nexus and of this spore only. A
// lost answer is one who did not answer.
func (c *control) answer(v *verdict) {
	var to broker.ReplyTo
	if v.command == nil || v.reason() == bundle.ReasonReplayed || v.reason() == bundle.ReasonOtherTarget ||
		json.Unmarshal(v.command.Data, &to) != nil || hive.CheckID(to.Inbox) != nil {
		return
	}
	_ = c.road.Answer(c.life, to.Inbox, broker.Answer{Node: c.opts.Name, OK: v.err == nil, Reason: v.reason()})
}

// tell counts a verdict; it is logged and told once.
func (c *control) tell(v *verdict) {
	c.count(v.command, v.reason())
	if v.told {
		return
	}
	v.told = true
	e := audit.Entry{Action: "command." + unsigned, Subject: c.opts.Name, Outcome: audit.OK, Reason: v.reason()}
	if v.command != nil {
		e.Action = "command." + strings.ToLower(string(v.command.Command))
		e.Fields = map[string]string{"command": v.command.ID, "generation": strconv.FormatInt(v.command.Generation, 10), "issuer": v.command.Issuer}
	}
	switch log := c.opts.Log.With("spore", c.opts.Name, "action", e.Action, "issuer", e.Fields["issuer"]); {
	case v.err == nil:
		log.Info("command obeyed")
	case v.accepted && v.reason() != bundle.ReasonRollback:
		e.Outcome = audit.Failed
		log.Warn("cannot obey a command", "reason", e.Reason, "error", v.err)
	case v.reason() == bundle.ReasonOtherTarget:
		e.Outcome = audit.Refused
		log.Debug("command is for others")
	default:
		e.Outcome = audit.Refused
		log.Warn("command refused", "reason", e.Reason, "error", v.err)
	}
	c.o.Audit(e)
}

// tellDropped tells how many envelopes were not looked at, once for many.
func (c *control) tellDropped() {
	if c.dropped == 0 {
		return
	}
	n := fmt.Sprint(c.dropped)
	c.dropped = 0
	c.opts.Log.Warn("too many commands: some were not looked at", "spore", c.opts.Name, "dropped", n)
	c.o.Audit(audit.Entry{Action: "command." + unsigned, Subject: c.opts.Name, Outcome: audit.Refused,
		Reason: bundle.ReasonRateLimited, Fields: map[string]string{"dropped": n}})
}
