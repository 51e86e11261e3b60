package main

import (
	"os"
	"testing"
)

func BenchmarkBig(b *testing.B) {
	for _, f := range []string{"repeat.txt", "random.txt", "short.txt", "abc.txt", "opens.html", "tdtd.html"} {
		data, _ := os.ReadFile("/tmp/big/" + f)
		s := string(data)
		b.Run(f, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				summarize(request{Path: f, Text: &s})
			}
		})
	}
}
