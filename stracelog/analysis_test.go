package stracelog

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func analyze(t testing.TB, b []byte) *Report {
	t.Helper()
	rep, err := Analyze(NewReader(bytes.NewReader(b)).Events())
	require.NoError(t, err)
	for _, q := range rep.Requests {
		addsUp(t, &q)
	}
	return rep
}

// addsUp holds that the segments of a request are disjoint, in order, and give its whole length.
func addsUp(t testing.TB, q *Request) {
	t.Helper()
	if q.End.IsZero() || q.Cut && q.Segments == nil { // a report keeps so many segments and no more
		return
	}
	at, sum := q.Start.At, time.Duration(0)
	for _, s := range q.Segments {
		require.GreaterOrEqual(t, s.Start, at, "segment of line %d", s.From)
		require.GreaterOrEqual(t, s.Dur, time.Duration(0))
		at = s.Start + s.Dur
		sum += s.Dur
	}
	require.Equal(t, q.Duration(), sum)
}

func TestAnalyzeFindsTheGapOfTheStory(t *testing.T) {
	rep := analyze(t, golden(t, "request.strace"))
	require.Equal(t, LineCount{Total: 29, Unknown: 1, Damaged: 2}, rep.Lines)
	require.True(t, rep.Filter.Filtered)
	require.Len(t, rep.Requests, 1)
	q := rep.Requests[0]
	require.Equal(t, "15:21:04.244893", q.Start.String(), "accept's return")
	require.Equal(t, "15:21:04.382587", q.End.String())
	require.True(t, q.Answered.IsZero(), "no write is traced")
	require.Equal(t, 137690*time.Microsecond, q.Length)
	b := q.Bottleneck
	require.Equal(t, ClassUntraced, b.Class)
	require.Equal(t, 111748*time.Microsecond, b.Dur)
	require.Equal(t, []int64{15, 17}, []int64{b.From, b.To})
	require.InDelta(t, 0.812, b.Share, 0.001)
	require.Equal(t, CannotTell, b.Confidence)
	require.Equal(t, "111.748 ms of 137.690 ms (81 %) between memcached's answer (line 15) and the next traced call (line 17): "+
		"no SQL, no network; application code or an untraced call; no traced syscall stands there, MySQL comes next", b.Text)
	require.NotEmpty(t, b.Advice)
}

func TestAnalyzeKeepsTheSnipApart(t *testing.T) {
	q := analyze(t, golden(t, "request.strace")).Requests[0]
	var gaps []int64
	for _, s := range q.Segments {
		switch s.Class {
		case ClassUnknown:
			require.Equal(t, 13186*time.Microsecond, s.Dur)
			require.Equal(t, []int64{25, 28}, []int64{s.From, s.To})
		case ClassUntraced:
			gaps = append(gaps, s.Dur.Microseconds())
		}
	}
	require.Equal(t, []int64{9782, 20, 40, 25, 26, 31, 50, 37, 22, 25, 32, 22, 27, 111748, 188, 27, 56, 33, 36, 41, 91, 51, 1292}, gaps)
}

func TestAnalyzeInventsNothingForTheListing(t *testing.T) {
	rep := analyze(t, golden(t, "listing.strace"))
	require.Len(t, rep.Requests, 4)
	for _, q := range rep.Requests {
		require.Equal(t, 11, q.FD)
		require.True(t, q.End.IsZero())
		require.Empty(t, q.Segments)
		require.Empty(t, q.Bottleneck)
	}
}
