package ipxe

import "dougu.internal/internal/jsontext"

// The methods keep strings that are not valid UTF-8 apart; see package jsontext.

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Facts.UnmarshalJSON] restores them.
func (f Facts) MarshalJSON() ([]byte, error) {
	type plain Facts
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the encoding that [Facts.MarshalJSON] returns.
func (f *Facts) UnmarshalJSON(b []byte) error {
	type plain Facts
	return jsontext.Unmarshal(b, (*plain)(f))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Fact.UnmarshalJSON] restores them.
func (f Fact) MarshalJSON() ([]byte, error) {
	type plain Fact
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the encoding that [Fact.MarshalJSON] returns.
func (f *Fact) UnmarshalJSON(b []byte) error {
	type plain Fact
	return jsontext.Unmarshal(b, (*plain)(f))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [FactProblem.UnmarshalJSON] restores them.
func (p FactProblem) MarshalJSON() ([]byte, error) {
	type plain FactProblem
	return jsontext.Marshal(plain(p))
}

// UnmarshalJSON reads the encoding that [FactProblem.MarshalJSON] returns.
func (p *FactProblem) UnmarshalJSON(b []byte) error {
	type plain FactProblem
	return jsontext.Unmarshal(b, (*plain)(p))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Line.UnmarshalJSON] restores them.
func (l Line) MarshalJSON() ([]byte, error) {
	type plain Line
	return jsontext.Marshal(plain(l))
}

// UnmarshalJSON reads the encoding that [Line.MarshalJSON] returns.
func (l *Line) UnmarshalJSON(b []byte) error {
	type plain Line
	return jsontext.Unmarshal(b, (*plain)(l))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Command.UnmarshalJSON] restores them.
func (c Command) MarshalJSON() ([]byte, error) {
	type plain Command
	return jsontext.Marshal(plain(c))
}

// UnmarshalJSON reads the encoding that [Command.MarshalJSON] returns.
func (c *Command) UnmarshalJSON(b []byte) error {
	type plain Command
	return jsontext.Unmarshal(b, (*plain)(c))
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

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Syntax.UnmarshalJSON] restores them.
func (y Syntax) MarshalJSON() ([]byte, error) {
	type plain Syntax
	return jsontext.Marshal(plain(y))
}

// UnmarshalJSON reads the encoding that [Syntax.MarshalJSON] returns.
func (y *Syntax) UnmarshalJSON(b []byte) error {
	type plain Syntax
	return jsontext.Unmarshal(b, (*plain)(y))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Features.UnmarshalJSON] restores them.
func (f Features) MarshalJSON() ([]byte, error) {
	type plain Features
	return jsontext.Marshal(plain(f))
}

// UnmarshalJSON reads the encoding that [Features.MarshalJSON] returns.
func (f *Features) UnmarshalJSON(b []byte) error {
	type plain Features
	return jsontext.Unmarshal(b, (*plain)(f))
}

// jsonScript is the JSON form of a script.
type jsonScript struct {
	Name   string `json:"name,omitzero"`
	Source string `json:"source,omitzero"`
}

// MarshalJSON returns an object with the name and the source of the script. Bytes that are
// not valid UTF-8 are escaped, and [Script.UnmarshalJSON] restores them.
func (s *Script) MarshalJSON() ([]byte, error) {
	if s == nil {
		return []byte("null"), nil
	}
	return jsontext.Marshal(jsonScript{s.name, string(s.src)})
}

// UnmarshalJSON parses the script that [Script.MarshalJSON] returned.
func (s *Script) UnmarshalJSON(b []byte) error {
	var j jsonScript
	if err := jsontext.Unmarshal(b, &j); err != nil {
		return errs.Wrap(err)
	}
	*s = *Parse(j.Name, []byte(j.Source))
	return nil
}
