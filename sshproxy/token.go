package sshproxy

import "strings"

// blank reports whether a byte separates words for the reader of keywords.
func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func skipBlanks(s string) string {
	for s != "" && blank(s[0]) {
		s = s[1:]
	}
	return s
}

// trimLine cuts a line at its first NUL, as a C string ends there, and takes blanks
// and form feeds from its end. The first byte stays whatever it is.
func trimLine(s string) string {
	if i := strings.IndexByte(s, 0); i >= 0 {
		s = s[:i]
	}
	for len(s) > 1 && (blank(s[len(s)-1]) || s[len(s)-1] == '\f') {
		s = s[:len(s)-1]
	}
	return s
}

// words reads the tokens of a line as clients before 8.7 did throughout, and as all
// clients read the keyword: up to a blank, or one '=' with blanks around it, or up to
// the quote that closes one which opened anywhere in the token.
type words struct {
	rest string
	done bool // nothing is left, not even an empty token
}

// next returns the next token. ok is false at the end and where a quote is not
// closed.
func (w *words) next(splitEqual bool) (token string, ok bool) {
	if w.done {
		return "", false
	}
	s := w.rest
	i := 0
	for i < len(s) && !blank(s[i]) && s[i] != '"' && (s[i] != '=' || !splitEqual) {
		i++
	}
	if i == len(s) {
		w.done, w.rest = true, ""
		return s, true
	}
	if s[i] == '"' {
		end := strings.IndexByte(s[i+1:], '"')
		if end < 0 {
			w.done, w.rest = true, ""
			return "", false
		}
		token = s[i+1 : i+1+end]
		if i > 0 {
			token = s[:i] + token
		}
		w.rest = skipBlanks(s[i+1+end+1:])
		return token, true
	}
	equal := s[i] == '='
	token = s[:i]
	s = skipBlanks(s[i+1:])
	if splitEqual && !equal && s != "" && s[0] == '=' {
		s = skipBlanks(s[1:])
	}
	w.rest = s
	return token, true
}

// splitKeyword returns the keyword of a trimmed line and the rest. ok is false for a
// line without one: blank, a comment, or a quote that is not closed, which clients
// pass over in silence. none reports that nothing follows, not even an empty token.
func splitKeyword(line string) (keyword, rest string, none, ok bool) {
	w := words{rest: line}
	keyword, ok = w.next(true)
	if ok && keyword == "" {
		keyword, ok = w.next(true)
	}
	if !ok || keyword == "" || keyword[0] == '#' {
		return "", "", true, false
	}
	return keyword, w.rest, w.done, true
}

// special marks the bytes that a plain argument does not hold.
var special = [256]bool{' ': true, '\t': true, '"': true, '\'': true, '\\': true, '#': true}

// splitArguments splits what follows a keyword as clients do since 8.7: quotes of
// both kinds may begin within a word, a backslash escapes a quote, itself, or outside
// of quotes a blank, and # at the start of a word ends the line. It appends to dst.
// ok is false when a quote is not closed.
func splitArguments(dst []string, s string) (list []string, ok bool) {
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		if s[i] == '#' {
			break
		}
		start := i
		for i < len(s) && (!special[s[i]] || s[i] == '#') {
			i++
		}
		if i == len(s) || s[i] == ' ' || s[i] == '\t' {
			dst = append(dst, s[start:i])
			continue
		}
		word, end, closed := quotedWord(s, start)
		if !closed {
			return dst, false
		}
		dst = append(dst, word)
		i = end
	}
	return dst, true
}

// quotedWord reads one word that holds quotes or backslashes, from start.
func quotedWord(s string, start int) (word string, end int, closed bool) {
	var b strings.Builder
	var quote byte
	i := start
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '"' || s[i+1] == '\\' || quote == 0 && s[i+1] == ' '):
			i++
			b.WriteByte(s[i])
		case quote == 0 && (c == ' ' || c == '\t'):
			return b.String(), i, true
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), i, quote == 0
}

// lower returns s with ASCII letters in lower case, s itself when there are none.
func lower(s string) string {
	for i := range len(s) {
		if s[i]-'A' < 26 {
			b := []byte(s)
			for ; i < len(b); i++ {
				if b[i]-'A' < 26 {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// equalFold compares without regard to the case of ASCII letters.
func equalFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		x, y := a[i], b[i]
		if x-'A' < 26 {
			x += 'a' - 'A'
		}
		if y-'A' < 26 {
			y += 'a' - 'A'
		}
		if x != y {
			return false
		}
	}
	return true
}
