package diag

import "dougu.internal/internal/jsontext"

// The methods of this file keep strings that are not valid UTF-8. Package encoding/json
// replaces their invalid bytes, and different values become equal.

// MarshalJSON returns a JSON object without the absent values.
func (r Range) MarshalJSON() ([]byte, error) {
	type plain Range
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the output of [Range.MarshalJSON].
func (r *Range) UnmarshalJSON(data []byte) error {
	type plain Range
	return jsontext.Unmarshal(data, (*plain)(r))
}

// MarshalJSON returns a JSON object without the absent values.
func (r Related) MarshalJSON() ([]byte, error) {
	type plain Related
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the output of [Related.MarshalJSON].
func (r *Related) UnmarshalJSON(data []byte) error {
	type plain Related
	return jsontext.Unmarshal(data, (*plain)(r))
}

// MarshalJSON returns a JSON object without the absent values.
func (e Edit) MarshalJSON() ([]byte, error) {
	type plain Edit
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the output of [Edit.MarshalJSON].
func (e *Edit) UnmarshalJSON(data []byte) error {
	type plain Edit
	return jsontext.Unmarshal(data, (*plain)(e))
}

// MarshalJSON returns a JSON object without the absent values.
func (f Fix) MarshalJSON() ([]byte, error) {
	type plain Fix
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the output of [Fix.MarshalJSON].
func (f *Fix) UnmarshalJSON(data []byte) error {
	type plain Fix
	return jsontext.Unmarshal(data, (*plain)(f))
}
