package hostfuncs

import (
	"io"
	"slices"
	"strings"
)

// What stands in for a secret, and from how many bytes on: shorter ones occur by
// chance, and cutting them out would tell more than it hides.
const (
	redacted  = "[secret]"
	minSecret = 6
)

// secrets are the values that an attempt has read and that are to be kept out of
// its log.
type secrets struct {
	values   []string // the longest first: one may begin with another
	replacer *strings.Replacer
}

// readSecret remembers a value. From the first on, the attempt's log is redacted.
func (a *Attempt) readSecret(value string) {
	s := &a.secrets
	if len(value) < minSecret || slices.Contains(s.values, value) {
		return
	}
	if s.replacer == nil && a.Log != nil {
		a.Log = entries{a, a.Log}
	}
	s.values = append(s.values, value)
	slices.SortFunc(s.values, func(x, y string) int { return len(y) - len(x) })
	var pairs []string
	for _, value := range s.values {
		pairs = append(pairs, value, redacted)
	}
	s.replacer = strings.NewReplacer(pairs...)
}

// Redact returns a text with "[secret]" in place of each secret that the attempt
// has read so far. It guards against accidents: a guest that wants to tell a
// secret can write it in another way.
func (a *Attempt) Redact(text string) string {
	if a.secrets.replacer == nil {
		return text
	}
	return a.secrets.replacer.Replace(text)
}

// begun returns how many bytes at the end of a text are the beginning of a secret,
// at the most, but not all of it.
func (a *Attempt) begun(text string) int {
	most := 0
	for _, value := range a.secrets.values {
		for n := min(len(value)-1, len(text)); n > most; n-- {
			if strings.HasSuffix(text, value[:n]) {
				most = n
			}
		}
	}
	return most
}

// entries redacts a log that is written one whole entry at a time.
type entries struct {
	a  *Attempt
	to io.Writer
}

// Write writes an entry. What is left of a secret that an entry's bound cut short
// is redacted as well.
func (e entries) Write(p []byte) (int, error) {
	text, end := e.a.Redact(string(p)), ""
	for _, mark := range []string{"\n", "…"} {
		if rest, ok := strings.CutSuffix(text, mark); ok {
			text, end = rest, mark+end
		}
	}
	if n := e.a.begun(text); n >= minSecret {
		text = text[:len(text)-n] + redacted
	}
	if _, err := io.WriteString(e.to, text+end); err != nil {
		return 0, err
	}
	return len(p), nil
}

// A Redactor keeps the secrets that an attempt has read out of a stream, also those
// that arrive in pieces: what may be the beginning of one is held back until the
// next write, or Flush. It belongs to the goroutine that runs the guest.
type Redactor struct {
	a    *Attempt
	to   io.Writer
	held string
}

// NewRedactor returns one that writes to to.
func (a *Attempt) NewRedactor(to io.Writer) *Redactor { return &Redactor{a: a, to: to} }

// Write implements io.Writer.
func (r *Redactor) Write(p []byte) (int, error) {
	text := r.a.Redact(r.held + string(p))
	n := len(text) - r.a.begun(text)
	r.held = text[n:]
	if _, err := io.WriteString(r.to, text[:n]); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is held back: the stream has ended, and it was no secret.
func (r *Redactor) Flush() error {
	held := r.held
	r.held = ""
	_, err := io.WriteString(r.to, held)
	return err
}
