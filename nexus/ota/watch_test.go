package ota

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/bundle"
)

// TestWatch runs the scripts in testdata/watch. See testdata/watch/README.txt.
func TestWatch(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/watch/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in testdata/watch: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text := must(os.ReadFile(file))
			s := watchScript{T: t, now: began}
			var got []string
			for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
				input, _, _ := strings.Cut(block, "\n----")
				got = append(got, input+"\n----\n"+s.block(input))
			}
			compare(t, file, string(text), strings.Join(got, "\n\n")+"\n")
		})
	}
}

// watchScript is the state of a script while it runs.
type watchScript struct {
	*testing.T
	now     time.Time
	watch   *Watch
	rollout Rollout
	nodes   map[string]hive.Node
	reports map[string]*hive.Seen
}

func (s *watchScript) block(block string) (output string) {
	for line := range strings.SplitSeq(block, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		switch args := words[1:]; words[0] {
		case "bundles":
			s.bundles(args)
		case "step":
			s.rollout.Step, s.rollout.Stepped = must(strconv.Atoi(args[0])), s.now
		case "after":
			s.now = s.now.Add(must(time.ParseDuration(args[0])))
		case "spore":
			s.spore(args)
		case "gone":
			delete(s.nodes, args[0])
		case "report":
			s.report(args)
		case "lost":
			delete(s.reports, args[0])
		case "look":
			nodes := slices.Collect(maps.Values(s.nodes))
			w := s.watch.Look(&s.rollout, nodes, s.reports, s.now)
			output = fmt.Sprintf("old %s new %s", spell(w.Old), spell(w.New))
		default:
			s.Fatalf("what is %q?", line)
		}
	}
	return output
}

func spell(s Seen) string {
	return fmt.Sprintf("%d/%d/%d/%s/%d", s.Tasks, s.Errors, s.Traps, s.P95, s.Spores)
}

// letters is the bundle of some skills.
func letters(version, skills string) *bundle.Bundle {
	b := &bundle.Bundle{Name: "crow", Version: version, Created: began}
	for letter := range strings.SplitSeq(skills, ",") {
		id := letterID(letter)
		b.Skills = append(b.Skills, bundle.Skill{Manifest: hive.Manifest{Name: id.Name, Version: id.Version}, Digest: id.Digest, Size: 1})
	}
	return b
}

// letterID is the exact skill of a letter.
func letterID(letter string) hive.SkillID {
	return hive.SkillID{Name: strings.ToLower(letter), Version: "1.0.0", Digest: digestOfBytes([]byte(letter))}
}

func (s *watchScript) bundles(args []string) {
	var from, to *bundle.Bundle
	for _, arg := range args {
		switch side, skills, _ := strings.Cut(arg, "="); side {
		case "old":
			from = letters("1.0.0", skills)
		case "new":
			to = letters("1.1.0", skills)
		}
	}
	s.watch = NewWatch(from, to)
	s.rollout = Rollout{To: refOf(to), Step: 1, Stepped: s.now}
	if from != nil {
		ref := refOf(from)
		s.rollout.From = &ref
	}
	if !s.watch.Of(&s.rollout) {
		s.Error("it watches another rollout")
	}
	s.nodes, s.reports = map[string]hive.Node{}, map[string]*hive.Seen{}
}

func (s *watchScript) spore(args []string) {
	n := hive.Node{Online: !slices.Contains(args, "offline")}
	n.ID = args[0]
	n.Bundles = []hive.BundleID{{Name: "other", Version: "1.0.0"}}
	if args[1] == "old" || args[1] == "both" {
		n.Bundles = append(n.Bundles, s.watch.from)
	}
	if args[1] == "new" || args[1] == "both" {
		n.Bundles = append(n.Bundles, s.watch.to)
	}
	s.nodes[n.ID] = n
}

func (s *watchScript) report(args []string) {
	seen := &hive.Seen{Incarnation: args[1]}
	for _, arg := range args[2:] {
		letter, counts, _ := strings.Cut(arg, "=")
		fields := strings.Split(counts, "/")
		number := func(i int) int64 { return must(strconv.ParseInt(fields[i], 10, 64)) }
		skill := hive.SkillSeen{SkillID: letterID(letter), Completed: number(0), Failed: number(1), Trapped: number(2)}
		skill.Took[hive.TookBucket(must(time.ParseDuration(fields[3])))] = skill.Completed + skill.Failed
		seen.Skills = append(seen.Skills, skill)
	}
	s.reports[args[0]] = must(hive.ParseSeen(must(seen.Encode()))) // as it comes from the road
}
