package relp_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/internal/collector"
	"dougu.internal/examples/accesslog/relp"
	"dougu.internal/internal/oracle"
)

// server plays the other end of one session: it answers open and then runs play.
func server(t *testing.T, opening string, play func(r *bufio.Reader, w net.Conn)) relp.Config {
	t.Helper()
	return relp.Config{Timeout: time.Minute, Window: 4, Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go func() {
			defer there.Close()
			r := bufio.NewReader(there)
			for range 3 { // the offer stands in three lines
				if _, err := r.ReadString('\n'); err != nil {
					return
				}
			}
			if _, err := io.WriteString(there, opening); err != nil {
				return
			}
			if play != nil {
				play(r, there)
			}
		}()
		return here, nil
	}}
}

const welcome = "1 rsp 93 200 OK\nrelp_version=0\nrelp_software=librelp,1.11.0,http://librelp.adiscon.com\ncommands=syslog\n"

// respond answers each message with text; it tells what it got.
func respond(text string, got *[]string) func(*bufio.Reader, net.Conn) {
	return func(r *bufio.Reader, w net.Conn) {
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			*got = append(*got, line)
			txnr, _, _ := strings.Cut(line, " ")
			if _, err := fmt.Fprintf(w, "%s rsp %d %s\n", txnr, len(text), text); err != nil {
				return
			}
		}
	}
}

func TestMessagesAreFramedNumberedAndAnswered(t *testing.T) {
	var got []string
	c, err := relp.Dial(t.Context(), "tcp", "collector:2514", server(t, welcome, respond("200 OK", &got)))
	require.NoError(t, err)
	var answers []error
	for i := range 10 {
		require.NoError(t, c.Send(t.Context(), fmt.Appendf(nil, "line %d", i), func(err error) { answers = append(answers, err) }))
	}
	require.NoError(t, c.Wait(t.Context()))
	require.Len(t, answers, 10)
	for _, err := range answers {
		require.NoError(t, err)
	}
	require.NoError(t, c.Close())
	require.NoError(t, c.Close())
	require.Equal(t, "2 syslog 6 line 0\n", got[0])
	require.Equal(t, "11 syslog 6 line 9\n", got[9])
	require.Equal(t, "12 close 0\n", got[10])
	require.ErrorIs(t, c.Send(t.Context(), []byte("x"), nil), relp.ErrClosed)
	require.ErrorIs(t, c.Send(t.Context(), nil, nil), relp.ErrEmpty)
}

func TestRefusedMessageIsTold(t *testing.T) {
	var got []string
	c, err := relp.Dial(t.Context(), "tcp", "collector:2514", server(t, welcome, respond("500 disk \x1bfull", &got)))
	require.NoError(t, err)
	defer c.Close()
	var answer error
	require.NoError(t, c.Send(t.Context(), []byte("x"), func(err error) { answer = err }))
	require.NoError(t, c.Wait(t.Context()))
	var rejected *relp.RejectedError
	require.ErrorAs(t, answer, &rejected)
	require.Equal(t, 500, rejected.Code)
	require.Equal(t, `relp: the server replied 500 "disk \x1bfull"`, answer.Error())
}

func TestDialSaysWhatIsWrong(t *testing.T) {
	for _, row := range []struct{ name, opening, want string }{
		{"refused", "1 rsp 44 500 required command not supported by client\n", `500 "required command not supported by client`},
		{"closes", "0 serverclose 0\n", "session closed by the server"},
		{"HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n", "relp: open a session with collector:2514: protocol error: invalid byte 0x48 in a transaction number"},
		{"huge", "1 rsp 1000000000 200 OK\n", "protocol error: length exceeds 65536"},
		{"other transaction", "7 rsp 6 200 OK\n", "protocol error"},
		{"no commands", "1 rsp 6 200 OK\n", "does not offer the command syslog"},
		{"cut", "1 rsp 60 200", "unexpected EOF"},
		{"silent end", "", "unexpected EOF"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := relp.Dial(t.Context(), "tcp", "collector:2514", server(t, row.opening, nil))
			require.ErrorContains(t, err, row.want)
			require.ErrorContains(t, err, "collector:2514")
			require.Regexp(t, "^relp: ", err.Error())
		})
	}
	_, err := relp.Dial(t.Context(), "tcp", "x", relp.Config{Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, errors.New("connection refused")
	}})
	require.EqualError(t, err, "relp: connect to x: connection refused")
}

func TestBadAnswersEndTheSession(t *testing.T) {
	for _, row := range []struct{ name, reply, want string }{
		{"never sent", "99 rsp 6 200 OK\n", "reply to unknown transaction number 99"},
		{"serverclose", "0 serverclose 0\n", "session closed by the server"},
		{"garbage", "\xff\xfe", "byte 0xff in a transaction number"},
		{"huge", "2 rsp 1000000000 x", "length exceeds 65536"},
		{"long command", "2 " + strings.Repeat("r", 40), "in a command"},
		{"no end", "2 rsp 6 200 OKx", "at the end of a frame"},
		{"EOF", "", "EOF"},
		{"command of a client", "2 syslog 1 x\n", `unexpected command "syslog"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			c, err := relp.Dial(t.Context(), "tcp", "x", server(t, welcome, func(r *bufio.Reader, w net.Conn) {
				r.ReadString('\n')
				r.ReadString('\n')
				io.WriteString(w, row.reply)
			}))
			require.NoError(t, err)
			var answers []error
			for range 2 {
				require.NoError(t, c.Send(t.Context(), []byte("x"), func(err error) { answers = append(answers, err) }))
			}
			err = c.Wait(t.Context())
			require.ErrorContains(t, err, row.want)
			<-c.Done()
			require.Len(t, answers, 2, "each message is told once")
			for _, a := range answers {
				require.ErrorContains(t, a, row.want)
				require.Regexp(t, "^relp: ", a.Error())
				require.Equal(t, 1, strings.Count(a.Error(), "relp: "))
			}
			require.ErrorContains(t, c.Send(t.Context(), []byte("x"), nil), row.want)
			require.ErrorContains(t, c.Flush(), row.want)
			require.NoError(t, c.Close())
		})
	}
}

func TestSilentServerEndsTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := relp.Dial(t.Context(), "tcp", "x", server(t, welcome, func(r *bufio.Reader, _ net.Conn) { io.Copy(io.Discard, r) }))
		require.NoError(t, err)
		begin := time.Now()
		time.Sleep(time.Hour) // an idle session lives
		require.NoError(t, c.Flush())
		begin = begin.Add(time.Hour)
		var answer error
		for range 4 {
			require.NoError(t, c.Send(t.Context(), []byte("x"), func(err error) { answer = err }))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.Send(ctx, []byte("y"), nil), context.DeadlineExceeded, "the window is full")
		require.ErrorIs(t, c.Wait(t.Context()), relp.ErrSilent)
		require.Equal(t, time.Minute, time.Since(begin))
		<-c.Done()
		require.ErrorIs(t, answer, relp.ErrSilent)
	})
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := relp.Dial(t.Context(), "tcp", "x", server(t, welcome, func(r *bufio.Reader, _ net.Conn) { io.Copy(io.Discard, r) }))
		require.NoError(t, err)
		var answer error
		require.NoError(t, c.Send(t.Context(), []byte("x"), func(err error) { answer = err }))
		begin := time.Now()
		require.NoError(t, c.Close())
		require.Equal(t, time.Second, time.Since(begin))
		require.ErrorIs(t, answer, relp.ErrClosed)
	})
}

func TestDialIsBoundedByItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := relp.Dial(ctx, "tcp", "x", server(t, "", func(r *bufio.Reader, _ net.Conn) { io.Copy(io.Discard, r) }))
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestRsyslogdStoresEachMessage(t *testing.T) {
	k := collector.Start(t, collector.Options{})
	c, err := relp.Dial(t.Context(), "tcp", k.RELP, relp.Config{})
	require.NoError(t, err)
	n := oracle.N(20000, 200000)
	var acked atomic.Int64
	const senders = 4
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for i := s; i < n; i += senders {
				msg := fmt.Appendf(nil, "<134>1 2009-10-22T07:56:00Z web1 httpd 1 - - RELA%07d\nsecond line", i)
				if err := c.Send(t.Context(), msg, func(err error) {
					if err == nil {
						acked.Add(1)
					}
				}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, c.Wait(t.Context()))
	require.NoError(t, c.Close())
	require.EqualValues(t, n, acked.Load())
	list := k.Wait(t, n)
	require.Len(t, list, n)
	require.True(t, strings.HasSuffix(list[0].Text, "#012second line") || strings.HasSuffix(list[0].Text, "\nsecond line"), "%q", list[0].Text)
	different, again := k.Arrived(t, "RELA")
	require.Equal(t, n, different)
	require.Zero(t, again)
	oracle.Compared(t, k.Found, n)
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte("2 rsp 6 200 OK\n"))
	f.Add([]byte("0 serverclose 0\n"))
	f.Add([]byte("2 rsp 6 500 no\n3 rsp 0\n"))
	f.Fuzz(func(t *testing.T, reply []byte) {
		c, err := relp.Dial(t.Context(), "tcp", "x", server(t, welcome, func(r *bufio.Reader, w net.Conn) {
			go io.Copy(io.Discard, r)
			w.Write(reply)
		}))
		require.NoError(t, err)
		var told atomic.Int32
		sent := int32(0)
		for range 3 {
			if c.Send(t.Context(), []byte("x"), func(error) { told.Add(1) }) == nil {
				sent++
			}
		}
		c.Wait(t.Context())
		c.Close()
		<-c.Done()
		require.Equal(t, sent, told.Load())
	})
}

func BenchmarkSend(b *testing.B) {
	var buf bytes.Buffer
	buf.Grow(200)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		io.WriteString(conn, welcome)
		r, w := bufio.NewReader(conn), bufio.NewWriter(conn)
		for i := 0; ; i++ {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if i < 3 {
				continue
			}
			txnr, _, _ := bytes.Cut(line, []byte(" "))
			w.Write(txnr)
			w.WriteString(" rsp 6 200 OK\n")
			if r.Buffered() == 0 {
				w.Flush()
			}
		}
	}()
	c, err := relp.Dial(b.Context(), "tcp", l.Addr().String(), relp.Config{})
	require.NoError(b, err)
	defer c.Close()
	msg := bytes.Repeat([]byte("x"), 180)
	b.SetBytes(int64(len(msg)))
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Send(context.Background(), msg, func(error) {}); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, c.Wait(b.Context()))
}
