// Package client is how Go programs put work on the road and get it back.
package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/manifest"
)

// Options set what tasks get that do not say it themselves.
type Options struct {
	Timeout time.Duration // default hive.DefaultTimeout
	Retries int           // default hive.DefaultRetries
	Apart   bool          // leave results where they are that stand apart, for OpenBlob: records have none then
}

// Client submits tasks and waits for them. It is safe for concurrent use.
type Client struct {
	road    *broker.Broker
	opts    Options
	owned   bool // the road was dialed here and is closed here
	catalog catalog
	inbox   inbox
}

// Dial connects to the road at a redis://, rediss:// or unix:// address.
func Dial(ctx context.Context, url string, o Options) (*Client, error) {
	where, err := broker.ParseURL(url)
	if err != nil {
		return nil, err
	}
	road, err := broker.Dial(ctx, where)
	if err != nil {
		return nil, err
	}
	c := New(road, o)
	c.owned = true
	return c, nil
}

// New returns a client on a road that is dialed already and stays the caller's.
func New(road *broker.Broker, o Options) *Client {
	c := &Client{road: road, opts: o}
	c.catalog.road = road
	c.inbox = newInbox(road)
	return c
}

// Close ends all waits. Tasks go on.
func (c *Client) Close() error {
	c.inbox.close()
	if c.owned {
		return c.road.Close()
	}
	return nil
}

// Submit puts a task on the road and returns its id, or that of the task that has its
// unique key. A payload that does not meet the skill's input schema is refused, with the
// JSON pointer of what is wrong.
func (c *Client) Submit(ctx context.Context, t hive.Task) (string, error) {
	t = c.fill(t)
	if err := c.check(ctx, &t, new(time.Time)); err != nil {
		return "", err
	}
	return c.road.Enqueue(ctx, &t, "")
}

// SubmitMany puts tasks on the road, in order, and returns the ids that Submit would. If
// one of them is refused, none is submitted. After another error some may be there:
// give the tasks ids and the call can be repeated as it was.
func (c *Client) SubmitMany(ctx context.Context, tasks []hive.Task) ([]string, error) {
	filled, _, err := c.readyMany(ctx, tasks)
	if err != nil {
		return nil, err
	}
	return c.road.EnqueueMany(ctx, filled, "")
}

// readyMany fills tasks in and checks them, and returns their ids, too.
func (c *Client) readyMany(ctx context.Context, tasks []hive.Task) (filled []hive.Task, ids []string, err error) {
	filled, ids = make([]hive.Task, len(tasks)), make([]string, len(tasks))
	var now time.Time
	for i := range tasks {
		filled[i] = c.fill(tasks[i])
		if err := c.check(ctx, &filled[i], &now); err != nil {
			return nil, nil, fmt.Errorf("task %d of %d: %w", i+1, len(tasks), err)
		}
		ids[i] = filled[i].ID
	}
	return filled, ids, nil
}

func (c *Client) fill(t hive.Task) hive.Task {
	if t.Timeout == 0 {
		t.Timeout = c.opts.Timeout
	}
	if t.Retries == 0 {
		t.Retries = c.opts.Retries
	}
	return t.WithDefaults()
}

// Check reports why Submit would refuse a task.
func (c *Client) Check(ctx context.Context, t hive.Task) error {
	t = c.fill(t)
	return c.check(ctx, &t, new(time.Time))
}

// check validates a task and its payload; see validate for now. A skill that nobody has
// registered yet is no error: the task waits for it.
func (c *Client) check(ctx context.Context, t *hive.Task, now *time.Time) error {
	if err := c.validate(ctx, t, now); err != nil {
		return err
	}
	schema, err := c.catalog.input(ctx, t.Skill)
	if err != nil || schema == nil {
		return err
	}
	if t.PayloadBlob.Size > hive.MaxInline {
		return fmt.Errorf("payload of %d bytes: skill %s has an input schema, against which at most %d are held: %w", t.PayloadBlob.Size, t.Skill, hive.MaxInline, hive.ErrTooLarge)
	}
	payload, err := c.road.Payload(ctx, t)
	if err != nil {
		return err
	}
	if err := schema.Check(payload); err != nil {
		return fmt.Errorf("%w (skill %s)", err, t.Skill)
	}
	return nil
}

// validate asks for the time only where a task depends on it, and only if now is zero: of
// many tasks the first that does asks for all.
func (c *Client) validate(ctx context.Context, t *hive.Task, now *time.Time) (err error) {
	if !t.Timed() {
		return t.Validate()
	}
	if now.IsZero() {
		if *now, err = c.Now(ctx); err != nil {
			return err
		}
	}
	return t.ValidateAt(*now)
}

// Now returns the time by the road's clock, by which RunAt and Deadline are kept.
func (c *Client) Now(ctx context.Context) (time.Time, error) { return c.road.Now(ctx) }

// Wait returns the record of a task once it is over.
func (c *Client) Wait(ctx context.Context, id string) (*hive.Record, error) {
	if err := hive.CheckID(id); err != nil {
		return nil, err
	}
	var over *hive.Record
	err := c.inbox.wait(ctx, []string{id}, true, func(r *hive.Record) { over = r })
	return c.wholeAfter(ctx, over, err)
}

// Run submits a task and returns its record once it is over. Where another task has its
// unique key, that one's is returned.
func (c *Client) Run(ctx context.Context, t hive.Task) (*hive.Record, error) {
	t = c.fill(t)
	if err := c.check(ctx, &t, new(time.Time)); err != nil {
		return nil, err
	}
	var over *hive.Record
	id := t.ID
	err := c.inbox.submitAndWait(ctx, []string{t.ID}, func(name string) (err error) {
		if id, err = c.road.Enqueue(ctx, &t, name); err == nil && id != t.ID {
			err = hive.ErrHeld
		}
		return err
	}, func(r *hive.Record) { over = r })
	if errors.Is(err, hive.ErrHeld) {
		return c.Wait(ctx, id)
	}
	return c.wholeAfter(ctx, over, err)
}

// Status returns all that is known of a task.
func (c *Client) Status(ctx context.Context, id string) (*hive.Record, error) {
	return c.road.Status(ctx, id)
}

// Cancel ends a task that is not over; it returns the state the task was in.
func (c *Client) Cancel(ctx context.Context, id string) (hive.State, error) {
	if err := hive.CheckID(id); err != nil {
		return "", err
	}
	return c.road.Cancel(ctx, id)
}

// Retry makes a failed task pending again, with all its failures forgiven.
func (c *Client) Retry(ctx context.Context, id string) error {
	if err := hive.CheckID(id); err != nil {
		return err
	}
	return c.road.Retry(ctx, id)
}

// Forget deletes tasks that are over, and returns how many are gone. One that was cancelled, or
// whose deadline passed, while it stood in a queue can be deleted when its turn there has come.
func (c *Client) Forget(ctx context.Context, ids ...string) (int, error) {
	n, _, err := c.road.Forget(ctx, ids)
	return n, err
}

// catalogAge is how long the list of skills is trusted.
const catalogAge = 2 * time.Second

// catalog knows the input schemas of the registered skills.
type catalog struct {
	road *broker.Broker

	mu      sync.Mutex
	read    time.Time
	skills  []hive.Skill
	schemas map[string]*manifest.Schema // by digest
}

// input returns the schema a payload for ref must meet, nil if it has none or
// the skill is not known.
func (c *catalog) input(ctx context.Context, ref hive.SkillRef) (*manifest.Schema, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Since(c.read) > catalogAge {
		skills, err := c.road.Skills(ctx)
		if err != nil {
			return nil, err
		}
		c.skills, c.read = skills, time.Now()
	}
	for i := range c.skills {
		if s := &c.skills[i]; ref.Matches(s.Name, s.Version, s.Digest) {
			return c.schema(s)
		}
	}
	return nil, nil
}

func (c *catalog) schema(s *hive.Skill) (*manifest.Schema, error) {
	if len(s.Input) == 0 {
		return nil, nil
	}
	key := s.ID().String() + " " + s.Digest
	if schema, ok := c.schemas[key]; ok {
		return schema, nil
	}
	schema, err := manifest.Compile(s.Input)
	if err != nil {
		return nil, fmt.Errorf("skill %s: input schema: %w", s.ID(), err)
	}
	if c.schemas == nil {
		c.schemas = map[string]*manifest.Schema{}
	}
	c.schemas[key] = schema
	return schema, nil
}

// ErrClosed says that the client was closed while a call waited.
var ErrClosed = errors.New("the client is closed")
