package stracelog

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func seeds(f *testing.F) {
	for _, name := range []string{"request.strace", "listing.strace", "colour.strace", "old.strace"} {
		f.Add(golden(f, name))
	}
	f.Add([]byte(awkward))
	f.Add([]byte("[pid  7] clone(child_stack=NULL, flags=SIGCHLDstrace: Process 8 attached\n, child_tidptr=0x7f) = 8\n\xef\xbb\xbf\r\n"))
	f.Add([]byte("7<a\\76b> [ 59] [00007f43c7f8aad7] write(4</srv/d/) = 0>(deleted), \"x\"..., 1) = -1 EAGAIN (x) (INJECTED) <1.5>\n"))
}

// FuzzRoundTrip holds part 2: the bytes of all events are the input, whatever it is and however it arrives.
func FuzzRoundTrip(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		var out []byte
		line := int64(0)
		for e, err := range NewReader(iotest.HalfReader(bytes.NewReader(b)), MaxLine(4096)).Events() {
			require.NoError(t, err)
			require.EqualValues(t, len(out), e.Off)
			require.Equal(t, line+1, e.Line)
			line += int64(e.Lines)
			out = e.AppendTo(out)
			_, _, _ = e.Ret.Text(), e.Ret.Aux(), e.Ret.Annotation()
			if e.Kind == Syscall {
				var tree Tree
				_ = e.Args.Parse(&tree)
				checkSpans(t, &tree, e.Args.Raw())
			}
			require.Equal(t, describe(e), describe(e.Clone()))
		}
		require.True(t, bytes.Equal(b, out))
		sameByLongWay(t, b)
	})
}

// sameByLongWay holds that the short ways for common lines say what the general reading says of every line.
func sameByLongWay(t testing.TB, b []byte) {
	short, long := NewBytesReader(b), NewBytesReader(b)
	long.long = true
	for {
		s, err1 := short.Next()
		l, err2 := long.Next()
		require.Equal(t, err2, err1)
		if err1 != nil {
			require.Equal(t, long.Format(), short.Format())
			return
		}
		require.Equal(t, describe(l), describe(s))
		require.Equal(t, l.Clone(), s.Clone())
	}
}

// slowUnquote is the reference: one byte after another, by the rules of the man page.
func slowUnquote(src string) (out string, truncated, ok bool) {
	src = strings.TrimPrefix(src, "@")
	if src == "" || src[0] != '"' {
		return "", false, false
	}
	var b []byte
	i := 1
	for {
		if i >= len(src) {
			return "", false, false
		}
		c := src[i]
		i++
		if c == '"' {
			break
		}
		if c != '\\' {
			b = append(b, c)
			continue
		}
		if i >= len(src) {
			return "", false, false
		}
		c = src[i]
		i++
		if k := strings.IndexByte(`ntrfvabe"\'`, c); k >= 0 {
			b = append(b, "\n\t\r\f\v\a\b\x1b\"\\'"[k])
			continue
		}
		if c == 'x' {
			if i+2 > len(src) {
				return "", false, false
			}
			h := strings.IndexByte("0123456789abcdef", src[i]|0x20)
			l := strings.IndexByte("0123456789abcdef", src[i+1]|0x20)
			if src[i] < '0' || src[i+1] < '0' || h < 0 || l < 0 {
				return "", false, false
			}
			b = append(b, byte(h<<4|l))
			i += 2
			continue
		}
		v, n := 0, 0
		for i--; n < 3 && i < len(src) && src[i] >= '0' && src[i] <= '7'; n++ {
			v = v*8 + int(src[i]-'0')
			i++
		}
		if n == 0 || v > 255 {
			return "", false, false
		}
		b = append(b, byte(v))
	}
	switch src[i:] {
	case "":
		return string(b), false, true
	case "...":
		return string(b), true, true
	}
	return "", false, false
}

func FuzzUnquote(f *testing.F) {
	for _, s := range []string{`"\0001\09\1"`, `"\x41\\\""...`, `@"ab"`, `"\400"`, `"\n\t\r\f\v\a\b\e"`, `"`, `"\`, `"\x4"`, `"\xA:"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		want, cut, ok := slowUnquote(string(b))
		got, truncated, err := Unquote(nil, b)
		require.Equal(t, ok, err == nil, "%q: %v", b, err)
		if ok {
			require.Equal(t, want, string(got), "%q", b)
			require.Equal(t, cut, truncated)
		} else {
			require.ErrorIs(t, err, ErrQuote)
		}
	})
}

// FuzzAnalyze holds that a report of anything is sound: segments add up, shares are no more than all.
func FuzzAnalyze(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		rep, err := AnalyzeReader(NewBytesReader(b), Data(), Threshold(0, 0))
		require.NoError(t, err)
		for i := range rep.Requests {
			q := &rep.Requests[i]
			addsUp(t, q)
			require.GreaterOrEqual(t, q.Bottleneck.Share, 0.0)
			require.LessOrEqual(t, q.Bottleneck.Share, 1.0)
		}
		_, err = ParseSummary(bytes.NewReader(b))
		require.True(t, err == nil || errors.Is(err, ErrNoTable))
		for _, err := range Merge(Log{1, bytes.NewReader(b)}, Log{2, iotest.TimeoutReader(bytes.NewReader(b))}) {
			require.True(t, err == nil || errors.Is(err, iotest.ErrTimeout) || errors.Is(err, io.EOF), "%v", err)
		}
	})
}
