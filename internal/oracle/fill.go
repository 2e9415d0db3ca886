package oracle

import (
	"encoding"
	"errors"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"time"
)

// hostile are strings that JSON, terminals and logs handle badly.
var hostile = []string{
	"", "\xff", "\xfe", "\ufffd", "\ufffd{ff}", "a\xc3", "\x00", "\x1b[2J", "line\nline", "\u2028<&>\"'", "\xed\xa0\x80", "t\u00e9xt",
}

// fillDepth is the maximum depth of a filled value.
const fillDepth = 6

// Fill sets the value that p points to, and everything below it, to random values: valid
// ones for enumerations, and strings of any bytes. Fields that are not exported are not
// set, and functions and channels stay nil.
func Fill(r *rand.Rand, p any) { fill(r, reflect.ValueOf(p).Elem(), 0) }

func fill(r *rand.Rand, v reflect.Value, depth int) {
	if depth > fillDepth || !v.CanSet() {
		return
	}
	switch v.Type() {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(1<<33), r.Int64N(1e9)).UTC()))
		return
	case reflect.TypeFor[netip.Addr]():
		v.Set(reflect.ValueOf(netip.AddrFrom4([4]byte{192, 0, 2, byte(r.Uint32())})))
		return
	case reflect.TypeFor[netip.AddrPort]():
		v.Set(reflect.ValueOf(netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(r.Uint32())}), uint16(r.Uint32()))))
		return
	case reflect.TypeFor[error]():
		v.Set(reflect.ValueOf(errors.New(hostile[r.IntN(len(hostile))])))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		fillNumber(r, v)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(r.IntN(1000)) / 8)
	case reflect.String:
		v.SetString(hostile[r.IntN(len(hostile))] + hostile[r.IntN(len(hostile))])
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem(), depth+1)
		}
	case reflect.Slice:
		if n := r.IntN(4); n > 0 { // nil in one of four cases
			v.Set(reflect.MakeSlice(v.Type(), n-1, n-1))
		}
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1)
		}
	case reflect.Map:
		if r.IntN(4) == 0 {
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for range r.IntN(3) {
			key, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(r, key, depth+1)
			fill(r, e, depth+1)
			v.SetMapIndex(key, e)
		}
	case reflect.Struct:
		for _, f := range v.Fields() {
			fill(r, f, depth+1)
		}
	}
}

// fillNumber sets a number. If the type encodes itself as text, small numbers are tried
// until one is a valid value.
func fillNumber(r *rand.Rand, v reflect.Value) {
	set := func(n uint64) {
		if v.CanInt() {
			v.SetInt(int64(n) << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
		} else {
			v.SetUint(n << (64 - v.Type().Bits()) >> (64 - v.Type().Bits()))
		}
	}
	text, ok := v.Addr().Interface().(encoding.TextMarshaler)
	if !ok {
		set(r.Uint64() >> r.IntN(64))
		return
	}
	for range 1000 {
		set(uint64(r.IntN(64)))
		if _, err := text.MarshalText(); err == nil {
			return
		}
	}
	v.SetZero()
}
