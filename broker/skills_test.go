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

// TestReplace: a working copy takes the place of the one before. The program of that
// goes in time, unless another version has it too; one that comes back stays.
func TestReplace(t *testing.T) {
	onRoads(t, func(r *road) {
		s := r.join("a")
		skill := func(version, digest string) (*hive.Skill, []byte) {
			return &hive.Skill{Manifest: hive.Manifest{Name: "echo", Version: version}, Digest: "sha256:" + digest}, []byte("program " + digest)
		}
		publish := func(version, digest string) {
			sk, program := skill(version, digest)
			r.check(r.Publish(r.ctx(), sk, program))
		}
		replace := func(digest string) {
			sk, program := skill("1.0.0-watch", digest)
			r.check(r.Replace(r.ctx(), sk, program))
		}
		stays := func(digest string, want bool) {
			r.t.Helper()
			if got := r.do("PTTL", "w:sha256:"+digest); got == "-1" != want || got == "-2" {
				r.t.Errorf("the program %s expires in %s ms, stays should be %v", digest, got, want)
			}
		}
		if sk, program := skill("1.0.0", "aa"); r.Replace(r.ctx(), sk, program) == nil {
			r.t.Error("Replace changed a version that is no working copy's")
		}
		if sk, program := skill("1.0.0-watch", "aa"); r.Publish(r.ctx(), sk, program) == nil {
			r.t.Error("Publish took a version that may change")
		}
		publish("0.9.0", "bb")
		replace("aa")
		replace("bb")
		stays("aa", false)
		if program, err := r.Program(r.ctx(), "sha256:aa"); string(program) != "program aa" || err != nil {
			r.t.Errorf("Program just replaced = %q, %v", program, err)
		}
		if k, err := r.Listen(r.ctx(), s, time.Second); !k.Skills || err != nil {
			r.t.Errorf("Listen = %+v, %v", k, err)
		}
		generation := r.do("GET", "skgen")
		replace("bb")
		if now := r.do("GET", "skgen"); now != generation {
			r.t.Errorf("the same again made generation %s of %s", now, generation)
		}
		replace("aa")
		stays("aa", true)
		stays("bb", true)
		skills, err := r.Skills(r.ctx())
		r.check(err)
		if len(skills) != 2 || skills[1].Version != "1.0.0-watch" || skills[1].Digest != "sha256:aa" {
			r.t.Errorf("Skills = %+v", skills)
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
