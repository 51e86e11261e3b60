package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/manifest"
	"github.com/hive-spore/hive/runtime"
	"github.com/hive-spore/hive/spore"
)

func (a *app) skillInspectCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "inspect FILE.wasm|FOLDER",
		Short: "Show what a skill is and whether it can run",
		Long: `Show what a skill is and whether it can run: its contract and how its attempts are
kept apart, limits, the grants it asks for and what for, and its schemas in short.
With --json the schemas are whole.`,
		Args: wantArgs(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.configure(); err != nil {
				return err
			}
			ctx := cmd.Context()
			skill, program, err := a.builder().Skill(ctx, args[0])
			if err != nil {
				return err
			}
			return a.withProgram(ctx, skill, program, func(p *spore.Program) error { return a.showSkill(skill, p.Info()) })
		},
	}
}

func (a *app) showSkill(s *hive.Skill, info runtime.Info) error {
	if a.flags.json {
		return printJSON(a.Out, struct {
			hive.Manifest
			Program runtime.Info `json:"program"`
		}{s.Manifest, info})
	}
	rows := [][]string{
		{"skill", s.ID().String()}, {"description", s.Description},
		{"contract", string(info.Contract)}, {"sandbox", info.Mode + " (" + info.Reason + ")"},
		{"warm-up", info.Warmup}, {"snapshot", fmt.Sprintf("%d KiB", info.Snapshot>>10)},
		{"digest", info.Digest}, {"size", fmt.Sprintf("%d bytes", info.Size)},
		{"memory", fmt.Sprintf("begins with %d KiB, limit %d KiB", info.Memory>>10, info.Limits.Memory>>10)},
		{"time limit", limitText(info.Limits.Time)}, {"fuel limit", fuelText(info.Limits.Fuel)}, {"requires", s.Requires.String()},
		{"input schema", manifest.Shape(s.Input)}, {"output schema", manifest.Shape(s.Output)},
	}
	for _, ask := range manifest.Asks(&s.Manifest) {
		rows = append(rows, []string{"asks for", ask.String()})
	}
	if len(s.Grants) == 0 {
		rows = append(rows, []string{"asks for", "no grants"})
	}
	return table(a.Out, nil, append(rows,
		[]string{"imports", strings.Join(info.Imports, " ")}, []string{"exports", strings.Join(info.Exports, " ")}))
}

func limitText(d time.Duration) string {
	if d == 0 {
		return "the task's timeout"
	}
	return d.String()
}

func fuelText(n int64) string {
	if n == 0 {
		return "none"
	}
	return fmt.Sprint(n)
}
