package client

import (
	"context"
	"time"

	"github.com/hive-spore/hive"
)

// Pause keeps the tasks of a scope from being given to spores, until a time or, if that is
// zero, until Resume. What spores hold already goes on.
func (c *Client) Pause(ctx context.Context, s hive.Scope, until time.Time) error {
	return c.road.Pause(ctx, s, until)
}

// Resume ends a pause, and returns hive.ErrNotFound if there is none.
func (c *Client) Resume(ctx context.Context, s hive.Scope) error { return c.road.Resume(ctx, s) }

// SetWeight says what share of the spores a tenant gets beside others whose tasks wait at
// the same priority: 1, as who was given none, to hive.MaxWeight.
func (c *Client) SetWeight(ctx context.Context, tenant string, weight int) error {
	return c.road.SetWeight(ctx, tenant, weight)
}

// SetLimit begins a limit, or changes it. What spores hold already goes on, and counts.
func (c *Client) SetLimit(ctx context.Context, l hive.Limit) error { return c.road.SetLimit(ctx, l) }

// RemoveLimit ends a limit, and returns hive.ErrNotFound if there is none.
func (c *Client) RemoveLimit(ctx context.Context, s hive.LimitScope) error {
	return c.road.RemoveLimit(ctx, s)
}

// Flow returns what is paused and limited, and how tenants share.
func (c *Client) Flow(ctx context.Context) (hive.Flow, error) { return c.road.Flow(ctx) }
