package ipxe_test

import (
	"strings"
	"testing"

	"dougu.internal/ipxe"
)

func BenchmarkParse(b *testing.B) {
	src := []byte("#!ipxe\n" + strings.Repeat(":l chain http://h/${product:uristring} || goto l # again\nset x a b c\n", 500))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		ipxe.Parse("boot.ipxe", src)
	}
}

func BenchmarkBuilder(b *testing.B) {
	var s ipxe.Builder
	b.ReportAllocs()
	for b.Loop() {
		s.Reset()
		s.Kernel(ipxe.Link("http://h/vmlinuz"), ipxe.Text("console=ttyS1,115200n8"), ipxe.Text("note=# a || b"))
		s.Boot()
		if _, err := s.Bytes(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseFacts(b *testing.B) {
	const query = "type=Express5800%2Fi120Ra-e1%20[N8100-1482Y]&mac=52%3A54%3A00%3A12%3A34%3A56"
	b.SetBytes(int64(len(query)))
	b.ReportAllocs()
	for b.Loop() {
		ipxe.ParseFacts(query)
	}
}
