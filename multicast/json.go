package multicast

import "dougu.internal/internal/jsontext"

// The methods below encode strings that are not valid UTF-8, such as names of files, so
// that they come back.

// MarshalJSON returns the JSON encoding of r. It keeps strings that are not valid UTF-8.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *Report) UnmarshalJSON(b []byte) error {
	type plain Report
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding of p. It keeps strings that are not valid UTF-8.
func (p Phase) MarshalJSON() ([]byte, error) {
	type plain Phase
	return jsontext.Marshal(plain(p))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Phase) UnmarshalJSON(b []byte) error {
	type plain Phase
	return jsontext.Unmarshal(b, (*plain)(p))
}

// MarshalJSON returns the JSON encoding of h. It keeps strings that are not valid UTF-8.
func (h HostReport) MarshalJSON() ([]byte, error) {
	type plain HostReport
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *HostReport) UnmarshalJSON(b []byte) error {
	type plain HostReport
	return jsontext.Unmarshal(b, (*plain)(h))
}

// MarshalJSON returns the JSON encoding of h. It keeps strings that are not valid UTF-8.
func (h HostDetail) MarshalJSON() ([]byte, error) {
	type plain HostDetail
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (h *HostDetail) UnmarshalJSON(b []byte) error {
	type plain HostDetail
	return jsontext.Unmarshal(b, (*plain)(h))
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e PathError) MarshalJSON() ([]byte, error) {
	type plain PathError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *PathError) UnmarshalJSON(b []byte) error {
	type plain PathError
	return jsontext.Unmarshal(b, (*plain)(e))
}

// MarshalJSON returns the JSON encoding of m. It keeps strings that are not valid UTF-8.
func (m Member) MarshalJSON() ([]byte, error) {
	type plain Member
	return jsontext.Marshal(plain(m))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (m *Member) UnmarshalJSON(b []byte) error {
	type plain Member
	return jsontext.Unmarshal(b, (*plain)(m))
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e MemberEvent) MarshalJSON() ([]byte, error) {
	type plain MemberEvent
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *MemberEvent) UnmarshalJSON(b []byte) error {
	type plain MemberEvent
	return jsontext.Unmarshal(b, (*plain)(e))
}

// MarshalJSON returns the JSON encoding of s. It keeps strings that are not valid UTF-8.
func (s Status) MarshalJSON() ([]byte, error) {
	type plain Status
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *Status) UnmarshalJSON(b []byte) error {
	type plain Status
	return jsontext.Unmarshal(b, (*plain)(s))
}

// MarshalJSON returns the JSON encoding of p. It keeps strings that are not valid UTF-8.
func (p Progress) MarshalJSON() ([]byte, error) {
	type plain Progress
	return jsontext.Marshal(plain(p))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (p *Progress) UnmarshalJSON(b []byte) error {
	type plain Progress
	return jsontext.Unmarshal(b, (*plain)(p))
}

// MarshalJSON returns the JSON encoding of c. It keeps strings that are not valid UTF-8.
func (c Commit) MarshalJSON() ([]byte, error) {
	type plain Commit
	return jsontext.Marshal(plain(c))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (c *Commit) UnmarshalJSON(b []byte) error {
	type plain Commit
	return jsontext.Unmarshal(b, (*plain)(c))
}

// MarshalJSON returns the JSON encoding of n. It keeps strings that are not valid UTF-8.
func (n Notice) MarshalJSON() ([]byte, error) {
	type plain Notice
	return jsontext.Marshal(plain(n))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (n *Notice) UnmarshalJSON(b []byte) error {
	type plain Notice
	return jsontext.Unmarshal(b, (*plain)(n))
}

// MarshalJSON returns the JSON encoding of e, with the text of Err.
func (e HostError) MarshalJSON() ([]byte, error) {
	type plain HostError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes. If Err was one of the errors of the
// package, it is the same error afterwards.
func (e *HostError) UnmarshalJSON(b []byte) error {
	type plain HostError
	if err := jsontext.Unmarshal(b, (*plain)(e)); err != nil {
		return err
	}
	for _, s := range sentinels {
		if e.Err != nil && e.Err.Error() == s.Error() {
			e.Err = s
		}
	}
	return nil
}
