package runtime

import (
	"testing"

	"github.com/hive-spore/hive"
)

// BenchmarkPrepare compiles a Go program of 3 MB: from nothing, and from the
// disk cache.
func BenchmarkPrepare(b *testing.B) {
	wasm := goGuest(b, "probe")
	prepareWith := func(b *testing.B, o Options) {
		e, err := New(b.Context(), o)
		if err != nil {
			b.Fatal(err)
		}
		defer e.Close(b.Context())
		s, err := e.Prepare(b.Context(), wasm, &hive.Manifest{Name: "probe"})
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("cold", func(b *testing.B) {
		for b.Loop() {
			prepareWith(b, Options{Admit: admittedBy})
		}
	})
	b.Run("warm", func(b *testing.B) {
		o := Options{Admit: admittedBy, CacheDir: b.TempDir()}
		prepareWith(b, o)
		for b.Loop() {
			prepareWith(b, o)
		}
	})
}

func BenchmarkCall(b *testing.B) {
	echo := dialer() // answers four bytes
	for _, bench := range []struct {
		name  string
		skill *Skill
		call  Call
	}{
		{"go-command", goSkill(b, "probe", hive.Manifest{}), Call{Payload: []byte("hello"), Args: []string{"echo"}}},
		{"go-reactor", goSkill(b, "upper-reactor", hive.Manifest{}), Call{Payload: []byte("hello")}},
		{"tiny-reactor", skillOf(b, echo.bytes(), hive.Manifest{}), Call{Payload: dial(dialInput, 100, 16, 0)}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if out := bench.skill.Call(b.Context(), bench.call); out.Failure != nil {
					b.Fatal(out.Failure)
				}
			}
		})
	}
}

// BenchmarkCores is the smallest of those on as many cores as -cpu says.
func BenchmarkCores(b *testing.B) {
	s := skillOf(b, dialer().bytes(), hive.Manifest{})
	call := Call{Payload: dial(dialInput, 100, 16, 0)}
	b.RunParallel(func(loop *testing.PB) {
		for loop.Next() {
			if out := s.Call(b.Context(), call); out.Failure != nil {
				b.Error(out.Failure)
			}
		}
	})
}
