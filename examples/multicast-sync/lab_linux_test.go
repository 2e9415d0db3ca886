package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"dougu.internal/internal/oracle"
)

// TestMain lets the test binary be the program itself, for tests that need processes
// of their own.
func TestMain(m *testing.M) {
	if os.Getenv("DOUGU_MULTICAST_SYNC") == "1" {
		main()
	}
	os.Exit(m.Run())
}

var (
	ip    = oracle.Tool{Name: "ip", Package: "iproute2", Probe: []string{"-V"}}
	nft   = oracle.Tool{Name: "nft", Package: "nftables", Probe: []string{"-v"}}
	tc    = oracle.Tool{Name: "tc", Package: "iproute2", Probe: []string{"-V"}}
	eth   = oracle.Tool{Name: "ethtool", Package: "ethtool", Probe: []string{"--version"}}
	rsync = oracle.Tool{Name: "rsync", Package: "rsync", Probe: []string{"--version"}, Version: regexp.MustCompile(`rsync +version v?(\S+)`)}
)

// TestLab runs the laboratory: hosts that are network namespaces on one bridge, with
// real loss, made within namespaces of this test alone. What happens in it is
// TestInsideLab, in a process of its own.
func TestLab(t *testing.T) {
	if testing.Short() {
		t.Skip("processes and namespaces")
	}
	for _, tool := range []oracle.Tool{ip, nft, tc, eth, rsync} {
		tool.Need(t)
	}
	words := oracle.Namespaces(t)
	self, err := os.Executable()
	require.NoError(t, err)
	env := []string{"DOUGU_LAB=1"}
	for _, name := range []string{"DOUGU_LONG", "DOUGU_SEED", "DOUGU_COMPARED", "REQUIRE_TOOLS"} {
		env = append(env, name+"="+os.Getenv(name))
	}
	r := oracle.Run(t, oracle.Cmd{Path: words[0], Args: append(words[1:len(words):len(words)], self, "-test.run=^TestInsideLab$", "-test.v", "-test.timeout=3h"),
		Env: env, Timeout: time.Duration(oracle.N(15, 180)) * time.Minute})
	t.Logf("%s%s", r.Stdout, r.Stderr)
	require.Zero(t, r.ExitCode)
}

// lab is the laboratory: the sender's namespace "s" and "r1" and so on.
type lab struct {
	t    *testing.T
	n    int
	self string
	key  string
	dir  string
}

func (l *lab) cmd(name string, args ...string) {
	l.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	require.NoError(l.t, err, "%s %q: %s", name, args, out)
}

func newLab(t *testing.T, n int) *lab {
	l := &lab{t: t, n: n, dir: t.TempDir()}
	var err error
	l.self, err = os.Executable()
	require.NoError(t, err)
	l.key = filepath.Join(l.dir, "key")
	require.NoError(t, os.WriteFile(l.key, []byte(strings.Repeat("5a", 32)+"\n"), 0o600))
	require.NoError(t, unix.Mount("none", "/run", "tmpfs", 0, ""))
	require.NoError(t, os.Mkdir("/run/netns", 0o755))
	l.cmd("ip", "link", "set", "lo", "up")
	l.cmd("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0", "stp_state", "0")
	l.cmd("ip", "link", "set", "br0", "up")
	for i := range n + 1 {
		name := l.host(i)
		l.cmd("ip", "netns", "add", name)
		l.cmd("ip", "link", "add", "eth0", "netns", name, "type", "veth", "peer", "name", "v"+name)
		l.cmd("ip", "link", "set", "v"+name, "master", "br0", "up")
		l.cmd("ip", "-n", name, "link", "set", "lo", "up")
		l.cmd("ip", "-n", name, "addr", "add", fmt.Sprintf("10.99.0.%d/24", 1+i), "dev", "eth0")
		l.cmd("ip", "-n", name, "link", "set", "eth0", "up")
	}
	return l
}

// in makes a subtest the one that fails.
func (l *lab) in(t *testing.T) func() {
	before := l.t
	l.t = t
	return func() { l.t = before }
}

// host is the sender for 0, a receiver otherwise.
func (l *lab) host(i int) string {
	if i == 0 {
		return "s"
	}
	return "r" + strconv.Itoa(i)
}

// loss drops that share of UDP packets at each receiver.
func (l *lab) loss(percent float64) {
	for i := 1; i <= l.n; i++ {
		rules := "add table inet loss; delete table inet loss;\n"
		if percent > 0 {
			rules += fmt.Sprintf("table inet loss { chain in { type filter hook input priority -300; policy accept;\n"+
				"iifname \"eth0\" meta l4proto udp numgen random mod 100000 < %d counter drop\n}\n}\n", int(percent*1000))
		}
		c := exec.Command("ip", "netns", "exec", l.host(i), "nft", "-f", "-")
		c.Stdin = strings.NewReader(rules)
		out, err := c.CombinedOutput()
		require.NoError(l.t, err, "%s", out)
	}
}

// offload lets datagrams pass in trains, or one by one.
func (l *lab) offload(on string) {
	for i := range l.n + 1 {
		l.cmd("ip", "netns", "exec", l.host(i), "ethtool", "-K", "eth0", "tso", on, "gso", on, "gro", on, "tx-udp-segmentation", on)
		l.cmd("ethtool", "-K", "v"+l.host(i), "tso", on, "gso", on, "gro", on, "tx-udp-segmentation", on)
	}
}

func (l *lab) rate(mbit int) {
	_ = exec.Command("ip", "netns", "exec", "s", "tc", "qdisc", "del", "dev", "eth0", "root").Run() // there may be none
	if mbit > 0 {
		l.cmd("ip", "netns", "exec", "s", "tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", fmt.Sprintf("%dmbit", mbit), "burst", "256k", "latency", "30ms")
	}
}

type process struct {
	cmd *exec.Cmd
	out bytes.Buffer
	err bytes.Buffer
}

// start starts the program on a host. It dies with the test.
func (l *lab) start(host string, args ...string) *process {
	l.t.Helper()
	p := &process{}
	p.cmd = exec.Command("ip", append([]string{"netns", "exec", host, l.self}, args...)...)
	p.cmd.Env = append(os.Environ(), "DOUGU_MULTICAST_SYNC=1")
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.err
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(l.t, p.cmd.Start())
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may be gone
	_ = p.cmd.Wait()
}

func (p *process) status() int {
	err := p.cmd.Wait()
	if err == nil {
		return 0
	}
	return p.cmd.ProcessState.ExitCode()
}

func (l *lab) recv(i int, base string, more ...string) *process {
	return l.start(l.host(i), append([]string{"recv", "-base", base, "-iface", "eth0", "-name", l.host(i), "-key", l.key}, more...)...)
}

func (l *lab) send(src string, more ...string) *process {
	return l.start("s", append([]string{"send", "-C", src, "-r", "-json", "-iface", "eth0", "-name", "s", "-key", l.key}, more...)...)
}

// base makes an empty directory for a receiver.
func (l *lab) base(name string) string {
	d := filepath.Join(l.dir, name)
	require.NoError(l.t, os.MkdirAll(d, 0o755))
	return d
}

// differs is what rsync finds different between two trees; "" is nothing.
func differs(t *testing.T, a, b string) string {
	t.Helper()
	out, err := exec.Command("rsync", "-anic", "--delete", a+"/", b+"/").CombinedOutput()
	if err != nil {
		return "rsync: " + string(out)
	}
	return string(out)
}

// makeTree writes a tree that differs from version to version.
func makeTree(t *testing.T, dir string, version, files, size int) {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(version), 9))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub", "empty"), 0o755))
	for i := range files {
		b := make([]byte, r.IntN(size))
		for j := range b {
			b[j] = byte(r.Uint32())
		}
		d := filepath.Join(dir, "sub", strconv.Itoa(i%7))
		require.NoError(t, os.MkdirAll(d, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(d, fmt.Sprintf("f%d", i)), b, 0o644))
	}
	big := make([]byte, 4<<20)
	for j := range big {
		big[j] = byte(r.Uint32())
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "big"), big, 0o640))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "first"), []byte(strconv.Itoa(version)), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "zlast"), []byte(strconv.Itoa(version)), 0o644))
	require.NoError(t, os.Symlink("sub/0", filepath.Join(dir, "link")))
	require.NoError(t, os.Link(filepath.Join(dir, "first"), filepath.Join(dir, "hard")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("only-in-%d", version)), nil, 0o600))
}

// TestInsideLab is run by TestLab, and does nothing elsewhere.
func TestInsideLab(t *testing.T) {
	if os.Getenv("DOUGU_LAB") == "" {
		return
	}
	n := oracle.N(8, 16)
	l := newLab(t, n)
	t.Run("trees are equal", func(t *testing.T) { labTransfers(t, l) })
	t.Run("readers see one tree", func(t *testing.T) { labReaders(t, l) })
	t.Run("switch", func(t *testing.T) { labSwitch(t, l) })
	t.Run("kill", func(t *testing.T) { labKills(t, l) })
	t.Run("disks", func(t *testing.T) { labDisks(t, l) })
	t.Run("link", func(t *testing.T) { labLink(t, l) })
	t.Run("late", func(t *testing.T) { labLate(t, l) })
	t.Run("stopped", func(t *testing.T) { labStopped(t, l) })
}

// labTransfers: loss and links of all kinds; rsync is the judge.
func labTransfers(t *testing.T, l *lab) {
	defer l.in(t)()
	f, err := rsync.Find()
	require.NoError(t, err)
	src := l.base("transfers")
	makeTree(t, filepath.Join(src, "tree"), 1, 200, 20000)
	compared := 0
	for i, row := range []struct {
		n       int
		loss    float64
		offload string
		rate    int
		mode    []string
	}{
		{1, 0, "on", 0, nil}, {2, 1, "off", 0, nil}, {4, 5, "off", 100, nil}, {4, 20, "off", 0, nil}, {l.n, 1, "on", 0, nil}, {3, 5, "on", 0, []string{"-in-place"}},
	} {
		t.Run(fmt.Sprintf("%d hosts, loss %v %%, offload %s, link %d, %q", row.n, row.loss, row.offload, row.rate, row.mode), func(t *testing.T) {
			defer l.in(t)()
			l.offload(row.offload)
			l.loss(row.loss)
			l.rate(row.rate)
			var list []*process
			for k := 1; k <= row.n; k++ {
				list = append(list, l.recv(k, l.base(fmt.Sprintf("t%d-r%d", i, k)), append([]string{"-once"}, row.mode...)...))
			}
			s := l.send(src, "-min-members", strconv.Itoa(row.n), "tree")
			require.Zero(t, s.status(), "%s%s", &s.out, &s.err)
			for k, p := range list {
				require.Zero(t, p.status(), "%s%s", &p.out, &p.err)
				require.Regexp(t, `^commit \d+ from s: \d+ updated, 0 deleted\n$`, p.out.String())
				require.Empty(t, differs(t, filepath.Join(src, "tree"), filepath.Join(l.dir, fmt.Sprintf("t%d-r%d", i, k+1), "tree")))
				compared++
			}
			var j jsonReport
			require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
			require.Len(t, j.Hosts, row.n)
			t.Logf("%d bytes, %.3f times sent, %d rounds, %.3f s, switch within %.2f ms", j.Bytes, float64(j.Sent)/float64(j.Bytes), j.Rounds, j.Elapsed, 1000*j.FlipSpread)
		})
	}
	oracle.Compared(t, f, compared)
	l.offload("on")
	l.rate(0)
	l.loss(0)
}

// labSwitch: all hosts switch at one instant. How far apart they are is printed, and
// depends on how many processors the hosts of this laboratory share.
func labSwitch(t *testing.T, l *lab) {
	defer l.in(t)()
	src := []string{l.base("s1"), l.base("s2")}
	for v := range src {
		makeTree(t, filepath.Join(src[v], "tree"), v+1, 20, 2000)
	}
	for k := 1; k <= l.n; k++ {
		defer l.recv(k, l.base(fmt.Sprintf("switch%d", k))).kill()
	}
	var spreads []float64
	for i := range oracle.N(4, 20) {
		s := l.send(src[i%2], "-delete", "-min-members", strconv.Itoa(l.n), "tree")
		require.Zero(t, s.status(), "%s%s", &s.out, &s.err)
		var j jsonReport
		require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
		for _, h := range j.Hosts {
			require.True(t, h.Atomic, h.Name)
		}
		spreads = append(spreads, 1000*j.FlipSpread)
	}
	slices.Sort(spreads)
	t.Logf("%d hosts switched within %.2f ms (median of %d; least %.2f, most %.2f)", l.n, spreads[len(spreads)/2], len(spreads), spreads[0], spreads[len(spreads)-1])
}

// labReaders: a reader that never stops sees no mixture of two trees.
func labReaders(t *testing.T, l *lab) {
	defer l.in(t)()
	src := []string{l.base("v1"), l.base("v2")}
	for v := range src {
		makeTree(t, filepath.Join(src[v], "tree"), v+1, 20, 20000)
	}
	var bases []string
	for k := 1; k <= 3; k++ {
		bases = append(bases, l.base(fmt.Sprintf("read%d", k)))
		defer l.recv(k, bases[k-1]).kill()
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	type seen struct {
		looks int
		mixed string
		both  map[string]bool
	}
	results := make(chan seen)
	for _, b := range bases {
		go func() {
			s := seen{both: map[string]bool{}}
			for ctx.Err() == nil {
				root, err := os.OpenRoot(filepath.Join(b, "tree"))
				if err != nil {
					continue
				}
				// The new tree's time is set before it is there, so a file of it is whole.
				a, err1 := root.ReadFile("first")
				z, err2 := root.ReadFile("zlast")
				_, err3 := root.Stat("only-in-" + string(a))
				opened, err4 := root.Stat(".")
				root.Close()
				// A tree that was exchanged meanwhile is being removed and may lack files.
				now, err5 := os.Stat(filepath.Join(b, "tree"))
				if err4 != nil || err5 != nil || !os.SameFile(opened, now) {
					if err1 == nil && err2 == nil && string(a) != string(z) {
						s.mixed = fmt.Sprintf("%s and %s", a, z)
					}
					continue
				}
				if err1 == nil && err2 == nil {
					s.looks++
					s.both[string(a)] = true
					if string(a) != string(z) || err3 != nil {
						s.mixed = fmt.Sprintf("%s and %s, %v", a, z, err3)
					}
				}
			}
			results <- s
		}()
	}
	for range oracle.N(3, 30) {
		for v := range src {
			// Delete keeps the old tree's own file from staying.
			s := l.send(src[v], "-delete", "-min-members", "3", "tree")
			require.Zero(t, s.status(), "%s%s", &s.out, &s.err)
		}
	}
	cancel()
	for range bases {
		s := <-results
		require.Empty(t, s.mixed)
		require.Len(t, s.both, 2)
		t.Logf("%d looks", s.looks)
	}
}

// labKills: a process is killed at a random moment; each tree is the old or the new
// one; the next send heals it, sending little more than what was missing.
func labKills(t *testing.T, l *lab) {
	defer l.in(t)()
	r := oracle.Rand(t)
	l.loss(1)
	defer l.loss(0)
	l.offload("off") // else a loss takes a whole train of datagrams
	defer l.offload("on")
	const hosts = 3
	src := []string{l.base("k1"), l.base("k2")}
	for v := range src {
		makeTree(t, filepath.Join(src[v], "tree"), v+1, 60, 60000)
	}
	var bases []string
	var list []*process
	mode := func(k int) []string {
		if k == hosts { // one of them works in place
			return []string{"-in-place"}
		}
		return nil
	}
	for k := 1; k <= hosts; k++ {
		bases = append(bases, l.base(fmt.Sprintf("kill%d", k)))
		list = append(list, l.recv(k, bases[k-1], mode(k)...))
	}
	defer func() {
		for _, p := range list {
			p.kill()
		}
	}()
	heal := func(v int) jsonReport {
		var j jsonReport
		for try := 0; ; try++ {
			s := l.send(src[v], "-delete", "-min-members", strconv.Itoa(hosts), "tree")
			if st := s.status(); st == 0 {
				require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
				return j
			}
			require.Less(t, try, 5, "%s%s", &s.out, &s.err)
		}
	}
	heal(0)
	old, now := 0, 1
	resumed := 0
	for run := range oracle.N(5, 200) {
		s := l.send(src[now], "-delete", "-min-members", strconv.Itoa(hosts), "-rate", "100M", "tree")
		wait := time.Duration(r.IntN(900)) * time.Millisecond
		time.Sleep(wait)
		victim := r.IntN(hosts + 1)
		if victim == 0 {
			s.kill()
		} else {
			list[victim-1].kill()
			s.status()
		}
		time.Sleep(time.Duration(r.IntN(50)) * time.Millisecond)
		what := fmt.Sprintf("run %d: %s was killed after %v", run, l.host(victim), wait)
		// Those that work on decided things are let end; who was killed starts again.
		if victim > 0 {
			list[victim-1] = l.recv(victim, bases[victim-1], mode(victim)...)
		}
		for k := range bases {
			oracle.Eventually(t, 20*time.Second, what, func() error {
				tree := filepath.Join(bases[k], "tree")
				a, b := differs(t, filepath.Join(src[old], "tree"), tree), differs(t, filepath.Join(src[now], "tree"), tree)
				if a != "" && b != "" {
					return fmt.Errorf("r%d is neither the old tree nor the new one:\n%s\n%s", k+1, a, b)
				}
				return nil
			})
		}
		j := heal(now)
		for k := range bases {
			require.Empty(t, differs(t, filepath.Join(src[now], "tree"), filepath.Join(bases[k], "tree")), what)
		}
		if j.Bytes > 1<<20 {
			resumed++
			require.LessOrEqual(t, float64(j.Sent), 1.05*float64(j.Bytes)+200<<10, what)
		}
		old, now = now, old
		if run%20 == 19 {
			t.Logf("%d kills", run+1)
		}
	}
	t.Logf("%d sends after a kill had more than 1 MiB to heal", resumed)
}

// labLate: a host that comes in the middle is brought up to date, and reported.
func labLate(t *testing.T, l *lab) {
	defer l.in(t)()
	src := l.base("late")
	makeTree(t, filepath.Join(src, "tree"), 5, 10, 10000)
	bases := []string{l.base("late1"), l.base("late2")}
	defer l.recv(1, bases[0]).kill()
	s := l.send(src, "-min-members", "1", "-rate", "10M", "tree")
	oracle.Eventually(t, 20*time.Second, "the content comes", func() error {
		_, err := os.Stat(filepath.Join(bases[0], ".mc-stage", "tree", "tree", "big"))
		return err
	})
	defer l.recv(2, bases[1]).kill()
	require.Equal(t, statusFailed, s.status(), "%s%s", &s.out, &s.err)
	var j jsonReport
	require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
	require.Len(t, j.Hosts, 2)
	require.True(t, j.Hosts[1].Late)
	for _, b := range bases {
		require.Empty(t, differs(t, filepath.Join(src, "tree"), filepath.Join(b, "tree")))
	}
}

// labStopped: a host that is stopped in the middle keeps the others from switching,
// and is named; with -commit reached the others go on.
func labStopped(t *testing.T, l *lab) {
	defer l.in(t)()
	src := l.base("stopped")
	makeTree(t, filepath.Join(src, "tree"), 6, 10, 10000)
	for _, row := range []struct {
		policy string
		want   string
	}{{"all", "aborted"}, {"reached", "committed"}} {
		bases := []string{l.base("stop1" + row.policy), l.base("stop2" + row.policy)}
		one, two := l.recv(1, bases[0]), l.recv(2, bases[1])
		s := l.send(src, "-min-members", "2", "-rate", "10M", "-commit", row.policy, "tree")
		oracle.Eventually(t, 20*time.Second, "the content comes", func() error {
			_, err := os.Stat(filepath.Join(bases[1], ".mc-stage", "tree", "tree", "big"))
			return err
		})
		require.NoError(t, two.cmd.Process.Signal(syscall.SIGSTOP))
		require.Equal(t, statusFailed, s.status())
		require.NoError(t, two.cmd.Process.Signal(syscall.SIGCONT))
		var j jsonReport
		require.NoError(t, json.Unmarshal(s.out.Bytes(), &j))
		require.Equal(t, row.want, j.Hosts[0].State, "%s%s", &s.out, &s.err)
		require.Equal(t, "silent", j.Hosts[1].State)
		require.Regexp(t, `the host did not answer for 1\d\.\d+s in state (stream|seal): \d+ blocks were missing, its last message was`, j.Hosts[1].Text)
		one.kill()
		two.kill()
	}
}
