package sshproxy

import (
	"strconv"
	"strings"
)

// ParseTarget reads [user@]host or ssh://[user@]host[:port] as a command line's
// destination.
func ParseTarget(destination string) (Target, error) {
	if rest, uri := strings.CutPrefix(destination, "ssh://"); uri {
		user, said, host, port, path, ok := parseURI(rest, nil)
		if !ok || path {
			return Target{}, errs.Errorf("%q is not ssh://[user@]host[:port]", destination)
		}
		t := Target{Host: host}
		if said {
			t.User = user
		}
		if port > 0 {
			t.Port = port
		}
		return t, nil
	}
	i := strings.LastIndexByte(destination, '@')
	if i == 0 || destination == "" || i == len(destination)-1 {
		return Target{}, errs.Errorf("%q is not [user@]host", destination)
	}
	if i < 0 {
		return Target{Host: destination}, nil
	}
	return Target{Host: destination[i+1:], User: destination[:i]}, nil
}

// CommandLine is what the flags of an ssh command line say beside the target.
type CommandLine struct {
	Target Target `json:"target,omitzero"`
	// Config is the file of -F, empty without it.
	Config string `json:"config,omitzero"`
	// Rest are the words after the destination.
	Rest []string `json:"rest,omitzero"`

	// set for the commands that a configuration contains
	forward string // the value of -W
	after   int    // the number of words after the destination, flags included
}

// ParseCommandLine reads the arguments of an ssh command. All flags of ssh are read. Those
// that set an option become part of the target, in the order in which ssh obeys them. Flags
// can follow the destination as well. The words after them are the Command of the target.
func ParseCommandLine(args []string) (CommandLine, error) { return parseCommandLine(args, false) }

// flagsWithValue are the flags of ssh that take an argument.
const flagsWithValue = "BDEFIJLOPQRSWbceilmopw"

// flagsWithout are the flags of ssh that take no argument.
const flagsWithout = "1246AaCfgGKkMNnqsTtVvXxYy"

// parseCommandLine passes over flags that do not concern the route when all is set.
func parseCommandLine(args []string, all bool) (CommandLine, error) {
	var c CommandLine
	var t Target
	for i := 0; i < len(args); i++ {
		a := args[i]
		if ended := a == "--"; ended || len(a) < 2 || a[0] != '-' {
			if ended {
				i++
			}
			if t.Host != "" {
				c.Rest = args[i:]
				break
			}
			if i == len(args) {
				break
			}
			if err := t.destination(args[i]); err != nil {
				return c, err
			}
			if all {
				c.after = len(args) - i - 1
			}
			if ended { // before the destination, it ends the flags
				c.Rest = args[i+1:]
				break
			}
			continue
		}
		for k := 1; k < len(a); k++ {
			f := a[k]
			if strings.IndexByte(flagsWithValue, f) < 0 {
				switch {
				case all:
				case strings.IndexByte(flagsWithout, f) < 0:
					return c, errs.Errorf("ssh has no flag -%c", f)
				case flagOptions[f] != nil:
					t.flags = append(t.flags, flagValue{flag: f})
				}
				continue
			}
			value := a[k+1:]
			if value == "" {
				if i++; i == len(args) {
					return c, errs.Errorf("option requires an argument -- %c", f)
				}
				value = args[i]
			}
			switch f {
			case 'F':
				c.Config = value
			case 'o', 'l', 'p', 'J':
				t.flags = append(t.flags, flagValue{f, value})
			default:
				if all && f == 'W' {
					c.forward = value
				}
				if !all && flagOptions[f] != nil {
					t.flags = append(t.flags, flagValue{f, value})
				}
			}
			break
		}
	}
	if t.Host == "" {
		return c, errs.Errorf("a destination is missing: [user@]host")
	}
	t.Command = strings.Join(c.Rest, " ")
	c.Target = t
	return c, nil
}

// destination sets the host, and the user and the port that word contains.
func (t *Target) destination(word string) error {
	d, err := ParseTarget(word)
	if err != nil {
		return err
	}
	t.Host = d.Host
	if d.User != "" {
		t.flags = append(t.flags, flagValue{'l', d.User})
	}
	if d.Port > 0 {
		t.flags = append(t.flags, flagValue{'p', strconv.Itoa(d.Port)})
	}
	return nil
}

// commandLine sets what the command line says.
func (st *state) commandLine(t Target) bool {
	flags := make([]flagValue, 0, len(t.Options)+len(t.flags)+3)
	for _, o := range t.Options {
		flags = append(flags, flagValue{'o', o})
	}
	flags = append(flags, t.flags...)
	if t.User != "" {
		flags = append(flags, flagValue{'l', t.User})
	}
	if t.Port != 0 {
		flags = append(flags, flagValue{'p', strconv.Itoa(t.Port)})
	}
	if t.Jump != "" {
		flags = append(flags, flagValue{'J', t.Jump})
	}
	for _, f := range flags {
		if !st.flag(f) {
			return false
		}
	}
	// The level of the command line is in force while files are read.
	st.level = verbosityOf(st.slots[opLogLevel].val)
	return true
}

func (st *state) flag(f flagValue) bool {
	switch f.flag {
	case 'l':
		if s := &st.slots[opUser]; !s.set {
			*s = slot{val: f.value, set: true}
			st.trace.used(st, opUser, origin{}, true)
			st.onLine = true
		}
		return true
	case 'p':
		s := &st.slots[opPort]
		if s.set {
			return true
		}
		n := parsePort(f.value, st.r.Local.service)
		if n <= 0 {
			return st.die("Bad port '%s'", f.value)
		}
		*s = slot{val: strconv.Itoa(n), set: true}
		st.trace.used(st, opPort, origin{}, true)
		return true
	case 'J':
		return st.jumpFlag(f.value)
	case 'o':
		return st.optionFlag(f.value)
	}
	for _, o := range flagOptions[f.flag] {
		if !st.assign(o, f) {
			return false
		}
	}
	return true
}

// flagOption is an option that a flag sets. An empty value is the argument of the flag.
type flagOption struct{ name, value string }

// flagOptions lists what the flags of ssh set, beside -F, -J, -l, -o and -p.
var flagOptions = map[byte][]flagOption{
	'4': {{"AddressFamily", "inet"}}, '6': {{"AddressFamily", "inet6"}},
	'A': {{"ForwardAgent", "yes"}}, 'a': {{"ForwardAgent", "no"}},
	'b': {{"BindAddress", ""}}, 'B': {{"BindInterface", ""}}, 'c': {{"Ciphers", ""}}, 'm': {{"MACs", ""}}, 'C': {{"Compression", "yes"}},
	'e': {{"EscapeChar", ""}}, 'f': {{"ForkAfterAuthentication", "yes"}, {"StdinNull", "yes"}}, 'g': {{"GatewayPorts", "yes"}},
	'i': {{"IdentityFile", ""}}, 'I': {{"PKCS11Provider", ""}},
	'K': {{"GSSAPIAuthentication", "yes"}, {"GSSAPIDelegateCredentials", "yes"}}, 'k': {{"GSSAPIDelegateCredentials", "no"}},
	'L': {{"LocalForward", ""}}, 'R': {{"RemoteForward", ""}}, 'D': {{"DynamicForward", ""}}, 'M': {{"ControlMaster", "yes"}},
	'N': {{"SessionType", "none"}, {"RequestTTY", "no"}}, 'n': {{"StdinNull", "yes"}}, 'P': {{"Tag", ""}}, 'q': {{"LogLevel", "QUIET"}},
	'S': {{"ControlPath", ""}}, 's': {{"SessionType", "subsystem"}}, 'T': {{"RequestTTY", "no"}}, 't': {{"RequestTTY", "yes"}},
	'v': {{"LogLevel", "DEBUG"}}, 'w': {{"Tunnel", "point-to-point"}, {"TunnelDevice", ""}},
	'W': {{"SessionType", "none"}, {"RequestTTY", "no"}, {"ClearAllForwardings", "yes"}, {"ExitOnForwardFailure", "yes"}},
	'X': {{"ForwardX11", "yes"}}, 'x': {{"ForwardX11", "no"}}, 'Y': {{"ForwardX11", "yes"}, {"ForwardX11Trusted", "yes"}},
}

// assign sets an option as a flag does: unlike -o, it replaces an earlier value. A flag for
// an option that the client does not have sets nothing.
func (st *state) assign(f flagOption, from flagValue) bool {
	o, ok := st.p.keyword[lower(f.name)]
	if !ok || o <= opUnsupported {
		if from.flag == 's' && st.command == "" {
			return st.die("You must specify a subsystem to invoke.")
		}
		return true
	}
	value := f.value
	if value == "" {
		value = from.value
	}
	before := st.slots[o].val
	switch {
	case o == opIdentityFile:
		return st.identityFlag(value)
	case o == opLocalForward || o == opRemoteForward || o == opDynamicForward:
		return st.forwardFlag(o, value)
	case from.flag == 't' && before == "true":
		value = "force"
	case from.flag == 'v' && before == "DEBUG":
		value = "DEBUG2"
	case from.flag == 'v' && (before == "DEBUG2" || before == "DEBUG3"):
		value = "DEBUG3"
	case from.flag == 'M' && before == "true":
		value = "ask"
	case from.flag == 'W' && st.slots[o].set && (o == opClearAllForwardings || o == opExitOnForwardFailure):
		return true
	}
	switch o {
	case opBindAddress, opBindInterface, opTag, opPKCS11Provider, opControlPath:
		st.slots[o] = slot{val: value, set: true}
	default:
		st.slots[o] = slot{}
		if kind := map[op]string{opCiphers: "cipher", opMACs: "mac"}[o]; kind != "" {
			if _, r := st.p.command(f.name+"="+value, st.r.env, st.r.Local.service, ""); r.failed {
				return st.die("Unknown %s type '%s'", kind, value)
			}
		}
		if !st.optionFlag(f.name + "=" + value) {
			return false
		}
	}
	st.trace.used(st, o, origin{}, true)
	return true
}

// identityFlag adds a key file of -i. One that does not exist is left out.
func (st *state) identityFlag(name string) bool {
	if strings.HasPrefix(name, "~") {
		var ok bool
		if name, ok = st.tilde(name); !ok {
			return false
		}
	}
	if st.r.Exists != nil && !st.r.Exists(name) {
		st.say("Warning: Identity file " + name + " not accessible: No such file or directory.")
		return true
	}
	return st.addFile(opIdentityFile, name, origin{}, true, st.die)
}

// forwardFlag adds a forward of -L, -R or -D.
func (st *state) forwardFlag(o op, value string) bool {
	words := map[op]string{opLocalForward: "local", opRemoteForward: "remote", opDynamicForward: "dynamic"}
	next := ""
	if _, ok := parseForward(value, o == opDynamicForward, o == opRemoteForward, st.r.Local.service); !ok {
		next = "dynamic"
		if _, ok := parseForward(value, true, true, st.r.Local.service); !ok || o != opRemoteForward {
			return st.die("Bad %s forwarding specification '%s'", words[o], value)
		}
	}
	st.addForward(o, value, next, origin{})
	return true
}

func (st *state) jumpFlag(value string) bool {
	if st.jump != nil {
		return st.die("Only a single -J option is permitted (use commas to separate multiple jump hops)")
	}
	if st.slots[opProxyCommand].set {
		return st.die("Cannot specify -J with ProxyCommand")
	}
	j, messages, ok := st.p.parseJump(value, true, st.r.Local.service)
	st.say(messages...)
	if !ok {
		return st.die("Invalid -J argument")
	}
	st.jump = &j
	st.slots[opProxyJump] = slot{val: value, set: true}
	st.trace.used(st, opProxyJump, origin{}, true)
	if !j.none || !st.p.checksJump() {
		st.slots[opProxyCommand] = slot{val: "none", set: true}
	}
	return true
}

func (st *state) optionFlag(text string) bool {
	o, r := st.p.command(text, st.r.env, st.r.Local.service, st.slots[opIgnoreUnknown].val)
	if !r.quiet && !r.failed {
		st.set(o, r.val, r.next, r.list, origin{}, true, func(format string, args ...any) bool {
			r.fail(format, args...)
			return false
		})
	}
	st.say(r.messages...)
	if r.failed {
		st.dead = true
	}
	return !st.dead
}

// validate refuses names of the command line that a shell could act on, as clients do
// since 9.6, and then a subsystem without a name.
func (st *state) validate() bool {
	if !st.validNames() {
		return false
	}
	if st.slots[opSessionType].val == "subsystem" && st.command == "" {
		return st.die("You must specify a subsystem to invoke.")
	}
	return true
}

func (st *state) validNames() bool {
	if st.original == "" {
		return st.broken(errs.Errorf("the target has no host"))
	}
	if !st.p.has(shellNames) {
		return true
	}
	host, user := st.original, ""
	if st.slots[opUser].set {
		user = st.slots[opUser].val
	}
	if !st.p.has(commaHosts) {
		host = strings.ReplaceAll(host, ",", "")
	}
	if !st.p.has(controlNames) {
		user = strings.Map(func(c rune) rune {
			if c < 0x20 || c == 0x7f {
				return -1
			}
			return c
		}, user)
	}
	badHost := ValidHost(st.original) != nil && (host == "" || ValidHost(host) != nil)
	badUser := ValidUser(user) != nil || st.p.has(userBackslash) && strings.ContainsAny(user, `$\`)
	if !st.p.has(jumpRules) && badHost { // the order of the checks changed
		return st.die("hostname contains invalid characters")
	}
	if badUser {
		return st.die("remote username contains invalid characters")
	}
	if badHost {
		return st.die("hostname contains invalid characters")
	}
	return true
}
