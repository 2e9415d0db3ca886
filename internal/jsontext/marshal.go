package jsontext

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// maxDepth is the maximum nesting of values. Package encoding/json has a similar
// limit for cyclic values.
const maxDepth = 1000

// Marshal returns the JSON encoding of v like json.Marshal, but without escapes
// for HTML, with all strings and string-kinded map keys in the form of [Escape],
// and with errors as their text.
//
// Values of types that implement json.Marshaler or encoding.TextMarshaler encode
// themselves. Their text must be valid UTF-8.
func Marshal(v any) ([]byte, error) {
	if v == nil {
		return []byte("null"), nil
	}
	// The copy is addressable, so that methods with pointer receivers are found.
	p := reflect.New(reflect.TypeOf(v))
	p.Elem().Set(reflect.ValueOf(v))
	if needs(p.Elem(), 0) {
		escape(p.Elem(), 0)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(p.Interface()); err != nil {
		return nil, wrap("encode", p.Type(), err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Unmarshal sets the value that v points to from JSON that [Marshal] returned. The
// previous content of *v is discarded. If b is null or if Unmarshal fails, *v is
// unchanged.
//
// Fields of type error are set to an error with the text of the encoded one. They
// must be fields of the struct itself or of a struct that it contains. They must
// not be in an element of a slice or a map, or below a pointer, unless a type on
// the way there has an UnmarshalJSON method.
//
// Errors start with the name of the package that declares the type of *v.
func Unmarshal(b []byte, v any) error {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return errors.New("jsontext: Unmarshal needs a pointer that is not nil")
	}
	if string(bytes.TrimSpace(b)) == "null" {
		return nil
	}
	fresh := reflect.New(p.Type().Elem())
	receiveErrors(fresh.Elem(), 0)
	if err := json.Unmarshal(b, fresh.Interface()); err != nil {
		return wrap("decode", p.Type(), err)
	}
	unescape(fresh.Elem(), 0)
	p.Elem().Set(fresh.Elem())
	return nil
}

// errorText takes the place of an error while a value is encoded or decoded.
type errorText string

func (e *errorText) Error() string { return string(*e) }

var (
	errorType   = reflect.TypeFor[error]()
	jsonMethods = []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	}
)

// walked contains the results of walks as a map from reflect.Type to bool.
var walked sync.Map

// walks reports whether values of the type may contain a string or an error that
// the type does not encode itself.
func walks(t reflect.Type) bool {
	if known, ok := walked.Load(t); ok {
		return known.(bool)
	}
	found := search(t, map[reflect.Type]bool{})
	walked.Store(t, found)
	return found
}

func search(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] || encodesItself(t) {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.String, reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return search(t.Elem(), seen)
	case reflect.Map:
		return t.Key().Kind() == reflect.String || search(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if encoded(f) && search(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// encodesItself reports whether encoding/json calls a method of the type. The
// interface type error is walked, whatever its dynamic value implements.
func encodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	for _, m := range jsonMethods {
		if t.Implements(m) || reflect.PointerTo(t).Implements(m) {
			return true
		}
	}
	return false
}

// encoded reports whether encoding/json encodes a field.
func encoded(f reflect.StructField) bool {
	if f.Tag.Get("json") == "-" {
		return false
	}
	return f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct
}

// needs reports whether escape would change v.
func needs(v reflect.Value, depth int) bool {
	if depth > maxDepth || !walks(v.Type()) {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		return NeedsEscape(v.String())
	case reflect.Pointer:
		return !v.IsNil() && needs(v.Elem(), depth+1)
	case reflect.Interface:
		return !v.IsNil() && (v.Type() == errorType || needs(v.Elem(), depth+1))
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if needs(v.Index(i), depth+1) {
				return true
			}
		}
	case reflect.Map:
		for k, e := range v.Seq2() {
			if k.Kind() == reflect.String && NeedsEscape(k.String()) || needs(e, depth+1) {
				return true
			}
		}
	case reflect.Struct:
		for f, e := range v.Fields() {
			if encoded(f) && needs(e, depth+1) {
				return true
			}
		}
	}
	return false
}

// escape replaces the strings and errors below v. It replaces each pointer,
// slice, map and interface by a copy first, because the caller's value must not
// change. The value v itself belongs to Marshal.
func escape(v reflect.Value, depth int) {
	copied(v, depth, escape, Escape, func(v reflect.Value) {
		text := errorText(Escape(v.Interface().(error).Error()))
		v.Set(reflect.ValueOf(&text))
	})
}

// unescape reverses escape on a decoded value.
func unescape(v reflect.Value, depth int) {
	copied(v, depth, unescape, Unescape, func(v reflect.Value) {
		text, ok := v.Interface().(*errorText)
		switch {
		case !ok:
		case string(*text) == absent:
			v.SetZero()
		default:
			v.Set(reflect.ValueOf(errors.New(Unescape(string(*text)))))
		}
	})
}

// copied replaces what is below v by copies, in which change is applied to the strings
// and changeError to the errors. It calls walk for the values that v contains.
func copied(
	v reflect.Value, depth int,
	walk func(reflect.Value, int), change func(string) string, changeError func(reflect.Value),
) {
	if depth > maxDepth || !walks(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(change(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			v.Set(walkCopy(v.Elem(), depth, walk).Addr())
		}
	case reflect.Interface:
		switch {
		case v.IsNil():
		case v.Type() == errorType:
			changeError(v)
		default:
			v.Set(walkCopy(v.Elem(), depth, walk))
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		s := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(s, v)
		for i := range s.Len() {
			walk(s.Index(i), depth+1)
		}
		v.Set(s)
	case reflect.Array:
		for i := range v.Len() {
			walk(v.Index(i), depth+1)
		}
	case reflect.Map:
		if v.IsNil() {
			return
		}
		m := reflect.MakeMapWithSize(v.Type(), v.Len())
		for k, e := range v.Seq2() {
			key := reflect.New(k.Type()).Elem()
			key.Set(k)
			if key.Kind() == reflect.String {
				key.SetString(change(key.String()))
			}
			m.SetMapIndex(key, walkCopy(e, depth, walk))
		}
		v.Set(m)
	case reflect.Struct:
		for f, e := range v.Fields() {
			if encoded(f) {
				walk(e, depth+1)
			}
		}
	}
}

func walkCopy(v reflect.Value, depth int, walk func(reflect.Value, int)) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	walk(c, depth+1)
	return c
}

// absent is the text of an error field that the input does not contain. The text
// of an error in JSON is never equal to it, because Escape does not return it.
const absent = "\xff"

// receiveErrors puts a pointer into each field of type error: encoding/json
// decodes into the value that the pointer refers to.
func receiveErrors(v reflect.Value, depth int) {
	if depth > maxDepth || !walks(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Interface:
		if v.Type() == errorType {
			text := errorText(absent)
			v.Set(reflect.ValueOf(&text))
		}
	case reflect.Array:
		for i := range v.Len() {
			receiveErrors(v.Index(i), depth+1)
		}
	case reflect.Struct:
		for f, e := range v.Fields() {
			if encoded(f) {
				receiveErrors(e, depth+1)
			}
		}
	}
}

// wrap describes an error of encoding/json.
func wrap(what string, t reflect.Type, err error) error {
	containers := []reflect.Kind{reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map}
	for t.PkgPath() == "" && slices.Contains(containers, t.Kind()) {
		t = t.Elem()
	}
	pkg := t.PkgPath()
	pkg = pkg[strings.LastIndexByte(pkg, '/')+1:]
	text := what + " JSON: " + Cause(err)
	if inner, ok := errors.AsType[*Error](err); ok {
		text = inner.text
	}
	return &Error{pkg: pkg, text: text, err: err}
}
