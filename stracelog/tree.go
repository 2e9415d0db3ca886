package stracelog

import (
	"bytes"
	"fmt"
	"iter"
	"math"

	"dougu.internal/internal/enum"
)

// ValueKind says how an argument, or a part of one, is written.
type ValueKind uint8

// The kinds of a Value.
const (
	ValueInvalid ValueKind = iota // not there
	ValueString                   // "GET /"..., @"abstract"
	ValueNumber                   // 3, -1, 0x7f, 0644, 3</etc/passwd>
	ValueWord                     // NULL, AF_INET, AT_FDCWD</tmp>
	ValueExpr                     // O_RDWR|O_CREAT, 8192*1024, WIFEXITED(s) && WEXITSTATUS(s) == 3
	ValueStruct                   // {a=1, b=2}
	ValueArray                    // [1, 2]
	ValueSet                      // [INT CHLD], ~[], separated by blanks
	ValueCall                     // htons(53)
	ValueElided                   // ...
	ValueComment                  // /* 35 vars */ alone
)

var valueKinds = enum.Names[ValueKind]{Type: "stracelog: kind of value", Words: map[ValueKind]string{
	ValueInvalid: "invalid", ValueString: "string", ValueNumber: "number", ValueWord: "word", ValueExpr: "expression", ValueStruct: "struct",
	ValueArray: "array", ValueSet: "set", ValueCall: "call", ValueElided: "elided", ValueComment: "comment",
}}

// String returns the name of the kind.
func (k ValueKind) String() string { return valueKinds.String(k) }

// MarshalText returns the name of the kind. It fails if k is not valid.
func (k ValueKind) MarshalText() ([]byte, error) { return valueKinds.Text(k) }

// UnmarshalText sets k from the name of a kind.
func (k *ValueKind) UnmarshalText(text []byte) error { return valueKinds.Parse(text, k) }

// ArgError says why arguments are not as strace writes them.
type ArgError struct {
	Off    int    `json:"off"` // byte offset within the arguments
	Reason string `json:"reason,omitzero"`
}

// Error returns "stracelog: argument byte OFF: reason".
func (e *ArgError) Error() string {
	return fmt.Sprintf("stracelog: argument byte %d: %s", e.Off, e.Reason)
}

// Tree is the arguments of one call, split into values down to the last member. Its memory is reused by the next Parse:
// in steady state nothing is allocated. The zero value is ready.
type Tree struct {
	src   []byte
	nodes []node
	stack []argFrame
}

// node is a value: start..end with its name, comment and "=>", valStart..valEnd alone.
type node struct {
	kind             ValueKind
	start, end       int32
	nameEnd          int32 // 0 without a name
	valStart, valEnd int32
	callEnd          int32 // end of a call's name
	comStart, comEnd int32
	first, next, out int32 // first child, next sibling, value behind "=>"; -1 for none
}

// Len returns the number of arguments.
func (t *Tree) Len() int {
	n := 0
	for range t.All() {
		n++
	}
	return n
}

// At returns argument i, from 0; an invalid Value when there are fewer.
func (t *Tree) At(i int) Value {
	for v := range t.All() {
		if i == 0 {
			return v
		}
		i--
	}
	return Value{}
}

// All returns the arguments in order.
func (t *Tree) All() iter.Seq[Value] { return Value{t, 0}.Children() }

// Nodes returns how many values the tree holds at all depths.
func (t *Tree) Nodes() int { return max(len(t.nodes)-1, 0) }

// Value is an argument, a member of a struct, an element of an array or set, or an argument of a call such as htons. It is valid
// until its Tree is parsed again. The zero Value is invalid.
type Value struct {
	t *Tree
	i int32
}

func (v Value) node() *node {
	if v.t == nil || int(v.i) >= len(v.t.nodes) {
		return &node{first: -1, next: -1, out: -1}
	}
	return &v.t.nodes[v.i]
}

func (v Value) src() []byte {
	if v.t == nil {
		return nil
	}
	return v.t.src
}

// Kind returns how the value is written.
func (v Value) Kind() ValueKind { return v.node().kind }

// Name returns the name of a member, sa_family of sa_family=AF_INET, or of an argument under -N; nil without.
func (v Value) Name() []byte {
	if n := v.node(); n.nameEnd > 0 {
		return v.src()[n.start:n.nameEnd]
	}
	return nil
}

// Raw returns the value as it is written, without name, comment and what follows "=>".
func (v Value) Raw() []byte {
	n := v.node()
	return v.src()[n.valStart:n.valEnd]
}

// Span returns the place of the whole value in the arguments, with name, comment and "=>".
func (v Value) Span() (start, end int) {
	n := v.node()
	return int(n.start), int(n.end)
}

// Func returns the name of a call: htons of htons(53); nil for other kinds.
func (v Value) Func() []byte {
	if n := v.node(); n.kind == ValueCall {
		return v.src()[n.valStart:n.callEnd]
	}
	return nil
}

// Comment returns the comment behind the value, or the value that is one, without /* and */; nil without.
func (v Value) Comment() []byte {
	n := v.node()
	b := v.src()[n.comStart:n.comEnd]
	if n.kind == ValueComment {
		b = v.src()[n.valStart:n.valEnd]
	}
	if len(b) < 4 {
		return nil
	}
	return bytes.TrimSpace(bytes.TrimSuffix(b[2:], []byte("*/")))
}

// Out returns what the kernel put in place of the value, behind "=>": 16 of [128 => 16]. It is invalid without.
func (v Value) Out() Value {
	if n := v.node(); n.out >= 0 {
		return Value{v.t, n.out}
	}
	return Value{}
}

// Children returns the members of a struct, the elements of an array or set, and the arguments of a call. An expression
// has none.
func (v Value) Children() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.node().kind == ValueExpr {
			return
		}
		for k := v.node().first; k >= 0; k = v.t.nodes[k].next {
			if !yield(Value{v.t, k}) {
				return
			}
		}
	}
}

// Field returns the member of that name; invalid without.
func (v Value) Field(name string) Value {
	for c := range v.Children() {
		if string(c.Name()) == name {
			return c
		}
	}
	return Value{}
}

// Bytes appends the bytes of a string to dst. truncated reports that strace cut it.
func (v Value) Bytes(dst []byte) (out []byte, truncated bool, err error) {
	if v.Kind() != ValueString {
		return dst, false, ErrQuote
	}
	return Unquote(dst, v.Raw())
}

// Int returns a number: decimal, hexadecimal or octal, with a sign or an annotation. ok is false for other values and for
// numbers of more than 64 bits. From 1<<63 on the value keeps its bits and is negative.
func (v Value) Int() (n int64, ok bool) {
	if v.Kind() != ValueNumber {
		return 0, false
	}
	b := v.Raw()
	if i := bytes.IndexByte(b, '<'); i >= 0 {
		b = b[:i]
	}
	return parseInt(b)
}

// FD returns a descriptor with what -y or -yy tell of it, as strace escapes it: 3</etc/passwd>. AT_FDCWD is -100.
func (v Value) FD() (fd int, annotation []byte, ok bool) {
	b := v.Raw()
	if i := bytes.IndexByte(b, '<'); i >= 0 {
		if j := angleEnd(b, i, len(b)); j > 0 {
			annotation = b[i+1 : j-1]
		}
		b = b[:i]
	}
	if string(b) == "AT_FDCWD" {
		return -100, annotation, true
	}
	n, ok := parseInt(b)
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		return 0, nil, false
	}
	return int(n), annotation, true
}

func parseInt(b []byte) (n int64, ok bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		b = b[1:]
	}
	var x, base uint64 = 0, 10
	switch {
	case len(b) > 2 && b[0] == '0' && b[1]|0x20 == 'x':
		b, base = b[2:], 16
	case len(b) > 1 && b[0] == '0':
		b, base = b[1:], 8
	}
	if len(b) == 0 {
		return 0, false
	}
	for _, c := range b {
		d := hexValue(c)
		if d < 0 || uint64(d) >= base || x > (math.MaxUint64-uint64(d))/base {
			return 0, false
		}
		x = x*base + uint64(d)
	}
	if neg {
		if x > 1<<63 {
			return 0, false
		}
		return -int64(x), true
	}
	return int64(x), true
}
