package export

import (
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"dougu.internal/diag"
	"dougu.internal/stracelog"
)

// HTML writes a report as one page that opens from disk: no script, font or image, and a policy that forbids loading any. max is the number of
// requests that are drawn, the slowest ones; 0 means 200.
func HTML(w io.Writer, r *stracelog.Report, max int) error {
	if max <= 0 {
		max = 200
	}
	p := page{Report: r}
	for _, q := range Slowest(r, max) {
		p.Requests = append(p.Requests, drawRequest(q))
	}
	for _, s := range r.Peers {
		if len(p.Peers) == 100 {
			break
		}
		name := string(s.Class)
		if s.Peer.Known() {
			name += ", " + s.Peer.String()
		}
		p.Peers = append(p.Peers, pagePeer{Name: diag.Sanitize(name), Count: s.Count, Calls: s.Calls, Trips: s.Trips, P50: ms(s.P50), P95: ms(s.P95), Max: ms(s.Max)})
	}
	p.Missing = strings.Join(r.Filter.Missing, ", ")
	p.More = len(r.Requests) - len(p.Requests) + int(r.Dropped)
	return writeError("HTML page", pageTemplate.Execute(w, p))
}

type page struct {
	Report   *stracelog.Report
	Requests []pageRequest
	Peers    []pagePeer
	Missing  string
	More     int
}

type pagePeer struct {
	Name                string
	Count, Calls, Trips int64
	P50, P95, Max       string
}

type pageRequest struct {
	Title, Lines, Start, Length, Answered string
	Names, Verdict, Confidence            string
	Advice                                []string
	Rows                                  []pageRow
	Open, Bad                             bool
}

type pageRow struct {
	Offset, Length, Label, Lines, Data string
	Class                              string
	X, W                               string // per cent of the request
}

// cssClass turns a class into a name that style sheets may hold.
func cssClass(c stracelog.Class) string {
	return "c-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, strings.ToLower(string(c)))
}

func drawRequest(q *stracelog.Request) pageRequest {
	d := pageRequest{Title: title(q), Lines: lines(q.First, q.Last), Start: q.Start.String(), Open: q.End.IsZero()}
	if d.Open {
		return d
	}
	d.Length = ms(q.Duration())
	if !q.Answered.IsZero() {
		d.Answered = ms(q.Answered.At - q.Start.At)
	}
	d.Names = diag.Sanitize(strings.Join(q.Names, ", "))
	total := float64(max(q.Duration(), 1))
	for _, s := range waterfall(q.Segments, 80) {
		data := ""
		if s.Data != "" {
			data = diag.Sanitize(fmt.Sprintf("%q", s.Data))
		}
		d.Rows = append(d.Rows, pageRow{Data: data, Offset: "+" + ms(s.Start-q.Start.At), Length: ms(s.Dur), Label: label(&s), Lines: lines(s.From, s.To), Class: cssClass(s.Class),
			X: percent(s.Start-q.Start.At, total), W: percent(s.Dur, total)})
	}
	if b := &q.Bottleneck; b.Class != "" {
		d.Bad = true
		d.Verdict, d.Confidence, d.Advice = diag.Sanitize(b.Text), string(b.Confidence), b.Advice
	}
	return d
}

func percent(d time.Duration, total float64) string {
	return fmt.Sprintf("%.3f", 100*min(float64(d)/total, 1))
}

var pageTemplate = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>strace report</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 1100px; padding: 0 1em; color: #222; background: #fff }
h1 { font-size: 20px } h2 { font-size: 15px; margin: 0 }
section { border: 1px solid #ddd; border-radius: 6px; padding: 1em; margin: 1.2em 0 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
td, th { padding: 1px 8px; text-align: right; white-space: nowrap; font-weight: normal }
td.t, th.t { text-align: left; overflow: hidden; text-overflow: ellipsis; max-width: 22em }
th { color: #666; border-bottom: 1px solid #ddd }
td.bar { width: 40%; padding: 0 8px }
td.bar svg { display: block; width: 100%; height: 12px; background: #f6f6f6 }
rect { fill: #999 }
.c-application-or-untraced { fill: #d33 } .c-peer-wait { fill: #e69b00 } .c-peer-chatter { fill: #e69b00 } .c-dns, .c-connect { fill: #2aa1b3 }
.c-sleep, .c-lock { fill: #a347ba } .c-file-i-o, .c-child { fill: #2a6fdb } .c-slow-client { fill: #3a9a3a } .c-unknown { fill: #bbb } .c-idle { fill: #ccc }
.verdict { background: #fdf1f0; border-left: 4px solid #d33; padding: .5em 1em; margin: .8em 0 } .verdict.none { background: #f1f8f1; border-color: #3a9a3a }
.dim { color: #666 }
@media (prefers-color-scheme: dark) { body { background: #181a1b; color: #ddd } section, th { border-color: #444 } td.bar svg { background: #242628 }
 .verdict { background: #3a2323 } .verdict.none { background: #20301f } .dim, th { color: #999 } }
</style>
</head>
<body>
<h1>Where the requests of this trace spent their time</h1>
<p>{{.Report.Lines.Total}} lines{{if .Report.Lines.Unknown}}, {{.Report.Lines.Unknown}} not of strace{{end}}{{if .Report.Lines.Damaged}}, {{.Report.Lines.Damaged}} damaged{{end}}.
{{if .Report.Filter.Filtered}}The trace is filtered: no calls of {{.Missing}} are in it.{{end}}{{if .More}} {{.More}} faster requests are not drawn.{{end}}</p>
{{range .Requests}}<section>
<h2>{{.Title}}</h2>
<div class="dim">lines {{.Lines}}, from {{.Start}}{{if .Open}}; its end is not in the log{{else}}: {{.Length}}{{if .Answered}}, answered after {{.Answered}}{{end}}{{end}}{{if .Names}}; names asked: {{.Names}}{{end}}</div>
{{if not .Open}}{{if .Bad}}<div class="verdict">{{.Verdict}}<br><span class="dim">confidence: {{.Confidence}}</span>{{range .Advice}}<br><span class="dim">&ndash; {{.}}</span>{{end}}</div>{{else}}<div class="verdict none">no bottleneck</div>{{end}}
<table><tr><th>offset</th><th class="t">&nbsp;</th><th>length</th><th class="t">what</th><th>lines</th></tr>
{{range .Rows}}<tr><td>{{.Offset}}</td><td class="bar"><svg viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{{.Length}}"><rect class="{{.Class}}" x="{{.X}}" y="0" width="{{.W}}" height="12" stroke="none"></rect></svg></td><td>{{.Length}}</td><td class="t" title="{{.Label}}">{{.Label}}</td><td>{{.Lines}}</td></tr>
{{if .Data}}<tr><td class="t" colspan="5">{{.Data}}</td></tr>
{{end}}{{end}}</table>{{end}}
</section>
{{end}}{{if .Peers}}<section><h2>Where the time of all requests went</h2>
<table><tr><th class="t">class and peer</th><th>requests</th><th>calls</th><th>round trips</th><th>p50</th><th>p95</th><th>max</th></tr>
{{range .Peers}}<tr><td class="t" title="{{.Name}}">{{.Name}}</td><td>{{.Count}}</td><td>{{.Calls}}</td><td>{{.Trips}}</td><td>{{.P50}}</td><td>{{.P95}}</td><td>{{.Max}}</td></tr>
{{end}}</table></section>{{end}}
{{if .Report.Findings}}<section><h2>Lines that are not as strace writes them</h2><table>{{range .Report.Findings}}<tr><td>{{.Range.Start.Line}}</td><td class="t">{{.Message}}</td></tr>
{{end}}</table></section>{{end}}
<p class="dim">A trace is a hint, not a proof: it slows the traced process. Trace few processes, at the peak.</p>
</body>
</html>
`))
