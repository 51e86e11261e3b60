package bundle

import (
	"crypto"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hive-spore/hive"
)

// Bounds of a command.
const (
	maxCommand = 64 << 10 // bytes of its JSON
	maxIssuer  = 128
	maxNamed   = 1024
)

// Command is what a nexus tells spores to do. It is valid for two minutes at most.
type Command struct {
	ID         string          `json:"id"`     // of its own, as a task's
	Issuer     string          `json:"issuer"` // who asked for it, for people
	Target     Target          `json:"target"`
	Command    hive.Command    `json:"command"`
	Data       json.RawMessage `json:"data,omitempty"`
	Generation int64           `json:"generation"` // rises with every command of the hive
	Issued     time.Time       `json:"issued"`     // UTC
	Expires    time.Time       `json:"expires"`    // UTC
}

// Target says which spores a command is for: those named, or if none is, those
// with the tags. The zero value is all.
type Target struct {
	Spores   []string      `json:"spores,omitempty"`
	Selector hive.Selector `json:"selector,omitempty"`
}

// Has reports whether a spore is one that the command is for.
func (t *Target) Has(me Spore) bool {
	if len(t.Spores) > 0 {
		return slices.Contains(t.Spores, me.ID)
	}
	return t.Selector.Matches(me.Tags)
}

// Check reports why a spore must not act on the command at a time. Whether it did
// so before is for a Guard to say.
func (c *Command) Check(me Spore, now time.Time) error {
	switch {
	case !c.Target.Has(me):
		return refuse(ReasonOtherTarget, c.String(), nil)
	case !now.Before(c.Expires):
		return refuse(ReasonExpired, c.String(), fmt.Errorf("at %s", c.Expires.Format(time.RFC3339)))
	case c.Issued.After(now.Add(maxSkew)):
		return refuse(ReasonFuture, c.String(), fmt.Errorf("it was issued at %s", c.Issued.Format(time.RFC3339)))
	}
	return nil
}

// String names the command: "command DRAIN 06fz…".
func (c *Command) String() string { return "command " + string(c.Command) + " " + c.ID }

// Sign returns the command in an envelope that ReadCommand reads.
func (c *Command) Sign(key crypto.Signer) ([]byte, error) {
	payload, err := spell(c, new(Command), maxCommand)
	if err != nil {
		return nil, refuse(ReasonInvalid, "the command", err)
	}
	return Sign(TypeCommand, payload, key)
}

// ReadCommand reads a command that one of keys signed. Whether to act on it is for
// a Guard to say.
func ReadCommand(envelope []byte, keys []ed25519.PublicKey) (*Command, error) {
	payload, err := Verify(envelope, keys, TypeCommand)
	if err != nil {
		return nil, err
	}
	c := new(Command)
	if err := parse(payload, c, maxCommand); err != nil {
		return nil, refuse(ReasonUnparsable, "the command", err)
	}
	return c, nil
}

func (c *Command) validate() error {
	if err := hive.CheckID(c.ID); err != nil {
		return err
	}
	if err := c.Target.validate(); err != nil {
		return err
	}
	if err := checkTimes(c.Issued, c.Expires); err != nil {
		return err
	}
	switch age := c.Expires.Sub(c.Issued); {
	case age > hive.MaxControlAge:
		return fmt.Errorf("expires: it is valid for %v, at most %v allowed", age, hive.MaxControlAge)
	case !slices.Contains(hive.Commands, c.Command):
		return fmt.Errorf("command %.40q: want one of %v", c.Command, hive.Commands)
	case c.Issuer == "" || len(c.Issuer) > maxIssuer || !oneLine(c.Issuer):
		return fmt.Errorf("issuer: want 1 to %d bytes of one line", maxIssuer)
	case c.Generation < 1:
		return fmt.Errorf("generation %d: want 1 or more", c.Generation)
	}
	return nil
}

func (t *Target) validate() error {
	if len(t.Spores) > 0 && len(t.Selector) > 0 {
		return errors.New("target: want spores or a selector, not both")
	}
	if n := len(t.Spores); n > maxNamed {
		return fmt.Errorf("target: %d spores, at most %d allowed; a selector takes any number", n, maxNamed)
	}
	for _, id := range t.Spores {
		if err := hive.CheckNodeID(id); err != nil {
			return fmt.Errorf("target: %w", err)
		}
	}
	return nil
}

func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
