package main

// severity says how bad a finding is.
type severity string

const (
	critical severity = "critical"
	high     severity = "high"
	medium   severity = "medium"
	low      severity = "low"
)

// Finding is one reported line.
type Finding struct {
	Line     int      `json:"line"`
	Rule     string   `json:"rule"`
	Severity severity `json:"severity"`
	Excerpt  string   `json:"excerpt"`
}

// rule is one thing secscan looks for.
type rule struct {
	id       string
	severity severity
	about    string // one line for the README
	// kinds are the files the rule applies to; none means every file.
	kinds kind
	// keywords are lower case; the rule is only tried where one of them stands, whatever its case.
	// Without keywords it is tried on every line, which only the small dependency files can afford.
	keywords []string
	// generic rules give way to a specific rule that found the same secret.
	generic bool
	// code rules do not look at comment lines: code in a comment does not run, a secret in it leaks.
	code bool
	find finder
}

// finder returns the places of a line that a rule objects to.
type finder func(v view) []match

// span is a half-open range of bytes.
type span struct{ start, end int }

func (s span) overlaps(o span) bool { return s.start < o.end && o.start < s.end }

func (s span) moved(by int) span { return span{s.start + by, s.end + by} }

// match is one place, with the secrets in it that must not be shown.
type match struct {
	span
	secrets []span
}

func (m match) moved(by int) match {
	moved := match{span: m.span.moved(by)}
	for _, secret := range m.secrets {
		moved.secrets = append(moved.secrets, secret.moved(by))
	}
	return moved
}

// view is what a rule sees: a line, or a place in a long line, and a little of its surroundings.
type view struct {
	kinds    kind
	text     string   // what to search; spans are relative to it
	line     string   // the whole line
	offset   int      // where text starts in line
	comment  bool     // the line is a comment
	prev     string   // the line before
	sections []string // package.json: the objects that the line is in, outermost first
	stages   []string // Dockerfile: the names of the stages so far
	shared   *shared  // what several rules want to know about the text
}

// shared is what was found out already, so that only the first rule that asks has to look.
type shared struct {
	names       int                   // how many names of secrets were looked at
	classes     map[string]nameClass  // of names in the file
	assignments map[span][]assignment // by place in the line
}

func (s *shared) classify(name string) nameClass {
	class, known := s.classes[name]
	if !known {
		class = classify(name)
		s.classes[name] = class
	}
	return class
}

// casual text mentions passwords without giving one away: "password: none".
func (v view) casual() bool { return v.comment || v.kinds&kindDocs != 0 }

// rest is the line from a position of text on; it reaches beyond the end of the place.
func (v view) rest(at int) string { return v.line[v.offset+at:] }
