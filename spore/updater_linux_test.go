package spore_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive/bundle"
	"github.com/hive-spore/hive/spore"
)

// kills is at how many moments of an install a process is killed.
const kills = 50

// A process that is killed while it installs leaves of each bundle the version before or
// the next one, with all programs, and never none or parts of both.
func TestInstallKilled(t *testing.T) {
	if url := os.Getenv("SPORE_REPOSITORY"); url != "" {
		install(t, url, os.Getenv("SPORE_STATE"))
		return
	}
	t.Parallel()
	p := newPublisher(t)
	u := p.updater()
	u.Stop()
	set := func(version string) []bundle.Run {
		runs := []bundle.Run{p.publish("crow", version, []byte("crow "+version)), p.publish("jay", version, []byte("jay "+version))}
		p.assign(runs...)
		return runs
	}
	before := set("1.0.0")
	took := u.child(nil)
	if now := u.read(); !slices.Equal(now, before) {
		t.Fatalf("Running = %v, want %v", now, before)
	}
	count := map[bool]int{}
	for i := range kills {
		next := set(fmt.Sprintf("2.%d.0", i))
		at := rand.N(took + took/4)
		u.child(&at)
		now := u.read()
		if len(now) != 2 || now[0] != before[0] && now[0] != next[0] || now[1] != before[1] && now[1] != next[1] {
			t.Fatalf("killed after %v: Running = %v, want %v or %v", at, now, before, next)
		}
		count[slices.Equal(now, next)]++
		before = now
	}
	t.Logf("an install took %v; %d were cut short, %d were over", took, count[false], count[true])
	last := set("3.0.0")
	u.restart()
	u.update(last...)
}

// install is what the other process does: it opens the state, says so, and looks once.
func install(t *testing.T, url, state string) {
	root, err := os.ReadFile(filepath.Join(state, "..", "root.json"))
	must(t, root, err)
	u, err := spore.NewUpdater(spore.UpdaterOptions{
		Repository: bundle.ClientOptions{Repository: url, State: state, Root: root}, Spore: bundle.Spore{ID: "a"}, Between: spore.NoWait,
	})
	must(t, u, err)
	defer u.Stop()
	fmt.Println("open")
	if err := u.Update(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// child runs this test in another process, kills it so long after it opened the state,
// and returns how long it lasted from there.
func (u *updated) child(kill *time.Duration) time.Duration {
	t := u.p.T
	t.Helper()
	state := u.o.Repository.State
	if err := os.WriteFile(filepath.Join(state, "..", "root.json"), u.p.root, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), "SPORE_REPOSITORY="+u.p.server.URL, "SPORE_STATE="+state)
	out, err := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := bufio.NewReader(must(t, out, err))
	if line, err := said.ReadString('\n'); line != "open\n" {
		t.Fatalf("the other process says %q, %v", line, err)
	}
	from := time.Now()
	if kill != nil {
		timer := time.AfterFunc(*kill, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		defer timer.Stop()
	}
	if err := cmd.Wait(); err != nil && kill == nil {
		t.Fatal(err)
	}
	return time.Since(from)
}

// A disk that is full, at whatever point of an install, keeps what runs.
func TestInstallOnAFullDisk(t *testing.T) {
	t.Parallel()
	p := newPublisher(t)
	state := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", state, "tmpfs", 0, "size=512k"); err != nil {
		t.Logf("no disk to fill: %v", err)
		return
	}
	t.Cleanup(func() { _ = syscall.Unmount(state, syscall.MNT_DETACH) })
	u := p.updater(func(o *spore.UpdaterOptions) { o.Repository.State = state })
	crow := p.publish("crow", "1.0.0", []byte("crow"))
	p.assign(crow)
	u.update(crow)
	large := p.publish("crow", "2.0.0", make([]byte, 1<<20))
	p.assign(large)
	u.refuse(bundle.ReasonNoSpace)
	fill := filepath.Join(state, "fill")
	_ = os.WriteFile(fill, make([]byte, 1<<20), 0o600) // as far as it goes
	small := p.publish("crow", "3.0.0", []byte("crow 3"))
	p.assign(small)
	looks := 0
	for err := u.Update(t.Context()); err != nil; err = u.Update(t.Context()) {
		if bundle.Reason(err) != bundle.ReasonNoSpace {
			t.Fatalf("Update = %v", err)
		}
		u.runs(crow)
		looks++
		info, err := os.Stat(fill)
		if err := os.Truncate(fill, must(t, info, err).Size()-4<<10); err != nil {
			t.Fatal(err)
		}
	}
	u.runs(small)
	if looks == 0 {
		t.Error("there was space")
	}
	t.Logf("the disk was full at %d points of an install", looks)
}
