package sshproxy

import (
	"slices"
	"strconv"
	"strings"
)

// finish fills in defaults and expands what -G prints expanded.
func (st *state) finish(res *Result) bool {
	if !st.assembleAll() {
		return false
	}
	given := st.slots[opUser].set
	if !given {
		st.slots[opUser] = slot{val: st.r.Local.User}
	}
	if !st.buildProxy(res) {
		return false
	}
	if s := &st.slots[opPort]; !s.set {
		s.val = strconv.Itoa(st.r.Local.defaultPort())
	}
	if s := &st.slots[opHostKeyAlias]; s.set {
		s.val = lower(s.val)
	}
	return st.sane() && st.expandAll(res, given) && st.hostKeys()
}

// hostKeys gives up, as the client does last, when HostKeyAlgorithms chooses none: a
// short name such as rsa is read and matches nothing.
func (st *state) hostKeys() bool {
	if s := &st.slots[opHostKeyAlgorithms]; s.set {
		if _, ok := assemble(s.val, st.p.defaultOf(opHostKeyAlgorithms), st.p.algs["HostKeyAlgorithms"]); !ok {
			return st.die("dump_client_config: expand HostKeyAlgorithms: invalid argument")
		}
	}
	return true
}

// algorithmLists says which names an option picks from, and where its default is.
var algorithmLists = []struct {
	o         op
	all       string
	fieldName string
}{
	{opCiphers, "cipher", "ciphers"},
	{opMACs, "mac", "macs"},
	{opKexAlgorithms, "kex", "kex_algorithms"},
	{opHostbasedAcceptedAlgorithms, "HostKeyAlgorithms", "hostbased_accepted_algos"},
	{opPubkeyAcceptedAlgorithms, "HostKeyAlgorithms", "pubkey_accepted_algos"},
	{opCASignatureAlgorithms, "sig", "ca_sign_algorithms"},
}

// assembleAll makes the algorithm lists and clears what is "none". A list that comes
// out empty ends the client up to 8.4 and since 10.4; others continue without the rest of this step.
func (st *state) assembleAll() bool {
	for i, a := range algorithmLists {
		s := &st.slots[a.o]
		if !s.set {
			continue
		}
		list, ok := assemble(s.val, st.p.defaultOf(a.o), st.p.algs[a.all])
		if !ok {
			st.say("fill_default_options: " + a.fieldName + ": invalid argument")
			s.val, s.set = "", false
			if st.p.has(emptyListFails) {
				st.dead = true
				return false
			}
			for _, lost := range algorithmLists[i:] {
				st.noDefault = append(st.noDefault, lost.o)
			}
			return true
		}
		s.val = list
	}
	for _, o := range []op{
		opLocalCommand, opRemoteCommand, opProxyCommand, opControlPath, opPKCS11Provider, opSecurityKeyProvider, opKnownHostsCommand,
	} {
		s := &st.slots[o]
		if s.set && equalFold(s.val, "none") {
			s.val, s.set = "", false
			if o == opSecurityKeyProvider {
				s.val, s.set = "none", true // remembered as cleared
			}
		}
	}
	if l := st.lists[opRevokedHostKeys]; len(l) > 0 && equalFold(l[0], "none") {
		st.lists[opRevokedHostKeys] = nil
	}
	if st.jump != nil && st.jump.none {
		st.jump = nil
	}
	if len(st.lists[opCanonicalizePermittedCNAMEs]) > 0 && !st.hasCNAMERules() {
		st.lists[opCanonicalizePermittedCNAMEs] = nil
	}
	return true
}

// defaultOf is the default of an option with one value.
func (p *build) defaultOf(o op) string {
	if d := p.defaults[o]; len(d) > 0 {
		return d[0]
	}
	return ""
}

// buildProxy turns ProxyJump into the command that the client would run.
func (st *state) buildProxy(res *Result) bool {
	j := st.jump
	if j == nil {
		return true
	}
	port := st.portText()
	jumpPort := strconv.Itoa(st.r.Local.defaultPort())
	if j.port > 0 {
		jumpPort = strconv.Itoa(j.port)
	}
	user := st.slots[opUser].val
	jumpUser := user
	if j.said {
		jumpUser = j.user
	}
	if j.host == st.host && port == jumpPort && user == jumpUser {
		return st.die("jumphost loop via %s", j.host)
	}
	st.slots[opProxyUseFdpass] = slot{val: "no", from: st.slots[opProxyJump].from, set: true}
	var b strings.Builder
	b.WriteString(st.r.Local.program())
	if j.said {
		b.WriteString(" -l " + j.user)
	}
	if j.port > 0 {
		b.WriteString(" -p " + strconv.Itoa(j.port))
	}
	if j.extra != "" {
		b.WriteString(" -J " + j.extra)
	}
	if st.r.Config != "" {
		b.WriteString(" -F " + st.r.Config)
	}
	b.WriteString(" -W '[%h]:%p' " + j.host)
	res.proxy = b.String()
	return true
}

// sane holds options against one another, as the client does before it connects.
func (st *state) sane() bool {
	if st.jump == nil && st.slots[opProxyCommand].val == "-" && st.slots[opProxyUseFdpass].val == "yes" {
		return st.die("ProxyCommand=- and ProxyUseFDPass are incompatible")
	}
	if s := &st.slots[opConnectionAttempts]; s.set && s.val == "0" {
		return st.die("Invalid number of ConnectionAttempts")
	}
	if st.slots[opForkAfterAuthentication].val == "yes" && !st.slots[opRemoteCommand].set && st.slots[opSessionType].val != "none" {
		return st.die("Cannot fork into background without a command to execute.")
	}
	st.settleUpdateHostKeys()
	st.level = verbosityOf(st.slots[opLogLevel].val)
	for _, o := range []op{opGlobalKnownHostsFile, opUserKnownHostsFile} {
		l := st.lists[o]
		if len(l) == 1 && equalFold(l[0], "none") && st.p.at(80500) {
			st.lists[o] = []string{}
			st.slots[o].val = "none"
		}
	}
	return true
}

// settleUpdateHostKeys derives UpdateHostKeys where it is not set, and takes "ask" back
// where no one could answer.
func (st *state) settleUpdateHostKeys() {
	s := &st.slots[opUpdateHostKeys]
	if !s.set {
		s.val = "false"
		files := st.lists[opUserKnownHostsFile]
		dns := st.slots[opVerifyHostKeyDNS].val
		if st.p.at(80500) && (dns == "" || dns == "false") && (len(files) == 0 || len(files) == 1 && files[0] == "~/.ssh/known_hosts") {
			s.val = "true"
		}
		return
	}
	if s.val != "ask" {
		return
	}
	persist := st.slots[opControlPersist]
	level := st.slots[opLogLevel]
	quiet := level.set && slices.Contains([]string{"SILENT", "QUIET", "FATAL", "ERROR"}, level.val)
	switch {
	case persist.set && persist.val != "no" && st.slots[opControlPath].set,
		st.slots[opRemoteCommand].set, st.slots[opRequestTTY].val == "false", quiet:
		s.val = "false"
	}
}

// expandAll expands the values that are in use before -G prints.
func (st *state) expandAll(res *Result, given bool) bool {
	alias := st.original
	if s := &st.slots[opHostKeyAlias]; s.set {
		alias = s.val
	}
	jump := ""
	if st.jump != nil {
		jump = st.jump.host
	}
	if given && st.p.has(userTokens) && !(st.onLine && st.p.has(userVerbatim)) && !st.expandUser(alias, jump) {
		return false
	}
	if st.onLine && st.p.checksJump() && ValidUser(st.slots[opUser].val) != nil {
		return st.die("remote username contains invalid characters")
	}
	t := st.tokens(st.host, alias, st.slots[opPort].val, st.slots[opUser].val, jump)
	res.tokens = t
	if s := &st.slots[opRemoteCommand]; s.set && !st.expandInto(&s.val, t, false, false) {
		return false
	}
	for _, o := range []op{opControlPath, opIdentityAgent} {
		if s := &st.slots[o]; s.set && !st.expandInto(&s.val, t, true, true) {
			return false
		}
	}
	if st.p.at(90400) && !st.expandList(opRevokedHostKeys, t) {
		return false
	}
	if !st.expandForwardAgent(t) {
		return false
	}
	if s := &st.slots[opVersionAddendum]; s.set && !st.expandInto(&s.val, t, true, false) {
		return false
	}
	if len(st.lists[opGlobalKnownHostsFile]) > 1 && equalFold(st.lists[opGlobalKnownHostsFile][0], "none") && st.p.at(80500) {
		return st.die("Invalid GlobalKnownHostsFiles: \"none\" appears with other entries")
	}
	if len(st.lists[opUserKnownHostsFile]) > 1 && equalFold(st.lists[opUserKnownHostsFile][0], "none") && st.p.at(80500) {
		return st.die("Invalid UserKnownHostsFiles: \"none\" appears with other entries")
	}
	return st.expandList(opUserKnownHostsFile, t) && st.expandSetEnv(t) && st.expandForwards(t)
}

// expandUser: since 10.0 User has tokens, but for those made of it.
func (st *state) expandUser(alias, jump string) bool {
	s := &st.slots[opUser]
	t := st.tokens(st.host, alias, st.slots[opPort].val, "", jump)
	t.set['r'], t.hash = false, nil
	before := s.val
	if !st.expandInto(&s.val, t, true, false) {
		return false
	}
	if s.val != before && ValidUser(s.val) != nil {
		return st.die("remote username contains invalid characters")
	}
	return true
}

// expandInto expands one value in place.
func (st *state) expandInto(val *string, t *tokens, environment, tilde bool) bool {
	text := *val
	if tilde && strings.HasPrefix(text, "~") {
		home, ok := st.tilde(text)
		if !ok {
			return false
		}
		text = home
	}
	env := st.r.env
	if !environment {
		env = nil
	}
	e := expand(text, t, env)
	st.say(e.messages...)
	switch {
	case e.bad && environment:
		return st.die("%s", st.expandFailed("percent_dollar_expand"))
	case e.bad:
		return st.die("%s", st.expandFailed("percent_expand"))
	case e.missing:
		return st.die("invalid environment variable expansion")
	}
	*val = e.text
	return true
}

// tilde replaces ~ and ~user by the home directory of the password database.
func (st *state) tilde(s string) (string, bool) {
	user, rest, slash := strings.Cut(s[1:], "/")
	home := st.r.Local.Home
	if user != "" {
		h, ok := "", false
		if st.r.Local.HomeOf != nil {
			h, ok = st.r.Local.HomeOf(user)
		}
		if !ok {
			if st.p.at(80500) {
				st.say("tilde_expand: No such user " + user)
				st.dead = true
				return "", false
			}
			return "", st.die("tilde_expand_filename: No such user %s", cut(user, 100))
		}
		home = h
	}
	if slash {
		rest = strings.TrimLeft(rest, "/")
	}
	if !strings.HasSuffix(home, "/") {
		home += "/"
	}
	return home + rest, true
}

func (st *state) expandList(o op, t *tokens) bool {
	l := st.lists[o]
	if o == opUserKnownHostsFile && l == nil {
		l = strings.Fields(st.p.defaultOf(o))
	}
	if len(l) == 0 {
		return true
	}
	out := make([]string, len(l))
	for i, v := range l {
		out[i] = v
		if !st.expandInto(&out[i], t, true, true) {
			return false
		}
	}
	st.lists[o] = out
	return true
}

func (st *state) expandForwardAgent(t *tokens) bool {
	s := &st.slots[opForwardAgentPath]
	if !s.set {
		return true
	}
	if !st.expandInto(&s.val, t, true, true) {
		return false
	}
	if st.r.Exists != nil && !st.r.Exists(s.val) && st.p.at(80500) {
		st.say("Cannot forward agent socket path \"" + s.val + "\": No such file or directory")
		if st.slots[opExitOnForwardFailure].val == "yes" {
			st.dead = true
			return false
		}
	}
	return true
}

// expandSetEnv: since 10.0 the values have tokens.
func (st *state) expandSetEnv(t *tokens) bool {
	l := st.lists[opSetEnv]
	if !st.p.at(100000) || len(l) == 0 {
		return true
	}
	out := make([]string, len(l))
	for i, v := range l {
		name, value, _ := strings.Cut(v, "=")
		if !st.expandInto(&value, t, true, false) {
			return false
		}
		out[i] = name + "=" + value
	}
	st.lists[opSetEnv] = out
	return true
}

func (st *state) expandForwards(t *tokens) bool {
	if st.slots[opClearAllForwardings].val == "yes" {
		st.fields.local, st.fields.remote = nil, nil
		st.items[opLocalForward], st.items[opRemoteForward] = nil, nil
		st.slots[opTunnel] = slot{}
		return true
	}
	for _, list := range [][]forward{st.fields.local, st.fields.remote} {
		for i := range list {
			for _, p := range []*string{&list[i].listenPath, &list[i].connectPath} {
				if *p != "" && !st.expandInto(p, t, false, false) {
					return false
				}
			}
		}
	}
	return true
}
