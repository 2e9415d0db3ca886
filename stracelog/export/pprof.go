package export

import (
	"io"
	"time"

	"github.com/google/pprof/profile"

	"dougu.internal/diag"
	"dougu.internal/stracelog"
)

// Pprof writes a gzipped profile for go tool pprof. It has three values: calls/count, gap/nanoseconds and wall/nanoseconds, which is the one that
// is shown by default. The sum of wall is the sum of every -T in the log, the sum of calls its calls; gap is the time of requests between
// calls, which is in no call. The stack of a sample is, from the root, whether it is in a request, its class, its peer, the system
// call, and what -k shows of the program.
func Pprof(w io.Writer, r *stracelog.Report) error {
	b := builder{p: &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "calls", Unit: "count"}, {Type: "gap", Unit: "nanoseconds"}, {Type: "wall", Unit: "nanoseconds"}},
		PeriodType: &profile.ValueType{Type: "wall", Unit: "nanoseconds"}, Period: 1, DefaultSampleType: "wall",
	}, at: map[string]*profile.Location{}}
	var all time.Duration
	for i := range r.Totals {
		t := &r.Totals[i]
		stack := b.stack(t)
		values := []int64{t.Calls, 0, int64(t.Dur)}
		if t.Name == "" {
			values = []int64{0, int64(t.Dur), 0}
		}
		all += t.Dur
		b.p.Sample = append(b.p.Sample, &profile.Sample{Location: stack, Value: values})
	}
	b.p.DurationNanos = int64(all)
	if err := b.p.CheckValid(); err != nil {
		return errs.Errorf("make the profile: %w", err)
	}
	return writeError("profile", b.p.Write(w))
}

type builder struct {
	p  *profile.Profile
	at map[string]*profile.Location
}

// stack returns the frames of a total, the leaf first.
func (b *builder) stack(t *stracelog.Total) []*profile.Location {
	var s []*profile.Location
	if t.Name != "" {
		s = append(s, b.frame(t.Name))
	}
	for _, f := range t.Stack {
		s = append(s, b.frame(f))
	}
	if t.Peer.Known() {
		s = append(s, b.frame(t.Peer.String()))
	}
	s = append(s, b.frame(string(t.Class)))
	if t.InRequest {
		return append(s, b.frame("in a request"))
	}
	return append(s, b.frame("outside of requests"))
}

func (b *builder) frame(name string) *profile.Location {
	name = diag.Sanitize(name)
	if l := b.at[name]; l != nil {
		return l
	}
	f := &profile.Function{ID: uint64(len(b.p.Function) + 1), Name: name, SystemName: name}
	l := &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f}}}
	b.p.Function = append(b.p.Function, f)
	b.p.Location = append(b.p.Location, l)
	b.at[name] = l
	return l
}
