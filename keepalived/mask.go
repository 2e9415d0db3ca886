package keepalived

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Masked returns the bytes of a file that was read with every secret replaced by
// asterisks, one for each byte, so that offsets stay: passwords, keys, and the
// definitions of variables that hold them. What follows a word that looks like the
// keyword of a secret, misspelled or in a comment, counts as one, and so does what
// stands in an authentication block and is not known to be something else. It is what
// programs show of the source. It returns nil for a file that was not read.
func (c *Config) Masked(name string) []byte {
	for i := range c.sources {
		if c.sources[i].name == name {
			return c.mask(int32(i))
		}
	}
	return nil
}

// secretWords are the keywords whose value is a secret.
var secretWords = []string{"auth_pass", "password", "key"}

// secretParts are what the names of secrets hold, in lower case and without signs.
var secretParts = []string{"pass", "pwd", "secret", "token", "credential", "community", "hmac", "authkey", "privkey", "keyring"}

// openWords are keywords that look like those of secrets and are none.
var openWords = map[string]bool{"passive": true, "active_key": true, "auth_hmac": true, "auth_type": true, "authentication": true, "auth": true, "pass": true}

// looksSecret reports whether a word may be meant for the keyword of a secret.
func looksSecret(word string) bool {
	if slices.Contains(secretWords, word) {
		return true
	}
	if word == "PW" || word == "pw" || word == "psk" || word == "PSK" {
		return true
	}
	if len(word) < 3 || len(word) > 40 || openWords[word] {
		return false
	}
	if !strings.ContainsAny(word, "aAkKpPsStTcChH") {
		return false
	}
	low := strings.ToLower(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '.' {
			return -1
		}
		return r
	}, word))
	if openWords[low] {
		return false
	}
	for _, p := range secretParts {
		if strings.Contains(low, p) {
			return true
		}
	}
	if strings.HasPrefix(low, "key") && len(low) < 6 || strings.HasSuffix(low, "key") && len(low) < 12 {
		return true
	}
	return low[0]|0x20 == 'a' && len(low) > 4 && len(low) < 12 && distance(low, "authpass", 3) < 3 || len(low) > 5 && distance(low, "password", 3) < 3
}

// masker hides the secrets of one file.
type masker struct {
	text  string
	out   []byte
	names map[string]bool // of variables that hold secrets
	s     *schema
	// depth counts braces; auth is the depth inside of an authentication block, 0
	// outside. head says that its { is still to come.
	depth, auth int
	head        bool
}

func (m *masker) hide(from, to int) {
	for i := from; i < to; i++ {
		switch b := m.out[i]; {
		case isBlank(b), b == '{', b == '}', b == '"':
		case b == '$':
			p := i + 1
			if p < to && m.text[p] == '{' {
				p++
			}
			q := p
			for q < to && isName(m.text[q]) {
				q++
			}
			m.names[m.text[p:q]] = true
			m.out[i] = '*'
		default:
			m.out[i] = '*'
		}
	}
}

// nameEnd returns the end of the word at i: letters, digits and signs of names.
func nameEnd(s string, i int) int {
	for i < len(s) && (isName(s[i]) || s[i] == '-' || s[i] == '.') {
		i++
	}
	return i
}

// line hides what is secret in the bytes [from, to) of one line. It reports whether the
// value of a secret is still to come.
func (m *masker) line(from, to int, wanted bool) (pending bool) {
	s := m.text[from:to]
	if wanted && strings.TrimSpace(s) != "" {
		m.hide(from, to)
		return false
	}
	if m.auth == 0 && !m.head && !strings.ContainsAny(s, "aAkKpPsStTcChH") {
		m.depth += strings.Count(s, "{") - strings.Count(s, "}")
		return wanted
	}
	first := true // of its segment, which braces end
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '{':
			m.depth++
			if m.head {
				m.head, m.auth = false, m.depth
			}
			first = true
			i++
		case c == '}':
			if m.depth == m.auth {
				m.auth = 0
			}
			m.depth = max(m.depth-1, 0)
			first = true
			i++
		case isName(c):
			end := nameEnd(s, i)
			word := s[i:end]
			if (i == 0 || s[i-1] != '/') && looksSecret(word) {
				value := from + end
				if end < len(s) && (s[end] == '=' || s[end] == ':') {
					value++
				}
				m.hide(value, to)
				return strings.Trim(s[end:], " \t\r=:\"{") == ""
			}
			if first && m.auth > 0 {
				if done := m.inside(from, i, end, to); done {
					return false
				}
			} else if first && (word == "authentication" || len(word) > 6 && distance(strings.ToLower(word), "auth_hmac", 3) < 3 || len(word) > 10 && distance(strings.ToLower(word), "authentication", 4) < 4) {
				m.head = true
			} else if first && m.head {
				m.head = false // another keyword: the { is missing
			}
			first = false
			i = end
		default:
			if !isBlank(c) && first && m.auth > 0 && c != '#' && c != '!' {
				m.hide(from+i, to)
				return false
			}
			i++
		}
	}
	return false
}

// inside deals with the first word of a line in an authentication block. It reports
// whether nothing is left to do for the line.
func (m *masker) inside(from, i, end, to int) bool {
	word := m.text[from+i : from+end]
	stop := to
	if n := strings.IndexByte(m.text[from+end:to], '}'); n >= 0 {
		stop = from + end + n
	}
	rest := strings.TrimSpace(m.text[from+end : stop])
	k := m.s.blocks["vrrp_instance/authentication"].keys[word]
	if k == nil {
		k = m.s.blocks["vrrp_instance/auth_hmac"].keys[word]
	}
	switch {
	case k != nil && word == "auth_type":
		// The type may be said, what follows it may not.
		if value, more, ok := strings.Cut(rest, " "); ok && more != "" {
			at := strings.Index(m.text[from+end:stop], value) + from + end + len(value)
			m.hide(at, stop)
		}
		return false
	case k != nil:
		return false
	case len(m.s.where[word]) > 0:
		m.auth = 0 // a keyword of another block: the } is missing
		return false
	case rest == "" && near(word, []string{"auth_type", "auth_pass", "auth_hmac"}) == "":
		m.hide(from+i, from+end) // a value that stands alone
		return false
	case near(word, []string{"auth_type"}) != "" && (rest == "PASS" || rest == "AH"):
		return false
	}
	m.hide(from+end, stop)
	return stop == to
}

func (c *Config) mask(file int32) []byte {
	text := c.sources[file].text
	m := &masker{text: text, out: []byte(text), names: map[string]bool{}, s: theSchema()}
	wanted := false
	old := c.profile.Version().before(Version{1, 4, 0})
	for from := 0; from < len(text); {
		end := len(text)
		if n := strings.IndexByte(text[from:], '\n'); n >= 0 {
			end = from + n
		}
		wanted = m.line(from, end, wanted)
		if old {
			// Releases without variables take a definition for a keyword.
			if name, _, ok := strings.Cut(strings.TrimLeft(text[from:end], " \t"), "="); ok && strings.HasPrefix(name, "$") {
				m.hide(from+strings.IndexByte(text[from:end], '=')+1, end)
			}
		}
		from = end + 1
	}
	// The definitions of variables that hold a secret, and of those in them.
	for range 8 {
		before := len(m.names)
		for _, d := range c.defs {
			if m.names[d.name] && d.line.file == file {
				line := text[d.line.from:d.line.to]
				if n := strings.IndexByte(line, '='); n >= 0 {
					m.out = append(m.out[:0:0], m.out...)
					copy(m.out[int(d.line.from)+n+1:d.line.to], text[int(d.line.from)+n+1:d.line.to])
					m.hide(int(d.line.from)+n+1, int(d.line.to))
				}
			}
		}
		if len(m.names) == before {
			break
		}
	}
	return m.out
}

// quotedPart is a word of the configuration in a message.
var quotedPart = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// secrets are the words of a file that its mask hides.
type secrets struct {
	mask  []byte
	words map[string]bool
}

func (c *Config) secretsOf(file int32) *secrets {
	s := &secrets{mask: c.mask(file), words: map[string]bool{}}
	text := c.sources[file].text
	for i := 0; i < len(text); {
		if text[i] == s.mask[i] {
			i++
			continue
		}
		k := i
		for k < len(text) && text[k] != s.mask[k] {
			k++
		}
		w := text[i:k]
		s.words[w] = true
		for _, p := range strings.FieldsFunc(w, func(r rune) bool { return r == '\'' || r == '=' || r == ',' || r == ';' || r == ':' }) {
			s.words[p] = true
		}
		i = k
	}
	return s
}

// hides reports whether the mask hides something of a place.
func (s *secrets) hides(text string, from, to int32) bool {
	for i := int(from); i < int(to) && i < len(text); i++ {
		if text[i] != s.mask[i] {
			return true
		}
	}
	return false
}

// clean takes the secrets out of a text. near says that the text speaks of a place that
// is hidden in part: then it may quote nothing but keywords.
func (s *secrets) clean(text string, near bool) string {
	if text == "" || len(s.words) == 0 {
		return text
	}
	text = quotedPart.ReplaceAllStringFunc(text, func(q string) string {
		w, err := strconv.Unquote(q)
		if err != nil || s.words[w] || s.words[strings.TrimSuffix(w, "...")] {
			return `"***"`
		}
		if near && len(theSchema().where[w]) == 0 && w != "{" && w != "}" && w != "#" && w != "!" && w != "" {
			return `"***"`
		}
		return q
	})
	fields := strings.FieldsFunc(text, func(r rune) bool {
		return r < 0x80 && (isBlank(byte(r)) || r == '=' || r == '"' || r == '\'' || r == ';' || r == ':' || r == ',' || r == '(' || r == ')')
	})
	for _, f := range fields {
		if len(f) > 1 && s.words[f] && len(theSchema().where[f]) == 0 && f != "PASS" && f != "AH" {
			text = strings.ReplaceAll(text, f, "***")
		}
	}
	return text
}
