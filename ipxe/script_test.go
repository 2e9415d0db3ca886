package ipxe_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
)

// the two scripts of the story, by their digests.
const (
	bootDigest   = "41fd4daabff187af307a1351bd40ce2a9d31d28ce12a17c8048fec6d7d87d498"
	answerDigest = "b13206cc2cdf41fdaa3e0b9543860a88e4542fe1a575e412d973ca04c00f5e46"
)

func digest(b []byte) string {
	d := sha256.Sum256(b)
	return hex.EncodeToString(d[:])
}

func TestPart1ParseIsLossless(t *testing.T) {
	for _, src := range []string{
		"", "x", "#!ipxe", "#!ipxe\n", "#!ipxe\r\necho a\\\r\nb\r\n\r\n", "#!ipxe\n\x00\n", "\\", "\\\n", "a\\\n\\\n\\", ":l\\\nx y || z # c\n", "\r\r\n\r", "${${}}",
		"\xff\xfe\n", strings.Repeat("${", 1000),
	} {
		s := ipxe.Parse("x", []byte(src))
		require.Equal(t, src, string(s.Bytes()))
		at := 0
		for i, l := range s.Lines() {
			require.Equal(t, l, s.Line(i))
			require.Equal(t, at, l.Start, "%q", src)
			require.Greater(t, l.End, l.Start)
			at = l.End
		}
		require.Equal(t, len(src), at, "the lines add up to the file")
	}
}

func TestPart1LinesLabelsAndWords(t *testing.T) {
	s := ipxe.Parse("b.ipxe", []byte("#!ipxe\n  :lab\techo  a b||c || # tail\nse\\\nt x ${y} ; : e\n:lab second\necho \\"))
	require.Equal(t, 5, s.Len())
	lines := make([]*ipxe.Line, s.Len())
	for i, l := range s.Lines() {
		lines[i] = l
	}
	require.Equal(t, "lab", lines[1].Label)
	at, ok := s.Label("lab")
	require.True(t, ok)
	require.Equal(t, 1, at, "the first one counts")
	require.Len(t, lines[1].Cmds, 2)
	require.Equal(t, ipxe.Or, lines[1].Cmds[1].Op)
	require.Empty(t, lines[1].Cmds[1].Words)
	require.GreaterOrEqual(t, lines[1].Comment, 0)
	w := lines[1].Cmds[0].Words
	require.Equal(t, "b||c", w[2].Text)
	require.Equal(t, "b.ipxe:2:16", s.Range(lines[1], w[2].At, w[2].At+4).String())

	joined := lines[2]
	require.Equal(t, "set x ${y} ; : e", joined.Text)
	set := joined.Cmds[0].Words[0]
	r := s.Range(joined, set.At, set.At+3)
	require.Equal(t, diag.Pos{Offset: 37, Line: 3, Column: 1}, r.Start)
	require.Equal(t, 4, r.End.Line, "the word goes on in the next line")
	require.Equal(t, ":", joined.Cmds[1].Words[0].Text, "not a label: it is not the first word")
	require.True(t, joined.Cmds[0].Words[2].Expands)
	require.True(t, lines[4].Open)
	require.True(t, s.Open())
}

func TestPart1RenderIsCanonicalAndMeansTheSame(t *testing.T) {
	for _, row := range []struct{ src, want string }{
		{"#!ipxe  hello  \n  :a   echo  x\ty ||  # c  \r\n\n", "#!ipxe  hello  \n:a echo x y || # c\n\n"},
		{"#!ipxe\nec\\\nho a\\\n b", "#!ipxe\necho a b\n"},
		{"#!ipxe\n# note \\ \nx\\ \n", "#!ipxe\n# note \\ \nx\\ \n"},
		{"#!ipxe\nx \\", "#!ipxe\nx\\"},
		{"", ""},
	} {
		s := ipxe.Parse("x", []byte(row.src))
		got := s.Render()
		require.Equal(t, row.want, string(got))
		require.Equal(t, string(got), string(ipxe.Parse("x", got).Render()), "rendering again changes nothing")
	}
}

func TestPart1ExecutableNamesTheFault(t *testing.T) {
	for _, row := range []struct{ src, message, fixed string }{
		{"#!ipxe\n", "", ""},
		{"#!gpxe x", "", ""},
		{"", "the file is empty", "#!ipxe\n"},
		{"#!ipxe", "#!ipxe without white space after it is no script", "#!ipxe\n"},
		{"\xef\xbb\xbf#!ipxe\n", "a byte order mark stands before #!ipxe", "#!ipxe\n"},
		{"\n\n#!ipxe\n", "white space stands before #!ipxe", "#!ipxe\n"},
		{"#!ipxeX\n", "#!ipxe must be followed by white space", "#!ipxe X\n"},
		{"#!IPXE\n", "#!ipxe is written in lower case", "#!ipxe\n"},
		{"<html>", "the file looks like HTML or XML, not like a script", ""},
		{"echo x\n", "the first line is not #!ipxe", "#!ipxe\necho x\n"},
	} {
		s := ipxe.Parse("x", []byte(row.src))
		err := s.Executable()
		if row.message == "" {
			require.NoError(t, err)
			continue
		}
		var d diag.Finding
		require.ErrorAs(t, err, &d)
		require.Equal(t, row.message, d.Message)
		if row.fixed == "" {
			require.Empty(t, d.Fixes)
			continue
		}
		fixed, err := diag.Apply([]byte(row.src), "x", d.Fixes[0].Edits)
		require.NoError(t, err)
		require.Equal(t, row.fixed, string(fixed))
		require.NoError(t, ipxe.Parse("x", fixed).Executable())
	}
}

// TestBadInputParserIsLinear: no bound on time is asserted; a parser that is not linear
// would not come back from these.
func TestBadInputParserIsLinear(t *testing.T) {
	const million = 1_000_000
	var labels strings.Builder
	labels.WriteString("#!ipxe\n")
	for i := range million {
		fmt.Fprintf(&labels, ":l%d\n", i)
	}
	for name, src := range map[string]string{
		"labels": labels.String(), "long line": "#!ipxe\necho " + strings.Repeat("x", 10<<20) + "\n",
		"words": "#!ipxe\necho " + strings.Repeat("x ", 1<<20), "opened": "#!ipxe\necho " + strings.Repeat("${", 4<<20),
		"joined": "#!ipxe\necho " + strings.Repeat("\\\n", 1<<20),
	} {
		s := ipxe.Parse(name, []byte(src))
		require.Equal(t, len(src), s.Line(s.Len()-1).End)
		_, _ = s.Label("l999999")
		require.NoError(t, s.Executable())
	}
	at, ok := ipxe.Parse("x", []byte(labels.String())).Label("l999999")
	require.True(t, ok)
	require.Equal(t, million, at)
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"#!ipxe\n:a echo ${b} || c\\\nd # e\r\n", "\\\r\n\x00:", "x\\", "#!\\\x00", "#!x\r\r\n", "#!\\\x00\n\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s := ipxe.Parse("f", src)
		if !bytes.Equal(s.Bytes(), src) {
			t.Fatal("bytes differ")
		}
		at := 0
		for i, l := range s.Lines() {
			if l.Start != at || l.End <= at || len(l.Cmds) == 0 {
				t.Fatalf("line %d: %+v", i, l)
			}
			at = l.End
			for _, c := range l.Cmds {
				for _, w := range c.Words {
					if l.Text[w.At:w.At+len(w.Text)] != w.Text {
						t.Fatalf("word %q is not where it says", w.Text)
					}
					r := s.Range(l, w.At, w.At+len(w.Text))
					if r.Start.Offset < l.Start || r.End.Offset > l.End || src[r.Start.Offset] != w.Text[0] {
						t.Fatalf("the place of %q is wrong: %v", w.Text, r)
					}
				}
			}
		}
		if at != len(src) {
			t.Fatalf("the lines end at %d of %d", at, len(src))
		}
		first := s.Render()
		again := ipxe.Parse("f", first)
		if !bytes.Equal(again.Render(), first) {
			t.Fatalf("rendering is not stable:\n%q\n%q", first, again.Render())
		}
		sameModel(t, s, again)
	})
}

// sameModel compares what iPXE sees in two scripts.
func sameModel(t *testing.T, a, b *ipxe.Script) {
	t.Helper()
	if a.Len() != b.Len() {
		t.Fatalf("%d lines, rendered %d", a.Len(), b.Len())
	}
	for i, x := range a.Lines() {
		y := b.Line(i)
		if x.HasLabel != y.HasLabel || x.Label != y.Label || len(x.Cmds) != len(y.Cmds) || x.Open != y.Open {
			t.Fatalf("line %d: %q became %q", i, x.Text, y.Text)
		}
		for k := range x.Cmds {
			if x.Cmds[k].Op != y.Cmds[k].Op || len(x.Cmds[k].Words) != len(y.Cmds[k].Words) {
				t.Fatalf("line %d: %q became %q", i, x.Text, y.Text)
			}
			for n := range x.Cmds[k].Words {
				if x.Cmds[k].Words[n].Text != y.Cmds[k].Words[n].Text {
					t.Fatalf("line %d: %q became %q", i, x.Text, y.Text)
				}
			}
		}
	}
}
