package audit

import (
	"fmt"
	"testing"
)

func BenchmarkAppend(b *testing.B) {
	for _, noSync := range []bool{false, true} {
		b.Run(fmt.Sprintf("sync=%v", !noSync), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), Options{NoSync: noSync})
			for b.Loop() {
				mustAppend(b, l, 1)
			}
		})
		b.Run(fmt.Sprintf("sync=%v/at-once", !noSync), func(b *testing.B) {
			l := mustOpen(b, b.TempDir(), Options{NoSync: noSync})
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if _, err := l.Append(entry(1)); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkVerify reads 300,000 records.
func BenchmarkVerify(b *testing.B) {
	const records = 300_000
	dir := b.TempDir()
	l := mustOpen(b, dir, Options{NoSync: true})
	mustAppend(b, l, records)
	mustClose(b, l)
	for b.Loop() {
		if r, err := Verify(dir); err != nil || r.Last != records {
			b.Fatal(r, err)
		}
	}
	b.ReportMetric(float64(records)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
