package sshproxy

import (
	"strings"

	"dougu.internal/internal/jsontext"
)

// The methods keep strings that are not valid UTF-8 apart; see package jsontext.

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Setting.UnmarshalJSON] restores them.
func (s Setting) MarshalJSON() ([]byte, error) {
	type plain Setting
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the encoding that [Setting.MarshalJSON] returns.
func (s *Setting) UnmarshalJSON(b []byte) error {
	type plain Setting
	return jsontext.Unmarshal(b, (*plain)(s))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Explanation.UnmarshalJSON] restores them.
func (e Explanation) MarshalJSON() ([]byte, error) {
	type plain Explanation
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads the encoding that [Explanation.MarshalJSON] returns.
func (e *Explanation) UnmarshalJSON(b []byte) error {
	type plain Explanation
	return jsontext.Unmarshal(b, (*plain)(e))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Hop.UnmarshalJSON] restores them.
func (h Hop) MarshalJSON() ([]byte, error) {
	type plain Hop
	return jsontext.Marshal(plain(h))
}

// UnmarshalJSON reads the encoding that [Hop.MarshalJSON] returns.
func (h *Hop) UnmarshalJSON(b []byte) error {
	type plain Hop
	return jsontext.Unmarshal(b, (*plain)(h))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Chain.UnmarshalJSON] restores them.
func (c Chain) MarshalJSON() ([]byte, error) {
	type plain Chain
	return jsontext.Marshal(plain(c))
}

// UnmarshalJSON reads the encoding that [Chain.MarshalJSON] returns.
func (c *Chain) UnmarshalJSON(b []byte) error {
	type plain Chain
	return jsontext.Unmarshal(b, (*plain)(c))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Generated.UnmarshalJSON] restores them.
func (g Generated) MarshalJSON() ([]byte, error) {
	type plain Generated
	return jsontext.Marshal(plain(g))
}

// UnmarshalJSON reads the encoding that [Generated.MarshalJSON] returns.
func (g *Generated) UnmarshalJSON(b []byte) error {
	type plain Generated
	return jsontext.Unmarshal(b, (*plain)(g))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Route.UnmarshalJSON] restores them.
func (r Route) MarshalJSON() ([]byte, error) {
	type plain Route
	return jsontext.Marshal(plain(r))
}

// UnmarshalJSON reads the encoding that [Route.MarshalJSON] returns.
func (r *Route) UnmarshalJSON(b []byte) error {
	type plain Route
	return jsontext.Unmarshal(b, (*plain)(r))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Step.UnmarshalJSON] restores them.
func (s Step) MarshalJSON() ([]byte, error) {
	type plain Step
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads the encoding that [Step.MarshalJSON] returns.
func (s *Step) UnmarshalJSON(b []byte) error {
	type plain Step
	return jsontext.Unmarshal(b, (*plain)(s))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Block.UnmarshalJSON] restores them.
func (v Block) MarshalJSON() ([]byte, error) {
	type plain Block
	return jsontext.Marshal(plain(v))
}

// UnmarshalJSON reads the encoding that [Block.MarshalJSON] returns.
func (v *Block) UnmarshalJSON(b []byte) error {
	type plain Block
	return jsontext.Unmarshal(b, (*plain)(v))
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Option.UnmarshalJSON] restores them.
func (o Option) MarshalJSON() ([]byte, error) {
	type plain Option
	return jsontext.Marshal(plain(o))
}

// UnmarshalJSON reads the encoding that [Option.MarshalJSON] returns.
func (o *Option) UnmarshalJSON(b []byte) error {
	type plain Option
	return jsontext.Unmarshal(b, (*plain)(o))
}

// jsonTarget is the JSON form of a target.
type jsonTarget struct {
	Host    string     `json:"host,omitzero"`
	User    string     `json:"user,omitzero"`
	Jump    string     `json:"jump,omitzero"`
	Port    int        `json:"port,omitzero"`
	Options []string   `json:"options,omitzero"`
	Command string     `json:"command,omitzero"`
	Flags   []jsonFlag `json:"flags,omitzero"`
}

// jsonFlag is the JSON form of a flag of a command line.
type jsonFlag struct {
	Flag  string `json:"flag"`
	Value string `json:"value,omitzero"`
}

// MarshalJSON returns the JSON encoding, which includes the flags that [ParseCommandLine]
// read. Bytes of strings that are not valid UTF-8 are escaped, and [Target.UnmarshalJSON]
// restores them.
func (t Target) MarshalJSON() ([]byte, error) {
	j := jsonTarget{Host: t.Host, User: t.User, Jump: t.Jump, Port: t.Port, Options: t.Options, Command: t.Command}
	for _, f := range t.flags {
		j.Flags = append(j.Flags, jsonFlag{string(rune(f.flag)), f.value})
	}
	return jsontext.Marshal(j)
}

// UnmarshalJSON reads the encoding that [Target.MarshalJSON] returns.
func (t *Target) UnmarshalJSON(b []byte) error {
	var j jsonTarget
	if err := jsontext.Unmarshal(b, &j); err != nil {
		return errs.Wrap(err)
	}
	in := Target{Host: j.Host, User: j.User, Jump: j.Jump, Port: j.Port, Options: j.Options, Command: j.Command}
	for _, f := range j.Flags {
		if len(f.Flag) != 1 || !strings.Contains("olpJ", f.Flag) && flagOptions[f.Flag[0]] == nil {
			return errs.Errorf("decode target: unknown flag %q", clip(f.Flag))
		}
		in.flags = append(in.flags, flagValue{f.Flag[0], f.Value})
	}
	*t = in
	return nil
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [CommandLine.UnmarshalJSON] restores them.
func (c CommandLine) MarshalJSON() ([]byte, error) {
	type plain CommandLine
	return jsontext.Marshal(plain(c))
}

// UnmarshalJSON reads the encoding that [CommandLine.MarshalJSON] returns.
func (c *CommandLine) UnmarshalJSON(b []byte) error {
	type plain CommandLine
	return jsontext.Unmarshal(b, (*plain)(c))
}

// jsonResult is the JSON form of a result.
type jsonResult struct {
	Profile    string              `json:"profile,omitzero"`
	Options    map[string][]string `json:"options,omitzero"`
	Messages   []string            `json:"messages,omitzero"`
	Unanswered []string            `json:"unanswered,omitzero"`
}

// MarshalJSON returns an object with the name of the client, the value of each option as
// [Result.All] returns it, the messages and the unanswered questions. Bytes of strings that
// are not valid UTF-8 are escaped, and [Result.UnmarshalJSON] restores them.
func (r Result) MarshalJSON() ([]byte, error) {
	j := jsonResult{Messages: r.messages, Unanswered: r.unanswered}
	if r.state != nil || r.decoded != nil {
		j.Profile, j.Options = r.build().name, map[string][]string{}
		for o := range options {
			if v := r.values(op(o)); len(v) > 0 && options[o].name != "" {
				j.Options[options[o].name] = v
			}
		}
	}
	return jsontext.Marshal(j)
}

// UnmarshalJSON reads the encoding that [Result.MarshalJSON] returns. The result has all
// values, but no configuration: Explain fails, and Origin reports that nothing was set.
func (r *Result) UnmarshalJSON(b []byte) error {
	var j jsonResult
	if err := jsontext.Unmarshal(b, &j); err != nil {
		return errs.Wrap(err)
	}
	in := Result{messages: j.Messages, unanswered: j.Unanswered}
	if j.Profile != "" {
		p, err := ParseProfile(j.Profile)
		if err != nil {
			return errs.Errorf("decode result: %w", err)
		}
		in.decoded = &decoded{p, map[op][]string{}}
		for o := range options {
			if v := j.Options[options[o].name]; len(v) > 0 && options[o].name != "" {
				in.decoded.values[op(o)] = v
			}
		}
	}
	*r = in
	return nil
}
