package export

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/internal/errtext"
	"dougu.internal/stracelog"
)

// errs makes the errors of the package.
const errs = errtext.Package("export")

// writeError adds to an error what was being written.
func writeError(what string, err error) error {
	if err == nil {
		return nil
	}
	return errs.Errorf("write the %s: %w", what, err)
}

// TextOptions say how a report looks on a terminal. The zero value is plain text, 100 columns wide, with all requests.
type TextOptions struct {
	Width   int  // columns; 0 means 100, the least is 60
	Color   bool // use colours
	Unicode bool // draw bars with block characters; else with #
	Max     int  // show this many requests, the slowest; 0 means all, less than 0 none
}

// The colours of classes, as SGR codes.
var sgr = map[stracelog.Class]string{
	stracelog.ClassUntraced: "31", stracelog.ClassPeer: "33", stracelog.ClassChatter: "33", stracelog.ClassDNS: "36", stracelog.ClassConnect: "36", stracelog.ClassSleep: "35",
	stracelog.ClassLock: "35", stracelog.ClassFile: "34", stracelog.ClassClient: "32", stracelog.ClassUnknown: "90", stracelog.ClassIdle: "90", stracelog.ClassChild: "34",
}

type textWriter struct {
	w *bufio.Writer
	o TextOptions
}

// Text writes a report for a person: a waterfall of each request with its verdict, where the time of all requests went, and what was found wrong
// with the log.
func Text(w io.Writer, r *stracelog.Report, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	o.Width = max(o.Width, 60)
	t := &textWriter{w: bufio.NewWriter(w), o: o}
	t.head(r)
	if o.Max >= 0 {
		for _, q := range Slowest(r, o.Max) {
			t.request(q)
		}
	}
	t.peers(r)
	t.tables(r)
	t.findings(r)
	return writeError("text report", t.w.Flush())
}

// TextRequest writes one request as Text does, as soon as it has ended.
func TextRequest(w io.Writer, q *stracelog.Request, o TextOptions) error {
	if o.Width == 0 {
		o.Width = 100
	}
	o.Width = max(o.Width, 60)
	t := &textWriter{w: bufio.NewWriter(w), o: o}
	t.request(q)
	return writeError("text report", t.w.Flush())
}

// Slowest returns the n slowest requests of a report, in the order of the log; all of them when n is 0.
func Slowest(r *stracelog.Report, n int) []*stracelog.Request {
	var list []*stracelog.Request
	for i := range r.Requests {
		list = append(list, &r.Requests[i])
	}
	if n <= 0 || n >= len(list) {
		return list
	}
	slices.SortStableFunc(list, func(x, y *stracelog.Request) int { return int(min(max(y.Duration()-x.Duration(), -1), 1)) })
	list = list[:n]
	slices.SortFunc(list, func(x, y *stracelog.Request) int { return int(min(max(x.First-y.First, -1), 1)) })
	return list
}

func (t *textWriter) printf(format string, a ...any) { fmt.Fprintf(t.w, format, a...) }

func (t *textWriter) paint(code, s string) string {
	if !t.o.Color || code == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (t *textWriter) head(r *stracelog.Report) {
	t.printf("%d lines", r.Lines.Total)
	if r.Lines.Unknown > 0 {
		t.printf(", %d not of strace", r.Lines.Unknown)
	}
	if r.Lines.Damaged > 0 {
		t.printf(", %d damaged", r.Lines.Damaged)
	}
	t.printf("; %s", plural(len(r.Requests), "request"))
	if r.Dropped > 0 {
		t.printf(" (the slowest; %d more are only counted)", r.Dropped)
	}
	if r.Filter.Filtered && len(r.Syscalls) > 0 {
		t.printf("; the trace is filtered: no calls of %s are in it", strings.Join(r.Filter.Missing, ", "))
	}
	t.printf("\n")
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// request draws one request: a row for each part that matters, the rest summed up.
func (t *textWriter) request(q *stracelog.Request) {
	t.printf("\n%s, lines %s", t.paint("1", title(q)), lines(q.First, q.Last))
	if !q.Start.IsZero() {
		t.printf(", from %s", q.Start)
	}
	if q.End.IsZero() {
		t.printf(": its end is not in the log\n")
		return
	}
	t.printf(": %s", ms(q.Duration()))
	if !q.Answered.IsZero() {
		t.printf(", answered after %s", ms(q.Answered.At-q.Start.At))
	}
	t.printf("\n")
	if len(q.Names) > 0 {
		t.printf("  names asked: %s\n", diag.Sanitize(strings.Join(q.Names, ", ")))
	}
	rows := waterfall(q.Segments, 40)
	bar := max(t.o.Width-62, 10)
	for i := range rows {
		t.row(q, &rows[i], bar)
	}
	if q.Overlap {
		t.printf("  its thread served other requests at the same time\n")
	}
	t.verdict(q)
}

func (t *textWriter) row(q *stracelog.Request, s *stracelog.Segment, bar int) {
	total := max(q.Duration(), 1)
	from := int(int64(s.Start-q.Start.At) * int64(bar) / int64(total))
	n := int((int64(s.Dur)*int64(bar) + int64(total)/2) / int64(total))
	from = min(max(from, 0), bar-1)
	n = min(max(n, 1), bar-from)
	mark := "#"
	if t.o.Unicode {
		mark = "█"
	}
	drawn := strings.Repeat(" ", from) + t.paint(sgr[s.Class], strings.Repeat(mark, n)) + strings.Repeat(" ", bar-from-n)
	t.printf("  %12s |%s| %12s  %s", "+"+ms(s.Start-q.Start.At), drawn, ms(s.Dur), clip(label(s), 28))
	t.printf("  %s\n", lines(s.From, s.To))
	if s.Data != "" {
		t.printf("                 %s\n", diag.Sanitize(fmt.Sprintf("%q", s.Data)))
	}
}

func clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s + strings.Repeat(" ", n-len(r))
	}
	return string(r[:n-2]) + ".."
}

// waterfall reduces segments to at most n rows: neighbours of one class and peer are one row, then the shortest neighbours are
// summed up.
func waterfall(segs []stracelog.Segment, n int) []stracelog.Segment {
	rows := stracelog.Coalesce(segs)
	for len(rows) > n {
		durs := make([]time.Duration, len(rows))
		for i := range rows {
			durs[i] = rows[i].Dur
		}
		slices.Sort(durs)
		limit := durs[len(rows)-n/2]
		var out []stracelog.Segment
		for _, s := range rows {
			if k := len(out); k > 0 && s.Dur < limit && out[k-1].Dur < limit {
				p := &out[k-1]
				*p = stracelog.Segment{Class: stracelog.ClassMany, Start: p.Start, Dur: s.Start + s.Dur - p.Start, From: p.From, To: s.To, Calls: p.Calls + s.Calls, Trips: p.Trips + s.Trips}
				continue
			}
			out = append(out, s)
		}
		if len(out) == len(rows) {
			break
		}
		rows = out
	}
	return rows
}

func (t *textWriter) verdict(q *stracelog.Request) {
	b := &q.Bottleneck
	if b.Class == "" {
		t.printf("  no bottleneck\n")
		return
	}
	t.printf("  %s\n", t.paint("1", diag.Sanitize(b.Text)))
	t.printf("  confidence: %s\n", b.Confidence)
	for _, a := range b.Advice {
		t.printf("    - %s\n", a)
	}
}

func (t *textWriter) peers(r *stracelog.Report) {
	if len(r.Peers) == 0 {
		return
	}
	t.printf("\nwhere the time of all requests went:\n  %-44s %8s %8s %8s %12s %12s %12s\n", "", "requests", "calls", "trips", "p50", "p95", "max")
	for i, p := range r.Peers {
		if i == 20 {
			t.printf("  and %d more\n", len(r.Peers)-i)
			break
		}
		name := string(p.Class)
		if p.Peer.Known() {
			name += ", " + p.Peer.String()
		}
		t.printf("  %s %8d %8d %8d %12s %12s %12s\n", clip(diag.Sanitize(name), 44), p.Count, p.Calls, p.Trips, ms(p.P50), ms(p.P95), ms(p.Max))
	}
	t.printf("  A trace is a hint, not a proof: it slows the traced process. Trace few processes, at the peak.\n")
}

func (t *textWriter) tables(r *stracelog.Report) {
	for i := range r.Tables {
		b := &r.Tables[i]
		t.printf("\nstrace's own table (line %d): %s\n", b.Line, plural(len(b.Rows), "call"))
		for _, row := range b.Rows {
			t.printf("  %-24s %8d calls %8d errors %12.6f s\n", clip(diag.Sanitize(row.Name), 24), row.Calls, row.Errors, row.Total.Seconds())
		}
	}
	if len(r.Requests) > 0 || len(r.Syscalls) == 0 || len(r.Tables) > 0 {
		return
	}
	t.printf("\nno request was accepted in this log; its calls:\n")
	list := slices.Clone(r.Syscalls)
	slices.SortFunc(list, func(x, y stracelog.SyscallStat) int { return int(min(max(y.Total-x.Total, -1), 1)) })
	for i, s := range list {
		if i == 20 {
			t.printf("  and %d more\n", len(list)-i)
			break
		}
		t.printf("  %s %8d calls %8d errors %14s\n", clip(diag.Sanitize(s.Name), 24), s.Calls, s.Errors, ms(s.Total))
	}
}

func (t *textWriter) findings(r *stracelog.Report) {
	if len(r.Findings) == 0 {
		return
	}
	t.printf("\nlines that are not as strace writes them:\n")
	for i, f := range r.Findings {
		if i == 10 {
			t.printf("  and %d more\n", len(r.Findings)-i)
			break
		}
		t.printf("  line %d: %s\n", f.Range.Start.Line, diag.Sanitize(f.Message))
	}
}
