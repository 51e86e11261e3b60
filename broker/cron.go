package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/hive-spore/hive"
)

// maxCrons bounds the crons of a road.
const maxCrons = 10_000

// storedCron is a field of the hash cron.
type storedCron struct {
	Schedule string       `json:"schedule"`
	Zone     string       `json:"zone,omitempty"`
	CatchUp  hive.CatchUp `json:"catch_up"`
	Task     []byte       `json:"task"` // a record
}

// AddCron has the nexus that leads make a task whenever a schedule is due from now on. A cron
// of the same name it replaces, or refuses to.
func (b *Broker) AddCron(ctx context.Context, c *hive.Cron, replace bool) error {
	c.Task = c.Task.WithDefaults()
	if err := c.Validate(); err != nil {
		return err
	}
	record, _ := packTask(&c.Task, "")
	text, err := json.Marshal(storedCron{c.Schedule, c.Zone, c.CatchUp, record})
	if err != nil {
		return fmt.Errorf("add cron %s: %w", c.Name, err)
	}
	may := 0
	if replace {
		may = 1
	}
	switch n, err := b.run(ctx, scriptCron, c.Name, text, may, maxCrons).Int(); {
	case err != nil:
		return b.wrap("add cron "+c.Name, err)
	case n == 0:
		return fmt.Errorf("there is a cron %s already", c.Name)
	case n < 0:
		return fmt.Errorf("there are %d crons already: remove some first", maxCrons)
	}
	return nil
}

// RemoveCron ends a cron. It returns ErrNotFound if there is none.
func (b *Broker) RemoveCron(ctx context.Context, name string) error {
	n, err := b.run(ctx, scriptCron, name, "", 0, maxCrons).Int()
	if err == nil && n == 0 {
		return fmt.Errorf("cron %.80s: %w", name, hive.ErrNotFound)
	}
	return b.wrap("remove cron", err)
}

// Crons returns all crons, in no order. What is none of ours is left out.
func (b *Broker) Crons(ctx context.Context) ([]hive.Cron, error) {
	pipe := b.rdb.Pipeline()
	texts, lasts := pipe.HGetAll(ctx, b.keys.crons()), pipe.HGetAll(ctx, b.keys.cronsAt())
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, b.wrap("list crons", err)
	}
	crons := make([]hive.Cron, 0, len(texts.Val()))
	for name, text := range texts.Val() {
		if c, err := readCron(name, text, lasts.Val()[name]); err == nil {
			crons = append(crons, *c)
		}
	}
	return crons, nil
}

func readCron(name, text, last string) (*hive.Cron, error) {
	var s storedCron
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return nil, err
	}
	r, err := unpack("cron", s.Task)
	if err != nil {
		return nil, err
	}
	r.Task.ID = ""
	if r.Task.Retries == 0 {
		r.Task.Retries = hive.NoRetries // as a record spells it
	}
	c := &hive.Cron{Name: name, Schedule: s.Schedule, Zone: s.Zone, CatchUp: s.CatchUp, Task: r.Task}
	at, ok := readMoment(last)
	if !ok || at.IsZero() {
		return nil, errors.New("nobody knows when it was due last")
	}
	c.Last = at
	return c, c.Validate()
}

// Due says that a cron has been looked after up to a time, and makes its task if there is to
// be one. It returns the id of the task, or of the one that has its unique key; "" if somebody
// else looked after it, or it is gone.
func (b *Broker) Due(ctx context.Context, term Term, c *hive.Cron, until time.Time, task bool) (id string, err error) {
	args := []any{term.fence(), c.Name, c.Last.UnixMilli(), until.UnixMilli()}
	t := c.Task.WithDefaults()
	if task {
		p, err := pack(&t, "")
		if err != nil {
			return "", err
		}
		args = append(args, p.id, p.lane, p.record[:createdAt], p.record[createdAt+6:])
	}
	reply, err := b.run(ctx, scriptDue, args...).Result()
	switch reply {
	case int64(deposed):
		return "", fmt.Errorf("cron %s: %w", c.Name, hive.ErrNotLeader)
	case int64(0):
		return "", nil
	case int64(1):
		return t.ID, nil
	}
	if err != nil {
		return "", b.wrap("cron "+c.Name, err)
	}
	return text(reply), nil
}
