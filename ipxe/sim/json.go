package sim

import "dougu.internal/internal/jsontext"

// The methods keep strings that are not valid UTF-8 apart; see package jsontext.

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Result.UnmarshalJSON] restores them.
func (r Result) MarshalJSON() ([]byte, error) {
	type plain Result
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the encoding that [Result.MarshalJSON] returns.
func (r *Result) UnmarshalJSON(b []byte) error {
	type plain Result
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Boot.UnmarshalJSON] restores them.
func (v Boot) MarshalJSON() ([]byte, error) {
	type plain Boot
	return jsontext.Marshal(plain(v))
}

// UnmarshalJSON reads the encoding that [Boot.MarshalJSON] returns.
func (v *Boot) UnmarshalJSON(b []byte) error {
	type plain Boot
	return jsontext.Unmarshal(b, (*plain)(v))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Image.UnmarshalJSON] restores them.
func (i Image) MarshalJSON() ([]byte, error) {
	type plain Image
	return jsontext.Marshal(plain(i))
}

// UnmarshalJSON reads the encoding that [Image.MarshalJSON] returns.
func (i *Image) UnmarshalJSON(b []byte) error {
	type plain Image
	return jsontext.Unmarshal(b, (*plain)(i))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Hazard.UnmarshalJSON] restores them.
func (h Hazard) MarshalJSON() ([]byte, error) {
	type plain Hazard
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads the encoding that [Hazard.MarshalJSON] returns.
func (h *Hazard) UnmarshalJSON(b []byte) error {
	type plain Hazard
	return jsontext.Unmarshal(b, (*plain)(h))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Event.UnmarshalJSON] restores them.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the encoding that [Event.MarshalJSON] returns.
func (e *Event) UnmarshalJSON(b []byte) error {
	type plain Event
	return jsontext.Unmarshal(b, (*plain)(e))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Question.UnmarshalJSON] restores them.
func (q Question) MarshalJSON() ([]byte, error) {
	type plain Question
	return jsontext.Marshal(plain(q))
}

// UnmarshalJSON reads the encoding that [Question.MarshalJSON] returns.
func (q *Question) UnmarshalJSON(b []byte) error {
	type plain Question
	return jsontext.Unmarshal(b, (*plain)(q))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Answer.UnmarshalJSON] restores them.
func (a Answer) MarshalJSON() ([]byte, error) {
	type plain Answer
	return jsontext.Marshal(plain(a))
}

// UnmarshalJSON reads the encoding that [Answer.MarshalJSON] returns.
func (a *Answer) UnmarshalJSON(b []byte) error {
	type plain Answer
	return jsontext.Unmarshal(b, (*plain)(a))
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
// escaped, and [Exploration.UnmarshalJSON] restores them.
func (e Exploration) MarshalJSON() ([]byte, error) {
	type plain Exploration
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the encoding that [Exploration.MarshalJSON] returns.
func (e *Exploration) UnmarshalJSON(b []byte) error {
	type plain Exploration
	return jsontext.Unmarshal(b, (*plain)(e))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Request.UnmarshalJSON] restores them.
func (r Request) MarshalJSON() ([]byte, error) {
	type plain Request
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the encoding that [Request.MarshalJSON] returns.
func (r *Request) UnmarshalJSON(b []byte) error {
	type plain Request
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Response.UnmarshalJSON] restores them.
func (r Response) MarshalJSON() ([]byte, error) {
	type plain Response
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the encoding that [Response.MarshalJSON] returns.
func (r *Response) UnmarshalJSON(b []byte) error {
	type plain Response
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Header.UnmarshalJSON] restores them.
func (h Header) MarshalJSON() ([]byte, error) {
	type plain Header
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads the encoding that [Header.MarshalJSON] returns.
func (h *Header) UnmarshalJSON(b []byte) error {
	type plain Header
	return jsontext.Unmarshal(b, (*plain)(h))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Machine.UnmarshalJSON] restores them.
func (m Machine) MarshalJSON() ([]byte, error) {
	type plain Machine
	return jsontext.Marshal(plain(m))
}

// UnmarshalJSON reads the encoding that [Machine.MarshalJSON] returns.
func (m *Machine) UnmarshalJSON(b []byte) error {
	type plain Machine
	return jsontext.Unmarshal(b, (*plain)(m))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [NIC.UnmarshalJSON] restores them.
func (n NIC) MarshalJSON() ([]byte, error) {
	type plain NIC
	return jsontext.Marshal(plain(n))
}

// UnmarshalJSON reads the encoding that [NIC.MarshalJSON] returns.
func (n *NIC) UnmarshalJSON(b []byte) error {
	type plain NIC
	return jsontext.Unmarshal(b, (*plain)(n))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [NamedMachine.UnmarshalJSON] restores them.
func (n NamedMachine) MarshalJSON() ([]byte, error) {
	type plain NamedMachine
	return jsontext.Marshal(plain(n))
}

// UnmarshalJSON reads the encoding that [NamedMachine.MarshalJSON] returns.
func (n *NamedMachine) UnmarshalJSON(b []byte) error {
	type plain NamedMachine
	return jsontext.Unmarshal(b, (*plain)(n))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Assignment.UnmarshalJSON] restores them.
func (a Assignment) MarshalJSON() ([]byte, error) {
	type plain Assignment
	return jsontext.Marshal(plain(a))
}

// UnmarshalJSON reads the encoding that [Assignment.MarshalJSON] returns.
func (a *Assignment) UnmarshalJSON(b []byte) error {
	type plain Assignment
	return jsontext.Unmarshal(b, (*plain)(a))
}
