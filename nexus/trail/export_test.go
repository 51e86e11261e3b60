package trail

import (
	"context"
)

// HearAndCrash is what a nexus does that ends before it takes away what it wrote.
func (t *Trail) HearAndCrash(ctx context.Context, node string) error {
	told, err := t.o.Road.Told(ctx, node, perLook)
	if err != nil {
		return err
	}
	notes, err := t.notes(node, told)
	if err != nil {
		return err
	}
	if err := t.intake.Take(notes...); err != nil {
		return err
	}
	return t.Crash()
}

// Crash gives up the log and nothing else.
func (t *Trail) Crash() error { return t.intake.Close() }

// Collect is one look of Lead.
func (t *Trail) Collect(ctx context.Context, all bool) error { return t.collect(ctx, all) }
