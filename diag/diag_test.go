package diag_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/fill"
)

const conf = "global_defs {\n  notification_email\n  {\n    ops@example.org\n  }\n}\n"

// finding is about the bytes of needle in conf.
func finding(t *testing.T, rule string, s diag.Severity, needle string) diag.Finding {
	t.Helper()
	at := strings.Index(conf, needle)
	require.GreaterOrEqual(t, at, 0)
	return diag.Finding{
		Rule: rule, Severity: s, Message: "found " + needle,
		Range: diag.NewLines([]byte(conf)).Range("lb.conf", at, at+len(needle)),
	}
}

func TestLinesPosAgreesWithCounting(t *testing.T) {
	for _, src := range []string{"", "\n", "a", "a\n", "a\r\nbc\n\nd", conf} {
		l := diag.NewLines([]byte(src))
		line, column := 1, 1
		for i := 0; i <= len(src); i++ {
			require.Equal(t, diag.Pos{Offset: i, Line: line, Column: column}, l.Pos(i), "%q at %d", src, i)
			column++
			if i < len(src) && src[i] == '\n' {
				line, column = line+1, 1
			}
		}
		require.Equal(t, l.Pos(len(src)), l.Pos(len(src)+9))
		require.Equal(t, l.Pos(0), l.Pos(-1))
	}
	l := diag.NewLines([]byte("a\r\nbc\n\nd"))
	require.Equal(t, "a", string(l.Line(1)))
	require.Equal(t, "bc", string(l.Line(2)))
	require.Empty(t, l.Line(3))
	require.Equal(t, "d", string(l.Line(4)))
	require.Nil(t, l.Line(5))
	require.Nil(t, l.Line(0))
}

func TestWriteTextDrawsCaretUnderRange(t *testing.T) {
	d := finding(t, "KA101", diag.Error, "notification_email")
	d.Detail = "line one\nline two"
	d.Related = []diag.Related{{Range: d.Range, Message: "first seen here"}}
	d.Fixes = []diag.Fix{{Message: "move the brace"}}
	var b bytes.Buffer
	require.NoError(t, diag.WriteText(&b, diag.List{d}, func(string) []byte { return []byte(conf) }))
	require.Equal(t, `lb.conf:2:3: error: found notification_email [KA101]
    2 |   notification_email
      |   ^~~~~~~~~~~~~~~~~~
      = lb.conf:2:3: first seen here
      = line one
      = line two
      = fix: move the brace
`, b.String())
}

func TestWriteTextNeverPassesControlBytesOn(t *testing.T) {
	src := []byte("x \x1b[2J\u202e\xff\tend\x00" + strings.Repeat("y", 1<<16))
	lines := diag.NewLines(src)
	for from := range 24 {
		d := diag.Finding{Rule: "R\x1b", Severity: diag.Warning, Range: lines.Range("a\nb", from, from+3), Message: "bad \x07 \x9b", Detail: "\x1b]0;"}
		var b bytes.Buffer
		require.NoError(t, diag.WriteText(&b, diag.List{d}, func(string) []byte { return src }))
		require.True(t, utf8.Valid(b.Bytes()))
		require.NotContains(t, strings.ReplaceAll(b.String(), "\n", ""), "\x1b")
		require.NotContains(t, b.String(), "\u202e")
		require.Less(t, b.Len(), 2000)
		require.Len(t, strings.Split(b.String(), "\n"), 5)
	}
}

func TestWriteJSONHasStableShape(t *testing.T) {
	d := finding(t, "KA101", diag.Warning, "ops@example.org")
	d.Fixes = []diag.Fix{{Message: "drop it", Edits: []diag.Edit{{Range: d.Range}}}}
	var b bytes.Buffer
	require.NoError(t, diag.WriteJSON(&b, diag.List{d}))
	var got []map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &got))
	require.Equal(t, "KA101", got[0]["rule"])
	require.Equal(t, "warning", got[0]["severity"])
	require.Equal(t, "lb.conf", got[0]["file"])
	require.Equal(t, map[string]any{"offset": 43.0, "line": 4.0, "column": 5.0}, got[0]["start"])
	require.Equal(t, map[string]any{"offset": 58.0, "line": 4.0, "column": 20.0}, got[0]["end"])
	require.Len(t, got[0]["fixes"], 1)

	var back diag.List
	require.NoError(t, json.Unmarshal(b.Bytes(), &back))
	require.Equal(t, diag.List{d}, back, "the printed form is read with its place")

	b.Reset()
	require.NoError(t, diag.WriteJSON(&b, nil))
	require.Equal(t, "[]\n", b.String())
	require.Error(t, diag.WriteJSON(&b, diag.List{{}}), "a severity that nobody set is not printed as if it were one")
}

func TestWriteSARIFNamesRulesAndByteRegions(t *testing.T) {
	d := finding(t, "KA101", diag.Info, "ops@example.org")
	d.Fixes = []diag.Fix{{Message: "quote it", Edits: []diag.Edit{{Range: d.Range, NewText: `"x"`}}}}
	other := finding(t, "KA999", diag.Error, "{")
	other.Range.File = "/etc/a b.conf"
	tool := diag.Tool{Name: "lint", Rules: []diag.Rule{{ID: "KA101", Severity: diag.Info, Summary: "s"}}}
	var b bytes.Buffer
	require.NoError(t, diag.WriteSARIF(&b, tool, diag.List{d, other}))
	require.True(t, json.Valid(b.Bytes()))
	for _, want := range []string{
		`"version": "2.1.0"`, `"ruleIndex": 0`, `"level": "note"`, `"byteOffset": 43`, `"byteLength": 15`, `"startLine": 4`,
		`"uri": "lb.conf"`, `"uri": "file:///etc/a%20b.conf"`, `"insertedContent"`,
	} {
		require.Contains(t, b.String(), want)
	}
	require.Equal(t, 1, strings.Count(b.String(), "ruleIndex"))
}

func TestApplyMakesEditsAndRefusesOverlap(t *testing.T) {
	at := func(from, to int, text string) diag.Edit {
		return diag.Edit{Range: diag.Range{File: "f", Start: diag.Pos{Offset: from}, End: diag.Pos{Offset: to}}, NewText: text}
	}
	out, err := diag.Apply([]byte("0123456789"), "f", []diag.Edit{at(8, 10, ""), at(2, 4, "ab c"), at(0, 0, "<"), at(0, 0, ">")})
	require.NoError(t, err)
	require.Equal(t, "<>01ab c4567", string(out))

	_, err = diag.Apply([]byte("0123"), "f", []diag.Edit{at(1, 3, ""), at(2, 4, "")})
	require.ErrorContains(t, err, "overlap at byte 2")
	for _, e := range []diag.Edit{at(-1, 0, ""), at(3, 2, ""), at(0, 5, "")} {
		_, err = diag.Apply([]byte("0123"), "f", []diag.Edit{e})
		require.ErrorContains(t, err, "outside")
	}

	list := diag.List{
		{Fixes: []diag.Fix{{Edits: []diag.Edit{at(1, 3, "X")}}}},
		{Fixes: []diag.Fix{{Edits: []diag.Edit{at(2, 4, "Y")}}}},
		{Fixes: []diag.Fix{{Edits: []diag.Edit{at(4, 4, "Z")}}}},
	}
	out, n, err := diag.ApplyFixes([]byte("0123"), "f", list)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	require.Equal(t, "0X3Z", string(out))
}

func TestListIsAnErrorOnlyWithErrors(t *testing.T) {
	l := diag.List{finding(t, "B", diag.Warning, "{"), finding(t, "A", diag.Info, "global_defs")}
	require.NoError(t, l.Err())
	l = append(l, finding(t, "C", diag.Error, "}"))
	require.EqualError(t, l.Err(), "lb.conf:5:3: error: found } [C] (and 2 more)")
	l.Sort()
	require.Equal(t, "A", l[0].Rule)
	require.Equal(t, "C", l[2].Rule)
}

func TestSeverityText(t *testing.T) {
	for _, s := range []diag.Severity{diag.Error, diag.Warning, diag.Info} {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back diag.Severity
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	_, err := diag.Severity(0).MarshalText()
	require.Error(t, err)
	var s diag.Severity
	require.Error(t, s.UnmarshalText([]byte("fatal")))
}

func TestFindingsSurviveJSON(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	require.NoError(t, fill.JSON(rand.Uint64(), new(diag.List)))
	require.NoError(t, fill.JSON(rand.Uint64(), new(diag.Fix)))
	var rule, back diag.Rule
	fill.Value(r, &rule)
	rule.Bad, rule.Good, rule.Help = "a", "b", ""
	rule.ID, rule.Summary = "X1", "s"
	b, err := json.Marshal(rule)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, rule, back)
}

func TestJSONKeepsHostileStringsDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, s := range fill.Strings {
		for name, write := range map[string]func(*bytes.Buffer, diag.List) error{
			"JSON":  func(b *bytes.Buffer, l diag.List) error { return diag.WriteJSON(b, l) },
			"SARIF": func(b *bytes.Buffer, l diag.List) error { return diag.WriteSARIF(b, diag.Tool{Name: "t"}, l) },
		} {
			var b bytes.Buffer
			require.NoError(t, write(&b, diag.List{{Rule: "R", Severity: diag.Info, Message: s}}))
			require.True(t, json.Valid(b.Bytes()))
			require.True(t, utf8.Valid(b.Bytes()))
			require.Equal(t, "", seen[b.String()], "%s of %q", name, s)
			seen[b.String()] = fmt.Sprintf("%q", s)
		}
	}
	var b bytes.Buffer
	fix := diag.Fix{Edits: []diag.Edit{{NewText: "\xff"}}}
	require.NoError(t, diag.WriteSARIF(&b, diag.Tool{Name: "t"}, diag.List{{Rule: "R", Severity: diag.Info, Message: "m", Fixes: []diag.Fix{fix}}}))
	require.Contains(t, b.String(), `"binary": "/w=="`)
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestErrorsNameThePackageOnce(t *testing.T) {
	l := diag.List{{Rule: "R", Severity: diag.Info, Message: "m"}}
	fails := map[string]error{
		"text": diag.WriteText(full{}, l, nil), "json": diag.WriteJSON(full{}, l), "sarif": diag.WriteSARIF(full{}, diag.Tool{}, l),
	}
	for name, err := range fails {
		require.ErrorIs(t, err, io.ErrShortWrite, name)
	}
	fails["no severity"] = diag.WriteJSON(io.Discard, diag.List{{}})
	fails["no severity in SARIF"] = diag.WriteSARIF(io.Discard, diag.Tool{}, diag.List{{}})
	_, fails["edit"] = diag.Apply(nil, "f", []diag.Edit{{Range: diag.Range{File: "f", Start: diag.Pos{Offset: 7}}}})
	var f diag.Finding
	fails["word"] = json.Unmarshal([]byte(`{"severity":"fatal"}`), &f)
	fails["kind"] = json.Unmarshal([]byte(`{"rule":1}`), &f)
	var s diag.Severity
	fails["text form"] = s.UnmarshalText([]byte("fatal"))
	_, fails["marshal"] = diag.Severity(9).MarshalText()
	for name, err := range fails {
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "diag: "), "%s: %v", name, err)
		require.Equal(t, 1, strings.Count(err.Error(), "diag: "), "%s: %v", name, err)
	}
	require.EqualError(t, fails["no severity"], "diag: encode JSON: invalid severity 0")
}

func FuzzSanitize(f *testing.F) {
	f.Add("plain")
	f.Add("\x1b[31m\xff\u2028\u202e\t\n")
	f.Fuzz(func(t *testing.T, s string) {
		out := diag.Sanitize(s)
		if !utf8.ValidString(out) || strings.ContainsAny(out, "\x00\x1b\n\r\t\x7f\u202e\u2028") {
			t.Fatalf("%q became %q", s, out)
		}
		if again := diag.Sanitize(out); again != out {
			t.Fatalf("not stable: %q, then %q", out, again)
		}
	})
}

func TestNoFindingsAreAnEmptyArray(t *testing.T) {
	for _, list := range []diag.List{nil, {}} {
		b, err := json.Marshal(list)
		require.NoError(t, err)
		require.Equal(t, "[]", string(b))
		var back diag.List
		require.NoError(t, json.Unmarshal(b, &back))
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, b, again)
	}
}
