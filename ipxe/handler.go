package ipxe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// ErrNoBoot is returned by a generator that has no script for a machine: the answer is
// 404, with which iPXE goes on after the failed command, or falls through to the next
// device of the firmware's boot order.
var ErrNoBoot = errs.New("no boot script for this machine")

// Generator makes a script for a machine.
type Generator func(ctx context.Context, f Facts) ([]byte, error)

// HandlerConfig steers a [Handler]. The zero value is ready to use.
type HandlerConfig struct {
	// Timeout bounds the generator; 0: 10 seconds.
	Timeout time.Duration
	// MaxScript bounds a script; 0: 1 MiB.
	MaxScript int
	// Log, when it is not nil, gets a line an answer, with the facts made printable.
	Log *slog.Logger
}

func (c *HandlerConfig) timeout() time.Duration {
	if c.Timeout <= 0 {
		return 10 * time.Second
	}
	return c.Timeout
}

func (c *HandlerConfig) maxScript() int {
	if c.MaxScript <= 0 {
		return 1 << 20
	}
	return c.MaxScript
}

// Handler serves scripts. Each answer with status 200 is one whole script: it begins with
// #!ipxe, is text/plain, and has its length in the header. A generator that fails,
// panics, is too slow, or makes no script gives 503, ErrNoBoot gives 404, with a line of
// text that repeats nothing of the request. HEAD is answered as GET without the body;
// POST is read like GET, with the parameters of a form (params) after those of the
// query; other methods give 405.
//
// The generator may be called by many goroutines at once. One that does not return when
// its context ends is left behind; its machine has had its 503.
func Handler(make Generator, config HandlerConfig) http.Handler {
	return &handler{make, config}
}

type handler struct {
	generate Generator
	config   HandlerConfig
}

// ServeHTTP answers one machine.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.RawQuery
	switch r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		body, err := io.ReadAll(io.LimitReader(r.Body, maxQuery+1))
		if err != nil || len(body) > maxQuery {
			h.refuse(w, r, http.StatusBadRequest, "the form can't be read")
			return
		}
		if len(body) > 0 {
			query += "&" + string(body)
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		h.refuse(w, r, http.StatusMethodNotAllowed, "only GET, HEAD and POST")
		return
	}
	f, problems := ParseFacts(query)
	f.UserAgent = r.UserAgent()
	f.Remote, _ = netip.ParseAddrPort(r.RemoteAddr)
	script, err := h.run(r.Context(), f)
	if err == nil {
		err = h.check(script)
	}
	h.log(r, f, problems, len(script), err)
	switch {
	case errors.Is(err, ErrNoBoot):
		h.refuse(w, r, http.StatusNotFound, "no boot script for this machine")
		return
	case err != nil:
		h.refuse(w, r, http.StatusServiceUnavailable, "the boot script could not be made")
		return
	}
	h.write(w, r, http.StatusOK, script)
}

// refuse answers without a script. The text is short and plain: iPXE throws it away, a
// person may read it.
func (h *handler) refuse(w http.ResponseWriter, r *http.Request, status int, text string) {
	h.write(w, r, status, []byte(text+"\n"))
}

func (h *handler) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	header := w.Header()
	header.Set("Content-Type", "text/plain")
	header.Set("Content-Length", strconv.Itoa(len(body)))
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the machine is gone: nobody to tell
	}
}

func (h *handler) check(script []byte) error {
	switch {
	case !IsScript(script):
		return errors.New("the generator made no script: it does not begin with #!ipxe")
	case len(script) > h.config.maxScript():
		return fmt.Errorf("a script of %d bytes", len(script))
	case bytes.IndexByte(script, 0) >= 0:
		return errors.New("a NUL in the script")
	}
	return nil
}

// run calls the generator within its time.
func (h *handler) run(ctx context.Context, f Facts) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, h.config.timeout())
	defer cancel()
	type result struct {
		script []byte
		err    error
	}
	done := make(chan result, 1)
	go func() {
		r := result{err: errors.New("the generator panicked")}
		defer func() {
			// Not a panic of our own: the caller's function must not take the server down,
			// as net/http itself has it.
			_ = recover()
			done <- r
		}()
		script, err := h.generate(ctx, f)
		r = result{script, err}
	}()
	select {
	case r := <-done:
		return r.script, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("the generator is too slow: %w", ctx.Err())
	}
}

func (h *handler) log(r *http.Request, f Facts, problems []FactProblem, n int, err error) {
	if h.config.Log == nil {
		return
	}
	args := []any{"method", r.Method, "remote", r.RemoteAddr, "product", shown(f.Product), "bytes", n}
	if f.HasMAC {
		args = append(args, "mac", MACText(f.MAC, ":"))
	}
	for i, p := range problems {
		if i == 5 {
			break
		}
		args = append(args, "problem", shown(p.String()))
	}
	if err != nil {
		h.config.Log.Warn("no script", append(args, "error", err)...)
		return
	}
	h.config.Log.Info("script", args...)
}
