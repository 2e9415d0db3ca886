package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"dougu.internal/examples/accesslog/logfmt"
	"dougu.internal/examples/accesslog/syslogw"
)

// show serves three requests, prints their lines, and delivers them to a collector that is down
// at first.
func show(w io.Writer) error {
	dir, err := os.MkdirTemp("", "accesslog-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	collector, err := newServer()
	if err != nil {
		return err
	}
	defer collector.close()
	ship, err := syslogw.Open(context.Background(), syslogw.Config{
		Network: "relp", Addr: collector.l.Addr().String(), Facility: 22, Ident: "httpd", Spool: dir,
		BackoffMin: time.Millisecond, BackoffMax: 10 * time.Millisecond,
	})
	if err != nil {
		return err
	}
	defer ship.Close()
	lines := &recorder{next: ship}
	if err := serve(lines); err != nil {
		return err
	}
	for i, what := range requests {
		fmt.Fprintf(
			w,
			"%s\n  as Apache writes it  %s\n  unescaped            %s\n",
			what.what,
			lines.apache[i],
			lines.naive[i],
		)
	}
	fmt.Fprintf(w, "\nthe collector is down:  %v\n", counters(ship))
	collector.up()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := ship.Flush(ctx); err != nil {
		return err
	}
	fmt.Fprintf(w, "the collector is up:    %v\n", counters(ship))
	collector.mu.Lock()
	defer collector.mu.Unlock()
	for _, message := range collector.got {
		_, text, _ := strings.Cut(message, " - - ")
		fmt.Fprintf(w, "  it has  %s\n", text)
	}
	return nil
}

// counters returns the counters of the writer without the last error.
func counters(w *syslogw.Writer) string {
	s := w.Stats()
	s.LastError = nil // it contains a port that differs in each run
	return s.String()
}

var requests = []struct{ what, method, agent string }{
	{"a plain request", "GET", "Mozilla/5.0"},
	{"a User-Agent that forges the fields after it", "GET", `Mozilla" 200 0 "-" "nobody was here`},
	{"a HEAD request", "HEAD", "curl\u200b/8"},
}

// serve starts a server and sends the requests to it.
func serve(lines *recorder) error {
	format, err := logfmt.Parse(`%h %l %u \"%r\" %>s %b \"%{User-Agent}i\"`)
	if err != nil {
		return err
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello\n") })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler: logfmt.Middleware(format, lines, &logfmt.Options{Edit: func(e *logfmt.Entry) {
			lines.naive = append(lines.naive, fmt.Sprintf(`%s - - "%s %s %s" %d %d "%s"`, e.Client.Addr(),
				e.Request.Method, e.Request.RequestURI, e.Request.Proto, e.Status, e.Bytes, e.Request.UserAgent()))
		}})(hello),
	}
	var wg sync.WaitGroup
	wg.Go(func() { web.Serve(l) })
	defer wg.Wait()
	defer web.Close()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, q := range requests {
		r, err := http.NewRequest(q.method, "http://"+l.Addr().String()+"/index.html", nil)
		if err != nil {
			return err
		}
		r.Header.Set("User-Agent", q.agent)
		resp, err := client.Do(r)
		if err != nil {
			return err
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	return web.Shutdown(context.Background()) // it waits for all handlers
}

// recorder keeps lines and passes them on.
type recorder struct {
	next          logfmt.LineWriter
	apache, naive []string
}

// WriteLine keeps the line and passes it on.
func (r *recorder) WriteLine(line []byte) error {
	r.apache = append(r.apache, string(line))
	return r.next.WriteLine(line)
}

// server is a small RELP server. It rejects connections until up is called.
type server struct {
	l       net.Listener
	running chan struct{}
	wg      sync.WaitGroup

	mu  sync.Mutex
	got []string
}

func newServer() (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	c := &server{l: l, running: make(chan struct{})}
	c.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case <-c.running:
				c.session(conn)
			default:
			}
			conn.Close()
		}
	})
	return c, nil
}

func (c *server) up() { close(c.running) }

func (c *server) close() {
	c.l.Close()
	c.wg.Wait()
}

// session replies to messages until the client closes the session.
func (c *server) session(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	r := bufio.NewReader(conn)
	for {
		var txnr, size int
		var command string
		if _, err := fmt.Fscanf(r, "%d %s %d", &txnr, &command, &size); err != nil || size < 0 || size > 1<<16 {
			return
		}
		// The data has a blank before it and a line feed after it. Without data there is only
		// the line feed.
		data := make([]byte, size+2)[:min(size+2, 2*size+1)]
		if _, err := io.ReadFull(r, data); err != nil {
			return
		}
		answer := "200 OK"
		switch command {
		case "open":
			answer += "\nrelp_version=0\ncommands=syslog"
		case "syslog":
			c.mu.Lock()
			c.got = append(c.got, strings.Clone(string(bytes.TrimSpace(data))))
			c.mu.Unlock()
		case "close":
			fmt.Fprintf(conn, "%d rsp 0\n0 serverclose 0\n", txnr)
			return
		}
		fmt.Fprintf(conn, "%d rsp %d %s\n", txnr, len(answer), answer)
	}
}
