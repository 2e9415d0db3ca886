package syslogw_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/syslogw"
)

func TestValidateNamesEachFault(t *testing.T) {
	good := syslogw.Config{Ident: "httpd"}
	require.NoError(t, good.Validate())
	for _, row := range []struct {
		c    syslogw.Config
		want string
	}{
		{syslogw.Config{}, "missing ident"},
		{syslogw.Config{Ident: "ht tpd"}, `byte 3 is ' '`},
		{syslogw.Config{Ident: strings.Repeat("a", 33)}, "33 characters, want at most 32"},
		{syslogw.Config{Ident: strings.Repeat("a", 49), Network: "udp", Addr: "h:1"}, "49 characters, want at most 48"},
		{syslogw.Config{Ident: "日", Network: "udp", Addr: "h:1"}, "byte 1"},
		{syslogw.Config{Ident: "a", Network: "sctp"}, `unknown network "sctp"`},
		{syslogw.Config{Ident: "a", Network: "tcp", Addr: "host"}, "want HOST:PORT"},
		{syslogw.Config{Ident: "a", Format: syslogw.RFC5424}, "invalid format rfc5424 for a local socket"},
		{syslogw.Config{Ident: "a", Facility: 24}, "invalid facility 24"},
		{syslogw.Config{Ident: "a", Severity: 8}, "invalid severity 8"},
		{syslogw.Config{Ident: "a", Hostname: "a b"}, "host name"},
		{syslogw.Config{Ident: "a", MaxSize: 100}, "480 to 1048576"},
		{syslogw.Config{Ident: "a", Network: "udp", Addr: "h:1", MaxSize: 65508}, "480 to 65507"},
	} {
		require.ErrorContains(t, row.c.Validate(), row.want)
		require.Regexp(t, "^syslogw: ", row.c.Validate().Error())
		_, err := syslogw.Open(t.Context(), row.c)
		require.ErrorContains(t, err, row.want)
	}
	_, err := syslogw.ParseFacility("local8")
	require.ErrorContains(t, err, "local7")
	_, err = syslogw.ParseSeverity("loud")
	require.ErrorContains(t, err, "debug")
}

// collectors is a network in which each connection is played by the next function;
// nil refuses it.
type collectors struct {
	mu   sync.Mutex
	play []func(net.Conn)
	n    int
}

func (c *collectors) dial(context.Context, string, string) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := min(c.n, len(c.play)-1)
	c.n++
	if c.play[i] == nil {
		return nil, errors.New("connection refused")
	}
	here, there := net.Pipe()
	go func() {
		defer there.Close()
		c.play[i](there)
	}()
	return here, nil
}

// relpServer answers at most n messages, keeps their texts, and then goes silent or,
// when it has had as many messages as it answers, closes.
func relpServer(n int, closes bool, got *[]string) func(net.Conn) {
	return func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for range 3 {
			r.ReadString('\n')
		}
		io.WriteString(conn, "1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
			if f[1] == "close" {
				return
			}
			_, text, _ := strings.Cut(f[3], " - - ")
			if n == 0 {
				if closes {
					return
				}
				continue
			}
			n--
			*got = append(*got, text)
			fmt.Fprintf(conn, "%s rsp 6 200 OK\n", f[0])
		}
	}
}

func TestUnansweredLinesComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		net := &collectors{play: []func(net.Conn){
			nil, nil, relpServer(3, true, &got), relpServer(2, false, &got), nil, relpServer(1000, false, &got),
		}}
		var log bytes.Buffer
		w, err := syslogw.Open(t.Context(), syslogw.Config{
			Network: "relp", Addr: "collector:2514", Ident: "httpd", Dial: net.dial, Log: slog.New(slog.NewTextHandler(&log, nil)),
		})
		require.NoError(t, err)
		var want []string
		for i := range 10 {
			want = append(want, fmt.Sprintf("line %d", i))
			require.NoError(t, w.WriteLine([]byte(want[i])))
		}
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Close())
		require.Equal(t, want, got)
		s := w.Stats()
		require.EqualValues(t, 10, s.Written)
		require.EqualValues(t, 10, s.Sent)
		require.EqualValues(t, 10, s.Acked)
		require.NotZero(t, s.Resent)
		require.Zero(t, s.Dropped+s.Queued+s.Spooled)
		require.ErrorContains(t, s.LastError, "connection refused")
		require.Contains(t, log.String(), "is lost")
		require.Contains(t, log.String(), "is connected again")
		require.ErrorIs(t, w.WriteLine(nil), sink.ErrClosed)
	})
}

func TestSpoolOutlivesTheWriter(t *testing.T) {
	dir := t.TempDir()
	down := &collectors{play: []func(net.Conn){nil}}
	cfg := syslogw.Config{Network: "relp", Addr: "collector:2514", Ident: "httpd", Dial: down.dial, Spool: dir}
	w, err := syslogw.Open(t.Context(), cfg)
	require.NoError(t, err)
	for i := range 5 {
		require.NoError(t, w.WriteLine(fmt.Appendf(nil, "line %d", i)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	require.ErrorContains(t, w.Flush(ctx), "5 lines wait for collector:2514")
	_, err = syslogw.Open(t.Context(), cfg)
	require.ErrorContains(t, err, "is in use by another process")
	require.NoError(t, w.Close())
	require.EqualValues(t, 5, w.Stats().Spooled)

	var got []string
	cfg.Dial = (&collectors{play: []func(net.Conn){relpServer(1000, false, &got)}}).dial
	w, err = syslogw.Open(t.Context(), cfg)
	require.NoError(t, err)
	require.NoError(t, w.WriteLine([]byte("line 5")))
	require.NoError(t, w.Flush(t.Context()))
	require.NoError(t, w.Close())
	require.Equal(t, []string{"line 0", "line 1", "line 2", "line 3", "line 4", "line 5"}, got)
	require.Zero(t, w.Stats().Spooled)
}

func TestLinesWithoutRoomAreCountedAndReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		up := make(chan struct{})
		w, err := syslogw.Open(t.Context(), syslogw.Config{
			Network: "relp", Addr: "collector:2514", Ident: "httpd", QueueMax: 1000,
			Dial: func(ctx context.Context, a, b string) (net.Conn, error) {
				<-up
				return (&collectors{play: []func(net.Conn){relpServer(1000, false, &got)}}).dial(ctx, a, b)
			},
		})
		require.NoError(t, err)
		refused := 0
		for i := range 20 {
			if err := w.WriteLine(fmt.Appendf(nil, "line %02d", i)); err != nil {
				require.ErrorIs(t, err, sink.ErrFull)
				refused++
			}
		}
		require.NotZero(t, refused)
		require.EqualValues(t, refused, w.Stats().Dropped)
		close(up)
		require.NoError(t, w.Flush(t.Context()))
		synctest.Wait()
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Close())
		require.Len(t, got, 20-refused+1)
		require.Equal(t, fmt.Sprintf("%d lines before this one were dropped", refused), got[len(got)-1])
		s := w.Stats()
		require.Equal(t, s.Written, s.Acked+s.Dropped)
	})
}

func TestCloseWithoutSpoolCountsWhatIsLost(t *testing.T) {
	w, err := syslogw.Open(t.Context(), syslogw.Config{
		Network: "tcp", Addr: "collector:601", Ident: "httpd", Dial: (&collectors{play: []func(net.Conn){nil}}).dial,
	})
	require.NoError(t, err)
	for range 7 {
		require.NoError(t, w.WriteLine([]byte("x")))
	}
	require.NoError(t, w.Close())
	require.NoError(t, w.Close())
	require.EqualValues(t, 7, w.Stats().Dropped)
	require.ErrorIs(t, w.Flush(t.Context()), sink.ErrClosed)
}

func TestRefusedLinesDoNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := syslogw.Open(t.Context(), syslogw.Config{
			Network: "relp", Addr: "c:1", Ident: "httpd",
			Dial: (&collectors{play: []func(net.Conn){func(conn net.Conn) {
				r := bufio.NewReader(conn)
				for range 3 {
					r.ReadString('\n')
				}
				io.WriteString(conn, "1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
				for {
					line, err := r.ReadString('\n')
					if err != nil || strings.Contains(line, "close") {
						return
					}
					txnr, rest, _ := strings.Cut(line, " ")
					answer := "6 200 OK"
					if strings.Contains(rest, "bad") {
						answer = "6 500 NO"
					}
					fmt.Fprintf(conn, "%s rsp %s\n", txnr, answer)
				}
			}}}).dial,
		})
		require.NoError(t, err)
		for _, line := range []string{"good", "bad", "good"} {
			require.NoError(t, w.WriteLine([]byte(line)))
		}
		require.NoError(t, w.Flush(t.Context()))
		synctest.Wait()
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Close())
		s := w.Stats()
		require.EqualValues(t, 1, s.Dropped)
		require.EqualValues(t, 3, s.Acked, "two lines and the report")
		require.Regexp(t, `a message of \d+ bytes is lost: the server replied 500`, s.LastError)
	})
}

func TestStreamsAreFramed(t *testing.T) {
	for _, framing := range []syslogw.Framing{syslogw.Octet, syslogw.LF} {
		var got bytes.Buffer
		read := make(chan struct{})
		w, err := syslogw.Open(t.Context(), syslogw.Config{
			Network: "tcp", Addr: "c:601", Ident: "httpd", Hostname: "h", Framing: framing, Now: func() time.Time { return time.Unix(0, 0).UTC() },
			Dial: (&collectors{play: []func(net.Conn){func(c net.Conn) { io.Copy(&got, c); close(read) }}}).dial,
		})
		require.NoError(t, err)
		require.NoError(t, w.WriteLine([]byte("a\nb")))
		require.NoError(t, w.Flush(t.Context()))
		require.NoError(t, w.Close())
		<-read
		if framing == syslogw.Octet {
			size, rest, _ := strings.Cut(got.String(), " ")
			require.Equal(t, size, fmt.Sprint(len(rest)))
			require.True(t, strings.HasSuffix(rest, " - - a\nb"))
		} else {
			require.True(t, strings.HasPrefix(got.String(), "<14>1 1970-01-01T00:00:00.000000Z h httpd "))
			require.True(t, strings.HasSuffix(got.String(), " - - a#012b\n"))
		}
	}
}

func BenchmarkWriteLineWhileCollectorIsDown(b *testing.B) {
	w, err := syslogw.Open(b.Context(), syslogw.Config{
		Network: "relp", Addr: "c:1", Ident: "httpd", QueueMax: 64 << 10, Dial: (&collectors{play: []func(net.Conn){nil}}).dial,
	})
	require.NoError(b, err)
	defer w.Close()
	line := bytes.Repeat([]byte("x"), 180)
	b.ReportAllocs()
	for b.Loop() {
		w.WriteLine(line)
	}
}

// TestRejectedLineInMemoryCostsNoOther has a collector that rejects one line once, with others
// behind it.
func TestRejectedLineInMemoryCostsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		rejected := false
		net := &collectors{play: []func(net.Conn){func(conn net.Conn) {
			r := bufio.NewReader(conn)
			for range 3 {
				r.ReadString('\n')
			}
			io.WriteString(conn, "1 rsp 37 200 OK\nrelp_version=0\ncommands=syslog\n")
			for {
				line, err := r.ReadString('\n')
				f := strings.SplitN(strings.TrimSuffix(line, "\n"), " ", 4)
				if err != nil || f[1] == "close" {
					return
				}
				_, text, _ := strings.Cut(f[3], " - - ")
				if text == "bad" && !rejected {
					rejected = true
					fmt.Fprintf(conn, "%s rsp 8 500 busy\n", f[0])
					continue
				}
				time.Sleep(10 * time.Millisecond)
				got = append(got, text)
				fmt.Fprintf(conn, "%s rsp 6 200 OK\n", f[0])
			}
		}}}
		w, err := syslogw.Open(t.Context(), syslogw.Config{Ident: "a", Network: "relp", Addr: "h:1", Dial: net.dial})
		require.NoError(t, err)
		want := []string{"bad"}
		require.NoError(t, w.WriteLine([]byte("bad")))
		for i := range 620 {
			if i == 520 {
				time.Sleep(3 * time.Second) // the rejected line is in the queue again
			}
			line := fmt.Sprint("line ", i)
			want = append(want, line)
			require.NoError(t, w.WriteLine([]byte(line)))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		flushed := w.Flush(ctx)
		stats := w.Stats()
		require.NoError(t, w.Close())
		require.NoError(t, flushed)
		require.ElementsMatch(t, want, got)
		require.EqualValues(t, len(want), stats.Acked)
		require.Zero(t, stats.Resent)
		require.Equal(t, 1, net.n, "one connection")
	})
}

// TestFlushEndsWithTheLastLineSetAside has a collector that closes the connection for a line.
func TestFlushEndsWithTheLastLineSetAside(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		var got []string
		net := &collectors{play: []func(net.Conn){relpServer(0, true, &got)}}
		w, err := syslogw.Open(t.Context(), syslogw.Config{
			Ident: "a", Network: "relp", Addr: "h:1", Dial: net.dial, Spool: dir,
		})
		require.NoError(t, err)
		require.NoError(t, w.WriteLine(bytes.Repeat([]byte("x"), 1000)))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		flushed, took := w.Flush(ctx), time.Since(start)
		require.NoError(t, w.Close())
		require.NoError(t, flushed)
		require.Less(t, took, 10*time.Minute)
		require.EqualValues(t, 1, w.Stats().SetAside)
	})
}
