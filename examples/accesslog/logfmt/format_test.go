package logfmt_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/logfmt"
)

// entry is a request as a browser sends it.
func entry() *logfmt.Entry {
	r := httptest.NewRequest("GET", "/index.html?a=b", nil)
	r.Header.Set("User-Agent", `Mozilla/5.0 (X11; Linux x86_64) "quoted"`)
	r.Header.Set("Referer", "http://www.example.com/start.html")
	start := time.Date(2009, 10, 22, 7, 56, 0, 295e3, time.FixedZone("JST", 9*3600))
	return &logfmt.Entry{
		Request: r, Status: 200, Bytes: 2326, Client: netip.MustParseAddrPort("203.0.113.9:4711"),
		Start: start, End: start.Add(1234567 * time.Microsecond), ServerName: "www.example.com",
	}
}

func line(t *testing.T, format string, e *logfmt.Entry) string {
	t.Helper()
	f, err := logfmt.Parse(format)
	require.NoError(t, err)
	return string(f.Append(nil, e))
}

func TestCombinedLine(t *testing.T) {
	require.Equal(t,
		`203.0.113.9 - - [22/Oct/2009:07:56:00 +0900] "GET /index.html?a=b HTTP/1.1" 200 2326 "http://www.example.com/start.html" "Mozilla/5.0 (X11; Linux x86_64) \"quoted\""`,
		line(t, logfmt.Combined, entry()))
}

func TestTimesTaken(t *testing.T) {
	require.Equal(t, "1 1 1234 1234567 1234567", line(t, "%T %{s}T %{ms}T %{us}T %D", entry()))
	require.Equal(t, "000 000295 1256165760000295 07:56", line(t, "%{msec_frac}t %{usec_frac}t %{usec}t %{%H:%M}t", entry()))
	require.Equal(t, "01", line(t, "%{end:%S}t", entry()))
}

func TestPasswordInURIIsMasked(t *testing.T) {
	e := entry()
	for _, row := range [][2]string{
		{"http://u:secret@h/x?y=z:1@2", "http://u:XXXXXXXX@h/x?y=z:1@2"},
		{"http://u@h/", "http://u@h/"},
		{"http://u:@h/", "http://u:XXXXXXXX@h/"},
		{"/x?next=http://u:p@h/", "/x?next=http://u:p@h/"},
		{"http://u:a@b@h/", "http://u:XXXXXXXX@h/"},
	} {
		e.Request.RequestURI = row[0]
		require.Equal(t, "GET "+row[1]+" HTTP/1.1", line(t, "%r", e))
	}
}

func TestEmptyEntryPrintsDashes(t *testing.T) {
	require.Equal(t, "- - - - - - - - - - - - - -", line(t, "%h %r %U %q %m %H %s %{A}i %{A}o %{a}C %u %v %V %A", &logfmt.Entry{}))
}

func TestWarningsNameUselessDirectives(t *testing.T) {
	f, err := logfmt.Parse(`%h \"%{bogus}T\" %I %{tid}P %{%Q}t %{}i`)
	require.NoError(t, err)
	var got []string
	for _, w := range f.Warnings() {
		got = append(got, fmt.Sprintf("%d %s", w.Offset, w.Directive))
	}
	require.Equal(t, []string{"5 %{bogus}T", "20 %{tid}P", "28 %{%Q}t", "35 %{}i"}, got)
	_, err = logfmt.Parse(`\"%h\" %y`)
	require.EqualError(t, err, "logfmt: column 9: Unrecognized LogFormat directive %y")
}

func TestStringParsesToTheSameFormat(t *testing.T) {
	for _, s := range []string{logfmt.Common, logfmt.Combined, logfmt.VHostCombined, `a\\\\b\t%%`, ""} {
		f, err := logfmt.Parse(s)
		require.NoError(t, err)
		require.Equal(t, s, f.String())
		require.Equal(t, line(t, s, entry()), line(t, f.String(), entry()))
	}
}

func TestExplainCoversTheWholeFormat(t *testing.T) {
	f, err := logfmt.Parse(`lit\t%%x%!200,304{Referer}i%h`)
	require.NoError(t, err)
	var parts, meanings []string
	f.Explain(func(_ int, part, meaning string) bool {
		parts, meanings = append(parts, part), append(meanings, meaning)
		return true
	})
	require.Equal(t, f.String(), strings.Join(parts, ""))
	require.Contains(t, meanings[1], `"-" when the status is 200 or 304`)
}

func TestParseIsLinear(t *testing.T) {
	for _, s := range []string{strings.Repeat("%h", 1<<18), strings.Repeat("a", 1<<20), strings.Repeat(`\`, 1<<20), "%" + strings.Repeat("200,", 1<<18) + "s"} {
		_, err := logfmt.Parse(s)
		require.NoError(t, err)
	}
	_, err := logfmt.Parse("%" + strings.Repeat("9", 1<<20))
	require.Error(t, err)
}

func TestAppendAllocatesNothing(t *testing.T) {
	e := entry()
	for _, s := range []string{logfmt.Combined, logfmt.VHostCombined, `%D %{sid}C %V %U %p %{msec}t %k %X`} {
		f, err := logfmt.Parse(s)
		require.NoError(t, err)
		buf := make([]byte, 0, 1024)
		require.Zero(t, testing.AllocsPerRun(100, func() { buf = f.Append(buf[:0], e) }), s)
	}
}

// FuzzAppend holds that no value of a client adds a byte that is not printable ASCII.
func FuzzAppend(f *testing.F) {
	f.Add("GET", "/a\n\x1b", "q\"", "u\x9b", "c=\x00")
	format, err := logfmt.Parse(`%r%U%q%m%H%V%u%{User-Agent}i%{c}C%{X}^ti%{Host}i%v`)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, query, value, cookie string) {
		h := http.Header{"User-Agent": {value, query}, "Cookie": {cookie}, "X": {value}}
		r := &http.Request{
			Method: method, Proto: value, RequestURI: path + "?" + query, Host: value, Header: h, Trailer: h,
			URL: &url.URL{Path: path, RawQuery: query, Host: cookie},
		}
		out := format.Append(nil, &logfmt.Entry{Request: r, User: value, ServerName: path})
		if i := bytes.IndexFunc(out, func(c rune) bool { return c < 0x20 || c > 0x7e }); i >= 0 {
			t.Fatalf("byte %#x in %q", out[i], out)
		}
	})
}

// FuzzParse holds that any text is parsed or refused with a place inside it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{logfmt.VHostCombined, `%!200,304{a\"b}i\\\\`, "%{%H:%q}t", "%^ti%", "%{begin:msec}t"} {
		f.Add(s)
	}
	e := entry()
	f.Fuzz(func(t *testing.T, s string) {
		format, err := logfmt.Parse(s)
		if err != nil {
			if se := err.(*logfmt.SyntaxError); se.Offset < 0 || se.Offset > len(s) {
				t.Fatalf("offset %d in %q", se.Offset, s)
			}
			return
		}
		format.Append(nil, e)
		var all strings.Builder
		format.Explain(func(_ int, part, _ string) bool { all.WriteString(part); return true })
		if all.String() != s {
			t.Fatalf("parts of %q are %q", s, all.String())
		}
	})
}

func BenchmarkCombined(b *testing.B) {
	e := entry()
	f, err := logfmt.Parse(logfmt.Combined)
	if err != nil {
		b.Fatal(err)
	}
	buf := f.Append(nil, e)
	b.SetBytes(int64(len(buf)))
	b.ReportAllocs()
	for b.Loop() {
		buf = f.Append(buf[:0], e)
	}
}
