package sshproxy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The options of keys, algorithms and what both sides show each other.

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
