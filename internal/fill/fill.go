// Package fill sets values to random contents for tests of encodings.
package fill

import (
	"encoding"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"regexp"
	"time"
)

// Strings are the texts that [Value] uses. They contain invalid UTF-8 and texts that
// look like its replacement.
var Strings = []string{
	"", "plain", "\xff", "\xfe", "a\xc3", "\ufffd", "\ufffd{}", "\ufffd{ff}", "\xff{ff}",
	"\x00\x1b[2J", "<&>\u2028", "\"\\\n", "\xed\xa0\x80",
}

// Plain are texts of valid UTF-8.
var Plain = []string{"", "a", "B c", "日本", "x=\"1\"", "<&>", "null", "7", "\u2028"}

// Value sets all exported fields below the value that p points to.
//
// An integer type with a MarshalText method is set to a number that the method
// accepts. A struct with the fields V and OK is set as an optional value. Interfaces
// other than error stay nil.
func Value(r *rand.Rand, p any) { With(r, p, Strings) }

// With is like [Value] with the given texts.
func With(r *rand.Rand, p any, texts []string) {
	f := filler{r, texts}
	f.value(reflect.ValueOf(p).Elem(), 0)
}

type filler struct {
	*rand.Rand
	texts []string
}

func (r filler) value(v reflect.Value, depth int) {
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = time.Unix(r.Int64N(4e9), r.Int64N(1e9)).UTC()
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{127, byte(r.Uint32()), byte(r.Uint32()), 1})
		return
	case *netip.AddrPort:
		*p = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, byte(r.Uint32()), 1}), uint16(r.Uint32()))
		return
	case *netip.Prefix:
		*p = netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, 0}), 8+r.IntN(8))
		return
	case **regexp.Regexp:
		*p = regexp.MustCompile(fmt.Sprintf("^a{%d}", r.IntN(9)))
		return
	case *error:
		if r.IntN(2) == 0 {
			*p = errors.New(r.text())
		}
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.String:
		v.SetString(r.text())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		r.number(v, func() { v.SetInt(int64(r.Uint64()) >> r.IntN(64)) }, func() { v.SetInt(int64(r.IntN(64))) })
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		r.number(v, func() { v.SetUint(r.Uint64() >> r.IntN(64)) }, func() { v.SetUint(uint64(r.IntN(64))) })
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(float32(r.NormFloat64())))
	case reflect.Pointer:
		if depth < 8 && r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			r.value(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 && depth < 8 {
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
		}
		r.elements(v, depth)
	case reflect.Array:
		r.elements(v, depth)
	case reflect.Map:
		if depth < 8 && r.IntN(3) > 0 {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.IntN(4) {
				key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				r.value(key, depth+1)
				r.value(elem, depth+1)
				v.SetMapIndex(key, elem)
			}
		}
	case reflect.Struct:
		for f, e := range v.Fields() {
			if f.IsExported() && f.Tag.Get("json") != "-" {
				r.value(e, depth+1)
			}
		}
		ok := v.FieldByName("OK")
		if v.FieldByName("V").IsValid() && ok.IsValid() && ok.Kind() == reflect.Bool && !ok.Bool() {
			v.SetZero()
		}
	}
}

func (r filler) elements(v reflect.Value, depth int) {
	for i := range v.Len() {
		r.value(v.Index(i), depth+1)
	}
}

// number sets an integer to a value that its MarshalText method accepts, if it has
// one. Most enumerations accept only small numbers.
func (r filler) number(v reflect.Value, any, small func()) {
	if _, ok := v.Interface().(encoding.TextMarshaler); !ok {
		any()
		return
	}
	for range 10000 {
		if r.IntN(2) == 0 {
			any()
		} else {
			small()
		}
		m := v.Interface().(encoding.TextMarshaler)
		if _, err := m.MarshalText(); err == nil {
			return
		}
	}
	panic(fmt.Sprintf("fill: no valid value of %s found", v.Type()))
}

func (r filler) text() string {
	s := r.texts[r.IntN(len(r.texts))]
	if r.IntN(2) == 0 {
		s += r.texts[r.IntN(len(r.texts))]
	}
	return s
}
