package ipxe

import (
	"fmt"
)

// Type is a setting type of iPXE, which says how a variable is written out.
type Type string

// The types that scripts use.
const (
	String    Type = "string"
	URIString Type = "uristring"
	HexRaw    Type = "hexraw"
	HexHyp    Type = "hexhyp"
	Hex       Type = "hex"
	Base64    Type = "base64"
	Int32     Type = "int32"
	Uint32    Type = "uint32"
	IPv4      Type = "ipv4"
	UUIDType  Type = "uuid"
)

// Expr is a value in a script that is built: data, a variable of iPXE, or several of
// these side by side. Data is never syntax. The zero Expr is the empty text.
type Expr struct {
	kind  exprKind
	text  string // data, or the name of a variable
	typ   Type
	parts []Expr

	number int // of a hole
}

type exprKind uint8

const (
	exprText exprKind = iota
	exprVar
	exprJoin
	exprHole
)

// Text is data: iPXE gets exactly these bytes. What can't be written plainly (blanks,
// #, ||, a hyphen in front, control characters, bytes above 126) is carried in a setting
// as hexadecimal digits.
func Text(s string) Expr { return Expr{text: s} }

// Var is a variable: ${name}. In the query of a URL it is written as hexadecimal digits,
// unless As says otherwise.
func Var(name string) Expr { return Expr{kind: exprVar, text: name} }

// As returns the variable written out as another type: ${name:type}.
func (e Expr) As(t Type) Expr {
	e.typ = t
	return e
}

// bare marks a variable that is to stay ${name}, also in a query.
const bare Type = "-"

// Bare returns the variable as plain ${name}, also in the query of a URL, where its text
// goes to the server as each generation of iPXE encodes it.
func (e Expr) Bare() Expr { return e.As(bare) }

// Concat puts expressions side by side, without a blank between them.
func Concat(parts ...Expr) Expr { return Expr{kind: exprJoin, parts: parts} }

// ErrUnrepresentable is wrapped by errors about values that no script can hold.
var ErrUnrepresentable = errs.New("iPXE has no way to say this")

// settingName reports whether a text can stand between ${ and }, or after set.
func settingName(s string) bool {
	if s == "" || s[0] == '-' {
		return false
	}
	slash := false
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c > '~' || c == ':' || c == '{' || c == '}' || c == '$' || c == '#' && i == 0:
			return false
		case c == '/':
			if slash || i == 0 || i == len(s)-1 {
				return false
			}
			slash = true
		}
	}
	return s != "||" && s != "&&" && s != ";"
}

// plainWord reports whether a text, written as a word of its own, is data to iPXE: no
// comment, no operator, nothing that joins lines or looks like an option.
func plainWord(s string) bool {
	if s == "" || s[0] == '#' || s[0] == '-' || s[len(s)-1] == '\\' || len(s) <= 2 && operator(s) != 0 {
		return false
	}
	return plainBytes(s)
}

// plainByte marks the bytes that are data in any place of a word. $ is looked at closer.
var plainByte = func() (t [256]bool) {
	for c := byte('!'); c <= '~'; c++ {
		t[c] = c != '$'
	}
	return t
}()

// Bytes are looked at eight at a time: each of these sets the high bit of those that it
// looks for, and perhaps of others above one that it has found.
const (
	everyByte = 0x0101010101010101
	highBits  = 0x8080808080808080
)

// load returns s[i:i+8].
func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// noGraph looks for what is no graphic ASCII character.
func noGraph(w uint64) uint64 { return w | (w - 0x21*everyByte) | same(w, 0x7f) }

// same looks for c.
func same(w uint64, c uint64) uint64 {
	w ^= c * everyByte
	return (w - everyByte) &^ w
}

func plainBytes(s string) bool {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		w := load(s, i)
		if (noGraph(w)|same(w, '$'))&highBits != 0 {
			break
		}
	}
	for ; i < len(s); i++ {
		if !plainByte[s[i]] && (s[i] != '$' || i+1 < len(s) && s[i+1] == '{') {
			return false
		}
	}
	return true
}

// word collects one word of a command: literal text, and what of it is data.
type wordState struct {
	open   bool // "${" stands in the data before
	dollar bool // data ends in $
	n      int  // bytes of data
}

// data checks a piece of data against what stands before it in the word.
func (w *wordState) data(s string) error {
	for i := range len(s) {
		switch c := s[i]; {
		case c == 0:
			return fmt.Errorf("%w: a NUL in %q", ErrUnrepresentable, s)
		case c == '{' && w.dollar:
			w.open = true
		case c == '}' && w.open:
			return fmt.Errorf("%w: ${ and } in %q, which iPXE would expand", ErrUnrepresentable, s)
		}
		w.dollar = s[i] == '$'
	}
	return nil
}

// variable checks that no data before it makes a larger expansion of it.
func (w *wordState) variable(name string) error {
	if w.open || w.dollar {
		return fmt.Errorf("%w: $ or ${ before the variable %s", ErrUnrepresentable, name)
	}
	return nil
}
