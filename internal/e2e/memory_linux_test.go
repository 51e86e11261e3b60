package e2e

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/client"
)

// command is a module of functions () -> () with these bodies, the first of which is
// called.
func command(bodies ...[]byte) []byte {
	section := func(id byte, content []byte) []byte {
		return append(binary.AppendUvarint([]byte{id}, uint64(len(content))), content...)
	}
	count := binary.AppendUvarint(nil, uint64(len(bodies)))
	code := count
	for _, body := range bodies {
		body = slices.Concat([]byte{0}, body, []byte{0x0b})
		code = append(binary.AppendUvarint(code, uint64(len(body))), body...)
	}
	return slices.Concat([]byte("\x00asm\x01\x00\x00\x00"),
		section(1, []byte("\x01\x60\x00\x00")),
		section(3, append(slices.Clone(count), make([]byte, len(bodies))...)),
		section(5, []byte("\x01\x00\x01")),
		section(7, []byte("\x02\x06memory\x02\x00\x06_start\x00\x00")),
		section(10, code))
}

// grabber is a command that asks for so many pages of memory, writes into 32 MiB, and
// then does nothing for ever.
func grabber(pages uint64) []byte {
	grow := append(binary.AppendUvarint([]byte{0x41}, pages), 0x40, 0x00, 0x1a)               // (drop (memory.grow pages))
	fill := append(binary.AppendUvarint([]byte{0x41, 0, 0x41, 1, 0x41}, 32<<20), 0xfc, 11, 0) // (memory.fill 0 1 32 MiB)
	return command(slices.Concat(grow, fill, []byte{0x03, 0x40, 0x0c, 0, 0x0b}))
}

// heavy is a command that does nothing, and takes a while to compile.
func heavy() []byte {
	bodies := make([][]byte, 1000)
	for i := range bodies {
		bodies[i] = bytes.Repeat([]byte{0x41, 1, 0x1a}, 200) // (drop (i32.const 1))
	}
	return command(bodies...)
}

// TestSporeKilledForMemory: guests that want more than they may have fail, and their spore
// lives. One whose machine has less than guests may have is killed for it, by the kernel
// where this test may bound a process' memory: its tasks go to another.
func TestSporeKilledForMemory(t *testing.T) {
	c := newCluster(t)
	c.nexus("n1")
	const slots = 8
	victim := c.spore("a", "--slots", fmt.Sprint(slots))
	c.pub.Register("greedy", grabber(40_000), func(m *hive.Manifest) { m.Limits.Memory = 64 << 20 })
	c.pub.Register("grabber", grabber(512), func(m *hive.Manifest) { m.Limits.Memory = 64 << 20 })
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	submit := func(skill string, retries int) (ids []string) {
		for range slots {
			id, err := submitter.Submit(t.Context(), hive.Task{Skill: hive.SkillRef{Name: skill}, Retries: retries, Timeout: 8 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	for _, id := range submit("greedy", hive.NoRetries) {
		if r := c.awaitTask(id, "over", final); r.State != hive.Failed || r.Attempts != 1 || r.Failure.Kind == hive.FailLost {
			t.Errorf("greedy: %s after %d attempts: %v", r.State, r.Attempts, r.Failure)
		}
	}
	bounded := bound(t, victim.cmd.Process.Pid, 100<<20)
	ids := submit("grabber", 1)
	if !bounded {
		c.awaitRunning("a", slots)
		victim.signal(syscall.SIGKILL)
	}
	victim.ends(-1)
	if status := victim.cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() || status.Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", status)
	}
	c.spore("b", "--slots", fmt.Sprint(slots))
	lost := 0
	for _, id := range ids {
		r := c.awaitTask(id, "over", final)
		if r.State != hive.Failed || r.Failure.Kind != hive.FailTimeout || r.Node != "b" || r.Failures != 2 {
			t.Errorf("grabber: %s on %s after %d attempts, %d failures: %v", r.State, r.Node, r.Attempts, r.Failures, r.Failure)
		}
		lost += r.Attempts - 1
	}
	t.Logf("bounded by the kernel: %v; %d attempts were lost with the spore", bounded, lost)
	c.awaitIdle(hive.Stats{Failed: 2 * slots})
}

// bound lets a process have so much more memory than it has, until the kernel kills it,
// and reports whether it could. What a process has stays with the group that it was in.
func bound(t *testing.T, pid int, more uint64) bool {
	t.Helper()
	var err error
	for root, limit := range map[string]string{"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"} {
		dir := filepath.Join(root, fmt.Sprint("hive-test-", pid))
		if err = os.Mkdir(dir, 0o700); err != nil {
			continue
		}
		t.Cleanup(func() { _ = os.Remove(dir) })
		for file, text := range map[string]string{limit: strconv.FormatUint(more, 10), "cgroup.procs": strconv.Itoa(pid)} {
			if _, errStat := os.Stat(filepath.Join(dir, file)); errStat != nil {
				err = errStat // another kind of cgroup
			} else if errWrite := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); errWrite != nil {
				err = errWrite
			}
		}
		if err == nil {
			return true
		}
	}
	t.Logf("no bound for its memory, so it is killed by a signal, which is what the kernel does: %v", err)
	return false
}

// TestKilledCompiler: a spore whose compiling process is killed says so and tries again;
// it offers a skill when that is prepared, be it new or on its disk, so no task fails.
func TestKilledCompiler(t *testing.T) {
	c := newEmptyCluster(t)
	c.pub.Register("heavy", heavy())
	skill := hive.SkillRef{Name: "heavy"}
	c.ota += "look = \"1s\"\n"
	c.nexus("n1")
	cache := t.TempDir()
	config := c.config(fmt.Sprintf("spore = { cache_dir = %q, slots = 2 }", cache))
	begin := func() *process { return start(t, "", "spore", "--redis", c.url, "--name", "a", "--config", config) }
	a := begin()
	killChild(a)
	a.says("was killed: is the machine short of memory?")
	c.awaitNode("a", "online with its skill", func(n *hive.Node) bool { return n.Online && n.Has(skill) })
	a.signal(syscall.SIGTERM)
	a.ends(0)

	left, err := filepath.Glob(filepath.Join(cache, "*"))
	if err != nil || len(left) == 0 {
		t.Fatalf("the cache has %v, %v", left, err)
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
	submitter := client.New(c.road, client.Options{})
	defer submitter.Close()
	id, err := submitter.Submit(t.Context(), hive.Task{Skill: skill})
	if err != nil {
		t.Fatal(err)
	}
	a = begin()
	killChild(a)
	a.says(`msg="cannot prepare skill" skill=heavy@`)
	if r := c.awaitTask(id, "over", final); r.State != hive.Completed || r.Attempts != 1 || r.Failures != 0 {
		t.Errorf("%s after %d attempts, %d failures: %v", r.State, r.Attempts, r.Failures, r.Failure)
	}
}

// killChild kills the next compiling child of a process.
func killChild(p *process) {
	p.t.Helper()
	giveUp := time.Now().Add(patience)
	for time.Now().Before(giveUp) { // without a pause: it does not live for long
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid))
		for _, path := range threads {
			children, _ := os.ReadFile(path)
			for _, word := range strings.Fields(string(children)) {
				// Before it is a program of its own it is its parent's copy.
				command, _ := os.ReadFile("/proc/" + word + "/cmdline")
				if pid, _ := strconv.Atoi(word); bytes.HasSuffix(command, []byte("\x00admit\x00")) && syscall.Kill(pid, syscall.SIGKILL) == nil {
					return
				}
			}
		}
	}
	p.t.Fatalf("%s has no child", p.name)
}
