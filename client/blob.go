package client

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hive-spore/hive"
)

// PutBlob brings a payload onto the road that is not to stand in memory, of up to
// hive.MaxPayload bytes. A Task names it in PayloadBlob within ten minutes; as long as one
// does that is not over, it is there.
func (c *Client) PutBlob(ctx context.Context, r io.Reader) (hive.Blob, error) {
	return c.road.PutBlob(ctx, r)
}

// OpenBlob reads a payload or a result that stands apart, in pieces. It is held against its
// name: an error before io.EOF means that it is not what was put, or not there any more.
func (c *Client) OpenBlob(ctx context.Context, b hive.Blob) io.Reader { return c.road.OpenBlob(ctx, b) }

// whole brings a result into its record that stands apart. Others may have the same record.
func (c *Client) whole(ctx context.Context, r *hive.Record) (*hive.Record, error) {
	if r == nil || r.ResultBlob.None() || c.opts.Apart {
		return r, nil
	}
	full := *r
	var err error
	full.Result, err = c.road.ReadBlob(ctx, r.ResultBlob)
	if err != nil {
		return r, fmt.Errorf("result of task %s: %w", r.ID, err)
	}
	return &full, nil
}

// wholeAfter is whole for the record that a wait ended with.
func (c *Client) wholeAfter(ctx context.Context, r *hive.Record, err error) (*hive.Record, error) {
	r, errRead := c.whole(ctx, r)
	return r, errors.Join(err, errRead)
}
