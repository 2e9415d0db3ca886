package sshproxy

import (
	"slices"
	"strings"

	"dougu.internal/internal/jsontext"
)

// Value is a value of an option as a client uses it when it connects.
type Value struct {
	// Text is the value. If ssh expands tokens, environment variables and ~ for the
	// option, they are expanded.
	Text string `json:"text"`
	// Place is "file:line" or "command-line". It is empty for a default.
	Place string `json:"place,omitzero"`
}

// String returns the text and the place.
func (v Value) String() string {
	if v.Place == "" {
		return v.Text
	}
	return v.Text + " (" + v.Place + ")"
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Value.UnmarshalJSON] restores them.
func (v Value) MarshalJSON() ([]byte, error) {
	type plain Value
	return jsontext.Marshal(plain(v))
}

// UnmarshalJSON reads the encoding that [Value.MarshalJSON] returns.
func (v *Value) UnmarshalJSON(b []byte) error {
	type plain Value
	return jsontext.Unmarshal(b, (*plain)(v))
}

// Values returns the values that the client uses for an option when it connects. The
// elements of a list are separate values, so that a file name with blanks is one value.
// Names of files and sockets are expanded. An option that is set to none, and one that the
// client does not know, has no value.
//
// The value of IdentityAgent is the path of the socket. If the option is not set, or is
// SSH_AUTH_SOCK, it is the value of that environment variable.
//
// The error is a [*ConfigError] if the client would end because a value cannot be
// expanded. A Result that was read from JSON has no values, and an error is returned.
func (r *Result) Values(option string) ([]Value, error) {
	if r.state == nil {
		return nil, errs.Errorf("values of %s: the result was read from JSON", clip(option))
	}
	o := r.state.p.keyword[lower(option)]
	if o <= opUnsupported {
		return nil, nil
	}
	list := r.state.elements(o)
	how := expansions[o]
	if how == (expanding{}) && o != opIdentityAgent {
		return list, nil
	}
	// The state is shared: messages go to a copy.
	st, t := *r.state, *r.tokens
	st.messages = nil
	out := list[:0]
	for _, v := range list {
		if how != (expanding{}) && !(how.until != 0 && st.p.at(how.until)) && !st.expandInto(&v.Text, &t, how.environment, how.tilde) {
			return nil, st.failure()
		}
		out = append(out, v)
	}
	if o == opIdentityAgent {
		return st.agentSocket(out)
	}
	return out, nil
}

// expanding describes how a client expands an option after -G would have printed it.
type expanding struct {
	environment bool
	tilde       bool
	until       int // from this version on, it is expanded before
}

var expansions = map[op]expanding{
	opIdentityFile:         {environment: true, tilde: true},
	opCertificateFile:      {environment: true, tilde: true},
	opGlobalKnownHostsFile: {tilde: true},
	opRevokedHostKeys:      {environment: true, tilde: true, until: 90400},
}

// agentSocket returns the socket of an agent.
func (st *state) agentSocket(list []Value) ([]Value, error) {
	v := Value{Text: "SSH_AUTH_SOCK"}
	if len(list) > 0 {
		v = list[0]
	}
	name := ""
	switch {
	case v.Text == "none":
		return nil, nil
	case v.Text == "SSH_AUTH_SOCK":
		name = v.Text
	case strings.HasPrefix(v.Text, "$") && !strings.HasPrefix(v.Text, "${"):
		if name = v.Text[1:]; !validVariable(name) {
			return nil, &ConfigError{Messages: []string{"Invalid IdentityAgent environment variable name " + vis(v.Text)}}
		}
	default:
		return []Value{v}, nil
	}
	socket, ok := st.r.env(name)
	if !ok || socket == "" {
		return nil, nil
	}
	v.Text = socket
	return []Value{v}, nil
}

// validVariable reports whether a name is that of an environment variable.
func validVariable(name string) bool {
	for i := range len(name) {
		if c := name[i]; c != '_' && !alpha(c) && (i == 0 || !digit(c)) {
			return false
		}
	}
	return name != ""
}

// elements returns the values of an option with their places, each element of a list on
// its own.
func (st *state) elements(o op) []Value {
	s := &st.slots[o]
	place := ""
	if s.set {
		place = s.from.place()
	}
	switch o {
	case opIdentityFile, opCertificateFile, opSendEnv:
		if len(st.items[o]) > 0 {
			list := make([]Value, 0, len(st.items[o]))
			for _, x := range st.items[o] {
				if o == opSendEnv || !equalFold(x.val, "none") {
					list = append(list, Value{x.val, x.from.place()})
				}
			}
			return list
		}
	case opUserKnownHostsFile, opGlobalKnownHostsFile, opLogVerbose, opPermitRemoteOpen, opCanonicalDomains, opChannelTimeout, opSetEnv, opRevokedHostKeys:
		switch l := st.lists[o]; {
		case len(l) > 0:
			return texts(l, place)
		case s.set || s.val == "none":
			return nil
		}
		var list []string
		for _, line := range st.p.defaults[o] {
			if line != "none" {
				list = append(list, strings.Fields(line)...)
			}
		}
		return texts(list, "")
	case opProxyJump:
		if st.jump == nil {
			return nil
		}
		return texts([]string{st.jump.print()}, place)
	}
	r := Result{state: st}
	lines := slices.Clone(r.values(o))
	return texts(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), place)
}

func texts(list []string, place string) []Value {
	out := make([]Value, len(list))
	for i, s := range list {
		out[i] = Value{s, place}
	}
	return out
}

// Options returns the names of the options that have a value in at least one release of
// the client, in the spelling of ssh_config(5), sorted.
func Options() []string {
	var list []string
	for o := opUnsupported + 1; o < opForwardAgentPath; o++ {
		list = append(list, options[o].name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Arguments returns the words of an option whose value is a command that ssh starts
// without a shell, such as KnownHostsCommand. Tokens are expanded in each word; more
// contains the values of tokens that only the option has. The error is as for
// [Result.Values].
func (r *Result) Arguments(option string, more map[byte]string) ([]string, error) {
	values, err := r.Values(option)
	if err != nil || len(values) == 0 {
		return nil, err
	}
	words, ok := splitArguments(nil, values[0].Text)
	if !ok {
		return nil, &ConfigError{Messages: []string{option + " " + vis(values[0].Text) + " contains invalid quotes"}}
	}
	st, t := *r.state, *r.tokens
	st.messages = nil
	for c, v := range more {
		if c < 128 {
			t.put(c, v)
		}
	}
	for i := range words {
		if !st.expandInto(&words[i], &t, false, false) {
			return nil, st.failure()
		}
	}
	return words, nil
}
