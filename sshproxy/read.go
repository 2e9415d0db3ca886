package sshproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reading is the reading of one line's arguments by one build of the client.
type reading struct {
	p       *Profile
	env     func(string) (string, bool)
	service func(string) (int, bool)

	file    string
	line    int
	keyword string   // as written, in lower case
	args    []string // the arguments not read yet
	rest    string   // the raw rest of the line
	strict  bool     // from the command line

	val   string   // what the option is set to, as -G prints it where that is possible
	next  string   // the second value that some lines set apart
	list  []string // the values of list options
	quiet bool     // the line is good and sets nothing

	messages []string
	fatal    bool // the client stops here
	failed   bool // the line counts as bad
}

func (r *reading) at() string { return cut(r.file, 200) + " line " + strconv.Itoa(r.line) }

func (r *reading) say(format string, args ...any) {
	r.messages = append(r.messages, r.at()+": "+fmt.Sprintf(format, args...))
}

// fail records that the line is bad.
func (r *reading) fail(format string, args ...any) {
	r.say(format, args...)
	r.failed = true
	if !r.p.splitsArguments() {
		r.fatal = true
	}
}

// die records that the client stops at this line.
func (r *reading) die(format string, args ...any) {
	r.fail(format, args...)
	r.fatal = true
}

func (r *reading) arg() (string, bool) {
	if len(r.args) == 0 {
		return "", false
	}
	a := r.args[0]
	r.args = r.args[1:]
	return a, true
}

// one reads a single argument that may not be empty; missing is the message without
// it.
func (r *reading) one(missing string) (string, bool) {
	a, ok := r.arg()
	if !ok || a == "" {
		r.fail("%s", missing)
		return "", false
	}
	return a, true
}

const missingArgument = "Missing argument."

// read sets val, next and list from the arguments of an option.
func (r *reading) read(o op) {
	d := &options[o]
	switch d.kind {
	case kindFlag, kindStates:
		r.states(o, d.states)
	case kindTime:
		r.val = r.time()
	case kindInt:
		r.integer()
	case kindString:
		r.val, _ = r.one(missingArgument)
	case kindCommand:
		r.command()
	case kindKeys:
		r.keys(o)
	case kindPaths:
		r.paths()
	default:
		r.special(o)
	}
}

func (r *reading) states(o op, states []choice) {
	a, ok := r.arg()
	if !ok || a == "" {
		r.fail("missing argument.")
		if !r.fatal {
			r.fail("unsupported option \"%s\".", a)
		}
		return
	}
	for i := range states {
		if equalFold(a, states[i].word) {
			r.val = states[i].prints
			switch {
			case o == opCompression && r.val == "yes" && r.p.at(90900) && !r.p.at(100000):
				r.val = "UNKNOWN" // what these clients print for it
			case o == opPubkeyAuthentication && !r.p.at(80900):
				r.oldPubkey(a)
			}
			return
		}
	}
	r.fail("unsupported option \"%s\".", a)
}

// oldPubkey: until 8.8 the option knew yes and no alone.
func (r *reading) oldPubkey(a string) {
	switch r.val {
	case "true":
		r.val = "yes"
	case "false":
		r.val = "no"
	default:
		r.val = ""
		r.fail("unsupported option \"%s\".", a)
	}
}

// time returns the seconds, and nothing for "none", which leaves the option as it is.
func (r *reading) time() string {
	a, ok := r.arg()
	if !ok || a == "" {
		r.fail("missing time value.")
		return ""
	}
	if a == "none" {
		r.quiet = true
		return ""
	}
	n, ok := r.p.parseSeconds(a)
	if !ok {
		r.fail("invalid time value.")
		return ""
	}
	return strconv.Itoa(n)
}

func (r *reading) integer() {
	a, ok := r.arg()
	why := "missing"
	if ok && a != "" {
		var n int64
		if n, why = parseInteger(a, 0, 1<<31-1); why == "" {
			r.val = strconv.FormatInt(n, 10)
			return
		}
	}
	r.fail("integer value %s.", why)
}

func (r *reading) command() {
	r.args = nil
	r.val = strings.TrimLeft(r.rest, " \t\r\n=")
}

func (r *reading) keys(o op) {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	if a[0] != '-' && !r.p.knownKeys(withoutSign(a), o == opCASignatureAlgorithms) {
		r.fail("Bad key types '%s'.", a)
		return
	}
	r.val = a
}

// whole reads every argument of a list option. alone are words that must be the only
// one.
func (r *reading) whole(emptyIsBad bool, alone ...string) bool {
	for i := 0; ; i++ {
		a, ok := r.arg()
		if !ok {
			return true
		}
		if a == "" && emptyIsBad {
			r.fail("keyword %s empty argument", lower(r.keyword))
			return false
		}
		for _, word := range alone {
			if equalFold(a, word) && (i > 0 || len(r.args) > 0) {
				shown := word
				if len(alone) > 1 {
					shown = a
				}
				r.fail("keyword %s \"%s\" argument must appear alone.", lower(r.keyword), shown)
				return false
			}
		}
		r.list = append(r.list, a)
	}
}

func (r *reading) paths() {
	if !r.p.splitsArguments() {
		for {
			a, ok := r.arg()
			if !ok || a == "" {
				r.args = nil
				return
			}
			r.list = append(r.list, a)
		}
	}
	r.whole(true, "none")
}

func (r *reading) special(o op) {
	switch o {
	case opPort:
		r.port()
	case opIdentityFile, opCertificateFile, opRefuseConnection:
		r.val, _ = r.one(missingArgument)
	case opProxyJump:
		r.jump()
	case opIdentityAgent:
		if a, ok := r.one(missingArgument); ok {
			r.agentPath(a)
		}
	case opForwardAgent:
		r.forwardAgent()
	case opLocalForward, opRemoteForward, opDynamicForward:
		r.forwarding(o)
	case opRekeyLimit:
		r.rekeyLimit()
	case opCiphers:
		r.names("cipher", "SSH2 cipher spec", "")
	case opMACs:
		r.names("mac", "SSH2 MAC spec", "")
	case opKexAlgorithms:
		r.names("kex", "SSH2 KexAlgorithms", `Unsupported KEX algorithm "%s"`)
	case opGSSAPIKexAlgorithms:
		r.gssNames()
	case opLogLevel:
		r.logLevel()
	case opSyslogFacility:
		r.facility()
	case opLogVerbose:
		if r.whole(true, "none") && len(r.list) > 1 {
			r.list = r.list[:1] // the client takes the first pattern alone
		}
	case opPermitRemoteOpen:
		r.permitRemoteOpen()
	case opEscapeChar:
		r.escapeChar()
	case opSendEnv:
		r.sendEnv()
	case opSetEnv:
		r.setEnv()
	case opControlPersist:
		r.controlPersist()
	case opTunnelDevice:
		r.tunnelDevice()
	case opIPQoS:
		r.ipQoS()
	case opCanonicalDomains:
		r.canonicalDomains()
	case opCanonicalizePermittedCNAMEs:
		r.permittedCNAMEs()
	case opStreamLocalBindMask:
		r.bindMask()
	case opRevokedHostKeys:
		r.revokedHostKeys()
	case opFingerprintHash:
		r.fingerprintHash()
	case opAddKeysToAgent:
		r.addKeys()
	case opObscureKeystrokeTiming:
		r.obscure()
	case opChannelTimeout:
		r.channelTimeout()
	case opVersionAddendum:
		r.versionAddendum()
	}
}

func (r *reading) port() {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	n := parsePort(a, r.service)
	if n <= 0 {
		r.fail("Bad port '%s'.", a)
		return
	}
	r.val = strconv.Itoa(n)
}

func (r *reading) jump() {
	r.args = nil
	value := strings.TrimLeft(r.rest, " \t\r\n=")
	_, messages, ok := r.p.parseJump(value, r.strict, r.service)
	r.messages = append(r.messages, messages...)
	if !ok {
		r.fail("Invalid ProxyJump \"%s\"", value)
		return
	}
	r.val = value
}

// agentPath checks a socket path that may name an environment variable.
func (r *reading) agentPath(a string) {
	e := expand(a, nil, r.env)
	if e.bad || e.missing {
		r.messages = append(r.messages, e.messages...)
		r.fail("Invalid environment expansion %s.", a)
		return
	}
	if a[0] == '$' && !strings.HasPrefix(a, "${") && !validEnvName(a[1:]) {
		r.fail("Invalid environment name %s.", a)
		return
	}
	r.val = a
}

func validEnvName(s string) bool {
	for i := range len(s) {
		if !alpha(s[i]) && !digit(s[i]) && s[i] != '_' {
			return false
		}
	}
	return s != ""
}

func (r *reading) forwardAgent() {
	a, ok := r.arg()
	if !ok || a == "" {
		r.fail("missing argument.")
		return
	}
	for _, s := range flagStates {
		if equalFold(a, s.word) {
			r.val = s.prints
			return
		}
	}
	r.agentPath(a)
	r.next, r.val = r.val, "yes"
}

func (r *reading) forwarding(o op) {
	missing := missingArgument
	if !r.p.splitsArguments() {
		missing = "Missing port argument."
	}
	a, ok := r.one(missing)
	if !ok {
		return
	}
	dynamic, remote := o == opDynamicForward, o == opRemoteForward
	spec := a
	if !dynamic {
		to, ok := r.arg()
		switch {
		case ok && to != "":
			spec += ":" + to
		case remote:
			dynamic = true
		default:
			r.fail("Missing target argument.")
			return
		}
	}
	spec = cut(spec, forwardLimit)
	e := expand(spec, nil, r.env)
	r.messages = append(r.messages, e.messages...)
	if e.bad || e.missing {
		r.fail("Bad forwarding specification.")
		return
	}
	if _, ok := parseForward(e.text, dynamic, remote, r.service); !ok {
		r.fail("Bad forwarding specification.")
		return
	}
	r.val = e.text
	if dynamic && remote {
		r.next = "dynamic"
	}
}

func (r *reading) rekeyLimit() {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	limit := int64(0)
	if a != "default" {
		n, why := parseScaled(a)
		if why != "" {
			r.fail("Bad number '%s': %s", a, why)
			return
		}
		if n != 0 && n < 16 {
			r.fail("RekeyLimit too small")
			return
		}
		limit = n
	}
	r.val = strconv.FormatInt(limit, 10)
	if len(r.args) == 0 {
		return
	}
	if r.args[0] == "none" {
		r.args = r.args[1:]
		return
	}
	r.next = r.time()
	r.quiet = false
}

// names reads a list of ciphers and the like.
func (r *reading) names(set, what, unsupported string) {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	if a[0] != '-' {
		bad, ok := known(withoutSign(a), r.p.algs[set])
		if !ok && set == "kex" && bad != "" && r.gssName(bad) {
			ok = true
		}
		if !ok {
			if unsupported != "" && bad != "" {
				r.messages = append(r.messages, fmt.Sprintf(unsupported, cut(bad, 100)))
			}
			r.fail("Bad %s '%s'.", what, a)
			return
		}
	}
	r.val = a
}

func (r *reading) gssName(name string) bool {
	return slices.ContainsFunc(r.p.algs["kex-gss"], func(p string) bool { return strings.HasPrefix(name, p) })
}

func (r *reading) gssNames() {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	for name := range strings.SplitSeq(a, ",") {
		if name == "" {
			break
		}
		if !r.gssName(name) {
			r.messages = append(r.messages, fmt.Sprintf(`Unsupported KEX algorithm "%s"`, cut(name, 100)))
			r.fail("Bad GSSAPI KexAlgorithms '%s'.", a)
			return
		}
	}
	r.val = a
}

var logLevels = []string{"SILENT", "QUIET", "FATAL", "ERROR", "INFO", "VERBOSE", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3"}

func (r *reading) logLevel() {
	a, ok := r.arg()
	for _, l := range logLevels {
		if ok && equalFold(a, l) && (l != "SILENT" || r.p.debian) {
			switch {
			case l == "QUIET" && r.p.debian:
				l = "SILENT"
			case l == "DEBUG1":
				l = "DEBUG"
			}
			r.val = l
			return
		}
	}
	if !ok {
		a = "<NONE>"
	}
	r.fail("unsupported log level '%s'", a)
}

var facilities = []string{
	"DAEMON", "USER", "AUTH", "AUTHPRIV", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7",
}

func (r *reading) facility() {
	a, ok := r.arg()
	for _, f := range facilities {
		if ok && equalFold(a, f) {
			r.val = f
			return
		}
	}
	if !ok {
		a = "<NONE>"
	}
	r.fail("unsupported log facility '%s'", a)
}

func (r *reading) permitRemoteOpen() {
	for i := 0; ; i++ {
		a, ok := r.arg()
		if !ok {
			break
		}
		if equalFold(a, "none") || equalFold(a, "any") {
			if i > 0 || len(r.args) > 0 {
				r.fail("keyword %s \"%s\" argument must appear alone.", lower(r.keyword), a)
				return
			}
		} else {
			_, rest, found, more, good := splitHostPort(a)
			if !good || more == '/' {
				r.die("missing host in permitremoteopen")
				return
			}
			if !found || rest != "*" && parsePort(rest, r.service) <= 0 {
				r.die("bad port number in permitremoteopen")
				return
			}
		}
		r.list = append(r.list, a)
	}
	if len(r.list) == 0 {
		r.die("missing permitremoteopen specification")
	}
}

func (r *reading) escapeChar() {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	switch {
	case a == "none":
		r.val = "none"
	case len(a) == 1:
		r.val = visChar(a[0])
	case len(a) == 2 && a[0] == '^' && a[1] >= 64 && a[1] < 128:
		r.val = visChar(a[1] & 31)
	default:
		r.fail("Bad escape character.")
	}
}

func (r *reading) sendEnv() {
	for {
		a, ok := r.arg()
		if !ok {
			break
		}
		if a == "" && !r.p.splitsArguments() {
			break
		}
		if a == "" || strings.Contains(a, "=") {
			r.fail("Invalid environment name.")
			return
		}
		r.list = append(r.list, a)
	}
	if len(r.list) == 0 && r.p.listsAreWhole() {
		r.die("no %s specified", lower(r.keyword))
	}
}

func (r *reading) setEnv() {
	if !r.p.splitsArguments() {
		w := words{rest: r.rest}
		r.args = nil
		for {
			a, ok := w.next(false)
			if !ok || a == "" {
				break
			}
			r.args = append(r.args, a)
		}
	}
	for {
		a, ok := r.arg()
		if !ok {
			break
		}
		name, _, ok := strings.Cut(a, "=")
		if !ok {
			r.fail("Invalid SetEnv.")
			return
		}
		if r.p.at(90100) && slices.ContainsFunc(r.list, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
			continue
		}
		r.list = append(r.list, a)
	}
	if len(r.list) == 0 && r.p.listsAreWhole() {
		r.die("no %s specified", lower(r.keyword))
	}
}

func (r *reading) controlPersist() {
	a, ok := r.one("Missing ControlPersist argument.")
	if !ok {
		return
	}
	switch a {
	case "no", "false":
		r.val = "no"
		return
	case "yes", "true":
		r.val = "yes"
		return
	}
	n, ok := r.p.parseSeconds(a)
	switch {
	case !ok:
		r.fail("Bad ControlPersist argument.")
	case n == 0:
		r.val = "yes"
	default:
		r.val = strconv.Itoa(n)
	}
}

func (r *reading) tunnelDevice() {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	local, remote, both := strings.Cut(a, ":")
	if !both {
		remote = "any"
	}
	x, okX := tunnelUnit(local)
	y, okY := tunnelUnit(remote)
	if !okX || !okY {
		r.fail("Bad tun device.")
		return
	}
	r.val = x + ":" + y
}

func tunnelUnit(s string) (string, bool) {
	if equalFold(s, "any") {
		return "any", true
	}
	n, why := parseInteger(s, 0, 0x7fffffff-2)
	return strconv.FormatInt(n, 10), why == ""
}

// classes are the names of the type of service; the first name of a value is printed.
var classes = []struct {
	name  string
	value int
}{
	{"none", -1},
	{"af11", 0x28}, {"af12", 0x30}, {"af13", 0x38}, {"af21", 0x48}, {"af22", 0x50}, {"af23", 0x58}, {"af31", 0x68}, {"af32", 0x70},
	{"af33", 0x78}, {"af41", 0x88}, {"af42", 0x90}, {"af43", 0x98}, {"cs0", 0x00}, {"cs1", 0x20}, {"cs2", 0x40}, {"cs3", 0x60},
	{"cs4", 0x80}, {"cs5", 0xa0}, {"cs6", 0xc0}, {"cs7", 0xe0}, {"ef", 0xb8}, {"le", 0x04}, {"va", 0xb0},
	{"lowdelay", 0x10}, {"throughput", 0x08}, {"reliability", 0x04},
}

// class reads one type of service and returns what -G prints for it.
func (p *Profile) class(s string) (string, bool) {
	value := -2
	for _, c := range classes {
		if equalFold(s, c.name) && (c.name != "va" || p.at(100100)) {
			value = c.value
			if p.at(100100) && (c.name == "lowdelay" || c.name == "throughput" || c.name == "reliability") {
				value = -1 // deprecated: the system's default
			}
			break
		}
	}
	if value == -2 {
		n, ok := p.classNumber(s)
		if !ok {
			return "", false
		}
		value = n
	}
	for _, c := range classes {
		deprecated := c.name == "lowdelay" || c.name == "throughput" || c.name == "reliability"
		if c.value == value && (c.name != "va" || p.at(100100)) && (!deprecated || !p.at(100100)) {
			return c.name, true
		}
	}
	return fmt.Sprintf("0x%02x", value), true
}

func (p *Profile) classNumber(s string) (int, bool) {
	if p.at(90800) {
		n, why := parseInteger(s, 0, 255)
		return int(n), why == ""
	}
	t := strings.TrimLeft(s, " \t\n\v\f\r")
	t = strings.TrimPrefix(t, "+")
	if strings.Contains(t, "_") || strings.HasPrefix(lower(t), "0b") || strings.HasPrefix(lower(t), "0o") {
		return 0, false
	}
	n, err := strconv.ParseInt(t, 0, 64)
	return int(n), err == nil && n >= 0 && n <= 255
}

func (r *reading) ipQoS() {
	a, ok := r.arg()
	first, good := "", false
	if ok {
		first, good = r.p.class(a)
	}
	if !good {
		if !ok {
			a = "(null)"
		}
		r.fail("Bad IPQoS value: %s", a)
		return
	}
	second := first
	if b, ok := r.arg(); ok {
		if second, good = r.p.class(b); !good {
			r.fail("Bad IPQoS value: %s", b)
			return
		}
	}
	r.val = first + " " + second
}

func (r *reading) canonicalDomains() {
	for i := 0; ; i++ {
		a, ok := r.arg()
		if !ok || a == "" && !r.p.splitsArguments() {
			break
		}
		if a == "" && !r.p.listsAreWhole() {
			r.fail("keyword %s empty argument", lower(r.keyword))
			return
		}
		if equalFold(a, "none") && (i > 0 || len(r.args) > 0) && r.p.splitsArguments() {
			r.fail("keyword %s \"none\" argument must appear alone.", lower(r.keyword))
			return
		}
		name, why := validDomain(a, true)
		if why != "" {
			r.fail("%s", why)
			return
		}
		r.list = append(r.list, name)
	}
	if len(r.list) == 0 && r.p.listsAreWhole() {
		r.die("no %s specified", lower(r.keyword))
	}
}

// permittedCNAMEs reads rules source:target; each becomes two values.
func (r *reading) permittedCNAMEs() {
	for i := 0; ; i++ {
		a, ok := r.arg()
		if !ok || a == "" && !r.p.splitsArguments() {
			break
		}
		source, target := a, ""
		switch {
		case equalFold(a, "none") && r.p.at(80800):
			if i > 0 || len(r.args) > 0 {
				r.fail("keyword %s \"none\" argument must appear alone.", lower(r.keyword))
				return
			}
		case a == "*":
			target = a
		default:
			a = lower(a)
			source, target, ok = strings.Cut(a, ":")
			if !ok || target == "" {
				r.fail("Invalid permitted CNAME \"%s\"", a)
				return
			}
		}
		r.list = append(r.list, source, target)
	}
	if len(r.list) == 0 && r.p.listsAreWhole() {
		r.die("no %s specified", lower(r.keyword))
	}
}

func (r *reading) bindMask() {
	a, ok := r.one("Missing StreamLocalBindMask argument.")
	if !ok {
		return
	}
	s := strings.TrimLeft(a, " \t\n\v\f\r")
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	end := 0
	n := int64(0)
	for ; end < len(s) && s[end] >= '0' && s[end] <= '7'; end++ {
		n = min(n*8+int64(s[end]-'0'), 1<<40)
	}
	if end == 0 || negative && n > 0 || n > 0o777 {
		r.fail("Bad mask.")
		return
	}
	r.val = "0" + strconv.FormatInt(n, 8)
}

func (r *reading) revokedHostKeys() {
	if !r.p.at(100300) {
		a, ok := r.one(missingArgument)
		if ok {
			r.list = []string{a}
		}
		return
	}
	if r.whole(true, "none") && len(r.list) == 0 {
		r.die("no %s specified", lower(r.keyword))
	}
}

func (r *reading) fingerprintHash() {
	a, ok := r.one(missingArgument)
	if !ok {
		return
	}
	for _, s := range options[opFingerprintHash].states {
		if equalFold(a, s.word) {
			r.val = s.prints
			return
		}
	}
	r.fail("Invalid hash algorithm \"%s\".", a)
}

func (r *reading) addKeys() {
	a, ok := r.arg()
	life, hasLife := r.arg()
	val := ""
	if !ok || a == "" {
		r.fail("missing argument.")
		if r.fatal {
			return
		}
	} else {
		for _, s := range agentStates {
			if equalFold(a, s.word) {
				val = s.prints
				break
			}
		}
	}
	seconds := 0
	switch {
	case val == "confirm" && hasLife:
		if seconds, ok = r.p.parseSeconds(life); !ok {
			r.fail("invalid time value.")
			return
		}
	case val == "" && !hasLife:
		if seconds, ok = r.p.parseSeconds(a); !ok {
			r.fail("unsupported option")
			return
		}
		val = "true"
	case val == "" || hasLife:
		r.fail("unsupported option")
		return
	}
	switch {
	case seconds <= 0:
		r.val = val
	case val == "confirm":
		r.val = "confirm " + strconv.Itoa(seconds)
	default:
		r.val = strconv.Itoa(seconds)
	}
}

func (r *reading) obscure() {
	for {
		a, ok := r.arg()
		if !ok {
			break
		}
		if r.val != "" {
			r.fail("invalid arguments")
			return
		}
		number, interval := strings.CutPrefix(a, "interval:")
		switch {
		case a == "yes" || a == "true":
			r.val = "yes"
		case a == "no" || a == "false":
			r.val = "no"
		case interval:
			why := "missing"
			var n int64
			if number != "" {
				n, why = parseInteger(number, 0, 1<<31-1)
			}
			if why != "" {
				r.fail("integer value %s.", why)
				return
			}
			if n <= 0 || n > 1000 {
				r.fail("value out of range.")
				return
			}
			r.val = strconv.FormatInt(n, 10)
		default:
			r.fail("unsupported argument \"%s\"", a)
			return
		}
	}
	switch r.val {
	case "":
		r.fail("missing argument")
	case "20":
		r.val = "yes" // the interval that yes stands for
	}
}

func (r *reading) channelTimeout() {
	if !r.whole(false, "none") {
		return
	}
	for _, a := range r.list {
		if equalFold(a, "none") {
			continue
		}
		name, life, ok := strings.Cut(a, "=")
		if ok {
			_, ok = r.p.parseSeconds(life)
		}
		if !ok || name == "" {
			r.die("invalid channel timeout %s", a)
			return
		}
	}
	if len(r.list) == 0 {
		r.die("no %s specified", lower(r.keyword))
	}
}

func (r *reading) versionAddendum() {
	r.args = nil
	value := r.rest
	if strings.Contains(value, "\r") {
		r.die("Invalid %s argument", lower(r.keyword))
		return
	}
	if equalFold(value, "none") {
		value = ""
	}
	r.val = value
}
