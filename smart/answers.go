package smart

import "dougu.internal/internal/jsontext"

// The methods of this file keep strings that are not valid UTF-8. Package encoding/json
// replaces their invalid bytes, and different values become equal.

// MarshalJSON returns a JSON object without the absent values.
func (s Snapshot) MarshalJSON() ([]byte, error) {
	type plain Snapshot
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [Snapshot.MarshalJSON]. It does not read the JSON of
// smartctl; see [ParseJSON].
func (s *Snapshot) UnmarshalJSON(data []byte) error {
	type plain Snapshot
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (s Source) MarshalJSON() ([]byte, error) {
	type plain Source
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [Source.MarshalJSON].
func (s *Source) UnmarshalJSON(data []byte) error {
	type plain Source
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (d DeviceID) MarshalJSON() ([]byte, error) {
	type plain DeviceID
	return jsontext.Marshal(plain(d))
}

// UnmarshalJSON reads the output of [DeviceID.MarshalJSON].
func (d *DeviceID) UnmarshalJSON(data []byte) error {
	type plain DeviceID
	return jsontext.Unmarshal(data, (*plain)(d))
}

// MarshalJSON returns a JSON object without the absent values.
func (id Identity) MarshalJSON() ([]byte, error) {
	type plain Identity
	return jsontext.Marshal(plain(id))
}

// UnmarshalJSON reads the output of [Identity.MarshalJSON].
func (id *Identity) UnmarshalJSON(data []byte) error {
	type plain Identity
	return jsontext.Unmarshal(data, (*plain)(id))
}

// MarshalJSON returns a JSON object without the absent values.
func (h Health) MarshalJSON() ([]byte, error) {
	type plain Health
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads the output of [Health.MarshalJSON].
func (h *Health) UnmarshalJSON(data []byte) error {
	type plain Health
	return jsontext.Unmarshal(data, (*plain)(h))
}

// MarshalJSON returns a JSON object without the absent values.
func (a Attribute) MarshalJSON() ([]byte, error) {
	type plain Attribute
	return jsontext.Marshal(plain(a))
}

// UnmarshalJSON reads the output of [Attribute.MarshalJSON].
func (a *Attribute) UnmarshalJSON(data []byte) error {
	type plain Attribute
	return jsontext.Unmarshal(data, (*plain)(a))
}

// MarshalJSON returns a JSON object without the absent values.
func (r Raw) MarshalJSON() ([]byte, error) {
	type plain Raw
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the output of [Raw.MarshalJSON].
func (r *Raw) UnmarshalJSON(data []byte) error {
	type plain Raw
	return jsontext.Unmarshal(data, (*plain)(r))
}

// MarshalJSON returns a JSON object without the absent values.
func (f RawFormat) MarshalJSON() ([]byte, error) {
	type plain RawFormat
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the output of [RawFormat.MarshalJSON].
func (f *RawFormat) UnmarshalJSON(data []byte) error {
	type plain RawFormat
	return jsontext.Unmarshal(data, (*plain)(f))
}

// MarshalJSON returns a JSON object without the absent values.
func (t SelfTest) MarshalJSON() ([]byte, error) {
	type plain SelfTest
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the output of [SelfTest.MarshalJSON].
func (t *SelfTest) UnmarshalJSON(data []byte) error {
	type plain SelfTest
	return jsontext.Unmarshal(data, (*plain)(t))
}

// MarshalJSON returns a JSON object without the absent values.
func (e ErrorEntry) MarshalJSON() ([]byte, error) {
	type plain ErrorEntry
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the output of [ErrorEntry.MarshalJSON].
func (e *ErrorEntry) UnmarshalJSON(data []byte) error {
	type plain ErrorEntry
	return jsontext.Unmarshal(data, (*plain)(e))
}

// MarshalJSON returns a JSON object without the absent values.
func (l ErrorLog) MarshalJSON() ([]byte, error) {
	type plain ErrorLog
	return jsontext.Marshal(plain(l))
}

// UnmarshalJSON reads the output of [ErrorLog.MarshalJSON].
func (l *ErrorLog) UnmarshalJSON(data []byte) error {
	type plain ErrorLog
	return jsontext.Unmarshal(data, (*plain)(l))
}

// MarshalJSON returns a JSON object without the absent values.
func (w Warning) MarshalJSON() ([]byte, error) {
	type plain Warning
	return jsontext.Marshal(plain(w))
}

// UnmarshalJSON reads the output of [Warning.MarshalJSON].
func (w *Warning) UnmarshalJSON(data []byte) error {
	type plain Warning
	return jsontext.Unmarshal(data, (*plain)(w))
}

// MarshalJSON returns a JSON object without the absent values.
func (s Stat) MarshalJSON() ([]byte, error) {
	type plain Stat
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [Stat.MarshalJSON].
func (s *Stat) UnmarshalJSON(data []byte) error {
	type plain Stat
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (h SCSIHealth) MarshalJSON() ([]byte, error) {
	type plain SCSIHealth
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads the output of [SCSIHealth.MarshalJSON].
func (h *SCSIHealth) UnmarshalJSON(data []byte) error {
	type plain SCSIHealth
	return jsontext.Unmarshal(data, (*plain)(h))
}

// MarshalJSON returns a JSON object without the absent values.
func (s StartStop) MarshalJSON() ([]byte, error) {
	type plain StartStop
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [StartStop.MarshalJSON].
func (s *StartStop) UnmarshalJSON(data []byte) error {
	type plain StartStop
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (e DriveEntry) MarshalJSON() ([]byte, error) {
	type plain DriveEntry
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the output of [DriveEntry.MarshalJSON].
func (e *DriveEntry) UnmarshalJSON(data []byte) error {
	type plain DriveEntry
	return jsontext.Unmarshal(data, (*plain)(e))
}

// MarshalJSON returns a JSON object without the absent values.
func (k DriveKey) MarshalJSON() ([]byte, error) {
	type plain DriveKey
	return jsontext.Marshal(plain(k))
}

// UnmarshalJSON reads the output of [DriveKey.MarshalJSON].
func (k *DriveKey) UnmarshalJSON(data []byte) error {
	type plain DriveKey
	return jsontext.Unmarshal(data, (*plain)(k))
}
