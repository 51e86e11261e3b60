package bundle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"
	"github.com/theupdateframework/go-tuf/v2/metadata/trustedmetadata"
)

// What is taken of a file of each kind, in bytes.
const (
	maxRoot      = 512 << 10
	maxTimestamp = 16 << 10
	maxSnapshot  = 64 << 10
	maxTargets   = 8 << 20
	// MaxTarget bounds a bundle's manifest and whatever else is a target.
	MaxTarget = 4 << 20
)

// maxRotations is how many newer roots one refresh follows.
const maxRotations = 256

// clockSlack is how far a clock may go back before nothing is believed any more. A
// refresh can have happened at a time that was wrong by as much as a timestamp is
// valid.
const clockSlack = 24 * time.Hour

// ClientOptions say where a client's repository is, and what it trusts.
type ClientOptions struct {
	Repository string // http(s)://HOST/PATH, or a directory
	State      string // a directory of this client alone
	// Root is the first root, placed by the operator and never fetched. Another one
	// begins trust anew: what was seen before is forgotten.
	Root []byte
	// Hosts are those that may be asked, as HOST, HOST:PORT or *.HOST; none: the
	// repository's own.
	Hosts []string

	Patience  time.Duration     // without a byte; 0: 10 s
	LeastRate int               // bytes per second on the whole; 0: 32 KiB
	Transport http.RoundTripper // nil: the network, without a proxy
	Now       func() time.Time  // nil: time.Now
	Log       *slog.Logger      // nil: nothing is logged
}

// Client follows one repository and believes what is signed. It may be used by
// several goroutines; its state belongs to one process.
type Client struct {
	o     ClientOptions
	log   *slog.Logger
	disk  disk
	fetch *fetcher

	refreshing chan struct{} // holds one while a refresh is under way

	mu    sync.Mutex
	chain chain                            // as on disk
	floor floor                            // as on disk
	set   *trustedmetadata.TrustedMetadata // the chain verified; nil: nothing to install from
}

// NewClient returns a client that believes what it did when it last ended. State
// that is damaged is put aside, and what was seen before still counts.
func NewClient(o ClientOptions) (*Client, error) { return newClient(o, private()) }

func newClient(o ClientOptions, d disk) (*Client, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if _, err := (chain{Root: o.Root}).root(); err != nil {
		return nil, fmt.Errorf("the first root: %w", err)
	}
	c := &Client{o: o, log: o.Log, disk: d, refreshing: make(chan struct{}, 1)}
	if err := c.open(); err != nil {
		return nil, err
	}
	var err error
	c.fetch, err = newFetcher(o)
	return c, err
}

// Close frees connections. It is safe to call twice.
func (c *Client) Close() { c.fetch.close() }

// open reads the state.
func (c *Client) open() error {
	if err := c.disk.makeAll(c.blobDir()); err != nil {
		return diskError(c.o.State, err)
	}
	if err := c.disk.sweep(c.o.State, c.blobDir()); err != nil {
		return diskError(c.o.State, err)
	}
	was := stored{}
	if err := c.read(trustedFile, &was); err != nil {
		return err
	}
	if err := c.read(floorFile, &c.floor); err != nil {
		return err
	}
	c.adopt(was)
	return nil
}

func (c *Client) read(name string, v any) error {
	damaged, err := c.disk.loadState(c.path(name), v)
	if damaged && err == nil {
		c.log.Warn("state was damaged and is put aside", "file", name+".broken")
	}
	return err
}

// adopt takes what was stored if it is of this first root, and of it what verifies.
func (c *Client) adopt(was stored) {
	anchor := c.anchor()
	if c.floor.Anchor != anchor {
		c.floor = floor{Anchor: anchor}
	}
	c.chain = chain{Root: c.o.Root}
	if was.Anchor != anchor {
		return
	}
	set, err := was.root()
	if err != nil {
		c.log.Warn("the stored root cannot be used", "err", err)
		return
	}
	c.chain = was.chain
	c.floor = c.floor.rooted(&set.Root.Signed)
	if set, err := was.load(time.Time{}); err == nil {
		c.set, c.floor = set, c.floor.raised(set, c.floor.Time)
	}
}

// root verifies the root by itself.
func (c chain) root() (_ *trustedmetadata.TrustedMetadata, err error) {
	defer recovered("root", &err)
	set, err := trustedmetadata.New(c.Root)
	return set, because("root", err)
}

func (c *Client) anchor() string { return digested(c.o.Root) }

func (c *Client) path(name string) string { return filepath.Join(c.o.State, name) }

// now is the time, unless the clock went back by more than it may.
func (c *Client) now() (time.Time, error) {
	now := c.o.Now().UTC()
	c.mu.Lock()
	seen := c.floor.Time
	c.mu.Unlock()
	if now.Before(seen.Add(-clockSlack)) {
		return now, refuse(ReasonClock, now.Format(time.DateTime), fmt.Errorf("it was %s UTC", seen.Format(time.DateTime)))
	}
	return now, nil
}

// current is the verified set, while nothing of it has expired.
func (c *Client) current() (*trustedmetadata.TrustedMetadata, error) {
	now, err := c.now()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	set := c.set
	c.mu.Unlock()
	if set == nil {
		return nil, refuse(ReasonNotListed, "the repository", errors.New("nothing of it was verified yet"))
	}
	for role, expired := range map[string]bool{
		metadata.ROOT:      set.Root.Signed.IsExpired(now),
		metadata.TIMESTAMP: set.Timestamp.Signed.IsExpired(now),
		metadata.SNAPSHOT:  set.Snapshot.Signed.IsExpired(now),
		metadata.TARGETS:   set.Targets[metadata.TARGETS].Signed.IsExpired(now),
	} {
		if expired {
			return nil, refuse(ReasonExpired, role, nil)
		}
	}
	return set, nil
}

// Refresh verifies what the repository holds now and reports whether its targets
// are others than before. Where that fails what was believed before still is, but
// for keys that a newer root took back.
func (c *Client) Refresh(ctx context.Context) (changed bool, err error) {
	select {
	case c.refreshing <- struct{}{}:
	case <-ctx.Done():
		return false, refuse(ReasonStopped, "the repository", context.Cause(ctx))
	}
	defer func() { <-c.refreshing }()
	now, err := c.now()
	if err != nil {
		return false, err
	}
	return c.refresh(ctx, now)
}
