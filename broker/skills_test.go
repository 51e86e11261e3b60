package broker_test

import (
	"testing"
	"time"

	"github.com/hive-spore/hive"
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
