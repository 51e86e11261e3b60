package main

import (
	"strings"
)

// maxFindings caps a file: who has a thousand findings has to do something else than read them.
const maxFindings = 1000

// scanner goes through the lines of one file.
type scanner struct {
	kinds    kind
	marks    []string // how comment lines start
	rules    []*rule  // nil where a rule does not apply to this file
	every    []int    // the rules to try on every line
	places   places
	shared   *shared
	prev     string
	sections []string
	stages   []string
	nextLine directive
	ignoring bool // the file has an ignore comment
	lines    []scannedLine
	count    int
}

// Scan returns the findings of a file, ordered by line and then by rule.
func Scan(path, text string) []Finding {
	return report(scanLines(path, text))
}

func scanLines(path, text string) []scannedLine {
	s := newScanner(kindsOf(path, text))
	s.ignoring = strings.Contains(text, ignoreMark)
	number := 0
	for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
		number++
		s.scan(number, strings.TrimSuffix(line, "\r"))
		if s.count >= maxFindings {
			break
		}
	}
	return s.lines
}

func newScanner(kinds kind) *scanner {
	all := ruleset().rules
	s := &scanner{kinds: kinds, marks: commentMarks(kinds), rules: make([]*rule, len(all))}
	s.shared = &shared{classes: map[string]nameClass{}, assignments: map[span][]assignment{}}
	s.places.byRule = make([][]span, len(all))
	for id := range all {
		s.enable(id, &all[id])
	}
	return s
}

func (s *scanner) enable(id int, r *rule) {
	if r.kinds != 0 && r.kinds&s.kinds == 0 {
		return
	}
	s.rules[id] = r
	if len(r.keywords) == 0 {
		s.every = append(s.every, id)
	}
}

func (s *scanner) scan(number int, text string) {
	var own, next directive
	if s.ignoring {
		own, next = directives(text)
		own = own.and(s.nextLine)
	}
	if hits := s.match(text); len(hits) > 0 {
		line := newScannedLine(number, text, hits, own)
		s.count += len(line.hits)
		s.lines = append(s.lines, line)
	}
	s.prev, s.nextLine = text, next
	s.remember(text)
}

// remember notes what the lines to come are judged by.
func (s *scanner) remember(line string) {
	if s.kinds&kindNPM != 0 {
		s.sections = npmSections(s.sections, line)
	}
	if s.kinds&kindDocker == 0 {
		return
	}
	if stage := dockerStage(line); stage != "" {
		s.stages = append(s.stages, stage)
	}
}

// match tries the rules whose keywords are on a line, each at the places of its keywords.
func (s *scanner) match(line string) []hit {
	s.find(line)
	if len(s.places.ids) == 0 {
		return nil
	}
	clear(s.shared.assignments)
	v := s.view(line)
	var hits []hit
	for _, id := range s.places.ids {
		if r := s.rules[id]; !r.code || !v.comment {
			hits = try(r, v, s.places.byRule[id], hits)
		}
	}
	return hits
}

// find collects the places of a line where rules are to be tried.
func (s *scanner) find(line string) {
	s.places.reset()
	ruleset().keywords.each(line, func(at span, ids []int) {
		for _, id := range ids {
			if s.rules[id] != nil {
				s.places.add(id, at, len(line))
			}
		}
	})
	for _, id := range s.every {
		s.places.cover(id, len(line))
	}
}

func (s *scanner) view(line string) view {
	return view{
		kinds: s.kinds, line: line, prev: s.prev, sections: s.sections, stages: s.stages,
		comment: isComment(line, s.marks), shared: s.shared,
	}
}

// try adds the hits of a rule on some places of a line. When there are enough, it goes on for secrets only:
// they have to be masked.
func try(r *rule, v view, places []span, hits []hit) []hit {
	for _, place := range places {
		if r.code && len(hits) >= maxFindings {
			return hits
		}
		v.text, v.offset = v.line[place.start:place.end], place.start
		for _, m := range r.find(v) {
			hits = append(hits, hit{rule: r, match: m.moved(v.offset)})
		}
	}
	return hits
}
