// Package surface checks the values of exported types at run time: the text form of
// enumerations, the JSON form of structs, and the prefix of errors. The test of
// package house generates a program that passes every exported type of the module to
// [Check].
package surface

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"dougu.internal/internal/fill"
)

// Package lists the exported types and functions of one package.
type Package struct {
	// Name is the name of the package, which its errors start with.
	Name string
	// Types lists the exported types.
	Types []Type
	// Errors lists the exported error variables.
	Errors []Sentinel
	// Parsers lists the functions that read text. A parser has only parameters of
	// the types string, []byte and io.Reader, and its last result is an error.
	Parsers []Func
}

// Type is an exported type.
type Type struct {
	Name string
	Type reflect.Type
	// Result means that an exported function or method returns the type.
	Result bool
	// Record means that the type is a record of a stream. Its fields point into the
	// buffer of the reader, and it is not marshaled.
	Record bool
	// Values lists the exported constants of the type. The type is an enumeration
	// if it has an integer kind and at least two of them.
	Values []any
}

// Sentinel is an exported error variable.
type Sentinel struct {
	Name string
	Err  error
}

// Func is an exported function.
type Func struct {
	Name string
	Func any
}

// rounds is the number of random values that are checked for each struct.
const rounds = 40

// Check returns a line for each rule that a type or function breaks. The same seed
// gives the same result.
func Check(packages []Package, seed uint64) []string {
	c := checker{
		rand:    rand.New(rand.NewPCG(seed, 0)),
		answers: map[reflect.Type]bool{},
	}
	for _, p := range packages {
		for _, t := range p.Types {
			if t.Result && !t.Record {
				c.addAnswer(t.Type)
			}
		}
	}
	for _, p := range packages {
		c.pkg = p.Name
		for _, t := range p.Types {
			c.name = p.Name + "." + t.Name
			switch {
			case t.enumeration():
				c.enumeration(t)
			case t.Type.Kind() == reflect.Struct && !t.Record && !settings(t.Name) && answer(t.Type, nil):
				c.json(t.Type)
			}
			c.errorType(t.Type)
		}
		for _, e := range p.Errors {
			c.name = p.Name + "." + e.Name
			c.prefix(e.Err)
		}
		for _, f := range p.Parsers {
			c.name = p.Name + "." + f.Name
			c.parser(reflect.ValueOf(f.Func))
		}
	}
	slices.Sort(c.findings)
	return slices.Compact(c.findings)
}

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (t Type) enumeration() bool {
	return len(t.Values) > 1 && t.Type.Kind() >= reflect.Int && t.Type.Kind() <= reflect.Uint64
}

// Integers that count or measure have constants too, and are numbers for the reader:
// a type with one of these methods is not an enumeration.
var numberMethods = []string{"Seconds"}

type checker struct {
	rand     *rand.Rand
	pkg      string
	answers  map[reflect.Type]bool // structs that functions return, and those inside them
	name     string                // the type or function that is being checked
	findings []string
}

func (c *checker) report(format string, args ...any) {
	c.findings = append(c.findings, c.name+": "+fmt.Sprintf(format, args...))
}

func (c *checker) enumeration(t Type) {
	for _, m := range numberMethods {
		if _, ok := t.Type.MethodByName(m); ok {
			return
		}
	}
	pointer := reflect.PointerTo(t.Type)
	if !t.Type.Implements(reflect.TypeFor[fmt.Stringer]()) {
		c.report("the enumeration has no method String")
	}
	if !t.Type.Implements(textMarshaler) || !pointer.Implements(textUnmarshaler) {
		c.report("the enumeration has no text form: MarshalText and UnmarshalText are missing")
		return
	}
	texts := map[string]any{}
	for _, v := range t.Values {
		b, err := v.(encoding.TextMarshaler).MarshalText()
		if err != nil {
			c.report("MarshalText of %d fails: %v", v, err)
			continue
		}
		if other, ok := texts[string(b)]; ok && other != v {
			c.report("%d and %d have the same text %q", other, v, b)
		}
		texts[string(b)] = v
		p := reflect.New(t.Type)
		if err := p.Interface().(encoding.TextUnmarshaler).UnmarshalText(b); err != nil || p.Elem().Interface() != v {
			c.report("%q, the text of %d, comes back as %d, error %v", b, v, p.Elem().Interface(), err)
		}
	}
	err := reflect.New(t.Type).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte("no such word"))
	if err == nil {
		c.report("UnmarshalText accepts an unknown word")
		return
	}
	c.prefix(err)
}

// settings reports whether the name is that of a struct which callers fill in. It goes
// into the package and not to a reader of JSON.
func settings(name string) bool {
	for _, end := range []string{"Options", "Config", "Limits", "Input", "Keys"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// answer reports whether a service can answer with a value of the struct: it has
// exported fields and none that holds live state. An error is answered as its text.
func answer(t reflect.Type, seen []reflect.Type) bool {
	if own(t) {
		return true
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[error]()) {
		return false
	}
	exported := 0
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		exported++
		if live(f.Type, append(seen, t)) {
			return false
		}
	}
	return exported > 0
}

// own reports whether the type marshals itself.
func own(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[json.Marshaler]()) && p.Implements(reflect.TypeFor[json.Unmarshaler]()) ||
		p.Implements(textMarshaler) && p.Implements(textUnmarshaler)
}

// live reports whether values of the type are more than data: functions, channels,
// interfaces other than error.
func live(t reflect.Type, seen []reflect.Type) bool {
	if slices.Contains(seen, t) || own(t) {
		return false
	}
	switch t.Kind() {
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return true
	case reflect.Interface:
		return t != reflect.TypeFor[error]()
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return live(t.Elem(), append(seen, t))
	case reflect.Map:
		return live(t.Key(), append(seen, t)) || live(t.Elem(), append(seen, t))
	case reflect.Struct:
		if t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" {
			return true
		}
		for f := range t.Fields() {
			if f.IsExported() && live(f.Type, append(seen, t)) {
				return true
			}
		}
	}
	return false
}

// json checks the tags of the fields, marshals random values and reads them back.
func (c *checker) json(t reflect.Type) {
	hostile := own(t)
	if c.answers[t] && !hostile && exportedOnly(t) {
		c.tags(t)
	}
	for i := range rounds {
		v := reflect.New(t)
		if i > 0 { // the first is the zero value
			c.fill(v.Interface(), hostile && i%2 == 1)
		}
		b, err := json.Marshal(v.Interface())
		if err != nil {
			if i == 0 {
				continue // the zero value of an enumeration may be invalid
			}
			c.report("json.Marshal fails: %v", err)
			return
		}
		w := reflect.New(t)
		if err := json.Unmarshal(b, w.Interface()); err != nil {
			c.report("json.Unmarshal fails: %v in %s", err, short(b))
			return
		}
		if path, ok := same(v.Elem(), w.Elem(), ""); !ok {
			c.report("does not survive JSON: %s differs; %s", strings.TrimPrefix(path, "."), short(b))
			return
		}
	}
}

// addAnswer notes a struct that a function returns, and the structs of its fields.
func (c *checker) addAnswer(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		c.addAnswer(t.Elem())
	case reflect.Struct:
		if c.answers[t] || !answer(t, nil) {
			return
		}
		c.answers[t] = true
		for f := range t.Fields() {
			if f.IsExported() {
				c.addAnswer(f.Type)
			}
		}
	}
}

// optional reports whether the type is a struct of a value and a flag.
func optional(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || t.NumField() != 2 {
		return false
	}
	ok, has := t.FieldByName("OK")
	_, value := t.FieldByName("V")
	return has && value && ok.Type.Kind() == reflect.Bool
}

// tags checks that each exported field has a name in lower camel case in JSON, and
// that fields which can be absent are left out when they are.
func (c *checker) tags(t reflect.Type) {
	for f := range t.Fields() {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name != "-" && (name[0] < 'a' || name[0] > 'z' || strings.ContainsAny(name, "_-")) {
			c.report("the field %s has the JSON name %q, want one in lower camel case", f.Name, name)
		}
		if absent(f.Type) && !strings.Contains(options, "omitzero") && !strings.Contains(options, "omitempty") &&
			name != "-" {
			c.report("the field %s can be absent and is not tagged omitzero", f.Name)
		}
	}
}

// absent reports whether the zero value of the type means that there is no value.
func absent(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[time.Time](), reflect.TypeFor[error](),
		reflect.TypeFor[netip.Addr](), reflect.TypeFor[netip.AddrPort](), reflect.TypeFor[netip.Prefix]():
		return true
	}
	return t.Kind() == reflect.Pointer || optional(t)
}

func short(b []byte) string {
	if len(b) > 400 {
		return string(b[:400]) + "..."
	}
	return string(b)
}

// fill sets the value that p points to. If hostile is set, strings contain bytes that
// are not valid UTF-8.
func (c *checker) fill(p any, hostile bool) {
	texts := fill.Plain
	if hostile {
		texts = fill.Strings
	}
	fill.With(c.rand, p, texts)
}

// same compares values: times by the instant, errors by their text. It returns the
// path of the first difference.
func same(a, b reflect.Value, path string) (string, bool) {
	if a.IsValid() != b.IsValid() || a.IsValid() && a.Type() != b.Type() {
		return path, false
	}
	if a.Type() == reflect.TypeFor[time.Time]() {
		return path, a.Interface().(time.Time).Equal(b.Interface().(time.Time))
	}
	switch a.Kind() {
	case reflect.Interface:
		if a.IsNil() || b.IsNil() {
			return path, a.IsNil() == b.IsNil()
		}
		if x, ok := a.Interface().(error); ok {
			y, ok := b.Interface().(error)
			return path, ok && x.Error() == y.Error()
		}
		return same(a.Elem(), b.Elem(), path)
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return path, a.IsNil() == b.IsNil()
		}
		return same(a.Elem(), b.Elem(), path)
	case reflect.Slice:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return path, false
		}
		fallthrough
	case reflect.Array:
		for i := range a.Len() {
			if p, ok := same(a.Index(i), b.Index(i), fmt.Sprintf("%s[%d]", path, i)); !ok {
				return p, false
			}
		}
		return "", true
	case reflect.Map:
		if a.IsNil() != b.IsNil() || a.Len() != b.Len() {
			return path, false
		}
		for _, k := range a.MapKeys() {
			if !b.MapIndex(k).IsValid() {
				return path, false
			}
			if p, ok := same(a.MapIndex(k), b.MapIndex(k), fmt.Sprintf("%s[%v]", path, k)); !ok {
				return p, false
			}
		}
		return "", true
	case reflect.Struct:
		if !own(a.Type()) || exportedOnly(a.Type()) {
			for i := range a.NumField() {
				if f := a.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
					if p, ok := same(a.Field(i), b.Field(i), path+"."+f.Name); !ok {
						return p, false
					}
				}
			}
			return "", true
		}
		if !a.CanInterface() {
			return "", true
		}
		x, errX := json.Marshal(a.Interface())
		y, errY := json.Marshal(b.Interface())
		return path, errX == nil && errY == nil && bytes.Equal(x, y)
	}
	return path, !a.CanInterface() || reflect.DeepEqual(a.Interface(), b.Interface())
}

func exportedOnly(t reflect.Type) bool {
	for f := range t.Fields() {
		if !f.IsExported() {
			return false
		}
	}
	return true
}

// errorType checks the text of an error type.
func (c *checker) errorType(t reflect.Type) {
	if t.Kind() == reflect.Interface || !reflect.PointerTo(t).Implements(reflect.TypeFor[error]()) {
		return
	}
	v := reflect.New(t)
	c.fill(v.Interface(), false)
	if t.Kind() == reflect.Struct {
		for f, e := range v.Elem().Fields() { // no error is without its cause
			if f.IsExported() && f.Type == reflect.TypeFor[error]() {
				e.Set(reflect.ValueOf(errors.New("failure")))
			}
		}
	}
	if err, ok := v.Elem().Interface().(error); ok {
		c.prefix(err)
	} else if err, ok := v.Interface().(error); ok {
		c.prefix(err)
	}
}

// garbage are inputs that most parsers refuse.
var garbage = []string{"\x00\xff(", "{", "[1,", "no such thing", "-1", "99999999999999999999999", "a\nb {\n", "${", "%"}

// parser calls a function with garbage and checks its errors.
func (c *checker) parser(f reflect.Value) {
	for _, text := range garbage {
		var args []reflect.Value
		for in := range f.Type().Ins() {
			switch in {
			case reflect.TypeFor[string]():
				args = append(args, reflect.ValueOf(text))
			case reflect.TypeFor[[]byte]():
				args = append(args, reflect.ValueOf([]byte(text)))
			case reflect.TypeFor[io.Reader]():
				args = append(args, reflect.ValueOf(strings.NewReader(text)))
			default:
				c.report("is no parser: it has a parameter of type %v", in)
				return
			}
		}
		out := f.Call(args)
		if err, ok := out[len(out)-1].Interface().(error); ok && err != nil && !c.prefix(err) {
			return
		}
	}
}

// prefix checks that the text of an error starts with the name of the package, once,
// and is a phrase in lower case without a full stop.
func (c *checker) prefix(err error) bool {
	before := len(c.findings)
	text := err.Error()
	rest, ok := strings.CutPrefix(text, c.pkg+": ")
	switch {
	case c.pkg == "diag":
		// A finding is an error that starts with its place.
	case !ok:
		c.report("the error %q does not begin with %q", text, c.pkg+": ")
	case strings.Contains(rest, c.pkg+": "):
		c.report("the error %q has its prefix more than once", text)
	case strings.HasPrefix(rest, "it "), strings.HasSuffix(rest, "."):
		c.report("the error %q is not a phrase that names its subject", text)
	}
	return len(c.findings) == before
}
