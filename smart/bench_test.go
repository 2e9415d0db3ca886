package smart_test

import (
	"strings"
	"testing"

	"dougu.internal/smart"
)

// BenchmarkParse reads the story's lines; peers are measured in internal/bench.
func BenchmarkParse(b *testing.B) {
	b.SetBytes(int64(len(storyLines)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := smart.Parse(strings.NewReader(storyLines)); err != nil {
			b.Fatal(err)
		}
	}
}
