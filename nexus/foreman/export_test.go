package foreman

import (
	"time"

	"github.com/hive-spore/hive/broker"
)

// SetTerm makes a foreman lead, or not, without its loop.
func (f *Foreman) SetTerm(term *broker.Term) { f.setTerm(term) }

// MendEvery says how often a foreman that leads looks for what to mend.
func (f *Foreman) MendEvery(d time.Duration) { f.mendEvery = d }
