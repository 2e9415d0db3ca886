//go:build unix

package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dougu.internal/internal/oracle"
	"dougu.internal/sshproxy"
)

const threeHops = "Host b2\n  ProxyJump b1\nHost internal\n  ProxyJump b2\n"

func within(t testing.TB, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestClientRunsCommandsOverThreeHops(t *testing.T) {
	b := newLab(t, "b1", "b2", "internal")
	c, err := b.dialer(t, threeHops).Client(within(t, 20*time.Second), "internal")
	require.NoError(t, err)
	s, err := c.NewSession()
	require.NoError(t, err)
	out, err := s.Output("uname")
	require.NoError(t, err)
	require.Equal(t, "ran uname", string(out))
	require.NoError(t, c.Close())
}

func TestDialContextReachesTheTargetsBanner(t *testing.T) {
	b := newLab(t, "b1", "b2", "internal")
	conn, err := b.dialer(t, threeHops).DialContext(within(t, 20*time.Second), "tcp", "internal")
	require.NoError(t, err)
	banner := make([]byte, 8)
	_, err = io.ReadFull(conn, banner)
	require.NoError(t, err)
	require.Equal(t, "SSH-2.0-", string(banner))
	require.Equal(t, "127.0.0.1:"+b.servers["internal"].port, conn.RemoteAddr().String())
	require.ErrorIs(t, conn.SetDeadline(time.Now()), os.ErrNoDeadline)
	require.NoError(t, conn.Close())
}

func TestErrorsNameTheHop(t *testing.T) {
	b := newLab(t, "b1", "b2", "internal")
	d := b.dialer(t, threeHops)
	d.HopTimeout = 300 * time.Millisecond
	for _, row := range []struct {
		host, fault string
		index       int
		phase       Phase
		want        string
	}{
		{"b1", "close", 0, Handshake, "hop 1, b1 ("},
		{"b1", "garbage", 0, Handshake, "hop 1, b1 ("},
		{"b1", "silent", 0, Handshake, "no answer in time"},
		{"b1", "auth", 0, Handshake, "unable to authenticate"},
		{"b1", "forbid", 1, Channel, "administratively prohibited"},
		{"b2", "key", 1, Handshake, "knownhosts: key mismatch"},
		{"b2", "half", 1, Handshake, "hop 2, b2 ("},
		{"b2", "silent", 1, Handshake, "no answer in time"},
		{"b2", "forbid", 2, Channel, "hop 3, internal ("},
	} {
		t.Run(row.host+" "+row.fault, func(t *testing.T) {
			b.servers[row.host].inject(row.fault)
			defer b.servers[row.host].inject("")
			_, err := d.DialContext(within(t, 20*time.Second), "tcp", "internal")
			var e *Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, row.index, e.Index)
			require.Equal(t, row.phase, e.Phase)
			require.ErrorContains(t, err, row.want)
		})
	}
	b.servers["b2"].inject("key")
	defer b.servers["b2"].inject("")
	_, err := d.DialContext(within(t, 20*time.Second), "tcp", "internal")
	var ke *knownhosts.KeyError
	require.ErrorAs(t, err, &ke, "the cause is kept")
}

func TestNothingFallsBackToDirect(t *testing.T) {
	b := newLab(t, "internal")
	for _, row := range []struct{ config, want string }{
		{"Host internal\n  ProxyCommand nc %h %p\n", "AllowCommand is not set"},
		{"Host internal\n  ProxyJump nowhere.invalid\n", "hop 1, nowhere.invalid"},
		{"Host internal\n  ProxyJump internal\n", "loops: internal -> internal"},
		{"Match exec \"true\"\n  Port 1\n", "can't be decided: Match exec was not run: true"},
		{"Host internal\n  ProxyCommand nc %C\n", "unknown key %C"},
		{"Host internal\n  ProxyCommand nc -X connect -x 127.0.0.1:1 %h %p\n", "proxy: "},
	} {
		d := b.dialer(t, row.config)
		d.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
			require.NotContains(t, address, b.servers["internal"].port, "dialled directly")
			return nil, errors.New("unreachable")
		}
		_, err := d.DialContext(within(t, 5*time.Second), "tcp", "internal")
		require.ErrorContains(t, err, row.want)
	}
	_, err := b.dialer(t, "").DialContext(within(t, time.Second), "udp", "internal")
	require.Error(t, err)
	d := b.dialer(t, "")
	d.Auth = func(context.Context, sshproxy.Hop) (*ssh.ClientConfig, error) { return &ssh.ClientConfig{}, nil }
	_, err = d.Client(within(t, 5*time.Second), "internal")
	require.ErrorContains(t, err, "no HostKeyCallback")
}

func TestCommandConnections(t *testing.T) {
	b := newLab(t, "internal")
	for _, row := range []struct{ name, command, want string }{
		{"joins", "exec 3<>/dev/null; nc %h %p", ""},
		{"exits at once", "sh -c 'exit 3'", "exit status 3"},
		{"says why", "sh -c 'echo no route >&2; exit 1'", "no route"},
		{"floods stderr", "sh -c 'yes flood | head -c 1000000 >&2; echo the end >&2; exit 1'", "the end"},
		{"prints garbage", "sh -c 'yes | head -c 5000'", "handshake"},
		{"never speaks", "sleep 600", "no answer in time"},
		{"closes stdout and lives on", "sh -c 'exec >&- <&-; sleep 600'", "handshake"},
		{"leaves a grandchild", "sh -c 'sleep 600 & exit 1'", "exit status 1"},
		{"is not there", "/nonexistent/command", "/nonexistent/command"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if strings.Contains(row.command, "nc ") {
				oracle.Tool{Name: "nc", Package: "netcat-openbsd"}.Need(t)
				row.command = strings.TrimPrefix(row.command, "exec 3<>/dev/null; ")
			}
			d := b.dialer(t, "Host internal\n  ProxyCommand "+row.command+"\n")
			d.AllowCommand, d.HopTimeout = true, time.Second
			d.Shell = "/bin/sh"
			c, err := d.Client(within(t, 20*time.Second), "internal")
			if row.want != "" {
				require.ErrorContains(t, err, row.want)
				require.ErrorContains(t, err, "hop 1, internal (")
				require.Less(t, len(err.Error()), 4000)
				return
			}
			require.NoError(t, err)
			require.NoError(t, c.Close())
		})
	}
}

func TestProxyUseFdpass(t *testing.T) {
	oracle.Tool{Name: "nc", Package: "netcat-openbsd"}.Need(t)
	b := newLab(t, "internal")
	d := b.dialer(t, "Host internal\n  ProxyUseFdpass yes\n  ProxyCommand nc -F %h %p\n")
	d.AllowCommand, d.Shell = true, "/bin/sh"
	c, err := d.Client(within(t, 20*time.Second), "internal")
	require.NoError(t, err)
	require.NoError(t, c.Close())

	d = b.dialer(t, "Host internal\n  ProxyUseFdpass yes\n  ProxyCommand sh -c 'echo gone >&2; exit 4'\n")
	d.AllowCommand, d.Shell = true, "/bin/sh"
	_, err = d.Client(within(t, 20*time.Second), "internal")
	require.ErrorContains(t, err, "no socket was passed")
	require.ErrorContains(t, err, "gone")
}

func TestHostKeyAliasNamesTheKey(t *testing.T) {
	b := newLab(t, "internal")
	s := b.servers["internal"]
	require.NoError(t, os.WriteFile(b.known, []byte(knownhosts.Line([]string{"internal.prod"}, s.key.PublicKey())+"\n"), 0o600))
	_, err := b.dialer(t, "").Client(within(t, 10*time.Second), "internal")
	require.ErrorContains(t, err, "knownhosts: key is unknown")
	c, err := b.dialer(t, "Host internal\n  HostKeyAlias internal.prod\n").Client(within(t, 10*time.Second), "internal")
	require.NoError(t, err)
	require.NoError(t, c.Close())
}

func TestCancelReturnsAtOnce(t *testing.T) {
	b := newLab(t, "b1", "b2", "internal")
	d := b.dialer(t, threeHops+"Host cmd\n  ProxyCommand sleep 600\n  ProxyUseFdpass yes\n")
	d.AllowCommand, d.Shell = true, "/bin/sh"
	for _, row := range []struct{ hung, target string }{{"b1", "internal"}, {"b2", "internal"}, {"", "cmd"}} {
		if row.hung != "" {
			b.servers[row.hung].inject("silent")
		}
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(150*time.Millisecond, cancel)
		start := time.Now()
		_, err := d.DialContext(ctx, "tcp", row.target)
		require.ErrorIs(t, err, context.Canceled)
		t.Logf("%s: returned %v after the start, cancelled after 150ms", row.target, time.Since(start).Round(time.Millisecond))
		if row.hung != "" {
			b.servers[row.hung].inject("")
		}
	}
}

// TestDialsLeakNothing dials with a fault at every stage and looks for what is left:
// goroutines, descriptors, processes.
func TestDialsLeakNothing(t *testing.T) {
	oracle.Slow(t)
	b := newLab(t, "b1", "b2", "internal")
	d := b.dialer(t, threeHops+
		"Host cmd1\n  HostName 127.0.0.1\n  ProxyCommand sh -c 'exit 1'\nHost cmd2\n  ProxyCommand sleep 600\nHost cmd3\n  ProxyCommand sh -c 'sleep 600 & exit 0'\n"+
		"Host cmd4\n  ProxyUseFdpass yes\n  ProxyCommand sh -c 'exit 0'\nHost cmd5\n  ProxyCommand yes\nHost cmd6\n  ProxyCommand nc -X connect -x 127.0.0.1:1 %h %p\n")
	d.AllowCommand, d.Shell = true, "/bin/sh"
	faults := []string{"", "close", "garbage", "silent", "half", "auth", "key", "forbid", "cut"}
	targets := []string{"internal", "b2", "b1", "cmd1", "cmd2", "cmd3", "cmd4", "cmd5", "cmd6"}
	r := oracle.Rand(t)
	one := func(i int) {
		for _, s := range b.servers {
			s.inject("")
		}
		target := targets[i%len(targets)]
		b.servers[[]string{"b1", "b2", "internal"}[r.IntN(3)]].inject(faults[i/len(targets)%len(faults)])
		d.HopTimeout = time.Duration(30+r.IntN(400)) * time.Millisecond
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+r.IntN(300))*time.Millisecond)
		defer cancel()
		if r.IntN(2) == 0 {
			conn, err := d.DialContext(ctx, "tcp", target)
			if err == nil {
				go conn.Write([]byte("x"))
				conn.Close()
			}
			return
		}
		c, err := d.Client(ctx, target)
		if err == nil {
			c.Close()
			c.Wait()
		}
	}
	one(0)
	before := settled(t)
	n := oracle.N(300, 1000)
	for i := range n {
		one(i)
	}
	var after state
	for range 200 { // servers notice closed connections a moment later
		if after = snapshot(t); after.within(before) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if !after.within(before) {
		buf := make([]byte, 1<<20)
		t.Logf("%s", buf[:runtime.Stack(buf, true)])
		require.Equal(t, before, after, "after %d dials", n)
	}
	t.Logf("%d dials: %+v before and after", n, before)
}

type state struct{ goroutines, descriptors, children int }

// within reports whether nothing was added to what was there before. What goes away
// meanwhile is not a leak: the end of the first dial may outlast its snapshot.
func (s state) within(before state) bool {
	return s.goroutines <= before.goroutines && s.descriptors <= before.descriptors && s.children <= before.children
}

// settled returns a snapshot that has not changed for a while.
func settled(t *testing.T) state {
	s, same := snapshot(t), 0
	for range 200 {
		time.Sleep(20 * time.Millisecond)
		next := snapshot(t)
		if same++; next != s {
			s, same = next, 0
		}
		if same == 10 {
			break
		}
	}
	return s
}

func snapshot(t *testing.T) state {
	t.Helper()
	runtime.GC()
	s := state{goroutines: runtime.NumGoroutine()}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return s // not Linux
	}
	s.descriptors = len(fds)
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	require.NoError(t, err)
	for _, f := range tasks {
		text, _ := os.ReadFile(f)
		s.children += len(strings.Fields(string(text)))
	}
	return s
}

func TestTailKeepsTheEnd(t *testing.T) {
	var x tail
	for i := range 10000 {
		fmt.Fprintf(&x, "line %d \x1b[2J\n", i)
	}
	require.Contains(t, x.String(), `line 9999 \x1b[2J`)
	require.NotContains(t, x.String(), "\x1b")
	require.LessOrEqual(t, len(x.text), tailLimit)
}
