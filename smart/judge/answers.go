package judge

import "dougu.internal/internal/jsontext"

// MarshalJSON returns a JSON object without the absent values.
func (d Delta) MarshalJSON() ([]byte, error) {
	type plain Delta
	return jsontext.Marshal(plain(d))
}

// UnmarshalJSON reads the output of [Delta.MarshalJSON].
func (d *Delta) UnmarshalJSON(data []byte) error {
	type plain Delta
	return jsontext.Unmarshal(data, (*plain)(d))
}

// MarshalJSON returns a JSON object without the absent values.
func (d Diagnosis) MarshalJSON() ([]byte, error) {
	type plain Diagnosis
	return jsontext.Marshal(plain(d))
}

// UnmarshalJSON reads the output of [Diagnosis.MarshalJSON].
func (d *Diagnosis) UnmarshalJSON(data []byte) error {
	type plain Diagnosis
	return jsontext.Unmarshal(data, (*plain)(d))
}

// MarshalJSON returns a JSON object without the absent values.
func (c Change) MarshalJSON() ([]byte, error) {
	type plain Change
	return jsontext.Marshal(plain(c))
}

// UnmarshalJSON reads the output of [Change.MarshalJSON].
func (c *Change) UnmarshalJSON(data []byte) error {
	type plain Change
	return jsontext.Unmarshal(data, (*plain)(c))
}

// MarshalJSON returns a JSON object without the absent values.
func (v DiskDiagnosis) MarshalJSON() ([]byte, error) {
	type plain DiskDiagnosis
	return jsontext.Marshal(plain(v))
}

// UnmarshalJSON reads the output of [DiskDiagnosis.MarshalJSON].
func (v *DiskDiagnosis) UnmarshalJSON(data []byte) error {
	type plain DiskDiagnosis
	return jsontext.Unmarshal(data, (*plain)(v))
}

// MarshalJSON returns a JSON object without the absent values.
func (w Window) MarshalJSON() ([]byte, error) {
	type plain Window
	return jsontext.Marshal(plain(w))
}

// UnmarshalJSON reads the output of [Window.MarshalJSON].
func (w *Window) UnmarshalJSON(data []byte) error {
	type plain Window
	return jsontext.Unmarshal(data, (*plain)(w))
}

// MarshalJSON returns a JSON object without the absent values.
func (w WriteSample) MarshalJSON() ([]byte, error) {
	type plain WriteSample
	return jsontext.Marshal(plain(w))
}

// UnmarshalJSON reads the output of [WriteSample.MarshalJSON].
func (w *WriteSample) UnmarshalJSON(data []byte) error {
	type plain WriteSample
	return jsontext.Unmarshal(data, (*plain)(w))
}
