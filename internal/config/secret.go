package config

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// Secret is a text that no way of printing shows.
type Secret string

const redacted = "[redacted]"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]", or nothing if there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// Format is String for every verb: %d would print a string's bytes.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText is String, for JSON, TOML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// readSecret reads a file that holds a secret and nothing else.
func readSecret(path string) (Secret, error) {
	text, err := readFile(path, maxSecret)
	content := strings.TrimRight(string(text), "\r\n")
	if err == nil && content == "" {
		err = errors.New("the file is empty")
	}
	return Secret(content), err
}

// Follow returns a function that says what secret a file holds now. While the file
// cannot be read, as while it is being written, that is the one before. Without a path
// it is always now.
func Follow(path string, now Secret) func() Secret {
	var mu sync.Mutex
	return func() Secret {
		mu.Lock()
		defer mu.Unlock()
		if path != "" {
			if next, err := readSecret(path); err == nil {
				now = next
			}
		}
		return now
	}
}
