package sshproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The options that say where connections go: ports, jumps, forwardings, addresses, names.

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

// class is a name of a type of service.
type class struct {
	name  string
	value int
}

// serviceClasses are the names of the type of service; the first name of a value is
// printed.
var serviceClasses = []class{
	{"none", -1},
	{"af11", 0x28}, {"af12", 0x30}, {"af13", 0x38}, {"af21", 0x48}, {"af22", 0x50}, {"af23", 0x58}, {"af31", 0x68}, {"af32", 0x70},
	{"af33", 0x78}, {"af41", 0x88}, {"af42", 0x90}, {"af43", 0x98}, {"cs0", 0x00}, {"cs1", 0x20}, {"cs2", 0x40}, {"cs3", 0x60},
	{"cs4", 0x80}, {"cs5", 0xa0}, {"cs6", 0xc0}, {"cs7", 0xe0}, {"ef", 0xb8}, {"le", 0x04}, {"va", 0xb0},
	{"lowdelay", 0x10}, {"throughput", 0x08}, {"reliability", 0x04},
}

// class reads one type of service and returns what -G prints for it.
func (p *build) serviceClass(s string) (string, bool) {
	value := -2
	for _, c := range p.classes() {
		if equalFold(s, c.name) && p.knowsClass(c.name) {
			value = c.value
			if p.has(serviceNames) && (c.name == "lowdelay" || c.name == "throughput" || c.name == "reliability") {
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
	for _, c := range p.classes() {
		deprecated := c.name == "lowdelay" || c.name == "throughput" || c.name == "reliability"
		if c.value == value && p.knowsClass(c.name) && (!deprecated || !p.has(serviceNames)) {
			return c.name, true
		}
	}
	return fmt.Sprintf("0x%02x", value), true
}

// knowsClass reports whether a name of a type of service is known: va since 10.1.
func (p *build) knowsClass(name string) bool { return name != "va" || p.at(100100) }

// classes returns the names and values of a build. Until 8.8 le was 0x01 (adb0ea006).
func (p *build) classes() []class {
	list := serviceClasses
	if !p.at(80900) {
		list = slices.Clone(serviceClasses)
		list[slices.IndexFunc(list, func(c class) bool { return c.name == "le" })].value = 0x01
	}
	return list
}

func (p *build) classNumber(s string) (int, bool) {
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
		first, good = r.p.serviceClass(a)
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
		if second, good = r.p.serviceClass(b); !good {
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
