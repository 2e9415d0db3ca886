// Package sshproxy measures dougu's reader and resolver of ssh_config beside
// kevinburke/ssh_config and the real ssh, on one file of 10,000 hosts.
//
// What the peer does less: it reads no Include and no Match while it parses, checks no
// value, knows no defaults of a build, expands no token, and gives values as they are
// written. ssh -G does all of what dougu does, and starts a process: its row is the CPU
// of the process, from which that of "ssh -G -F none" is to be taken off.
package sshproxy

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/kevinburke/ssh_config"

	"dougu.internal/sshproxy"
)

const hosts = 10000

// config is the file: a block a host with two patterns and five options, then Host *.
var config = func() []byte {
	var b bytes.Buffer
	for i := range hosts {
		fmt.Fprintf(&b, "Host h%05d h%05d.corp.example\n    HostName 10.%d.%d.%d\n    User u%d\n    Port 22\n    ProxyJump b%02d\n    IdentityFile ~/.ssh/id_%d\n\n",
			i, i, i>>16, i>>8&255, i&255, i%7, i%50, i%5)
	}
	b.WriteString("Host *\n    ServerAliveInterval 15\n    ControlMaster auto\n")
	return b.Bytes()
}()

func resolver() *sshproxy.Resolver {
	p, err := sshproxy.ParseProfile("9.2p1-debian")
	if err != nil {
		panic(err)
	}
	return &sshproxy.Resolver{
		Profile: p, Config: "/config", Files: sshproxy.Memory(map[string][]byte{"/config": config}),
		Local: sshproxy.Local{User: "me", Home: "/home/me", Hostname: "vm"},
	}
}

func resolve(b *testing.B, r *sshproxy.Resolver, host string) *sshproxy.Result {
	res, err := r.Resolve(context.Background(), sshproxy.Target{Host: host})
	if err != nil {
		b.Fatal(err)
	}
	return res
}

const last = "h09999"

// cpu reports the CPU time of this process an operation, all threads: on a shared machine
// it moves less than the time on the clock.
func cpu(b *testing.B) (stop func()) {
	used := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start := used()
	return func() { b.ReportMetric(float64((used()-start).Nanoseconds())/float64(b.N), "cpu-ns/op") }
}

func BenchmarkParse(b *testing.B) {
	b.Run("dougu", func(b *testing.B) { // every value is checked, as ssh does while it reads
		p, err := sshproxy.ParseProfile("9.2p1-debian")
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(config)))
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			if e := sshproxy.Parse("config", config).Check(p); len(e) > 0 {
				b.Fatal(e[0])
			}
		}
		stop()
	})
	b.Run("kevinburke", func(b *testing.B) {
		b.Log("peer github.com/kevinburke/ssh_config v1.6.0: no values are checked")
		b.SetBytes(int64(len(config)))
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			if _, err := ssh_config.DecodeBytes(config); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
}

// BenchmarkParseAndResolve is what one ssh -G does.
func BenchmarkParseAndResolve(b *testing.B) {
	b.Run("dougu", func(b *testing.B) {
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			resolve(b, resolver(), last)
		}
		stop()
	})
	ssh, err := exec.LookPath("ssh")
	if err != nil {
		b.Log("absent ssh: install openssh-client")
		return
	}
	name := filepath.Join(b.TempDir(), "config")
	if err := os.WriteFile(name, config, 0o600); err != nil {
		b.Fatal(err)
	}
	version, _ := exec.Command(ssh, "-V").CombinedOutput()
	for _, row := range []struct{ name, file string }{{"ssh-G", name}, {"ssh-G-none", "none"}} {
		b.Run(row.name, func(b *testing.B) {
			b.Logf("peer %s", strings.TrimSpace(string(version)))
			var cpu time.Duration
			for b.Loop() {
				cmd := exec.Command(ssh, "-G", "-F", row.file, last)
				if err := cmd.Run(); err != nil {
					b.Fatal(err)
				}
				cpu += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			}
			b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/1000, "cpu-ms/op")
		})
	}
}

// BenchmarkResolve asks for one host of a parsed file: dougu for all options, the peer
// for five.
func BenchmarkResolve(b *testing.B) {
	b.Run("dougu-scan", func(b *testing.B) { // without the index: the file is of too few uses
		b.ReportAllocs()
		for b.Loop() {
			b.StopTimer()
			r := resolver()
			if err := r.Warm(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			resolve(b, r, last)
		}
	})
	b.Run("dougu-index", func(b *testing.B) {
		r := resolver()
		resolve(b, r, last)
		resolve(b, r, last)
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			resolve(b, r, last)
		}
		stop()
	})
	b.Run("dougu-index-G", func(b *testing.B) {
		r := resolver()
		resolve(b, r, last)
		var out bytes.Buffer
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			out.Reset()
			if err := resolve(b, r, last).WriteG(&out); err != nil {
				b.Fatal(err)
			}
		}
		stop()
	})
	b.Run("kevinburke-5-keys", func(b *testing.B) {
		c, err := ssh_config.DecodeBytes(config)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			for _, key := range []string{"HostName", "User", "Port", "ProxyJump", "ServerAliveInterval"} {
				if v, err := c.Get(last, key); err != nil || v == "" {
					b.Fatal(v, err)
				}
			}
		}
		stop()
	})
}

// BenchmarkAllHosts resolves each of the 10,000 hosts, all options.
func BenchmarkAllHosts(b *testing.B) {
	b.Run("dougu", func(b *testing.B) {
		r := resolver()
		resolve(b, r, last)
		names := make([]string, hosts)
		for i := range names {
			names[i] = fmt.Sprintf("h%05d", i)
		}
		b.ReportAllocs()
		stop := cpu(b)
		for b.Loop() {
			for _, n := range names {
				resolve(b, r, n)
			}
		}
		stop()
	})
}
