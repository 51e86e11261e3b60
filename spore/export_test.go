package spore

// SetSource replaces where a spore's skills come from.
func (s *Spore) SetSource(source Source) { s.shelf.source = source }
