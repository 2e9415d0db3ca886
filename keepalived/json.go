package keepalived

import "dougu.internal/internal/jsontext"

// The methods keep strings that are not valid UTF-8 apart; see package jsontext.

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Model.UnmarshalJSON] restores them.
func (m Model) MarshalJSON() ([]byte, error) {
	type plain Model
	return jsontext.Marshal(plain(m))
}

// UnmarshalJSON reads the encoding that [Model.MarshalJSON] returns.
func (m *Model) UnmarshalJSON(b []byte) error {
	type plain Model
	return jsontext.Unmarshal(b, (*plain)(m))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Global.UnmarshalJSON] restores them.
func (g Global) MarshalJSON() ([]byte, error) {
	type plain Global
	return jsontext.Marshal(plain(g))
}

// UnmarshalJSON reads the encoding that [Global.MarshalJSON] returns.
func (g *Global) UnmarshalJSON(b []byte) error {
	type plain Global
	return jsontext.Unmarshal(b, (*plain)(g))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Instance.UnmarshalJSON] restores them.
func (i Instance) MarshalJSON() ([]byte, error) {
	type plain Instance
	return jsontext.Marshal(plain(i))
}

// UnmarshalJSON reads the encoding that [Instance.MarshalJSON] returns.
func (i *Instance) UnmarshalJSON(b []byte) error {
	type plain Instance
	return jsontext.Unmarshal(b, (*plain)(i))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Address.UnmarshalJSON] restores them.
func (a Address) MarshalJSON() ([]byte, error) {
	type plain Address
	return jsontext.Marshal(plain(a))
}

// UnmarshalJSON reads the encoding that [Address.MarshalJSON] returns.
func (a *Address) UnmarshalJSON(b []byte) error {
	type plain Address
	return jsontext.Unmarshal(b, (*plain)(a))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Track.UnmarshalJSON] restores them.
func (t Track) MarshalJSON() ([]byte, error) {
	type plain Track
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the encoding that [Track.MarshalJSON] returns.
func (t *Track) UnmarshalJSON(b []byte) error {
	type plain Track
	return jsontext.Unmarshal(b, (*plain)(t))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [SyncGroup.UnmarshalJSON] restores them.
func (s SyncGroup) MarshalJSON() ([]byte, error) {
	type plain SyncGroup
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the encoding that [SyncGroup.MarshalJSON] returns.
func (s *SyncGroup) UnmarshalJSON(b []byte) error {
	type plain SyncGroup
	return jsontext.Unmarshal(b, (*plain)(s))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Script.UnmarshalJSON] restores them.
func (s Script) MarshalJSON() ([]byte, error) {
	type plain Script
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the encoding that [Script.MarshalJSON] returns.
func (s *Script) UnmarshalJSON(b []byte) error {
	type plain Script
	return jsontext.Unmarshal(b, (*plain)(s))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [TrackFile.UnmarshalJSON] restores them.
func (t TrackFile) MarshalJSON() ([]byte, error) {
	type plain TrackFile
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the encoding that [TrackFile.MarshalJSON] returns.
func (t *TrackFile) UnmarshalJSON(b []byte) error {
	type plain TrackFile
	return jsontext.Unmarshal(b, (*plain)(t))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [TrackProcess.UnmarshalJSON] restores them.
func (t TrackProcess) MarshalJSON() ([]byte, error) {
	type plain TrackProcess
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the encoding that [TrackProcess.MarshalJSON] returns.
func (t *TrackProcess) UnmarshalJSON(b []byte) error {
	type plain TrackProcess
	return jsontext.Unmarshal(b, (*plain)(t))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [BFD.UnmarshalJSON] restores them.
func (v BFD) MarshalJSON() ([]byte, error) {
	type plain BFD
	return jsontext.Marshal(plain(v))
}

// UnmarshalJSON reads the encoding that [BFD.MarshalJSON] returns.
func (v *BFD) UnmarshalJSON(b []byte) error {
	type plain BFD
	return jsontext.Unmarshal(b, (*plain)(v))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [ServerGroup.UnmarshalJSON] restores them.
func (s ServerGroup) MarshalJSON() ([]byte, error) {
	type plain ServerGroup
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the encoding that [ServerGroup.MarshalJSON] returns.
func (s *ServerGroup) UnmarshalJSON(b []byte) error {
	type plain ServerGroup
	return jsontext.Unmarshal(b, (*plain)(s))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [VirtualServer.UnmarshalJSON] restores them.
func (vs VirtualServer) MarshalJSON() ([]byte, error) {
	type plain VirtualServer
	return jsontext.Marshal(plain(vs))
}

// UnmarshalJSON reads the encoding that [VirtualServer.MarshalJSON] returns.
func (vs *VirtualServer) UnmarshalJSON(b []byte) error {
	type plain VirtualServer
	return jsontext.Unmarshal(b, (*plain)(vs))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [RealServer.UnmarshalJSON] restores them.
func (r RealServer) MarshalJSON() ([]byte, error) {
	type plain RealServer
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the encoding that [RealServer.MarshalJSON] returns.
func (r *RealServer) UnmarshalJSON(b []byte) error {
	type plain RealServer
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Fault.UnmarshalJSON] restores them.
func (f Fault) MarshalJSON() ([]byte, error) {
	type plain Fault
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the encoding that [Fault.MarshalJSON] returns.
func (f *Fault) UnmarshalJSON(b []byte) error {
	type plain Fault
	return jsontext.Unmarshal(b, (*plain)(f))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Outcome.UnmarshalJSON] restores them.
func (o Outcome) MarshalJSON() ([]byte, error) {
	type plain Outcome
	return jsontext.Marshal(plain(o))
}

// UnmarshalJSON reads the encoding that [Outcome.MarshalJSON] returns.
func (o *Outcome) UnmarshalJSON(b []byte) error {
	type plain Outcome
	return jsontext.Unmarshal(b, (*plain)(o))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [NodeOutcome.UnmarshalJSON] restores them.
func (n NodeOutcome) MarshalJSON() ([]byte, error) {
	type plain NodeOutcome
	return jsontext.Marshal(plain(n))
}

// UnmarshalJSON reads the encoding that [NodeOutcome.MarshalJSON] returns.
func (n *NodeOutcome) UnmarshalJSON(b []byte) error {
	type plain NodeOutcome
	return jsontext.Unmarshal(b, (*plain)(n))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Keyword.UnmarshalJSON] restores them.
func (k Keyword) MarshalJSON() ([]byte, error) {
	type plain Keyword
	return jsontext.Marshal(plain(k))
}

// UnmarshalJSON reads the encoding that [Keyword.MarshalJSON] returns.
func (k *Keyword) UnmarshalJSON(b []byte) error {
	type plain Keyword
	return jsontext.Unmarshal(b, (*plain)(k))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [RuleInfo.UnmarshalJSON] restores them.
func (r RuleInfo) MarshalJSON() ([]byte, error) {
	type plain RuleInfo
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the encoding that [RuleInfo.MarshalJSON] returns.
func (r *RuleInfo) UnmarshalJSON(b []byte) error {
	type plain RuleInfo
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [TestResult.UnmarshalJSON] restores them.
func (t TestResult) MarshalJSON() ([]byte, error) {
	type plain TestResult
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the encoding that [TestResult.MarshalJSON] returns.
func (t *TestResult) UnmarshalJSON(b []byte) error {
	type plain TestResult
	return jsontext.Unmarshal(b, (*plain)(t))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Word.UnmarshalJSON] restores them.
func (w Word) MarshalJSON() ([]byte, error) {
	type plain Word
	return jsontext.Marshal(plain(w))
}

// UnmarshalJSON reads the encoding that [Word.MarshalJSON] returns.
func (w *Word) UnmarshalJSON(b []byte) error {
	type plain Word
	return jsontext.Unmarshal(b, (*plain)(w))
}
