package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/logfmt"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/target"
)

// list is a flag that can be repeated.
type list []string

// String returns the values joined by blanks.
func (l *list) String() string { return strings.Join(*l, " ") }

// Set adds a value.
func (l *list) Set(s string) error {
	*l = append(*l, s)
	return nil
}

// service has the flags of -serve.
type service struct {
	addr, root, tls, serverName string
	internal, trusted, remoteIP string
	logs, headers               list
}

// shutdownTime is the time limit for the requests in progress and for the delivery of their
// lines at the end.
const shutdownTime = 30 * time.Second

// run serves the directory until a signal arrives.
func (s *service) run(stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fail := func(err error) int {
		fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err))
		return statusUsage
	}
	opt, err := s.options(stderr)
	if err != nil {
		return fail(err)
	}
	header, err := s.header()
	if err != nil {
		return fail(err)
	}
	certificate, key, withTLS := strings.Cut(s.tls, ",")
	if s.tls != "" && !withTLS {
		return fail(fmt.Errorf("invalid -tls %q, want CERT,KEY", s.tls))
	}
	logs, sinks, err := s.open(ctx, stdout, stderr)
	defer func() {
		for _, out := range sinks {
			out.Close()
		}
	}()
	if err != nil {
		return fail(err)
	}
	defer reopenOnHangup(stderr, sinks...)()
	l, err := listen(s.addr)
	if err != nil {
		return fail(err)
	}
	files := http.FileServer(http.Dir(s.root))
	srv := &http.Server{
		Handler: logfmt.MiddlewareLogs(logs, opt)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for name, values := range header {
				w.Header()[name] = append(w.Header()[name], values...)
			}
			files.ServeHTTP(w, r)
		})),
		ReadHeaderTimeout: 30 * time.Second,
	}
	l = logfmt.Instrument(srv, l)
	done := make(chan error, 1)
	go func() {
		if s.tls != "" {
			done <- srv.ServeTLS(l, certificate, key)
			return
		}
		done <- srv.Serve(l)
	}()
	address := l.Addr().String()
	if l.Addr().Network() == "unix" {
		address = "unix:" + address
	}
	fmt.Fprintf(stderr, "listening on %s\n", address)
	select {
	case err = <-done:
		return fail(err)
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.Background(), shutdownTime)
	defer cancel()
	status := statusGood
	if err := srv.Shutdown(wait); err != nil {
		fmt.Fprintf(stderr, "accesslog: %v\n", err)
		srv.Close()
		status = statusLeft
	}
	<-done
	for _, out := range sinks {
		err := errors.Join(out.Flush(wait), out.Close())
		account := out.Stats()
		if err != nil || incomplete(account) {
			if err != nil {
				fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err))
			}
			fmt.Fprintf(stderr, "accesslog: %s\n", account)
			status = statusLeft
		}
	}
	return status
}

// listen opens HOST:PORT or unix:PATH. A socket that a former process has left is replaced.
func listen(addr string) (net.Listener, error) {
	path, ok := strings.CutPrefix(addr, "unix:")
	if !ok {
		return net.Listen("tcp", addr)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		if c, err := net.Dial("unix", path); err == nil {
			c.Close()
			return nil, fmt.Errorf("another process listens on %s", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

// options returns the options of the log formats.
func (s *service) options(stderr io.Writer) (*logfmt.Options, error) {
	opt := &logfmt.Options{OnError: func(err error) { fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err)) }}
	if s.serverName != "" {
		opt.ServerName = s.serverName
		if name, port, err := net.SplitHostPort(s.serverName); err == nil {
			n, err := strconv.ParseUint(port, 10, 16)
			if err != nil || n == 0 {
				return nil, fmt.Errorf("invalid port %q in -servername", port)
			}
			opt.ServerName, opt.ServerPort = name, uint16(n)
		}
	}
	if s.internal == "" && s.trusted == "" {
		return opt, nil
	}
	p := &logfmt.Proxies{Header: s.remoteIP}
	var err error
	if p.Internal, p.InternalUnix, err = logfmt.ParseProxies(s.internal); err != nil {
		return nil, err
	}
	if p.Trusted, p.TrustedUnix, err = logfmt.ParseProxies(s.trusted); err != nil {
		return nil, err
	}
	opt.Proxies = p
	return opt, nil
}

// header returns the headers of -header.
func (s *service) header() (http.Header, error) {
	h := http.Header{}
	for _, line := range s.headers {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" || strings.ContainsAny(line, "\r\n") {
			return nil, fmt.Errorf("invalid -header %q, want 'NAME: VALUE'", line)
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return h, nil
}

// open opens the logs of -customlog. If there is none, standard output gets lines in the
// combined format.
func (s *service) open(ctx context.Context, stdout, stderr io.Writer) ([]logfmt.Log, []sink.Sink, error) {
	lines := s.logs
	if len(lines) == 0 {
		lines = list{"- combined"}
	}
	openers := target.Chain(target.Syslog{}, target.Pipe{Output: stderr}, target.Standard{Writer: stdout}, target.File{})
	var logs []logfmt.Log
	var sinks []sink.Sink
	for _, line := range lines {
		custom, err := logfmt.ParseCustomLog(line)
		if err != nil {
			return nil, sinks, err
		}
		out, err := openers.Open(ctx, custom.Target)
		if err != nil {
			return nil, sinks, err
		}
		sinks = append(sinks, out)
		logs = append(logs, logfmt.Log{Format: custom.Format, Writer: out})
	}
	return logs, sinks, nil
}

// reopenOnHangup reopens the sinks that are files after each SIGHUP. The returned function
// ends that.
func reopenOnHangup(stderr io.Writer, sinks ...sink.Sink) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-done:
				return
			case <-hangup:
			}
			for _, out := range sinks {
				if err := sink.Reopen(out); err != nil && !errors.Is(err, errors.ErrUnsupported) {
					fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err))
				}
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		close(done)
		<-ended
	}
}
