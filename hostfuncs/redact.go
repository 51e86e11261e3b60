package hostfuncs

import (
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
// what is said of it.
type secrets struct {
	values   []string // the longest first: one may begin with another
	replacer *strings.Replacer
}

// readSecret remembers a value.
func (a *Attempt) readSecret(value string) {
	s := &a.secrets
	if len(value) < minSecret || slices.Contains(s.values, value) {
		return
	}
	s.values = append(s.values, value)
	slices.SortFunc(s.values, func(x, y string) int { return len(y) - len(x) })
	var pairs []string
	for _, value := range s.values {
		pairs = append(pairs, value, redacted)
	}
	s.replacer = strings.NewReplacer(pairs...)
}

// RedactBytes is Redact for a log.
func (a *Attempt) RedactBytes(log []byte) []byte {
	if a.secrets.replacer == nil {
		return log
	}
	return []byte(a.Redact(string(log)))
}

// Redact returns a text with "[secret]" in place of each secret that the attempt
// has read, also of the beginning of one where the text was cut: at its end, and
// before "…" or a line that begins with "[log cut". It guards against accidents: a
// guest that wants to tell a secret can write it in another way.
func (a *Attempt) Redact(text string) string {
	if a.secrets.replacer == nil {
		return text
	}
	text = a.secrets.replacer.Replace(text)
	var b strings.Builder
	for text != "" {
		n := len(text)
		for _, mark := range []string{"…", "\n[log cut"} {
			if at := strings.Index(text, mark); at >= 0 {
				n = min(n, at)
			}
		}
		kept, least := text[:n], minSecret
		if text[n:] == "…" { // a message that was cut: its end may be the begin of anything
			least = 1
		}
		if begun := a.begun(kept); begun >= least {
			kept = kept[:n-begun] + redacted
		}
		mark := min(len(text), n+1) // of which one byte is enough to go on
		b.WriteString(kept)
		b.WriteString(text[n:mark])
		text = text[mark:]
	}
	return b.String()
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
