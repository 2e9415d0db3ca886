package sshproxy_test

import (
	"context"
	"testing"

	"dougu.internal/sshproxy"
)

// BenchmarkResolve resolves one host of a small file; peers are measured in
// internal/bench.
func BenchmarkResolve(b *testing.B) {
	r := resolver(config)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve(context.Background(), sshproxy.Target{Host: "internal"}); err != nil {
			b.Fatal(err)
		}
	}
}
