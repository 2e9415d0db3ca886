package sshproxy

import "strings"

// tokens holds what %x stands for. A nil entry is not known to the option.
type tokens struct {
	set    [128]bool
	value  [128]string
	hash   func() string // %C, computed when asked for
	cached bool
}

func (t *tokens) put(c byte, value string) { t.set[c], t.value[c] = true, value }

// expansion is the result of expanding a value.
type expansion struct {
	text     string
	messages []string // what the client prints
	bad      bool     // the value can't be expanded
	missing  bool     // an environment variable has no value
}

// expand replaces tokens, when t is not nil, and ${NAME}, when env is not nil.
func expand(s string, t *tokens, env func(string) (string, bool)) (e expansion) {
	if strings.IndexByte(s, '%') < 0 && (env == nil || !strings.Contains(s, "${")) {
		return expansion{text: s}
	}
	if t == nil && (env == nil || !strings.Contains(s, "${")) {
		return expansion{text: s}
	}
	say := func(m string) { e.messages = append(e.messages, "vdollar_percent_expand: "+m) }
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if env != nil && c == '$' && i+1 < len(s) && s[i+1] == '{' {
			name, _, closed := strings.Cut(s[i+2:], "}")
			if !closed {
				say("environment variable '" + s[i+2:] + "' missing closing '}'")
				e.bad = true
				return e
			}
			if name == "" {
				say("zero-length environment variable")
				e.bad = true
				return e
			}
			if v, ok := env(name); ok {
				b.WriteString(v)
			} else {
				say("env var ${" + name + "} has no value")
				e.missing = true
			}
			i += 2 + len(name)
			continue
		}
		if c != '%' || t == nil {
			b.WriteByte(c)
			continue
		}
		i++
		switch {
		case i == len(s):
			say("invalid format")
			e.bad = true
			return e
		case s[i] == '%':
			b.WriteByte('%')
		case s[i] == 'C' && t.hash != nil:
			if !t.cached {
				t.cached, t.value['C'] = true, t.hash()
			}
			b.WriteString(t.value['C'])
		case s[i] < 128 && t.set[s[i]]:
			b.WriteString(t.value[s[i]])
		default:
			say("unknown key %" + s[i:i+1])
			e.bad = true
			return e
		}
	}
	e.text = b.String()
	return e
}
