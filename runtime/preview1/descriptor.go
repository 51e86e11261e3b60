package preview1

// standard is how many descriptors every attempt begins with: standard input,
// output and error.
const standard = 3

// MaxFiles is how many further descriptors an attempt may have, its mounts
// included: those of a process are few.
const MaxFiles = 64

// target is what a descriptor stands for.
type target uint8

// The zero target makes the zero State that of an attempt about to begin.
const (
	original target = iota // descriptor 0 is stdin, 1 stdout, 2 stderr, others are closed
	stdin
	stdout
	stderr
	regular
	directory
	closed
)

// descriptor is an entry of the attempt's table of descriptors.
type descriptor struct {
	target target
	flags  uint16 // fdflags that the guest set; they change nothing
	file   *file  // of a regular one
	dir    *dir   // of a directory
}

// close makes the descriptor none.
func (d *descriptor) close() {
	switch d.target {
	case regular:
		_ = d.file.Close() // nothing was written
	case directory:
		d.dir.close()
	}
	*d = descriptor{target: closed}
}

// entry returns the descriptor's place in the table, nil if it has none.
func (s *State) entry(fd uint64) *descriptor {
	n := uint32(fd)
	if n < standard {
		return &s.fds[n]
	}
	if s.more == nil && len(s.Mounts) > 0 {
		s.more = make([]descriptor, MaxFiles)
		for i, m := range s.Mounts {
			s.more[i] = descriptor{target: directory, dir: &dir{root: m.Root, mount: m.Guest}}
		}
	}
	if n -= standard; n < uint32(len(s.more)) {
		return &s.more[n]
	}
	return nil
}

// at returns what the descriptor stands for, closed if it is none.
func (s *State) at(fd uint64) target {
	switch d := s.entry(fd); {
	case d == nil:
		return closed
	case d.target != original:
		return d.target
	case uint32(fd) < standard:
		return stdin + target(uint32(fd))
	}
	return closed
}

// free returns the lowest descriptor that is none, or false if there are too many.
func (s *State) free() (fd uint32, ok bool) {
	for fd := range uint32(standard + len(s.more)) {
		if s.at(uint64(fd)) == closed {
			return fd, true
		}
	}
	return 0, false
}

// Close closes the mounts and whatever else the guest has open.
func (s *State) Close() {
	for _, m := range s.Mounts {
		_ = m.Root.Close() // again, if the guest had looked at it
	}
	for fd := range uint64(standard + len(s.more)) {
		s.entry(fd).close()
	}
}
