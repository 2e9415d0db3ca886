package sshproxy

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// Result is what a client would use for a target. It is immutable and safe for use by
// several goroutines.
type Result struct {
	target     Target
	state      *state
	tokens     *tokens
	proxy      string // the command that ProxyJump turned into, with its tokens
	messages   []string
	unanswered []string
	decoded    *decoded // what there is in place of a state after UnmarshalJSON
}

// decoded contains the options of a result that was read from JSON.
type decoded struct {
	profile Profile
	values  map[op][]string
}

// Host is the name to connect to, HostName and canonicalization applied.
func (r *Result) Host() string { return r.first(opHostname) }

// Alias is the name as typed.
func (r *Result) Alias() string { return r.first(opHost) }

// User is the name to log in with.
func (r *Result) User() string { return r.first(opUser) }

// Port is the port to connect to.
func (r *Result) Port() string { return r.first(opPort) }

// first returns the first value of an option, or "".
func (r *Result) first(o op) string {
	if v := r.values(o); len(v) > 0 {
		return v[0]
	}
	return ""
}

// build returns the tables of the client.
func (r *Result) build() *build {
	switch {
	case r.state != nil:
		return r.state.p
	case r.decoded != nil:
		return r.decoded.profile.build()
	}
	return Newest().build()
}

// Messages are what the client prints on stderr while it goes on: warnings on
// unsupported options and the like, one a line.
func (r *Result) Messages() []string { return slices.Clone(r.messages) }

// Unanswered names the questions that the resolution did not ask: a Match exec that was
// not run, a name that was not looked up. When it is not empty, the client may decide
// otherwise.
func (r *Result) Unanswered() []string { return slices.Clone(r.unanswered) }

// Get returns the value of an option as -G prints it, without its name: the first line
// for options of several. It is empty for an option that is not set, and for a keyword
// that the client does not know. Keywords are read in any case; ProxyCommand is empty
// when ProxyJump is set, as in -G.
func (r *Result) Get(option string) string {
	if all := r.All(option); len(all) > 0 {
		return all[0]
	}
	return ""
}

// All returns every line that -G prints for an option, without its name.
func (r *Result) All(option string) []string {
	o, ok := r.build().keyword[lower(option)]
	if !ok && equalFold(option, "host") {
		o = opHost
	}
	return r.values(o)
}

// WriteG prints what `ssh -G` prints.
func (r *Result) WriteG(w io.Writer) error {
	var b bytes.Buffer
	for _, o := range r.build().prints {
		r.writeOption(&b, o)
	}
	if len(r.values(opProxyJump)) > 0 {
		r.writeOption(&b, opProxyJump)
	} else {
		r.writeOption(&b, opProxyCommand)
	}
	_, err := w.Write(b.Bytes())
	return errs.Wrap(err)
}

func (r *Result) writeOption(b *bytes.Buffer, o op) {
	name := r.build().printName(o)
	for _, v := range r.values(o) {
		b.WriteString(name)
		if v != "" || o != opCanonicalDomains {
			b.WriteByte(' ')
		}
		b.WriteString(v)
		b.WriteByte('\n')
	}
}

// one makes a slice of one value, none of an empty one.
func one(v string, set bool) []string {
	if !set {
		return nil
	}
	return []string{v}
}

// values returns the lines of -G for an option.
func (r *Result) values(o op) []string {
	st := r.state
	if st == nil {
		if r.decoded == nil {
			return nil
		}
		return r.decoded.values[o]
	}
	s := &st.slots[o]
	switch o {
	case opHost:
		return []string{st.original}
	case opHostname:
		return []string{st.host}
	case opUser, opPort, opUpdateHostKeys:
		return []string{s.val}
	case opProxyJump:
		if st.jump == nil {
			return nil
		}
		return []string{st.jump.print()}
	case opProxyCommand:
		return one(s.val, s.set && st.jump == nil)
	case opLocalForward, opDynamicForward, opRemoteForward:
		return st.printForwards(o)
	case opIdentityFile, opCertificateFile, opSendEnv:
		if len(st.items[o]) == 0 {
			return st.p.defaults[o]
		}
		list := make([]string, len(st.items[o]))
		for i, x := range st.items[o] {
			list[i] = x.val
		}
		return list
	case opSetEnv:
		return st.lists[o]
	case opUserKnownHostsFile, opGlobalKnownHostsFile, opLogVerbose, opPermitRemoteOpen, opCanonicalDomains, opChannelTimeout:
		return st.printList(o)
	case opRevokedHostKeys:
		if st.p.at(100300) {
			return st.printList(o)
		}
		return st.lists[o]
	case opCanonicalizePermittedCNAMEs:
		return st.printCNAMERules()
	case opForwardAgent:
		if p := &st.slots[opForwardAgentPath]; p.set {
			return []string{p.val}
		}
	case opRekeyLimit:
		return []string{st.printRekey()}
	case opHostKeyAlgorithms:
		if s.set {
			list, _ := assemble(s.val, st.p.defaultOf(o), st.p.algs["HostKeyAlgorithms"])
			return []string{list}
		}
	case opServerAliveInterval:
		if !s.set && st.p.debian && st.slots[opBatchMode].val == "yes" {
			return []string{"300"}
		}
	case opSecurityKeyProvider:
		if s.set && equalFold(s.val, "none") {
			return nil
		}
	}
	if s.set {
		return []string{s.val}
	}
	if slices.Contains(st.noDefault, o) {
		return nil
	}
	return st.p.defaults[o]
}

func (st *state) printList(o op) []string {
	l := st.lists[o]
	switch {
	case len(l) > 0:
		return []string{strings.Join(l, " ")}
	case st.slots[o].val == "none":
		return []string{"none"}
	case o == opRevokedHostKeys && st.slots[o].set:
		return []string{"none"}
	}
	return st.p.defaults[o]
}

func (st *state) printCNAMERules() []string {
	rules := st.lists[opCanonicalizePermittedCNAMEs]
	if len(rules) == 0 {
		return st.p.defaults[opCanonicalizePermittedCNAMEs]
	}
	var b strings.Builder
	for i := 0; i+1 < len(rules); i += 2 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(rules[i] + ":" + rules[i+1])
	}
	return []string{b.String()}
}

func (st *state) printRekey() string {
	limit, interval := "0", "0"
	if s := &st.slots[opRekeyLimit]; s.set {
		limit = s.val
	}
	if s := &st.slots[opRekeyInterval]; s.set {
		interval = s.val
	}
	return limit + " " + interval
}

// printForwards prints local forwards as dynamic ones when they lead to "socks", as the
// client does.
func (st *state) printForwards(o op) (list []string) {
	forwards := st.fields.local
	if o == opRemoteForward {
		forwards = st.fields.remote
	}
	for i := range forwards {
		f := &forwards[i]
		socks := f.hasConnect && f.connectHost == "socks"
		if f.hasConnect && (o == opDynamicForward && !socks || o == opLocalForward && socks) {
			continue
		}
		list = append(list, f.print(o == opDynamicForward))
	}
	return list
}
