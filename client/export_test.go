package client

import (
	"context"
	"time"

	"github.com/hive-spore/hive"
)

// Ready is what Submit does before the road: it fills a task in and checks it.
func (c *Client) Ready(ctx context.Context, t hive.Task) (hive.Task, error) {
	t = c.fill(t)
	return t, c.check(ctx, &t, new(time.Time))
}
