package broker_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/hive-spore/hive"
	"github.com/hive-spore/hive/broker"
	"github.com/hive-spore/hive/internal/testkit"
)

func TestPublish(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		publish := func(version, digest string) error {
			skill := &hive.Skill{Manifest: hive.Manifest{Name: "echo", Version: version}, Digest: "sha256:" + digest}
			return r.Publish(r.ctx(), skill, []byte("program "+digest))
		}
		r.check(publish("1.2.0", "aa"))
		r.check(publish("1.10.0", "bb"))
		r.check(publish("1.2.0", "aa"))
		if err := publish("1.2.0", "cc"); err == nil {
			r.t.Error("Publish of another program under the same version succeeded")
		}
		skills, err := r.Skills(r.ctx())
		r.check(err)
		if len(skills) != 2 || skills[0].Version != "1.10.0" || skills[1].Digest != "sha256:aa" {
			r.t.Errorf("Skills = %+v", skills)
		}
		program, err := r.Program(r.ctx(), "sha256:bb")
		if string(program) != "program bb" || err != nil {
			r.t.Errorf("Program = %q, %v", program, err)
		}
		if k, err := r.Listen(r.ctx(), s, time.Second); !k.Skills || err != nil {
			r.t.Errorf("Listen = %+v, %v", k, err)
		}
	})
}

// TestProgramInParts: a server that cuts off whoever has more than 6 MiB of answers
// to come, as a slow line would, still gives out larger programs.
func TestProgramInParts(t *testing.T) {
	t.Parallel()
	server, err := testkit.StartRedis("--client-output-buffer-limit", "normal", "6mb", "6mb", "0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	b := testkit.DialTo(t, broker.Options{Addrs: []string{server.Addr}})
	for i, size := range []int{1, 4 << 20, 9<<20 + 1} { // the second is one part exactly
		program := bytes.Repeat([]byte("0123456789abcde"), size/15+1)[:size]
		skill := &hive.Skill{Manifest: hive.Manifest{Name: "echo", Version: fmt.Sprintf("1.0.%d", i)}, Digest: fmt.Sprintf("sha256:%d", i)}
		if err := b.Publish(t.Context(), skill, program); err != nil {
			t.Fatal(err)
		}
		got, err := b.Program(t.Context(), skill.Digest)
		if !bytes.Equal(got, program) || err != nil {
			t.Errorf("Program of %d bytes = %d bytes, %v", size, len(got), err)
		}
	}
	if _, err := b.Program(t.Context(), "sha256:none"); !errors.Is(err, hive.ErrNotFound) {
		t.Errorf("Program nobody registered = %v", err)
	}
}
