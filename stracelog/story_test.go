package stracelog

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// truth is what PHP's own clock said of one request, in milliseconds.
type truth struct{ memcached, think, mysql float64 }

func readTruth(t *testing.T, b []byte) (list []truth) {
	t.Helper()
	for line := range strings.Lines(string(b)) {
		var x truth
		_, err := fmt.Sscanf(line, "memcached_ms=%f think_ms=%f mysql_ms=%f", &x.memcached, &x.think, &x.mysql)
		require.NoError(t, err, line)
		list = append(list, x)
	}
	return list
}

// modes say what the page does in its think part, and what an unfiltered trace shows of it.
var modes = []struct {
	name  string
	class Class
	part  func(truth) float64
}{
	{"cpu", ClassUntraced, func(x truth) float64 { return x.think }},
	{"sleep", ClassSleep, func(x truth) float64 { return x.think }},
	{"sql", ClassPeer, func(x truth) float64 { return x.mysql }},
	{"slowmc", ClassChatter, func(x truth) float64 { return x.memcached }},
	{"file", ClassFile, func(x truth) float64 { return x.think }},
	{"none", "", nil},
}

// stretched reports whether by PHP's own clock the other parts of a request, which take 5 to 30 ms, took longer than 40, the mode's part much longer than it
// was told to, or the request much longer than all of its parts: the machine was then too busy for the story to be told.
func stretched(x truth, part float64, q *Request) bool {
	sum := x.memcached + x.think + x.mysql
	most := 150.0 // of 110 ms
	if x.think < 1 && x.memcached > x.mysql {
		most = 400 // a millisecond for each of 400 round trips
	}
	return sum-part > 40 || ms64(q.Duration()) > sum+40 || part > most
}

// checkStory holds one log of the story to what PHP measured, within slack of it. It returns how many verdicts it compared.
func checkStory(t *testing.T, name string, log []byte, truths []truth, slack float64, live bool) (compared int) {
	t.Helper()
	rep := analyze(t, log)
	require.Zero(t, rep.Lines.Unknown, name)
	require.Zero(t, rep.Lines.Damaged, name)
	var qs []Request
	for _, q := range rep.Requests {
		if !q.End.IsZero() {
			qs = append(qs, q)
		}
	}
	require.Len(t, qs, len(truths), name)
	mode, flags, _ := strings.Cut(name, "-")
	require.Equal(t, flags == "filtered", rep.Filter.Filtered, name)
	for i, q := range qs {
		require.Equal(t, []string{"cache.example.test", "db.example.test"}, q.Names, name)
		b := q.Bottleneck
		t.Logf("%s: PHP: %+v; %s / %s", name, truths[i], b.Text, b.Confidence)
		for _, m := range modes {
			if m.name != mode {
				continue
			}
			// Without a filter the class is right. With one, a peer is seen as before, and of the rest only the place: that is said.
			want := m.class
			if flags == "filtered" && (mode == "sleep" || mode == "file") {
				want = ClassUntraced
			}
			if want == "" {
				// The machine may have been slow somewhere else by itself: what is named must then be true.
				switch {
				case b.Class != "" && live:
					require.GreaterOrEqual(t, b.Dur, 20*time.Millisecond, name)
				case b.Class != "":
					require.Greater(t, q.Duration(), 40*time.Millisecond, name)
				}
				continue
			}
			if want == ClassChatter {
				trips := 0
				for _, s := range q.Segments {
					if s.Peer.Proto == ProtoMemcached {
						trips += s.Trips
					}
				}
				require.InDelta(t, 401, trips, 2, name)
			}
			if live && stretched(truths[i], m.part(truths[i]), &q) {
				t.Logf("%s: request %d: the machine was too busy", name, i+1)
				continue
			}
			if live && want == ClassChatter && m.part(truths[i]) < 30 {
				t.Logf("%s: request %d: 400 round trips took too little time to be called the bottleneck", name, i+1)
				continue
			}
			compared++
			require.Equal(t, want, b.Class, name)
			if want == ClassUntraced {
				require.Equal(t, flags == "filtered", b.Confidence == CannotTell, name)
				require.Equal(t, "memcached", b.After, name)
				require.Equal(t, "MySQL", b.Before, name)
			}
			if want == ClassPeer {
				require.Equal(t, ProtoMySQL, b.Peer.Proto, name)
			}
			if want == ClassChatter {
				require.Equal(t, ProtoMemcached, b.Peer.Proto, name)
				require.InDelta(t, 401, b.Trips, 2, name)
				continue // its time is all of PHP's memcached part but for the names and the connecting
			}
			if want == ClassPeer {
				require.Less(t, ms64(b.Dur), truths[i].mysql+slack, name)
				require.Greater(t, ms64(b.Dur), 110.0, name)
				continue
			}
			require.InDelta(t, m.part(truths[i]), ms64(b.Dur), slack, name)
		}
	}
	return compared
}

func ms64(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// TestRecordedStory reads logs of the story with what PHP's clock said, recorded with strace 6.1, Apache 2.4.71, PHP 8.2, memcached
// 1.6.18, MariaDB 10.11, made by testdata/story.sh. Each verdict is within 2 ms of PHP's clock,
// but for one row.
func TestRecordedStory(t *testing.T) {
	names, err := filepath.Glob("testdata/story/*.strace.gz")
	require.NoError(t, err)
	require.Len(t, names, 18)
	all := 0
	for _, n := range names {
		name := strings.TrimSuffix(filepath.Base(n), ".strace.gz")
		t.Run(name, func(t *testing.T) {
			f, err := os.Open(n)
			require.NoError(t, err)
			defer f.Close()
			z, err := gzip.NewReader(f)
			require.NoError(t, err)
			log, err := io.ReadAll(z)
			require.NoError(t, err)
			tr, err := os.ReadFile("testdata/story/" + name + ".truth")
			require.NoError(t, err)
			read(t, log)
			slack := 2.0
			if name == "sleep-filtered" {
				slack = 2.5 // its second request lost the processor for 2.2 ms between PHP's clock and PHP's next call
			}
			all += checkStory(t, name, log, readTruth(t, tr), slack, false)
		})
	}
	require.Equal(t, 56, all, "every request of the five modes that have a bottleneck")
}

// TestLiveStory is parts 5 to 7 on the real thing: Apache, mod_php, memcached, MariaDB and DNS in namespaces of their own, traced by strace.
func TestLiveStory(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers are left out of short runs")
	}
	s := straceTool.Need(t)
	for _, tool := range []oracle.Tool{{Name: "apache2", Package: "apache2"}, {Name: "memcached", Package: "memcached"}, {Name: "mariadbd", Package: "mariadb-server"},
		{Name: "mariadb-install-db", Package: "mariadb-server"}, {Name: "dnsmasq", Package: "dnsmasq-base"}, {Name: "curl", Package: "curl"},
		{Name: "pgrep", Package: "procps"}, {Name: "ip", Package: "iproute2"}} {
		tool.Need(t)
	}
	if so, _ := filepath.Glob("/usr/lib/apache2/modules/libphp*.so"); len(so) == 0 {
		oracle.Missing(t, "mod_php is missing: install Debian packages libapache2-mod-php, php-memcached, php-mysql")
	}
	if os.Getuid() != 0 {
		oracle.Missing(t, "the servers of the story want root")
	}
	compared := 0
	for round := 0; round < 3 && compared == 0; round++ { // other work on this machine may have stretched every request
		out := t.TempDir()
		require.NoError(t, os.Chmod(out, 0o755))
		script, err := filepath.Abs("testdata/story.sh")
		require.NoError(t, err)
		words := append(oracle.Namespaces(t), "bash", script, out, fmt.Sprint(oracle.N(2, 8)), "cpu sleep sql slowmc file none")
		r := oracle.Run(t, oracle.Cmd{Path: words[0], Args: words[1:], Timeout: 4 * time.Minute})
		require.Zero(t, r.ExitCode, "%s", r.Stderr)
		names, err := filepath.Glob(filepath.Join(out, "*.strace"))
		require.NoError(t, err)
		require.Len(t, names, 18)
		for _, n := range names {
			log, err := os.ReadFile(n)
			require.NoError(t, err)
			tr, err := os.ReadFile(strings.TrimSuffix(n, ".strace") + ".truth")
			require.NoError(t, err)
			truths := readTruth(t, bytes.TrimSpace(tr))
			compared += checkStory(t, strings.TrimSuffix(filepath.Base(n), ".strace"), log, truths, 40, true) // other work on this machine stretches both clocks
		}
	}
	require.Positive(t, compared, "the machine was too busy in every request of three rounds: no verdict could be compared")
	oracle.Compared(t, s, compared)
}
