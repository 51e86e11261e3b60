package foreman

import "github.com/hive-spore/hive/broker"

// SetTerm makes a foreman lead, or not, without its loop.
func (f *Foreman) SetTerm(term *broker.Term) { f.setTerm(term) }
