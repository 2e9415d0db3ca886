package export

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"dougu.internal/diag"
	"dougu.internal/stracelog"
)

// Chrome writes a timeline in the JSON of Chrome's trace viewer, which Perfetto opens too, while a log is analysed: one track for each process or
// thread, with spans of requests above those of system calls. It holds no more than one event at a time. Use it as the hooks of an analysis:
//
//	c := export.NewChrome(w)
//	stracelog.Analyze(seq, stracelog.OnCall(c.Call), stracelog.OnRequest(c.Request))
//	err := c.Close()
type Chrome struct {
	w     *bufio.Writer
	err   error
	n     int
	pids  map[int]bool
	base  time.Duration
	begun bool
}

// NewChrome begins a timeline.
func NewChrome(w io.Writer) *Chrome {
	c := &Chrome{w: bufio.NewWriterSize(w, 1<<16), pids: map[int]bool{}}
	c.put(`{"displayTimeUnit":"ms","traceEvents":[`)
	return c
}

// chromeEvent is one entry of traceEvents. Times are microseconds; an X is a span, an M names a track.
type chromeEvent struct {
	Name string         `json:"name"`
	Cat  string         `json:"cat,omitempty"`
	Ph   string         `json:"ph"`
	At   float64        `json:"ts"`
	Dur  *float64       `json:"dur,omitempty"`
	PID  int            `json:"pid"`
	TID  int            `json:"tid"`
	Args map[string]any `json:"args,omitempty"`
}

func (c *Chrome) put(s string) {
	if c.err == nil {
		_, c.err = c.w.WriteString(s)
	}
}

func (c *Chrome) event(e *chromeEvent) {
	b, err := json.Marshal(e)
	if err != nil && c.err == nil {
		c.err = err
	}
	if c.n > 0 {
		c.put(",\n")
	}
	c.n++
	c.put(string(b))
}

// at turns a position of the log's axis into microseconds. The first one is the origin, so that a double holds every microsecond.
func (c *Chrome) at(d time.Duration) float64 {
	if !c.begun {
		c.base, c.begun = d, true
	}
	return float64(d-c.base) / float64(time.Microsecond)
}

// maxTracks bounds the tracks that get a name.
const maxTracks = 1 << 17

func (c *Chrome) track(pid int) {
	if c.pids[pid] || len(c.pids) >= maxTracks {
		return
	}
	c.pids[pid] = true
	name := "the traced process"
	if pid > 0 {
		name = fmt.Sprintf("process %d", pid)
	}
	c.event(&chromeEvent{Name: "process_name", Ph: "M", PID: pid, TID: pid, Args: map[string]any{"name": name}})
	c.event(&chromeEvent{Name: "thread_name", Ph: "M", PID: pid, TID: pid, Args: map[string]any{"name": name}})
}

// Call writes the span of one system call. A log without times has no spans.
func (c *Chrome) Call(k *stracelog.Call, class stracelog.Class, peer stracelog.Peer) {
	if k.Start.IsZero() {
		return
	}
	c.track(k.PID)
	dur := float64(k.Dur) / float64(time.Microsecond)
	args := map[string]any{"line": k.First, "result": text(result(k))}
	if peer.Known() {
		args["peer"] = text(peer.String())
	}
	c.event(&chromeEvent{Name: text(string(k.Name)), Cat: string(class), Ph: "X", At: c.at(k.Start.At), Dur: &dur, PID: k.PID, TID: k.PID, Args: args})
}

// result is the value and the errno alone: what stands behind them may be payload.
func result(k *stracelog.Call) string {
	switch {
	case k.Ret.Failed():
		return fmt.Sprintf("-1 %s", k.Ret.Errno)
	case k.Ret.Kind == stracelog.RetHex:
		return fmt.Sprintf("%#x", uint64(k.Ret.Int))
	case k.Ret.Kind == stracelog.RetInt:
		return fmt.Sprint(k.Ret.Int)
	case k.Ret.Kind == stracelog.RetOctal:
		return fmt.Sprintf("%#o", k.Ret.Int)
	}
	return "?"
}

// Request writes the span of one request.
func (c *Chrome) Request(q *stracelog.Request) {
	if q.Start.IsZero() || q.End.IsZero() {
		return
	}
	c.track(q.PID)
	dur := float64(q.Duration()) / float64(time.Microsecond)
	args := map[string]any{"lines": lines(q.First, q.Last)}
	if q.Bottleneck.Class != "" {
		args["bottleneck"] = text(q.Bottleneck.Text)
		args["confidence"] = string(q.Bottleneck.Confidence)
	}
	c.event(&chromeEvent{Name: title(q), Cat: "request", Ph: "X", At: c.at(q.Start.At), Dur: &dur, PID: q.PID, TID: q.PID, Args: args})
}

// Close ends the timeline and returns the first error.
func (c *Chrome) Close() error {
	c.put("]}\n")
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return writeError("timeline", c.err)
}

// text makes bytes of a log valid in JSON.
func text(s string) string { return diag.Sanitize(s) }
