// Package jsonfix decodes JSON in which some values have another type than the
// program expects.
package jsonfix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Odd is a value that was left out.
type Odd struct {
	// Path is the place of the value, for example "table[3].raw.value".
	Path string
	// Msg describes the value and the expected type.
	Msg string
}

// Number is implemented by types that are decoded from a whole number that can have
// more than 64 bits.
type Number interface {
	// WholeNumber marks the type.
	WholeNumber()
}

var (
	numberType      = reflect.TypeFor[Number]()
	unmarshalerType = reflect.TypeFor[json.Unmarshaler]()
)

// maxOdd is the maximum number of values that are reported.
const maxOdd = 64

// Unmarshal decodes b into the struct that p points to, as [json.Unmarshal] does. A
// value of a wrong type is converted if that loses nothing: "12" and 12.0 are the
// number 12, and "true" is a boolean. Other values of a wrong type, and numbers out of
// the range of their field, are left out and reported, so that they are absent and not
// zero. The error is that of JSON that is not valid.
func Unmarshal(b []byte, p any) ([]Odd, error) {
	err := json.Unmarshal(b, p)
	if err == nil {
		return nil, nil
	}
	var kind *json.UnmarshalTypeError
	if !errors.As(err, &kind) {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	v := reflect.ValueOf(p).Elem()
	v.SetZero()
	f := fixer{}
	tree, ok := f.value(tree, v.Type(), "")
	slices.SortFunc(f.odd, func(a, b Odd) int { return strings.Compare(a.Path, b.Path) })
	if !ok {
		return f.odd, nil
	}
	fixed, err := json.Marshal(tree)
	if err != nil {
		return f.odd, err
	}
	return f.odd, json.Unmarshal(fixed, p)
}

type fixer struct{ odd []Odd }

// value returns v in a form that can be decoded into t. It returns false if there is
// none.
func (f *fixer) value(v any, t reflect.Type, path string) (any, bool) {
	if v == nil {
		return nil, true
	}
	for t.Kind() == reflect.Pointer && !t.Implements(numberType) {
		t = t.Elem()
	}
	if t.Implements(numberType) || reflect.PointerTo(t).Implements(numberType) {
		n, ok := whole(v)
		if !ok || n.Sign() < 0 || n.BitLen() > 128 {
			return f.leaveOut(v, "a whole number", path)
		}
		return json.Number(n.String()), true
	}
	if reflect.PointerTo(t).Implements(unmarshalerType) {
		return v, true
	}
	switch t.Kind() {
	case reflect.Struct:
		return f.object(v, t, path)
	case reflect.Slice:
		return f.array(v, t.Elem(), path)
	case reflect.Map:
		m, ok := v.(map[string]any)
		if !ok {
			return f.leaveOut(v, "an object", path)
		}
		for k, e := range m {
			if m[k], ok = f.value(e, t.Elem(), join(path, k)); !ok {
				delete(m, k)
			}
		}
		return m, true
	case reflect.String:
		switch v := v.(type) {
		case string:
			return v, true
		case json.Number:
			return v.String(), true
		}
		return f.leaveOut(v, "a string", path)
	case reflect.Bool:
		switch fmt.Sprint(v) {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
		return f.leaveOut(v, "true or false", path)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, ok := whole(v)
		if !ok && t.Bits() <= 16 {
			n, ok = rounded(v)
		}
		if !ok || !n.IsInt64() || reflect.Zero(t).OverflowInt(n.Int64()) {
			return f.leaveOut(v, fmt.Sprintf("a whole number of %d bits", t.Bits()), path)
		}
		return json.Number(n.String()), true
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n, ok := whole(v)
		if !ok || !n.IsUint64() || reflect.Zero(t).OverflowUint(n.Uint64()) {
			return f.leaveOut(v, fmt.Sprintf("a whole number from 0 on of %d bits", t.Bits()), path)
		}
		return json.Number(n.String()), true
	}
	return v, true
}

func (f *fixer) object(v any, t reflect.Type, path string) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return f.leaveOut(v, "an object", path)
	}
	for k, e := range m {
		field, ok := fieldOf(t, k)
		if !ok {
			delete(m, k)
			continue
		}
		if m[k], ok = f.value(e, field.Type, join(path, k)); !ok {
			delete(m, k)
		}
	}
	return m, true
}

// fieldOf returns the field for a key. As in encoding/json, the case of letters does
// not matter if there is no exact match.
func fieldOf(t reflect.Type, key string) (found reflect.StructField, ok bool) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name == key {
			return field, true
		}
		if name != "" && strings.EqualFold(name, key) {
			found, ok = field, true
		}
	}
	return found, ok
}

func (f *fixer) array(v any, t reflect.Type, path string) (any, bool) {
	list, ok := v.([]any)
	if !ok {
		return f.leaveOut(v, "an array", path)
	}
	for i, e := range list {
		fixed, ok := f.value(e, t, path+"["+strconv.Itoa(i)+"]")
		switch {
		case ok:
			list[i] = fixed
		case t.Kind() == reflect.Pointer:
			list[i] = nil
		case t.Kind() == reflect.Struct:
			list[i] = removed{}
		default:
			return nil, false
		}
	}
	return slices.DeleteFunc(list, func(e any) bool { return e == removed{} }), true
}

type removed struct{}

func (f *fixer) leaveOut(v any, want, path string) (any, bool) {
	if len(f.odd) < maxOdd {
		f.odd = append(f.odd, Odd{path, fmt.Sprintf("%s where %s is expected; the value is left out", describe(v),
			want)})
	}
	return nil, false
}

// describe returns a short form of a value.
func describe(v any) string {
	switch v := v.(type) {
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case string:
		return fmt.Sprintf("the string %.40q", v)
	}
	return fmt.Sprintf("%.40v", v)
}

// maxDigits is the maximum length of a number as text.
const maxDigits = 64

// whole returns a number, or the number in a string, if it has no fraction other than
// zeros.
func whole(v any) (*big.Int, bool) {
	s, ok := digits(v)
	if !ok {
		return nil, false
	}
	if n, ok := new(big.Int).SetString(s, 10); ok && s[0] != '+' && !strings.Contains(s, "_") {
		return n, true
	}
	r, ok := rational(s)
	if !ok || !r.IsInt() {
		return nil, false
	}
	return r.Num(), true
}

// rounded returns the nearest whole number.
func rounded(v any) (*big.Int, bool) {
	s, ok := digits(v)
	if !ok {
		return nil, false
	}
	r, ok := rational(s)
	if !ok {
		return nil, false
	}
	x, _ := r.Float64()
	if x < -1e6 || x > 1e6 {
		return nil, false
	}
	n, _ := big.NewFloat(x + 0.5).Int(nil)
	if x < 0 {
		n, _ = big.NewFloat(x - 0.5).Int(nil)
	}
	return n, true
}

func digits(v any) (string, bool) {
	var s string
	switch v := v.(type) {
	case string:
		s = strings.TrimSpace(v)
	case json.Number:
		s = v.String()
	default:
		return "", false
	}
	return s, len(s) > 0 && len(s) <= maxDigits
}

// rational reads a decimal number with a fraction or a small exponent.
func rational(s string) (*big.Rat, bool) {
	for _, c := range s {
		if (c < '0' || c > '9') && !strings.ContainsRune("+-.eE", c) {
			return nil, false
		}
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e < -40 || e > 40 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
