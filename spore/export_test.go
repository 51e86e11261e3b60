package spore

// SetSource replaces where a spore's skills come from.
func (s *Spore) SetSource(source Source) { s.shelf.source = source }

// Forget has a spore lose sight of an attempt, as if it had never begun or were
// over. It reports whether the spore saw it.
func (s *Spore) Forget(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, held := s.held[id]
	delete(s.held, id)
	return held
}
