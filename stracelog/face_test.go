package stracelog

import (
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/fill"
)

// comesBack checks that random values of T survive JSON.
func comesBack[T any](t *testing.T) {
	t.Helper()
	require.NoError(t, fill.JSON(rand.Uint64(), new(T)))
}

func TestAnswersSurviveJSON(t *testing.T) {
	t.Run("Report", comesBack[Report])
	t.Run("Request", comesBack[Request])
	t.Run("Segment", comesBack[Segment])
	t.Run("Bottleneck", comesBack[Bottleneck])
	t.Run("Table", comesBack[Table])
	t.Run("Peer", comesBack[Peer])
	t.Run("PeerStat", comesBack[PeerStat])
	t.Run("SyscallStat", comesBack[SyscallStat])
	t.Run("Total", comesBack[Total])
	t.Run("Format", comesBack[Format])
	t.Run("Time", comesBack[Time])
	t.Run("ParseError", comesBack[ParseError])
}

func TestRealReportSurvivesJSON(t *testing.T) {
	rep, err := AnalyzeReader(NewReader(strings.NewReader(`7 1795337041.234369 accept(3, {sa_family=AF_INET, sin_port=htons(9)}, [16]) = 8 <0.000010>
7 1795337041.234400 read(8, "GET / HTTP/1.1\r\n"..., 8192) = 100 <0.000010>
7 1795337041.284400 open("/tmp/`+"\xff"+`", O_RDONLY) = 9 <0.050000>
7 1795337041.384500 close(8) = 0 <0.000010>
not of strace
close(
`)), Data())
	require.NoError(t, err)
	require.Len(t, rep.Requests, 1)
	b, err := json.Marshal(rep)
	require.NoError(t, err)
	require.Contains(t, string(b), `"time":"epoch"`)
	back := &Report{}
	require.NoError(t, json.Unmarshal(b, back))
	require.Equal(t, rep, back)
}

func TestFindingsAreOfDiag(t *testing.T) {
	rep, err := AnalyzeReader(NewReader(strings.NewReader("close(3) = 0\nhello\nread(3, \"abc, 5) = 3\n"+strings.Repeat("y", 200)+"\n"), MaxLine(100)))
	require.NoError(t, err)
	var got []string
	known := Rules()
	require.True(t, slices.IsSortedFunc(known, func(a, b diag.Rule) int { return strings.Compare(a.ID, b.ID) }))
	for _, f := range rep.Findings {
		got = append(got, f.Rule)
		require.True(t, slices.ContainsFunc(known, func(r diag.Rule) bool { return r.ID == f.Rule && r.Severity == f.Severity }))
		require.NotEmpty(t, f.Message)
	}
	require.Equal(t, []string{"unknown-line", "damaged-line", "oversize-line"}, slices.Compact(got))
	require.Equal(t, 2, rep.Findings[0].Range.Start.Line)
	require.Equal(t, 13, rep.Findings[0].Range.Start.Offset)
	for _, r := range known {
		if r.Bad != "" {
			bad := analyze(t, []byte(r.Bad))
			require.Equal(t, r.ID, bad.Findings[0].Rule)
		}
		if r.Good != "" {
			require.Empty(t, analyze(t, []byte(r.Good)).Findings)
		}
	}
	known[0].ID = "changed"
	require.NotEqual(t, "changed", Rules()[0].ID)
}

// texts checks that the values from 0 to last have distinct texts that come back, and
// that other numbers and words are refused.
func texts[T interface {
	~uint8 | ~uint16
	String() string
	encoding.TextMarshaler
}, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, last T) {
	t.Helper()
	seen := map[string]bool{}
	for v := T(0); v <= last; v++ {
		text, err := v.MarshalText()
		require.NoError(t, err)
		require.Equal(t, v.String(), string(text))
		require.False(t, seen[string(text)], "%s", text)
		seen[string(text)] = true
		back := T(99)
		require.NoError(t, P(&back).UnmarshalText(text))
		require.Equal(t, v, back)
	}
	_, err := (last + 1).MarshalText()
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "stracelog: invalid "), "%v", err)
	v := last
	err = P(&v).UnmarshalText([]byte("No Such Word"))
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "stracelog: unknown "), "%v", err)
	require.Equal(t, last, v)
}

func TestEnumerationsHaveTexts(t *testing.T) {
	texts(t, Empty)
	texts(t, PIDBracket)
	texts(t, Relative)
	texts(t, RetUnknown)
	texts(t, ValueComment)
	texts(t, Oversize<<1-1)
	require.Equal(t, "unfinished|damaged", (Unfinished | Damaged).String())
	require.Equal(t, "kind(77)", Kind(77).String())
}

// full is a writer that accepts nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("disk is full") }

// short is a log of which a part cannot be read.
type short struct{ err error }

func (s short) ReadAt(p []byte, _ int64) (int, error) { return copy(p, "close(3) = 0\n"), s.err }

func TestErrorsNameThePackageOnce(t *testing.T) {
	fails := map[string]error{}
	cause := errors.New("cable")
	_, fails["read"] = AnalyzeReader(NewReader(iotest.ErrReader(cause)))
	_, fails["analyze"] = Analyze(func(yield func(*Event, error) bool) { yield(nil, cause) })
	_, fails["table"] = ParseSummary(iotest.ErrReader(cause))
	fails["parallel"] = Parallel(short{cause}, 1000, 1, func(int, *Event) error { return nil })
	for name, err := range fails {
		require.ErrorIs(t, err, cause, name)
	}
	fails["short"] = Parallel(short{io.EOF}, 1000, 1, func(int, *Event) error { return nil })
	require.ErrorIs(t, fails["short"], io.ErrUnexpectedEOF)
	_, fails["no table"] = ParseSummary(strings.NewReader(""))
	_, _, fails["quote"] = Unquote(nil, nil)
	fails["merged"] = WriteMerged(full{}, Log{R: strings.NewReader("close(3) = 0\n")})
	fails["merge"] = WriteMerged(io.Discard, Log{R: iotest.ErrReader(cause)})
	e, err := NewReader(strings.NewReader("read(3, \"abc, 5) = 3\n")).Next()
	require.NoError(t, err)
	fails["line"] = e.Err
	var tree Tree
	fails["arguments"] = Args{src: []byte("{a")}.Parse(&tree)
	fails["json"] = json.Unmarshal([]byte(`{"format":{"time":"noon"}}`), &Report{})
	fails["json kind"] = json.Unmarshal([]byte(`{"requests":7}`), &Report{})
	fails["json finding"] = json.Unmarshal([]byte(`{"findings":[{"severity":"bad"}]}`), &Report{})
	for name, err := range fails {
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "stracelog: "), "%s: %v", name, err)
		require.Equal(t, 1, strings.Count(err.Error(), "stracelog: "), "%s: %v", name, err)
		require.NotContains(t, err.Error(), "diag: ")
	}
}
