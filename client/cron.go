package client

import (
	"context"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/internal/schedule"
)

// AddCron has the nexus that leads make a task whenever a schedule is due from now on. A cron
// of the same name it replaces, or refuses to.
func (c *Client) AddCron(ctx context.Context, cron *hive.Cron, replace bool) error {
	if _, err := schedule.Parse(cron.Schedule, cron.Zone); err != nil {
		return err
	}
	cron.Task = c.fill(cron.Task)
	if err := c.Check(ctx, cron.Task); err != nil {
		return err
	}
	return c.road.AddCron(ctx, cron, replace)
}

// RemoveCron ends a cron, and returns hive.ErrNotFound if there is none.
func (c *Client) RemoveCron(ctx context.Context, name string) error {
	return c.road.RemoveCron(ctx, name)
}

// Crons returns all crons, in no order.
func (c *Client) Crons(ctx context.Context) ([]hive.Cron, error) { return c.road.Crons(ctx) }
