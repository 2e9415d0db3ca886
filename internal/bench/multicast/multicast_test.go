//go:build linux

// Package multicast_test brings the same content to several hosts, by multicast-sync
// and by its peers, in network namespaces of its own on one bridge.
//
// It needs root and the tools of .ci/tools. A peer that is missing is named. What the
// peers do less: udpcast has no names, no encryption, no skipping and no common switch
// (and a directory goes through tar); uftp has no encryption here, and no tree that
// switches; makuosan encrypts by Blowfish in ECB mode unless told not to, as here, and
// switches file by file; the rsync loop is not encrypted here, one host after another;
// the scp loop is encrypted, and switches nothing.
// The loss is per datagram (offload off) on the shaped link. DOUGU_PEERS names a
// folder with a makuosan that was built (makuosan/makuosan, makuosan/msync).
package multicast_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// network is the sender's namespace and those of n receivers.
type network struct {
	b      *testing.B
	prefix string
	n      int
}

func (w *network) cmd(name string, args ...string) {
	w.b.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.b.Fatalf("%s %q: %v: %s", name, args, err, out)
	}
}

func newNetwork(b *testing.B, n int, loss float64, rate int, offload string) *network {
	if os.Getuid() != 0 {
		b.Log("absent namespaces: this benchmark needs root")
		b.Skip()
	}
	for _, tool := range []string{"ip", "nft", "tc", "ethtool"} {
		if _, err := exec.LookPath(tool); err != nil {
			b.Logf("absent %s: the network can't be made", tool)
			b.Skip()
		}
	}
	w := &network{b: b, n: n, prefix: fmt.Sprintf("dgb%d", os.Getpid())}
	b.Cleanup(w.remove)
	bridge := w.prefix + "b"
	w.cmd("ip", "netns", "add", bridge)
	w.cmd("ip", "-n", bridge, "link", "add", "br0", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0", "stp_state", "0")
	w.cmd("ip", "-n", bridge, "link", "set", "br0", "up")
	for i := range n + 1 {
		ns := w.ns(i)
		w.cmd("ip", "netns", "add", ns)
		w.cmd("ip", "link", "add", "eth0", "netns", ns, "type", "veth", "peer", "name", fmt.Sprintf("v%d", i), "netns", bridge)
		w.cmd("ip", "-n", bridge, "link", "set", fmt.Sprintf("v%d", i), "master", "br0", "up")
		w.cmd("ip", "-n", ns, "link", "set", "lo", "up")
		w.cmd("ip", "-n", ns, "addr", "add", w.addr(i)+"/24", "brd", "+", "dev", "eth0")
		w.cmd("ip", "-n", ns, "link", "set", "eth0", "up")
		w.cmd("ip", "-n", ns, "route", "add", "224.0.0.0/4", "dev", "eth0")
		w.cmd("ip", "netns", "exec", ns, "ethtool", "-K", "eth0", "tso", offload, "gso", offload, "gro", offload, "tx-udp-segmentation", offload)
		w.cmd("ip", "netns", "exec", bridge, "ethtool", "-K", fmt.Sprintf("v%d", i), "tso", offload, "gso", offload, "gro", offload, "tx-udp-segmentation", offload)
		if i > 0 && loss > 0 {
			c := exec.Command("ip", "netns", "exec", ns, "nft", "-f", "-")
			c.Stdin = strings.NewReader(fmt.Sprintf("table inet loss { chain in { type filter hook input priority -300; policy accept;\n"+
				"iifname \"eth0\" numgen random mod 100000 < %d counter drop\n}\n}\n", int(loss*1000)))
			if out, err := c.CombinedOutput(); err != nil {
				b.Fatalf("nft: %v: %s", err, out)
			}
		}
	}
	if rate > 0 {
		w.cmd("ip", "netns", "exec", w.ns(0), "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", fmt.Sprintf("%dmbit", rate), "burst", "256k", "latency", "30ms")
	}
	return w
}

func (w *network) ns(i int) string   { return w.prefix + strconv.Itoa(i) }
func (w *network) addr(i int) string { return fmt.Sprintf("10.99.7.%d", 1+i) }

func (w *network) remove() {
	for i := range w.n + 1 {
		_ = exec.Command("ip", "netns", "del", w.ns(i)).Run() // it may not be there
	}
	_ = exec.Command("ip", "netns", "del", w.prefix+"b").Run()
}

// command is a program in a namespace, ended with its group when ctx is.
func (w *network) command(ctx context.Context, i int, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", w.ns(i)}, args...)...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = 5 * time.Second
	return c
}

// peer is a way to bring src to the hosts.
type peer struct {
	name    string
	needs   []string
	receive func(w *network, src, dst string, i int) []string
	settle  time.Duration // until receivers listen
	send    func(w *network, src string) [][]string
}

func peers(b *testing.B, rate int, key string, self string) []peer {
	limit := func(args []string, flag string, value string) []string {
		if rate > 0 {
			return append(args, flag, value)
		}
		return args
	}
	list := []peer{
		{"dougu", nil, func(_ *network, _, dst string, _ int) []string {
			return []string{self, "recv", "-base", dst, "-iface", "eth0", "-key", key, "-once"}
		}, 500 * time.Millisecond, func(w *network, src string) [][]string {
			args := []string{self, "send", "-C", filepath.Dir(src), "-r", "-iface", "eth0", "-key", key, "-min-members", strconv.Itoa(w.n)}
			return [][]string{append(limit(args, "-rate", fmt.Sprintf("%dM", rate)), filepath.Base(src))}
		}},
		{"udpcast", []string{"udp-sender", "udp-receiver"}, func(_ *network, src, dst string, _ int) []string {
			return []string{"sh", "-c", "udp-receiver --interface eth0 --nokbd --no-progress --rcvbuf 4m | tar x -C " + dst}
		}, 500 * time.Millisecond, func(w *network, src string) [][]string {
			line := fmt.Sprintf(
				"tar c -C %s %s | udp-sender --interface eth0 --full-duplex --nokbd --no-progress --nopointopoint --min-receivers %d",
				filepath.Dir(src),
				filepath.Base(src),
				w.n,
			)
			if rate > 0 {
				line += fmt.Sprintf(" --max-bitrate %dm", rate*97/100)
			}
			return [][]string{{"sh", "-c", line}}
		}},
		{"uftp", []string{"uftp", "uftpd"}, func(_ *network, _, dst string, _ int) []string {
			return []string{"uftpd", "-d", "-D", dst, "-I", "eth0", "-B", "4194304", "-c", "20971520", "-q"}
		}, 500 * time.Millisecond, func(_ *network, src string) [][]string {
			r := "-1"
			if rate > 0 {
				r = strconv.Itoa(rate * 930)
			}
			return [][]string{{"uftp", "-I", "eth0", "-B", "4194304", "-r", "0.2:0.01:15", "-R", r, src}}
		}},
		{"rsync-loop", []string{"rsync"}, func(_ *network, _, dst string, i int) []string {
			conf := dst + ".conf"
			if err := os.WriteFile(conf, fmt.Appendf(nil, "use chroot=no\nuid=0\ngid=0\n[d]\npath=%s\nread only=no\n", dst), 0o600); err != nil {
				b.Fatal(err)
			}
			return []string{"rsync", "--daemon", "--no-detach", "--config", conf}
		}, 700 * time.Millisecond, func(w *network, src string) (list [][]string) {
			for i := range w.n {
				list = append(list, []string{"rsync", "-aW", "--inplace", src, "rsync://" + w.addr(i+1) + "/d/"})
			}
			return list
		}},
	}
	list = append(list, scpLoop(b))
	dir := filepath.Join(os.Getenv("DOUGU_PEERS"), "makuosan")
	if _, err := os.Stat(filepath.Join(dir, "msync")); err == nil {
		list = append(list, peer{"makuosan", nil, func(w *network, _, dst string, i int) []string {
			return []string{dir + "/makuosan", "-n", "-b", dst, "-i", w.addr(i), "-R", "4194304", "-S", "4194304"}
		}, 2500 * time.Millisecond, func(_ *network, src string) [][]string {
			return [][]string{{dir + "/msync", "-r", filepath.Base(src)}}
		}})
	} else {
		b.Log("absent makuosan: DOUGU_PEERS holds no makuosan/msync")
	}
	return list
}

// scpLoop copies to one host after another, through an sshd of the run's own on each.
func scpLoop(b *testing.B) peer {
	dir := b.TempDir()
	host, user := filepath.Join(dir, "host"), filepath.Join(dir, "user")
	to := map[int]string{}
	return peer{"scp-loop", []string{"scp", "ssh-keygen", "/usr/sbin/sshd"}, func(_ *network, _, dst string, i int) []string {
		to[i] = dst
		conf := filepath.Join(dir, "sshd_config")
		if _, err := os.Stat(conf); err != nil {
			for _, name := range []string{host, user} {
				if out, err := exec.Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name).CombinedOutput(); err != nil {
					b.Fatalf("ssh-keygen: %v: %s", err, out)
				}
			}
			text := fmt.Sprintf(
				"Port 2222\nHostKey %s\nAuthorizedKeysFile %s.pub\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\nSubsystem sftp internal-sftp\n",
				host,
				user,
			)
			if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
		// The directory of its unprivileged half exists in a mount namespace of its own only.
		return []string{"unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f " + conf}
	}, 700 * time.Millisecond, func(w *network, src string) (list [][]string) {
		for i := range w.n {
			list = append(list, []string{"scp", "-q", "-r", "-P", "2222", "-i", user, "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no",
				"-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", src, "root@" + w.addr(i+1) + ":" + to[i+1] + "/"})
		}
		return list
	}}
}

// once brings src to all hosts and returns the time that it took, the processor time
// of all programs that took part, and how many hosts have it.
func once(b *testing.B, w *network, p peer, src string, want [32]byte, rate int) (took, cpu time.Duration, good int) {
	dir, err := os.MkdirTemp("/dev/shm", "dougu-bench-")
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	var list []*exec.Cmd
	for i := range w.n {
		dst := filepath.Join(dir, strconv.Itoa(i+1))
		if err := os.Mkdir(dst, 0o755); err != nil {
			b.Fatal(err)
		}
		c := w.command(ctx, i+1, p.receive(w, src, dst, i+1)...)
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		list = append(list, c)
	}
	if p.name == "makuosan" {
		args := p.receive(w, src, filepath.Dir(src), 0)
		if rate > 0 {
			args = append(args, "-T", strconv.Itoa(rate*9/10))
		}
		c := w.command(ctx, 0, args...)
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		list = append(list, c)
	}
	time.Sleep(p.settle)
	start := time.Now()
	for _, args := range p.send(w, src) {
		var out bytes.Buffer
		c := w.command(ctx, 0, args...)
		c.Stdout, c.Stderr = &out, &out
		if err := c.Run(); err != nil {
			b.Logf("peer %s: %v: %.200s", p.name, err, out.Bytes())
		}
		cpu += used(c)
	}
	took = time.Since(start)
	time.Sleep(300 * time.Millisecond)
	cancel()
	for _, c := range list {
		_ = c.Wait() // it was told to end
		cpu += used(c)
	}
	for i := range w.n {
		if digest(b, filepath.Join(dir, strconv.Itoa(i+1), filepath.Base(src))) == want {
			good++
		}
	}
	return took, cpu, good
}

// used is the processor time of a program that has ended, and of those that it waited for.
func used(c *exec.Cmd) time.Duration {
	if c.ProcessState == nil {
		return 0
	}
	return c.ProcessState.UserTime() + c.ProcessState.SystemTime()
}

// digest is over names and content of a tree.
func digest(b *testing.B, dir string) (sum [32]byte) {
	h := sha256.New()
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(p)
		fmt.Fprintf(h, "%s %d\n", strings.TrimPrefix(p, dir), len(text))
		h.Write(text)
		return err
	})
	if err != nil {
		return sum
	}
	return [32]byte(h.Sum(nil))
}

func build(b *testing.B) (self, key string) {
	dir := b.TempDir()
	self = filepath.Join(dir, "multicast-sync")
	c := exec.Command("go", "build", "-o", self, "./examples/multicast-sync")
	c.Dir = filepath.Join("..", "..", "..") // its own module
	if out, err := c.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	key = filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte(strings.Repeat("6b", 32)), 0o600); err != nil {
		b.Fatal(err)
	}
	return self, key
}

// source makes the files: one of size bytes, or many.
func source(b *testing.B, files, size int) string {
	parent, err := os.MkdirTemp("/dev/shm", "dougu-bench-src-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(parent) })
	r := rand.NewChaCha8([32]byte{1})
	for i := range files {
		dir := filepath.Join(parent, "data", strconv.Itoa(i/100))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			b.Fatal(err)
		}
		text := make([]byte, size/files)
		r.Read(text)
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(parent, "data")
}

func compare(b *testing.B, files, size, n int, loss float64, rate int, offload string, only ...string) {
	self, key := build(b)
	src := source(b, files, size)
	want := digest(b, src)
	w := newNetwork(b, n, loss, rate, offload)
next:
	for _, p := range peers(b, rate, key, self) {
		if len(only) > 0 && !strings.Contains(strings.Join(only, " "), p.name) {
			continue
		}
		for _, tool := range p.needs {
			if _, err := exec.LookPath(tool); err != nil {
				b.Logf("absent %s: %s is missing", p.name, tool)
				continue next
			}
		}
		b.Run(p.name, func(b *testing.B) {
			b.SetBytes(int64(size))
			var total, processor time.Duration
			good, runs := 0, 0
			for b.Loop() {
				took, cpu, ok := once(b, w, p, src, want, rate)
				total += took
				processor += cpu
				good += ok
				runs++
			}
			b.ReportMetric(float64(total)/float64(runs)/1e9, "send-s/op")
			b.ReportMetric(float64(processor)/float64(runs)/1e9, "cpu-s/op")
			b.ReportMetric(float64(good)/float64(runs), "hosts-equal")
		})
	}
}

// The sender's time is send-s/op, the processor time of sender and receivers cpu-s/op;
// ns/op also has the start and the end of receivers.

func BenchmarkShaped300(b *testing.B) { compare(b, 1, 64<<20, 4, 1, 300, "off") }
func BenchmarkFree(b *testing.B)      { compare(b, 1, 64<<20, 4, 1, 0, "on") }
func BenchmarkEight(b *testing.B)     { compare(b, 1, 64<<20, 8, 0, 0, "on") }
func BenchmarkTree(b *testing.B) {
	compare(b, 10000, 44<<20, 4, 0, 0, "on", "dougu udpcast rsync-loop")
}
func BenchmarkHosts(b *testing.B) {
	for _, n := range []int{1, 16} {
		b.Run(strconv.Itoa(n), func(b *testing.B) { compare(b, 1, 16<<20, n, 1, 100, "off", "dougu udpcast rsync-loop") })
	}
}
