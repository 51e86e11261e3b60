package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// bulk puts batches on the road, whose lines come again: within a batch, and as the whole of
// it is given again, while its tasks wait and when they are over. What of it happened twice is
// seen by what its tasks count.
func (p *producers) bulk(ctx, open context.Context, c *client.Client) {
	random := rand.New(rand.NewPCG(p.seed, 1<<63+2))
	for n := 0; rest(open, time.Duration(500+random.IntN(1500))*ms) == nil; n++ {
		tasks := lines(random, n)
		if random.IntN(2) == 0 {
			p.submitMany(ctx, c, tasks)
			_ = rest(open, time.Duration(random.IntN(2000))*ms) // until some of them are over
			p.submitMany(ctx, c, tasks)
			continue
		}
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { p.mapOver(ctx, c, tasks) })
		}
		both.Wait()
		p.mapOver(ctx, c, tasks) // all of them are over
	}
}

// lines are the tasks of the nth batch, one a line. Lines that are alike have the same id.
func lines(random *rand.Rand, n int) (tasks []hive.Task) {
	t := hive.Task{Skill: hive.SkillRef{Name: tally}, Tenant: tenants[random.IntN(len(tenants))]}
	for range 4 + random.IntN(12) {
		t.Payload = fmt.Appendf(nil, "count line=%d", random.IntN(10))
		t.ID = hive.BatchID(fmt.Sprintf("bulk%d", n), t.Skill, t.Payload)
		tasks = append(tasks, t)
	}
	return tasks
}

// submitMany puts all lines on the road, as often as it takes.
func (p *producers) submitMany(ctx context.Context, c *client.Client, tasks []hive.Task) {
	p.askAll(tasks)
	if p.repeat(ctx, func() error {
		_, err := c.SubmitMany(ctx, tasks)
		return err
	}) {
		for _, t := range tasks {
			p.hear(t.ID, hive.Pending)
		}
	}
}

// mapOver maps the lines, each once, as often as it takes: also where the road has forgotten
// some, as it may after a failover.
func (p *producers) mapOver(ctx context.Context, c *client.Client, tasks []hive.Task) {
	p.askAll(tasks)
	o := client.MapOptions{Task: tasks[0]}
	var payloads [][]byte
	for _, t := range tasks {
		if !slices.Contains(o.IDs, t.ID) {
			o.IDs, payloads = append(o.IDs, t.ID), append(payloads, t.Payload)
		}
	}
	o.Submitted = func(int) {
		for _, id := range o.IDs {
			p.hear(id, hive.Pending)
		}
	}
	o.Over = func(_ int, r *hive.Record) { p.hear(r.ID, r.State) }
	for ctx.Err() == nil && !p.repeat(ctx, func() error {
		_, err := c.Map(ctx, o, payloads)
		return err
	}) {
	}
}

func (p *producers) askAll(tasks []hive.Task) {
	for _, t := range tasks {
		p.ask(&work{Task: t, counts: true})
	}
}
