// Package enum converts enumerations and bit sets to text and back.
//
// A package declares one table for each of its enumerations and writes the three
// methods in terms of the table:
//
//	var colors = enum.Names[Color]{
//		Type:  "paint: color",
//		Words: map[Color]string{Red: "red", Blue: "blue"},
//	}
//
//	func (c Color) String() string               { return colors.String(c) }
//	func (c Color) MarshalText() ([]byte, error) { return colors.Text(c) }
//	func (c *Color) UnmarshalText(b []byte) error { return colors.Parse(b, c) }
//
// Use [Bits] in the same way for a type whose constants are combined with the |
// operator. The tables must not be changed after they are declared. All methods
// are then safe for concurrent use by multiple goroutines.
package enum

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Integer is the constraint for the underlying type of an enumeration.
type Integer interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~uintptr
}

// maxListed is the maximum number of words that an error lists.
const maxListed = 24

// maxQuoted is the maximum number of bytes of rejected input that an error
// quotes.
const maxQuoted = 64

// Names is the table of an enumeration.
type Names[T Integer] struct {
	// Type is the name of the package and of the enumeration as errors show
	// them, for example "smart: health status".
	Type string
	// Words contains the text of each valid value. No two values may have the
	// same text. The text of one value may be empty.
	Words map[T]string
	// Open means that every number is a valid value. A value without a word is
	// written as a decimal number and is read back. Use it for numbers that are
	// assigned outside the module, for example in a protocol.
	Open bool
}

// String returns the word of v. If v has no word, String returns the name of the
// type and the number, for example "color(7)", or only the number if the
// enumeration is open.
func (n Names[T]) String(v T) string {
	if w, ok := n.Words[v]; ok {
		return w
	}
	if n.Open {
		return decimal(v)
	}
	_, what := split(n.Type)
	return what + "(" + decimal(v) + ")"
}

// Text returns the word of v for a MarshalText method. It returns an error if v
// is not a valid value.
func (n Names[T]) Text(v T) ([]byte, error) {
	w, ok := n.Words[v]
	switch {
	case ok:
		return []byte(w), nil
	case n.Open:
		return []byte(decimal(v)), nil
	}
	return nil, invalid(n.Type, decimal(v))
}

// Parse sets *v to the value of the word for an UnmarshalText method. If the word
// is unknown, Parse returns an error and leaves *v unchanged.
func (n Names[T]) Parse(word []byte, v *T) error {
	for value, w := range n.Words {
		if w == string(word) {
			*v = value
			return nil
		}
	}
	if n.Open {
		if value, ok := number[T](string(word)); ok {
			if _, named := n.Words[value]; !named {
				*v = value
				return nil
			}
		}
	}
	return unknown(n.Type, string(word), n.List())
}

// Values returns the values that have a word, in ascending order.
func (n Names[T]) Values() []T { return slices.Sorted(maps.Keys(n.Words)) }

// List returns the words in the order of their values.
func (n Names[T]) List() []string {
	values := n.Values()
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = n.Words[v]
	}
	return words
}

// Bits is the table of a bit set. Its text consists of the names of the set bits,
// from the lowest to the highest, joined by "|". The text of the empty set is
// empty.
type Bits[T Integer] struct {
	// Type is the name of the package and of the bit set as errors show them, for
	// example "smart: critical warning".
	Type string
	// Words contains the name of each bit. A key must be a power of two. The
	// names must be distinct, not empty, and must not contain "|".
	Words map[T]string
	// Open means that all bits are valid. The bits without a name are written as
	// one hexadecimal number after the names and are read back.
	Open bool
}

// String returns the names of the bits of v. Bits without a name are appended as
// one hexadecimal number.
func (b Bits[T]) String(v T) string {
	words, rest := b.words(v)
	if rest != 0 {
		words = append(words, hex(rest))
	}
	return strings.Join(words, "|")
}

// Text returns the names of the bits of v for a MarshalText method. It returns an
// error if a bit has no name, unless the bit set is open.
func (b Bits[T]) Text(v T) ([]byte, error) {
	if _, rest := b.words(v); rest != 0 && !b.Open {
		return nil, invalid(b.Type, hex(rest))
	}
	return []byte(b.String(v)), nil
}

// Parse sets *v to the set of the named bits for an UnmarshalText method. If a
// name is unknown or repeated, Parse returns an error and leaves *v unchanged.
func (b Bits[T]) Parse(text []byte, v *T) error {
	var set T
	if len(text) == 0 {
		*v = set
		return nil
	}
	for word := range strings.SplitSeq(string(text), "|") {
		bit, ok := b.unnamed(word)
		if !ok {
			if err := (Names[T]{Type: b.Type, Words: b.Words}).Parse([]byte(word), &bit); err != nil {
				return err
			}
		}
		if set&bit != 0 {
			pkg, what := split(b.Type)
			return &Error{pkg, fmt.Sprintf("%s %q is repeated", what, clip(word))}
		}
		set |= bit
	}
	*v = set
	return nil
}

// unnamed reads the number of the bits without a name.
func (b Bits[T]) unnamed(word string) (T, bool) {
	digits, ok := strings.CutPrefix(word, "0x")
	if !ok || !b.Open {
		return 0, false
	}
	x, err := strconv.ParseUint(digits, 16, bits[T]())
	if err != nil || x == 0 {
		return 0, false
	}
	_, rest := b.words(T(x))
	return T(x), rest == T(x) && hex(rest) == word
}

func (b Bits[T]) words(v T) (words []string, rest T) {
	for _, bit := range slices.SortedFunc(maps.Keys(b.Words), byBit[T]) {
		if bit != 0 && v&bit == bit {
			words = append(words, b.Words[bit])
			v &^= bit
		}
	}
	return words, v
}

// byBit orders bits from the lowest to the highest. The highest bit of a signed
// type is a negative number.
func byBit[T Integer](a, b T) int {
	x, y := uint64(a)&mask[T](), uint64(b)&mask[T]()
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// Error is the error of an invalid value or an unknown word.
type Error struct {
	pkg, text string
}

// Error returns the name of the package and the cause.
func (e *Error) Error() string {
	if e.pkg == "" {
		return e.text
	}
	return e.pkg + ": " + e.text
}

// WithoutPackage returns the cause without the name of the package. An error of
// another package that wraps e can then start with the name of that package.
func (e *Error) WithoutPackage() string { return e.text }

func invalid(typ, value string) error {
	pkg, what := split(typ)
	return &Error{pkg, fmt.Sprintf("invalid %s %s", what, value)}
}

func unknown(typ, word string, known []string) error {
	pkg, what := split(typ)
	text := fmt.Sprintf("unknown %s %q", what, clip(word))
	known = slices.DeleteFunc(known, func(w string) bool { return w == "" })
	if len(known) > 0 && len(known) <= maxListed {
		text += " (known: " + strings.Join(known, ", ") + ")"
	}
	return &Error{pkg, text}
}

// split separates the name of the package from the name of the type.
func split(typ string) (pkg, what string) {
	if pkg, what, ok := strings.Cut(typ, ": "); ok {
		return pkg, what
	}
	return "", typ
}

func clip(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "..."
	}
	return s
}

// signed reports whether T has negative values. The variable makes the
// subtraction wrap around instead of failing to compile.
func signed[T Integer]() bool {
	var zero T
	return zero-1 < zero
}

// bits returns the number of bits of T.
func bits[T Integer]() int {
	n := 0
	for v := T(1); v != 0; v <<= 1 {
		n++
	}
	return n
}

// mask returns the bits of T as an unsigned number.
func mask[T Integer]() uint64 { return ^uint64(0) >> (64 - bits[T]()) }

// hex returns the bits of v as a hexadecimal number.
func hex[T Integer](v T) string { return fmt.Sprintf("%#x", uint64(v)&mask[T]()) }

func decimal[T Integer](v T) string {
	if signed[T]() {
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatUint(uint64(v), 10)
}

// number reads a decimal number in the form that decimal writes.
func number[T Integer](s string) (T, bool) {
	var v T
	if signed[T]() {
		x, err := strconv.ParseInt(s, 10, bits[T]())
		if err != nil {
			return 0, false
		}
		v = T(x)
	} else {
		x, err := strconv.ParseUint(s, 10, bits[T]())
		if err != nil {
			return 0, false
		}
		v = T(x)
	}
	return v, decimal(v) == s
}
