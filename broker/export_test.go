package broker

import (
	"context"

	"github.com/hive-spore/hive"
)

// CommitBatch completes attempts of one spore in one script call, as they ride
// together when they come at once. It returns the script's verdicts.
func (b *Broker) CommitBatch(ctx context.Context, node string, attempts []hive.Attempt, outs []hive.Outcome) ([]int64, error) {
	items := make([]completion, len(attempts))
	for i, a := range attempts {
		items[i] = completion{node: node, id: a.Task.ID, attempt: a.Number, fields: packOutcome(&outs[i]), result: outs[i].Result,
			effects: &outs[i].Effects, packed: packEffects(&outs[i].Effects)}
	}
	return b.flushCommit(ctx, items)
}

// Unlist tells the script that keys of a namespace were found without values.
func (b *Broker) Unlist(ctx context.Context, space string, keys ...any) (int, error) {
	return b.run(ctx, scriptUnlist, append([]any{space}, keys...)...).Int()
}

// ReadAnswer reads an item of an inbox as an answer to a command.
func ReadAnswer(item string) (Answer, bool) { return readAnswer(item) }
