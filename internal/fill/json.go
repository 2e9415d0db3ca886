package fill

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
)

// rounds is the number of values that are tried for each type.
const rounds = 60

// JSON marshals and unmarshals random values of the type that v points to. It returns an
// error that contains the value if one of them comes back changed. If v points to a slice,
// nil and empty are equal.
func JSON(seed uint64, v any) error {
	r := rand.New(rand.NewPCG(seed, 0))
	t := reflect.TypeOf(v).Elem()
	for i := range rounds {
		in, out := reflect.New(t), reflect.New(t)
		if i > 0 {
			Value(r, in.Interface())
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
		empty := t.Kind() == reflect.Slice && in.Elem().Len()+out.Elem().Len() == 0
		if !empty && !reflect.DeepEqual(in.Interface(), out.Interface()) {
			return fmt.Errorf("seed %d: %s: %#v comes back as %#v", seed, b, in.Elem(), out.Elem())
		}
	}
	return nil
}
