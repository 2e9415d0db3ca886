package main

import (
	"encoding/json"
	"io"
	"math"
	"strings"
	"time"

	"dougu.internal/internal/jsontext"
	"dougu.internal/stracelog"
	"dougu.internal/stracelog/export"
)

// jsonReport is the JSON output, which the usage text describes. The names of its
// fields do not change.
type jsonReport struct {
	Requests []jsonRequest `json:"requests"`
	Summary  []jsonSyscall `json:"summary"`
	Lines    jsonLines     `json:"lines"`
	Format   jsonFormat    `json:"format"`
	Filter   jsonFilter    `json:"filter"`
	Peers    []jsonPeer    `json:"peers"`
	Findings []jsonFinding `json:"findings"`
}

type jsonRequest struct {
	PID        int             `json:"pid"`
	Start      any             `json:"start"`
	Answered   any             `json:"answered"`
	End        any             `json:"end"`
	Duration   *float64        `json:"duration_us"`
	Segments   []jsonSegment   `json:"segments"`
	Bottleneck *jsonBottleneck `json:"bottleneck"`
	FD         int             `json:"fd"`
	Client     string          `json:"client"`
	Protocol   string          `json:"protocol"`
	Verb       string          `json:"verb"`
	Lines      [2]int64        `json:"lines"`
	Length     *float64        `json:"length_us"`
	Overlap    bool            `json:"overlap"`
	Names      []string        `json:"names"`
}

type jsonSegment struct {
	Class    string   `json:"class"`
	Peer     string   `json:"peer"`
	Duration float64  `json:"duration_us"`
	Lines    [2]int64 `json:"lines"`
	Name     string   `json:"name"`
	Verb     string   `json:"verb,omitempty"`
	Data     string   `json:"data,omitempty"`
}

type jsonBottleneck struct {
	Class      string   `json:"class"`
	Peer       string   `json:"peer"`
	Duration   float64  `json:"duration_us"`
	Share      float64  `json:"share"`
	Confidence string   `json:"confidence"`
	Lines      [2]int64 `json:"lines"`
	Text       string   `json:"text"`
	Advice     []string `json:"advice"`
}

type jsonSyscall struct {
	Name    string  `json:"name"`
	Calls   int64   `json:"calls"`
	Errors  int64   `json:"errors"`
	Seconds float64 `json:"seconds"`
}

type jsonLines struct {
	Total   int64 `json:"total"`
	Unknown int64 `json:"unknown"`
	Damaged int64 `json:"damaged"`
}

type jsonFormat struct {
	Time      string `json:"time"`
	Digits    int    `json:"digits"`
	Durations bool   `json:"durations"`
	PIDs      bool   `json:"pids"`
	Paths     bool   `json:"paths"`
	Stacks    bool   `json:"stacks"`
	Color     bool   `json:"color"`
	Tables    int    `json:"tables"`
}

type jsonFilter struct {
	Filtered bool     `json:"filtered"`
	Missing  []string `json:"missing"`
}

type jsonPeer struct {
	Class    string  `json:"class"`
	Peer     string  `json:"peer"`
	Requests int64   `json:"requests"`
	Calls    int64   `json:"calls"`
	Trips    int64   `json:"trips"`
	Total    float64 `json:"total_us"`
	P50      float64 `json:"p50_us"`
	P95      float64 `json:"p95_us"`
	Max      float64 `json:"max_us"`
}

type jsonFinding struct {
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
}

// us returns a duration in microseconds, with nanoseconds as decimals.
func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// moment returns a time as an RFC 3339 string if the log has dates, and in microseconds
// otherwise. It returns nil if the time is unknown.
func moment(t stracelog.Time) any {
	switch t.Form {
	case stracelog.NoTime:
		return nil
	case stracelog.Epoch:
		layout := "2006-01-02T15:04:05Z07:00"
		if t.Digits > 0 {
			layout = "2006-01-02T15:04:05." + strings.Repeat("0", int(t.Digits)) + "Z07:00"
		}
		return time.Unix(0, int64(t.At)).UTC().Format(layout)
	}
	return us(t.At)
}

func peerName(p stracelog.Peer) string {
	if !p.Known() {
		return ""
	}
	return clean(p.String())
}

// clean returns text of the log as valid UTF-8. Different texts have different results.
func clean(s string) string { return jsontext.Escape(s) }

func writeJSON(w io.Writer, r *stracelog.Report, n int) error {
	f := r.Format
	out := jsonReport{
		Requests: []jsonRequest{}, Summary: []jsonSyscall{}, Peers: []jsonPeer{}, Findings: []jsonFinding{},
		Lines: jsonLines{r.Lines.Total, r.Lines.Unknown, r.Lines.Damaged},
		Format: jsonFormat{
			f.Time.String(), int(f.Digits), f.Durations, f.PID != stracelog.NoPID,
			f.Paths, f.Stacks, f.Colour, len(r.Tables),
		},
		Filter: jsonFilter{r.Filter.Filtered, append([]string{}, r.Filter.Missing...)},
	}
	for _, q := range export.Slowest(r, n) {
		out.Requests = append(out.Requests, request(q))
	}
	for _, s := range r.Syscalls {
		out.Summary = append(out.Summary, jsonSyscall{clean(s.Name), s.Calls, s.Errors, s.Total.Seconds()})
	}
	for _, p := range r.Peers {
		out.Peers = append(out.Peers, jsonPeer{
			string(p.Class), peerName(p.Peer), p.Count, p.Calls, p.Trips, us(p.Total), us(p.P50), us(p.P95), us(p.Max),
		})
	}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, jsonFinding{int64(f.Range.Start.Line), clean(f.Message)})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(out)
}

func request(q *stracelog.Request) jsonRequest {
	j := jsonRequest{
		PID: q.PID, Start: moment(q.Start), Answered: moment(q.Answered), End: moment(q.End), Segments: []jsonSegment{},
		FD: q.FD, Client: peerName(q.Client), Protocol: clean(string(q.Proto)), Verb: clean(q.Verb),
		Lines: [2]int64{q.First, q.Last}, Overlap: q.Overlap, Names: []string{},
	}
	for _, n := range q.Names {
		j.Names = append(j.Names, clean(n))
	}
	if q.End.IsZero() {
		return j
	}
	d, l := us(q.Duration()), us(q.Length)
	j.Duration, j.Length = &d, &l
	for _, s := range q.Segments {
		j.Segments = append(j.Segments, jsonSegment{
			string(
				s.Class,
			), peerName(s.Peer), us(s.Dur), [2]int64{s.From, s.To}, clean(s.Name), clean(s.Verb), clean(s.Data),
		})
	}
	if b := &q.Bottleneck; b.Class != "" {
		j.Bottleneck = &jsonBottleneck{
			string(b.Class), peerName(b.Peer), us(b.Dur), math.Round(b.Share*1e4) / 1e4, string(b.Confidence),
			[2]int64{b.From, b.To}, clean(b.Text), append([]string{}, b.Advice...),
		}
	}
	return j
}
