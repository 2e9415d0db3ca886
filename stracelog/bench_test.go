package stracelog_test

import (
	"bytes"
	"os"
	"testing"

	"dougu.internal/stracelog"
)

// BenchmarkEvents reads the story's request; peers are measured in internal/bench.
func BenchmarkEvents(b *testing.B) {
	log, err := os.ReadFile("testdata/request.strace")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		for _, err := range stracelog.NewReader(bytes.NewReader(log)).Events() {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
