package keepalived

import (
	"bytes"
	"fmt"
	"testing"
)

// services is a configuration of n virtual servers with two real servers each.
func services(n int) []byte {
	var b bytes.Buffer
	b.WriteString("global_defs {\n    router_id lb1\n}\n")
	for i := range n {
		fmt.Fprintf(&b, "virtual_server 10.%d.%d.%d 80 {\n    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n\n", i>>16, i>>8&255, i&255)
		for k := range 2 {
			fmt.Fprintf(&b, "    real_server 192.168.%d.%d 80 {\n        weight 1\n        TCP_CHECK {\n            connect_timeout 3\n        }\n    }\n", i%250, k+1)
		}
		b.WriteString("}\n")
	}
	return b.Bytes()
}

func BenchmarkLint(b *testing.B) {
	src := services(1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if l := lintOf(Loader{}.Parse("f", src), Options{}); len(l) != 0 {
			b.Fatal(l[0])
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	src := services(1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		Loader{}.Parse("f", src)
	}
}

func BenchmarkVerdict(b *testing.B) {
	src := services(1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if ok, _ := verdictOf(Loader{}.Parse("f", src), Options{}); !ok {
			b.Fatal("not ok")
		}
	}
}

func BenchmarkParse(b *testing.B) {
	src := services(1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		Parse("f", src)
	}
}

func BenchmarkFormat(b *testing.B) {
	src := services(1000)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Format(src); err != nil {
			b.Fatal(err)
		}
	}
}
