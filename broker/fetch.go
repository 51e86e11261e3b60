package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hive-spore/hive"
)

// fetchBytes bounds the payloads of one fetch.
const fetchBytes = 8 << 20

// Session is one incarnation of a spore on the road. It has one fetch under way
// at a time.
type Session struct {
	Node        string
	Incarnation string
	request     int64
	pending     bool // the last fetch was not answered: ask for the same again
}

// Fetch takes up to n tasks from the spore's queue: they are running from now
// on, each as its next attempt. left counts the tasks still queued. After an
// error the next Fetch asks for the same tasks again.
func (b *Broker) Fetch(ctx context.Context, s *Session, n int) (attempts []hive.Attempt, left int, err error) {
	if !s.pending {
		s.request++
		s.pending = true
	}
	status, reply, err := list(b.run(ctx, scriptFetch, s.Node, s.Incarnation, s.request, n, fetchBytes,
		b.opts.Retention.Milliseconds()).Result())
	if err != nil {
		return nil, 0, b.wrap("fetch", err)
	}
	s.pending = false
	if status == "unregistered" {
		return nil, 0, fmt.Errorf("fetch: %w", hive.ErrUnregistered)
	}
	if len(reply)%3 != 1 {
		return nil, 0, fmt.Errorf("fetch: unexpected answer of %d values", len(reply))
	}
	for i := 1; i < len(reply); i += 3 {
		r, err := unpackFetched(text(reply[i]), text(reply[i+1]), text(reply[i+2]))
		if err != nil {
			// It is running here already: end it, and keep the others.
			if err := b.failUnreadable(ctx, s.Node, text(reply[i]), text(reply[i+1]), err); err != nil {
				return attempts, 0, err
			}
			continue
		}
		attempts = append(attempts, hive.Attempt{Task: r.Task, Number: r.Attempts, Failures: r.Failures, Created: r.Created, Started: r.Started})
	}
	return attempts, int(number(reply[0])), nil
}

// unpackFetched reads a record that has another header by now, and whose last outcome may
// be missing, and does not matter.
func unpackFetched(id, header, was string) (*hive.Record, error) {
	if len(header) != headLen || len(was) < headLen {
		return nil, fmt.Errorf("task %s: %w", id, errRecord)
	}
	record := append([]byte(header), was[headLen:]...)
	binary.BigEndian.PutUint32(record[62:], 0)
	r, err := unpack(id, record)
	if err == nil {
		r.Result = nil
	}
	return r, err
}

// failUnreadable ends an attempt at a task whose record makes no sense.
func (b *Broker) failUnreadable(ctx context.Context, node, id, record string, why error) error {
	a := &hive.Attempt{Task: hive.Task{ID: id}}
	if len(record) >= headLen {
		a.Number = int(binary.BigEndian.Uint32([]byte(record[4:8])))
	}
	_, err := b.Fail(ctx, node, a, &hive.Outcome{Failure: hive.NewFailure(hive.FailLoad, why.Error())}, 0)
	if errors.Is(err, hive.ErrFenced) {
		return nil
	}
	return err
}
