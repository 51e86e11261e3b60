package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/client"
	"github.com/hive-spore/hive/internal/testkit"
)

// draft is a skill that is worked on while tasks run.
type draft struct {
	*testing.T
	dev    *process
	source string
	client *client.Client

	saved   atomic.Int64 // the newest source there can be a program of
	swapped atomic.Int64 // the one that was said to be swapped in last
	results [8]atomic.Int64
}

var address = regexp.MustCompile(`a hive is running in memory at redis://(\S+): nothing is kept`)

// newDraft begins a skill that answers 1, and a hive that watches the folder it is in.
func newDraft(t *testing.T) *draft {
	dir := t.TempDir()
	begin := start(t, "", "nexus", "skill", "new", filepath.Join(dir, "draft"), "--lang", "c")
	begin.ends(0)
	d := &draft{T: t, source: filepath.Join(dir, "draft", "main.c")}
	d.save(1)
	d.dev = start(t, "", "nexus", "dev", "--slots", "2", "--watch", dir)
	await(t, "its address", func() (bool, error) { return address.MatchString(d.dev.out.String()), nil })
	d.swapped.Store(1)
	road := testkit.DialTo(t, broker.Options{Addrs: []string{address.FindStringSubmatch(d.dev.out.String())[1]}})
	d.client = client.New(road, client.Options{})
	t.Cleanup(func() { d.client.Close() })
	return d
}

// save writes a source that answers n, as editors do: by another file that takes its
// place, or in place.
func (d *draft) save(n int64) {
	d.Helper()
	d.saved.Store(n)
	text := fmt.Sprintf("#include \"hive.h\"\n\nstatic int run(hive_str input, hive_mem *mem) {\n"+
		"  return hive_output(hive_format(mem, \"{\\\"lines\\\":%d,\\\"words\\\":0,\\\"bytes\\\":%%zu}\", input.size));\n}\n\nHIVE_SKILL(run)\n", n)
	if n%2 == 0 {
		d.write(d.source, text)
		return
	}
	d.write(d.source+"~", text)
	if err := os.Rename(d.source+"~", d.source); err != nil {
		d.Fatal(err)
	}
}

func (d *draft) write(path, text string) {
	d.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		d.Fatal(err)
	}
}

// says counts lines of the hive.
func (d *draft) says(pattern string) int {
	return len(regexp.MustCompile("(?m)^nexus: "+pattern+"$").FindAllString(d.dev.out.String(), -1))
}

const swap = `draft@0\.1\.0-watch is now sha256:[0-9a-f]{12}… \(built in \d+\.\d s\)`

// awaitSwap waits for the n-th swap, and for tasks that ran what it brought.
func (d *draft) awaitSwap(n int, answer int64) {
	d.Helper()
	await(d.T, fmt.Sprintf("swap %d", n), func() (bool, error) { return d.says(swap) == n, nil })
	d.swapped.Store(answer)
	d.awaitTasks(answer)
}

// awaitTasks waits until some more tasks have this answer.
func (d *draft) awaitTasks(answer int64) {
	d.Helper()
	had := d.results[answer].Load()
	await(d.T, fmt.Sprintf("tasks that answer %d", answer), func() (bool, error) { return d.results[answer].Load() >= had+5, nil })
}

// stream submits task after task until stop is closed. Each must complete at the
// first attempt, by no program older than the one that was in force when it was
// submitted.
func (d *draft) stream(ref hive.SkillRef, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		oldest := d.swapped.Load()
		r, err := d.client.Run(d.Context(), hive.Task{Skill: ref, Payload: []byte("draft")})
		if err != nil || r.State != hive.Completed || r.Attempts != 1 {
			d.Errorf("a task of %s ends as %+v, %v", ref, r, err)
			return
		}
		var n int64
		if _, err := fmt.Sscanf(string(r.Result), `{"lines":%d,"words":0,"bytes":5}`, &n); err != nil || n < oldest || n > d.saved.Load() {
			d.Errorf("a task of %s answers %s (%v), want %d to %d", ref, r.Result, err, oldest, d.saved.Load())
			return
		}
		d.results[n].Add(1)
	}
}

// TestDevWatch: no task is lost while a skill is saved again and again; after each
// swap only the new program is begun.
func TestDevWatch(t *testing.T) {
	t.Parallel()
	d := newDraft(t)
	stop := make(chan struct{})
	var streams sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); streams.Wait() })
	defer end()
	for _, pin := range []string{"", "", "0.1.0-watch"} {
		streams.Go(func() { d.stream(hive.SkillRef{Name: "draft", Pin: pin}, stop) })
	}
	d.awaitSwap(1, 1)
	for n := int64(2); n <= 4; n++ {
		d.save(n)
		d.awaitSwap(int(n), n)
	}

	d.write(d.source, "int run( {}\n")
	await(t, "a complaint", func() (bool, error) { return d.says(`draft@0\.1\.0-watch is still sha256:[0-9a-f]{12}…`) == 1, nil })
	if said := d.dev.out.String(); !strings.Contains(said, "nexus: skill draft does not compile (clang ") || !strings.Contains(said, "nexus: main.c:1:") {
		t.Errorf("what the compiler says is not shown")
	}
	d.awaitTasks(4)
	d.save(5)
	d.awaitSwap(5, 5)

	// What a manifest says is swapped too, and a folder that is new is found.
	begin := start(t, "", "nexus", "skill", "new", filepath.Join(filepath.Dir(d.source), "..", "second"), "--lang", "c")
	begin.ends(0)
	await(t, "the second skill", func() (bool, error) { return d.says(`second@0\.1\.0-watch is now .*`) == 1, nil })
	manifest := filepath.Join(filepath.Dir(d.source), "skill.toml")
	text, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	d.write(manifest, strings.Replace(string(text), `time = "20s"`, `time = "10s"`, 1))
	d.awaitSwap(6, 5)
	end()
	d.dev.signal(os.Interrupt)
	d.dev.ends(0)
}
