//go:build !unix

package cli

import "time"

// processTime is the processor time that this process took so far; 0: it is not known.
func processTime() time.Duration { return 0 }
