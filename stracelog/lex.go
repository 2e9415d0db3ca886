package stracelog

import "bytes"

// Two things hide the punctuation of a line: strings in quotes and, after a descriptor or a pid, paths, sockets and
// commands in angle brackets. Everything here jumps from one to the next with bytes.IndexByte.

// quoteEnd returns the index behind the string that opens at v[i], or -1 when it does not close before lim.
func quoteEnd(v []byte, i, lim int) int {
	for j := i + 1; j < lim; {
		k := bytes.IndexByte(v[j:lim], '"')
		if k < 0 {
			return -1
		}
		k += j
		b := k
		for b > j && v[b-1] == '\\' {
			b--
		}
		if (k-b)&1 == 0 {
			return k + 1
		}
		j = k + 1
	}
	return -1
}

// angleEnd returns the index behind the annotation that opens at v[i], or -1 when it does not close before lim. strace
// escapes <, > and quotes in paths and commands; a UNIX socket holds a path in real quotes, and "->" is an arrow.
func angleEnd(v []byte, i, lim int) int {
	depth := 0
	for j := i; j < lim; j++ {
		switch v[j] {
		case '\\':
			j++
		case '"':
			k := quoteEnd(v, j, lim)
			if k < 0 {
				return -1
			}
			j = k - 1
		case '<':
			depth++
		case '>':
			if v[j-1] == '-' {
				continue
			}
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return -1
}

// opensAngle reports whether the '<' at v[i] begins an annotation: it stands directly behind a number or a word such as
// AT_FDCWD, and is not the shift of 1<<CAP_CHOWN.
func opensAngle(v []byte, i int) bool {
	return i > 0 && isAlnum(v[i-1]) && i+1 < len(v) && v[i+1] != '<' && v[i+1] != '='
}

// afterQuote reports whether c may follow a closing quote.
func afterQuote(c byte) bool {
	switch c {
	case ',', '.', ')', ']', '}', ' ', '>', '=', '|', '/', ';':
		return true
	}
	return false
}

// clear reports whether v[i] is reached from v[from] outside strings and annotations. When it is not, bad is the index
// of what was open, or of the string whose end is followed by something that cannot follow a string.
func clear(v []byte, from, i int) (ok bool, bad int) {
	nq := bytes.IndexByte(v[from:i], '"')
	na := bytes.IndexByte(v[from:i], '<')
	if nq < 0 && na < 0 {
		return true, 0
	}
	nq, na = at(nq, from), at(na, from)
	for nq >= 0 || na >= 0 {
		end := 0
		switch {
		case na >= 0 && (nq < 0 || na < nq):
			end = na + 1
			if opensAngle(v, na) {
				if end = angleEnd(v, na, i); end < 0 {
					return false, na
				}
			} else if v[end] == '<' {
				end++
			}
		default:
			if end = quoteEnd(v, nq, i); end < 0 || !afterQuote(v[end]) {
				return false, nq
			}
		}
		if end >= i {
			return end == i, i
		}
		if nq >= 0 && nq < end {
			nq = at(bytes.IndexByte(v[end:i], '"'), end)
		}
		if na >= 0 && na < end {
			na = at(bytes.IndexByte(v[end:i], '<'), end)
		}
	}
	return true, 0
}

// clearFast is clear for the common line. Strings are checked one by one, so that one that does not close is found; annotations
// are looked at only when one could reach over v[i], which takes a '>' behind it. Their quotes are balanced or escaped.
func clearFast(v []byte, from, i, end int) (ok bool, bad int) {
	for j := from; ; {
		k := bytes.IndexByte(v[j:i], '"')
		if k < 0 {
			break
		}
		e := quoteEnd(v, j+k, i)
		if e < 0 || !afterQuote(v[e]) {
			return false, j + k
		}
		j = e
	}
	if end-i > 5 && bytes.IndexByte(v[i+1:end], '>') >= 0 {
		return clear(v, from, i)
	}
	return true, 0
}

// at makes an index relative to base absolute and leaves -1.
func at(i, base int) int {
	if i < 0 {
		return -1
	}
	return i + base
}
