package stracelog

import "dougu.internal/internal/jsontext"

// The methods of this file keep strings that are not valid UTF-8. Package encoding/json
// replaces their invalid bytes, and different values become equal.

// MarshalJSON returns a JSON object without the absent values.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the output of [Report.MarshalJSON].
func (r *Report) UnmarshalJSON(data []byte) error {
	type plain Report
	return jsontext.Unmarshal(data, (*plain)(r))
}

// MarshalJSON returns a JSON object without the absent values.
func (q Request) MarshalJSON() ([]byte, error) {
	type plain Request
	return jsontext.Marshal(plain(q))
}

// UnmarshalJSON reads the output of [Request.MarshalJSON].
func (q *Request) UnmarshalJSON(data []byte) error {
	type plain Request
	return jsontext.Unmarshal(data, (*plain)(q))
}

// MarshalJSON returns a JSON object without the absent values.
func (s Segment) MarshalJSON() ([]byte, error) {
	type plain Segment
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [Segment.MarshalJSON].
func (s *Segment) UnmarshalJSON(data []byte) error {
	type plain Segment
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (b Bottleneck) MarshalJSON() ([]byte, error) {
	type plain Bottleneck
	return jsontext.Marshal(plain(b))
}

// UnmarshalJSON reads the output of [Bottleneck.MarshalJSON].
func (b *Bottleneck) UnmarshalJSON(data []byte) error {
	type plain Bottleneck
	return jsontext.Unmarshal(data, (*plain)(b))
}

// MarshalJSON returns a JSON object without the absent values.
func (p Peer) MarshalJSON() ([]byte, error) {
	type plain Peer
	return jsontext.Marshal(plain(p))
}

// UnmarshalJSON reads the output of [Peer.MarshalJSON].
func (p *Peer) UnmarshalJSON(data []byte) error {
	type plain Peer
	return jsontext.Unmarshal(data, (*plain)(p))
}

// MarshalJSON returns a JSON object without the absent values.
func (s PeerStat) MarshalJSON() ([]byte, error) {
	type plain PeerStat
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [PeerStat.MarshalJSON].
func (s *PeerStat) UnmarshalJSON(data []byte) error {
	type plain PeerStat
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (s SyscallStat) MarshalJSON() ([]byte, error) {
	type plain SyscallStat
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the output of [SyscallStat.MarshalJSON].
func (s *SyscallStat) UnmarshalJSON(data []byte) error {
	type plain SyscallStat
	return jsontext.Unmarshal(data, (*plain)(s))
}

// MarshalJSON returns a JSON object without the absent values.
func (t Total) MarshalJSON() ([]byte, error) {
	type plain Total
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the output of [Total.MarshalJSON].
func (t *Total) UnmarshalJSON(data []byte) error {
	type plain Total
	return jsontext.Unmarshal(data, (*plain)(t))
}

// MarshalJSON returns a JSON object without the absent values.
func (t Table) MarshalJSON() ([]byte, error) {
	type plain Table
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the output of [Table.MarshalJSON].
func (t *Table) UnmarshalJSON(data []byte) error {
	type plain Table
	return jsontext.Unmarshal(data, (*plain)(t))
}

// MarshalJSON returns a JSON object without the absent values.
func (t TableRow) MarshalJSON() ([]byte, error) {
	type plain TableRow
	return jsontext.Marshal(plain(t))
}

// UnmarshalJSON reads the output of [TableRow.MarshalJSON].
func (t *TableRow) UnmarshalJSON(data []byte) error {
	type plain TableRow
	return jsontext.Unmarshal(data, (*plain)(t))
}

// MarshalJSON returns a JSON object without the absent values.
func (f FilterGuess) MarshalJSON() ([]byte, error) {
	type plain FilterGuess
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the output of [FilterGuess.MarshalJSON].
func (f *FilterGuess) UnmarshalJSON(data []byte) error {
	type plain FilterGuess
	return jsontext.Unmarshal(data, (*plain)(f))
}

// MarshalJSON returns a JSON object without the absent values.
func (p ParseError) MarshalJSON() ([]byte, error) {
	type plain ParseError
	return jsontext.Marshal(plain(p))
}

// UnmarshalJSON reads the output of [ParseError.MarshalJSON].
func (p *ParseError) UnmarshalJSON(data []byte) error {
	type plain ParseError
	return jsontext.Unmarshal(data, (*plain)(p))
}

// MarshalJSON returns a JSON object without the absent values.
func (e ArgError) MarshalJSON() ([]byte, error) {
	type plain ArgError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the output of [ArgError.MarshalJSON].
func (e *ArgError) UnmarshalJSON(data []byte) error {
	type plain ArgError
	return jsontext.Unmarshal(data, (*plain)(e))
}
