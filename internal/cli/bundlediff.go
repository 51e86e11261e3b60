package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive/bundle"
)

func (a *app) bundleDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff OLD.hive NEW.hive",
		Short: "Show what one bundle changes over another, wider grants above all",
		Long: `Show what one bundle changes over another: skills that are new, gone or not the same,
their sizes and schemas, and what they may do. What a skill may do and could not before
is marked WIDER, and said on stderr as well.`,
		Args: wantArgs(2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			before, _, err := readHive(args[0])
			if err != nil {
				return err
			}
			after, _, err := readHive(args[1])
			if err != nil {
				return err
			}
			return a.showChanges(before, after)
		},
	}
}

func (a *app) showChanges(before, after *bundle.Bundle) error {
	changes := bundle.Diff(before, after)
	a.sayWider(before, changes)
	if a.flags.json {
		return printJSON(a.Out, struct {
			Before  ref            `json:"before"`
			After   ref            `json:"after"`
			Wider   bool           `json:"wider"`
			Changes bundle.Changes `json:"changes"`
		}{refOf(before), refOf(after), changes.Wider(), append(bundle.Changes{}, changes...)})
	}
	if len(changes) == 0 {
		a.say("no skill changes")
	}
	for i := range changes {
		for _, line := range changeLines(&changes[i]) {
			fmt.Fprintln(a.Out, safe(line))
		}
	}
	return nil
}

// sayWider says what skills may do that they may not in the bundle before.
func (a *app) sayWider(before *bundle.Bundle, changes bundle.Changes) {
	for _, c := range changes {
		for _, w := range c.Wider {
			a.say("wider than %s: skill %s: %s", before, c.Name, safe(w.String()))
		}
	}
}

// changeLines are what becomes of a skill, for people.
func changeLines(c *bundle.Change) []string {
	var lines []string
	switch {
	case c.Before == nil:
		lines = []string{"+ " + c.Name + "@" + c.After.Version, detail("size", fmt.Sprintf("%d bytes", c.After.Size)),
			detail("input", c.After.Input), detail("output", c.After.Output)}
	case c.After == nil:
		return []string{"- " + c.Name + "@" + c.Before.Version}
	default:
		lines = append([]string{"~ " + c.Name + "@" + moved(c.Before.Version, c.After.Version) + ": " + strings.Join(c.Differs, ", ")}, moves(c.Before, c.After)...)
	}
	for _, w := range c.Wider {
		lines = append(lines, detail("WIDER", w.String()))
	}
	for _, n := range c.Narrower {
		lines = append(lines, detail("narrower", "no more "+n.String()))
	}
	return lines
}

// moves are the sizes and schemas that are not the same.
func moves(before, after *bundle.Side) (lines []string) {
	for _, part := range [][3]string{
		{"size", fmt.Sprintf("%d bytes", before.Size), fmt.Sprintf("%d bytes", after.Size)},
		{"input", before.Input, after.Input}, {"output", before.Output, after.Output},
	} {
		if part[1] != part[2] {
			lines = append(lines, detail(part[0], moved(part[1], part[2])))
		}
	}
	return lines
}

func detail(name, text string) string { return "    " + name + ": " + text }

func moved(before, after string) string {
	if before == after {
		return before
	}
	return before + " -> " + after
}
