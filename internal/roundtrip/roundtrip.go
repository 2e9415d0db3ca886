// Package roundtrip is for tests: it fills values at random and checks that they survive
// JSON.
package roundtrip

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"time"
)

// maxDepth is the maximum nesting of filled values.
const maxDepth = 6

// rounds is the number of values that are tried for each type.
const rounds = 60

// words are the strings that occur. Some are not valid UTF-8 or look like escapes.
var words = []string{"", "a", "B c", "日本", "<&>", "null", "\u2028", "\xff", "\xfe", "a\xffb", "\ufffd", `\xff`, "\ufffd{ff}", "\ufffd{}"}

// JSON marshals and unmarshals random values of the type that v points to. It returns an
// error that contains the value if one of them comes back changed. enums contains values of
// enumerations; a field of the type of one of them has one of these values.
func JSON(seed uint64, v any, enums ...any) error {
	r := rand.New(rand.NewPCG(seed, 0))
	f := filler{r, map[reflect.Type][]reflect.Value{}}
	for _, e := range enums {
		x := reflect.ValueOf(e)
		f.enums[x.Type()] = append(f.enums[x.Type()], x)
	}
	t := reflect.TypeOf(v).Elem()
	for i := range rounds {
		in, out := reflect.New(t), reflect.New(t)
		if i > 0 {
			f.fill(in.Elem(), 0)
		}
		b, err := json.Marshal(in.Interface())
		if err != nil && i == 0 {
			continue // the zero value of an enumeration may be invalid
		}
		if err != nil {
			return fmt.Errorf("seed %d: marshal %#v: %w", seed, in.Elem(), err)
		}
		if err := json.Unmarshal(b, out.Interface()); err != nil {
			return fmt.Errorf("seed %d: unmarshal %s: %w", seed, b, err)
		}
		if !reflect.DeepEqual(in.Interface(), out.Interface()) {
			return fmt.Errorf("seed %d: %s: %#v comes back as %#v", seed, b, in.Elem(), out.Elem())
		}
	}
	return nil
}

type filler struct {
	*rand.Rand
	enums map[reflect.Type][]reflect.Value
}

func (r filler) fill(v reflect.Value, depth int) {
	if list := r.enums[v.Type()]; list != nil {
		v.Set(list[r.IntN(len(list))])
		return
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(r.Int64N(2e9), r.Int64N(1e9)).UTC()))
		return
	case netip.Addr:
		list := []netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1%eth0")}
		v.Set(reflect.ValueOf(list[r.IntN(len(list))]))
		return
	case netip.Prefix:
		list := []netip.Prefix{{}, netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32")}
		v.Set(reflect.ValueOf(list[r.IntN(len(list))]))
		return
	case netip.AddrPort:
		list := []netip.AddrPort{{}, netip.MustParseAddrPort("192.0.2.1:80")}
		v.Set(reflect.ValueOf(list[r.IntN(len(list))]))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(r.IntN(2) > 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(r.Int64N(200) - 100)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(r.Uint64N(200))
	case reflect.String:
		v.SetString(words[r.IntN(len(words))])
	case reflect.Pointer:
		if r.IntN(3) > 0 && depth < maxDepth {
			v.Set(reflect.New(v.Type().Elem()))
			r.fill(v.Elem(), depth+1)
		}
	case reflect.Slice:
		if r.IntN(3) > 0 && depth < maxDepth {
			v.Set(reflect.MakeSlice(v.Type(), r.IntN(3), 3))
			for i := range v.Len() {
				r.fill(v.Index(i), depth+1)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			r.fill(v.Index(i), depth+1)
		}
	case reflect.Map:
		if r.IntN(3) > 0 && depth < maxDepth {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.IntN(3) {
				key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				r.fill(key, depth+1)
				r.fill(value, depth+1)
				v.SetMapIndex(key, value)
			}
		}
	case reflect.Struct:
		for f, e := range v.Fields() {
			if f.IsExported() {
				r.fill(e, depth+1)
			}
		}
	}
}
