package sshproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// reading is the reading of one line's arguments by one build of the client.
type reading struct {
	p       *build
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
	if o == opTCPKeepAlive && r.p.has(keepAliveStates) {
		states = keepAliveWords
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
