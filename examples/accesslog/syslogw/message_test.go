package syslogw

import (
	"bytes"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestMessagesHaveTheirForm(t *testing.T) {
	now := time.Date(2009, 10, 2, 16, 56, 0, 123456789, time.FixedZone("JST", 9*3600))
	pid := strconv.Itoa(os.Getpid())
	for _, row := range []struct {
		c    Config
		want string
	}{
		{Config{Ident: "httpd", Facility: 22}, "<182>Oct  2 16:56:00 httpd[" + pid + "]: a\nb"},
		{Config{Ident: "httpd", Format: RFC3164, Network: "udp", Hostname: "web1"}, "<14>Oct  2 16:56:00 web1 httpd[" + pid + "]: a\nb"},
		{Config{Ident: "httpd", Facility: 16, Network: "relp", Hostname: "web1"}, "<134>1 2009-10-02T16:56:00.123456+09:00 web1 httpd " + pid + " - - a\nb"},
		{Config{Ident: "httpd", Facility: 16, Severity: Warning, Network: "tcp", Framing: LF, Hostname: "web1"},
			"<132>1 2009-10-02T16:56:00.123456+09:00 web1 httpd " + pid + " - - a#012b"},
	} {
		row.c.complete()
		got, cut := newShape(&row.c).append(nil, now, []byte("a\nb"))
		require.Equal(t, row.want, string(got))
		require.False(t, cut)
	}
}

func TestCutNeverSplitsACharacterOrAnEscape(t *testing.T) {
	for _, row := range []struct {
		line string
		at   int
		want int
	}{
		{`ab\"cd`, 3, 2}, {`ab\"cd`, 4, 4}, {`ab\\cd`, 3, 2}, {`ab\\cd`, 4, 4},
		{`ab\xe6cd`, 3, 2}, {`ab\xe6cd`, 4, 2}, {`ab\xe6cd`, 5, 2}, {`ab\xe6cd`, 6, 6},
		{`ab\\xe6cd`, 4, 4}, {`ab\\xe6cd`, 5, 5}, {`ab\\\xe6`, 6, 4}, {`ab\\\xe6`, 5, 4},
		{"日本", 1, 0}, {"日本", 3, 3}, {"日本", 4, 3}, {"日本", 5, 3}, {"日本", 6, 6}, {"a\x80\x80\x80\x80\x80b", 5, 5}, {"abc", 9, 3}, {`\`, 0, 0},
	} {
		require.Equal(t, row.want, boundary([]byte(row.line), row.at), "%q cut at %d", row.line, row.at)
	}
}

func TestLongLinesAreMarked(t *testing.T) {
	c := Config{Ident: "httpd", Network: "tcp", Hostname: "web1", MaxSize: 480}
	c.complete()
	got, cut := newShape(&c).append(nil, time.Now(), bytes.Repeat([]byte(`\xe6`), 1000))
	require.True(t, cut)
	require.LessOrEqual(t, len(got), 480)
	m := regexp.MustCompile(`- - ((?:\\xe6)+)\[\+(\d+) bytes\]$`).FindSubmatch(got)
	require.NotNil(t, m, "%s", got)
	missing, err := strconv.Atoi(string(m[2]))
	require.NoError(t, err)
	require.Equal(t, 4000, len(m[1])+missing)
}

func FuzzCut(f *testing.F) {
	f.Add([]byte(`GET /\xe6\x97\"\\`), 480)
	f.Add([]byte("日本"), 500)
	f.Fuzz(func(t *testing.T, line []byte, most int) {
		c := Config{Ident: "httpd", Network: "relp", Hostname: "web1", MaxSize: 480 + int(uint(most)%500)}
		c.complete()
		s := newShape(&c)
		line = bytes.Repeat(line, 1+1000/(1+len(line)))
		got, cut := s.append(nil, time.Unix(0, 0).UTC(), line)
		require.LessOrEqual(t, len(got), c.MaxSize)
		head, _ := s.append(nil, time.Unix(0, 0).UTC(), nil)
		text := got[len(head):]
		if !cut {
			require.Equal(t, line, text)
			return
		}
		kept := text[:bytes.LastIndex(text, []byte("[+"))]
		require.True(t, bytes.HasPrefix(line, kept))
		if utf8.Valid(line) {
			require.True(t, utf8.Valid(kept))
		}
		// An odd number of backslashes at the end is half an escape.
		require.Zero(t, (len(kept)-len(strings.TrimRight(string(kept), `\`)))%2)
	})
}

func BenchmarkMessage(b *testing.B) {
	c := Config{Ident: "httpd", Network: "relp"}
	c.complete()
	s := newShape(&c)
	line := bytes.Repeat([]byte("x"), 180)
	var buf []byte
	b.SetBytes(180)
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = s.append(buf[:0], time.Now(), line)
	}
}

func TestMessageAllocatesNothing(t *testing.T) {
	c := Config{Ident: "httpd", Network: "relp"}
	c.complete()
	s := newShape(&c)
	buf := make([]byte, 0, 1024)
	now := time.Now()
	line := bytes.Repeat([]byte("x"), 180)
	require.Zero(t, testing.AllocsPerRun(100, func() { buf, _ = s.append(buf[:0], now, line) }))
}
