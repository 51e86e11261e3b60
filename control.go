package hive

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Command is what a nexus may tell spores by broadcast.
type Command string

// The control commands. Until envelopes are signed a spore acts on CommandPing
// and CommandDrain only.
const (
	CommandPing   Command = "PING"
	CommandDrain  Command = "DRAIN"
	CommandResume Command = "RESUME"
	CommandUpdate Command = "UPDATE_SYSTEM"
	CommandStop   Command = "STOP"
)

// MaxControlAge bounds how long an envelope is valid.
const MaxControlAge = 120 * time.Second

// Envelope carries one control command. A broadcast is only a hint: it can be
// lost, repeated or late.
type Envelope struct {
	ID         string          `json:"id"`
	Issuer     string          `json:"issuer"`
	Target     string          `json:"target"` // a spore id, or "*"
	Command    Command         `json:"command"`
	Data       json.RawMessage `json:"data,omitempty"`
	Generation int64           `json:"generation"` // rises with every command of the hive
	Issued     time.Time       `json:"issued"`
	Expires    time.Time       `json:"expires"`
}

// Check reports why a spore must not act on the envelope at time now.
func (e *Envelope) Check(node string, now time.Time) error {
	switch {
	case e.Target != "*" && e.Target != node:
		return fmt.Errorf("command %s is for %q", e.Command, e.Target)
	case now.After(e.Expires):
		return errors.New("command has expired")
	case e.Expires.Sub(e.Issued) > MaxControlAge:
		return fmt.Errorf("command is valid for %v, at most %v allowed", e.Expires.Sub(e.Issued), MaxControlAge)
	case e.Issued.After(now.Add(MaxControlAge)):
		return errors.New("command is from the future")
	}
	return nil
}
