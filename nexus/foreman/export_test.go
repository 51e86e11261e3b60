package foreman

import (
	"context"
	"time"

	"github.com/hive-spore/hive/broker"
)

// SetTerm makes a foreman lead, or not, without its loop.
func (f *Foreman) SetTerm(term *broker.Term) { f.setTerm(term) }

// MendEvery says how often a foreman that leads looks for what to mend.
func (f *Foreman) MendEvery(d time.Duration) { f.mendEvery = d }

// Trusted is when a foreman that begins to lead believes the beats that are there.
func (f *Foreman) Trusted(ctx context.Context) time.Time { return f.trusted(ctx) }

// RereadAfter has a foreman read nothing anew that did not ring, for so long.
func (f *Foreman) RereadAfter(d time.Duration) { f.reread = d }
