package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/hive-spore/hive"
)

// Emit adds a part of an attempt's result. A repeat adds nothing. It returns
// ErrFenced when the attempt no longer holds the task.
func (b *Broker) Emit(ctx context.Context, node string, a *hive.Attempt, p hive.Part) error {
	return b.emit(ctx, node, a, p.Number, "e", p.Data)
}

// Progress says how far an attempt is, in place of what it said before.
func (b *Broker) Progress(ctx context.Context, node string, a *hive.Attempt, p hive.Progress) error {
	data := binary.BigEndian.AppendUint32(nil, p.Done)
	data = binary.BigEndian.AppendUint32(data, p.Total)
	return b.emit(ctx, node, a, 0, "p", append(data, hive.Clip(p.Text, hive.MaxProgressText)...))
}

func (b *Broker) emit(ctx context.Context, node string, a *hive.Attempt, n int, kind string, data []byte) error {
	verdict, err := b.run(ctx, scriptEmit, node, a.Task.ID, a.Number, n, kind, data, b.opts.Retention.Milliseconds()).Int64()
	if err != nil {
		return b.wrap("emit for "+a.Task.ID, err)
	}
	if verdict < 0 {
		return fmt.Errorf("emit for %s, attempt %d: %w", a.Task.ID, a.Number, hive.ErrFenced)
	}
	return nil
}

// emitHead is the length of what stands before the data: attempt and number.
const emitHead = 8

// Emitted returns the parts that the newest attempt of a task gave, and how far it
// is; nil if it never said. Attempts before it are void. Who has n parts of an
// attempt gets those after them, unless there is a newer attempt.
func (b *Broker) Emitted(ctx context.Context, id string, attempt, n int) ([]hive.Part, *hive.Progress, error) {
	pipe := b.rdb.Pipeline()
	first, latest := pipe.LIndex(ctx, b.keys.parts(id), 0), pipe.Get(ctx, b.keys.progress(id))
	list := pipe.LRange(ctx, b.keys.parts(id), int64(n), -1)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return nil, nil, b.wrap("read what "+id+" emitted", err)
	}
	if newest, _ := emitter(first.Val()); n > 0 && newest != attempt {
		return b.Emitted(ctx, id, newest, 0)
	}
	var parts []hive.Part
	for _, item := range list.Val() {
		if attempt, n := emitter(item); n > 0 { // else it is foreign
			parts = append(parts, hive.Part{Attempt: attempt, Number: n, Data: []byte(item[emitHead:])})
		}
	}
	return parts, readProgress(latest.Val()), nil
}

func emitter(item string) (attempt, number int) {
	if len(item) < emitHead {
		return 0, 0
	}
	head := []byte(item[:emitHead])
	return int(binary.BigEndian.Uint32(head)), int(binary.BigEndian.Uint32(head[4:]))
}

func readProgress(item string) *hive.Progress {
	if len(item) < emitHead+8 {
		return nil
	}
	attempt, _ := emitter(item)
	data := []byte(item[emitHead:])
	return &hive.Progress{Attempt: attempt, Done: binary.BigEndian.Uint32(data), Total: binary.BigEndian.Uint32(data[4:]), Text: string(data[8:])}
}
