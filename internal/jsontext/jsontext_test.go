package jsontext_test

import (
	"encoding/json"
	"errors"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/jsontext"
)

var hostile = []string{"", "plain", "\xff", "\xfe", "\ufffd", "\ufffd{}", "\ufffd{ff}", "\xff{ff}", "a\xc3", "\xed\xa0\x80", "\u2028<&>", "\x00", "\xf0\x9f\x92"}

func TestEscapeComesBackAndIsDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, s := range hostile {
		e := jsontext.Escape(s)
		require.True(t, utf8.ValidString(e))
		require.Equal(t, s, jsontext.Unescape(e))
		require.Empty(t, seen[e])
		seen[e] = s + "."
	}
	require.Equal(t, "\ufffd{ff}x\ufffd{}", jsontext.Escape("\xffx\ufffd"))
	for _, s := range []string{"\ufffd", "\ufffd{", "\ufffd{f", "\ufffd{FF}", "\ufffd{fff}", "\ufffd{f"} {
		require.Equal(t, s, jsontext.Unescape(s), "no escape is kept")
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e := jsontext.Escape(s)
		if !utf8.ValidString(e) || jsontext.Unescape(e) != s || jsontext.NeedsEscape(s) != (e != s) {
			t.Fatalf("%q became %q", s, e)
		}
		jsontext.Unescape(s)
	})
}

type word string

type inner struct {
	Text string `json:"text,omitzero"`
	Err  error  `json:"err,omitzero"`
}

type embedded struct{ Deep string }

type answer struct {
	Name    string            `json:"name"`
	Word    word              `json:"word,omitzero"`
	Bytes   []byte            `json:"bytes,omitzero"`
	Lines   []string          `json:"lines,omitzero"`
	Fixed   [2]string         `json:"fixed"`
	Inner   inner             `json:"inner,omitzero"`
	Pointer *embedded         `json:"pointer,omitzero"`
	Map     map[string]string `json:"map,omitzero"`
	Words   map[word][]int    `json:"words,omitzero"`
	Any     any               `json:"any,omitzero"`
	Err     error             `json:"err,omitzero"`
	When    time.Time         `json:"when,omitzero"`
	Addr    netip.Addr        `json:"addr,omitzero"`
	Raw     json.RawMessage   `json:"raw,omitzero"`
	Number  float64           `json:"number,omitzero"`
	Next    *answer           `json:"next,omitzero"`
	Parent  *answer           `json:"-"`
	embedded
}

func TestAnswersComeBack(t *testing.T) {
	for _, s := range hostile {
		a := answer{
			Name: s, Word: word(s), Bytes: []byte(s), Lines: []string{s, "x", s}, Fixed: [2]string{s}, Inner: inner{Text: s, Err: errors.New(s)},
			Pointer: &embedded{s}, Map: map[string]string{s: s}, Words: map[word][]int{word(s): {1}}, Any: map[string]any{s: []any{s, 1.0, nil}},
			Err: errors.New(s), When: time.Unix(1, 2).UTC(), Addr: netip.MustParseAddr("fe80::1"), Raw: json.RawMessage(`"x"`), Number: 1.5,
			embedded: embedded{s},
		}
		a.Next = &answer{Name: s + "1", Lines: []string{}}
		b, err := jsontext.Marshal(a)
		require.NoError(t, err)
		require.True(t, utf8.Valid(b))
		require.Equal(t, s, a.Lines[0], "the value itself has not changed")
		require.Equal(t, s, a.Pointer.Deep)

		var back answer
		require.NoError(t, jsontext.Unmarshal(b, &back), "%s", b)
		require.Equal(t, a, back, "%s", b)
	}
}

func TestMarshalOfPlainValuesIsThatOfEncodingJSON(t *testing.T) {
	for _, v := range []any{nil, 1, "a", []string(nil), []string{"a"}, map[string]int{"b": 1, "a": 2}, &embedded{"x"}, (*embedded)(nil), answer{}, inner{Text: "t"}} {
		got, err := jsontext.Marshal(v)
		require.NoError(t, err)
		want, err := json.Marshal(v)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	got, err := jsontext.Marshal("<&>")
	require.NoError(t, err)
	require.Equal(t, `"<&>"`, string(got))
}

func TestErrorFields(t *testing.T) {
	b, err := jsontext.Marshal(inner{Err: &json.SyntaxError{}})
	require.NoError(t, err)
	require.Equal(t, `{"err":""}`, string(b), "an error with an empty text is not absent")
	var back inner
	require.NoError(t, jsontext.Unmarshal(b, &back))
	require.EqualError(t, back.Err, "")
	back.Text = "old"
	require.NoError(t, jsontext.Unmarshal([]byte(`{}`), &back))
	require.Equal(t, inner{}, back)
	require.NoError(t, jsontext.Unmarshal([]byte(`{"err":null}`), &back))
	require.NoError(t, back.Err)
}

type itself struct{ S string }

func (i *itself) MarshalJSON() ([]byte, error) { type plain itself; return jsontext.Marshal(plain(*i)) }
func (i *itself) UnmarshalJSON(b []byte) error {
	type plain itself
	return jsontext.Unmarshal(b, (*plain)(i))
}

func TestTypesThatEncodeThemselvesAreEscapedOnce(t *testing.T) {
	type list struct {
		Items []itself
		One   itself
	}
	v := list{Items: []itself{{"\ufffd{ff}"}, {"\xff"}}, One: itself{"\xfe"}}
	b, err := jsontext.Marshal(v)
	require.NoError(t, err)
	var back list
	require.NoError(t, jsontext.Unmarshal(b, &back))
	require.Equal(t, v, back)
}

func TestNullAndFailureLeaveTheValue(t *testing.T) {
	v := itself{"keep"}
	require.NoError(t, json.Unmarshal([]byte("null"), &v))
	require.Equal(t, "keep", v.S)
	require.Error(t, json.Unmarshal([]byte(`{"S":1}`), &v))
	require.Equal(t, "keep", v.S)
	require.Error(t, jsontext.Unmarshal([]byte(`{}`), v))
	require.Error(t, jsontext.Unmarshal([]byte(`{}`), (*itself)(nil)))
}

func TestErrorsAreInOurWords(t *testing.T) {
	var a answer
	// Versions of encoding/json count the bytes differently.
	for in, want := range map[string]string{
		`{"name":}`:             `syntax error at byte \d+`,
		`{"inner":{"text":[]}}`: `field "inner.text": unexpected array at byte \d+`,
		`[]`:                    `unexpected array at byte \d+`,
	} {
		require.Regexp(t, "^jsontext_test: decode JSON: "+want+"$", jsontext.Unmarshal([]byte(in), &a).Error())
	}
	_, err := jsontext.Marshal(answer{Number: math.NaN()})
	require.EqualError(t, err, "jsontext_test: encode JSON: value NaN cannot be represented")
	_, err = jsontext.Marshal(struct{ F func() }{})
	require.EqualError(t, err, "encode JSON: values of type func() cannot be represented")
	var outer struct{ I itself }
	err = jsontext.Unmarshal([]byte(`{"I":{"S":true}}`), &outer)
	require.Regexp(t, `^decode JSON: field "S": unexpected bool at byte \d+$`, err.Error())
}

func TestCyclesEnd(t *testing.T) {
	a := answer{Name: "\xff"}
	a.Next = &a
	_, err := jsontext.Marshal(a)
	require.Error(t, err)
	a = answer{Name: "\xff"}
	a.Parent = &a
	_, err = jsontext.Marshal(a)
	require.NoError(t, err)

	var any any
	require.Error(t, jsontext.Unmarshal([]byte(strings.Repeat("[", 100000)), &any))
}
