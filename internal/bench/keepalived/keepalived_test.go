//go:build unix

// Package keepalived measures the package keepalived beside the daemon's own test
// mode and gokc, the other checker that is written in Go.
package keepalived

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"dougu.internal/keepalived"
)

// services is a configuration of n virtual servers with two real servers each.
func services(n int) []byte {
	var b bytes.Buffer
	b.WriteString("global_defs {\n    router_id lb1\n}\n\n")
	for i := range n {
		fmt.Fprintf(&b, "virtual_server 10.%d.%d.%d 80 {\n    delay_loop 6\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n\n", i>>16, i>>8&255, i&255)
		for k := range 2 {
			fmt.Fprintf(&b, "    real_server 192.168.%d.%d 80 {\n        weight 1\n        TCP_CHECK {\n            connect_timeout 3\n        }\n    }\n", i%250, k+1)
		}
		b.WriteString("}\n\n")
	}
	return b.Bytes()
}

func used(who int) int64 {
	var r syscall.Rusage
	if syscall.Getrusage(who, &r) != nil {
		return 0
	}
	return r.Utime.Nano() + r.Stime.Nano()
}

// BenchmarkLint is the whole of what both do with a file of 10,000 virtual servers: the
// process that starts, reads it, and judges it. dougu is the library in this process,
// keepalived-lint the program of examples/, with a text report of all rules.
func BenchmarkLint(b *testing.B) {
	for _, n := range []int{1000, 10000} {
		src := services(n)
		b.Run(fmt.Sprintf("%d/dougu", n), func(b *testing.B) {
			report(b, src, syscall.RUSAGE_SELF, func() error {
				l, err := keepalived.Lint(b.Context(), keepalived.Loader{}.Parse("f", src), keepalived.Options{})
				if len(l) != 0 {
					return errors.New(l[0].String())
				}
				return err
			})
		})
		lint := build(b)
		file := filepath.Join(b.TempDir(), "keepalived.conf")
		if err := os.WriteFile(file, src, 0o644); err != nil {
			b.Fatal(err)
		}
		program(b, fmt.Sprintf("%d/keepalived-lint", n), src, lint, file)
		if tool, err := exec.LookPath("keepalived"); err != nil {
			b.Log("absent keepalived: no such program here (apt-get install keepalived)")
		} else {
			program(b, fmt.Sprintf("%d/keepalived-t", n), src, tool, "-t", "-f", file)
		}
		if tool := gokc(); tool == "" {
			b.Log("absent gokc: the module proxy serves no version of it; set DOUGU_PEERS to a folder with a checkout in which go build was run")
		} else {
			program(b, fmt.Sprintf("%d/gokc", n), src, tool, "-f", file)
		}
	}
}

// gokc names the program of a checkout of github.com/yuuki/gokc.
func gokc() string {
	if p, err := exec.LookPath("gokc"); err == nil {
		return p
	}
	if dir := os.Getenv("DOUGU_PEERS"); dir != "" {
		if p, err := exec.LookPath(filepath.Join(dir, "gokc", "gokc")); err == nil {
			return p
		}
	}
	return ""
}

func build(b *testing.B) string {
	b.Helper()
	bin := filepath.Join(b.TempDir(), "keepalived-lint")
	cmd := exec.Command("go", "build", "-o", bin, "./examples/keepalived-lint")
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return bin
}

func program(b *testing.B, name string, src []byte, args ...string) {
	b.Run(name, func(b *testing.B) {
		report(b, src, syscall.RUSAGE_CHILDREN, func() error {
			out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
			if err != nil {
				return fmt.Errorf("%v: %.300s", err, out)
			}
			return nil
		})
	})
}

// report runs f and reports its processor time: the machine is shared, wall time says
// little.
func report(b *testing.B, src []byte, who int, f func() error) {
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	runtime.GC()
	begin, runs := used(who), 0
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	b.ReportMetric(float64(used(who)-begin)/float64(runs), "cpu-ns/op")
}

// BenchmarkRead is reading alone: Load expands includes, variables and conditions as
// the daemon does, Parse gives the lossless form.
func BenchmarkRead(b *testing.B) {
	src := services(10000)
	b.Run("load", func(b *testing.B) {
		report(b, src, syscall.RUSAGE_SELF, func() error {
			keepalived.Loader{}.Parse("f", src)
			return nil
		})
	})
	b.Run("parse", func(b *testing.B) {
		report(b, src, syscall.RUSAGE_SELF, func() error {
			keepalived.Parse("f", src)
			return nil
		})
	})
	b.Run("format", func(b *testing.B) {
		report(b, src, syscall.RUSAGE_SELF, func() error {
			_, err := keepalived.Format(src)
			return err
		})
	})
}
