package stracelog

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"
)

// nameByte holds the bytes of a system call's name; ???? stands for one that strace could not read.
var nameByte = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c)) || c == '?'
	}
	return t
}()

// call reads "name(args) = ret <dur>" at v[i:], or a cut form of it. It returns false when there is no name and bracket.
func (r *Reader) call(e *Event, v []byte, i int) bool {
	p := i
	for p < len(v) && nameByte[v[p]] {
		p++
	}
	if p == len(v) || v[p] != '(' {
		return false
	}
	e.Kind = Syscall
	e.Name = v[i:p]
	r.rest(e, v, p+1)
	return true
}

// rest reads what follows the opening bracket, or "resumed>", at v[i:].
func (r *Reader) rest(e *Event, v []byte, i int) {
	if !r.plain(e, v, i) {
		r.other(e, v, i)
	}
}

// other reads every rest that is not plain.
func (r *Reader) other(e *Event, v []byte, i int) {
	if n := len(v) - len(markUnfinished); n >= i && v[n] == '<' && string(v[n:]) == "<unfinished ...>" {
		if ok, _ := clearFast(v, i, n, n); ok {
			r.unfinished(e)
			e.Args.src = trimMark(v[i:], len(markUnfinished))
			r.argumentFlags(e)
			return
		}
	}
	end := r.duration(e, v, i)
	bad := -1
	if q, ret := lastResult(v, i, end); q >= 0 {
		ok, b := clearFast(v, i, q, end)
		if ok && r.result(e, v[ret:end]) {
			e.Args.src = v[i:q]
			r.argumentFlags(e)
			return
		}
		bad = b
	}
	r.uncommon(e, v, i, end, bad)
}

// plain reads the rest that most lines have, "args) = N <0.000007>" with N in plain decimals, from its end, without a call.
// It says what other would; on anything else it returns false and has set nothing.
func (r *Reader) plain(e *Event, v []byte, i int) bool {
	end := len(v) - 11
	if end-i < 5 || r.long {
		return false
	}
	t := v[end : end+11]
	if t[0] != ' ' || t[1] != '<' || t[3] != '.' || t[10] != '>' {
		return false
	}
	us, ok := digits8(binary.LittleEndian.Uint64(t[3:])<<8&^0xffff | 0x3030)
	if !ok || !isDigit(t[2]) {
		return false
	}
	var value, unit int64 = 0, 1
	k := end - 1
	for ; k > i && isDigit(v[k]); k-- {
		value += int64(v[k]-'0') * unit
		unit *= 10
	}
	digits := end - 1 - k
	if digits == 0 || digits > 18 || digits > 1 && v[k+1] == '0' || k-i < 3 || v[k] != ' ' || v[k-1] != '=' || v[k-2] != ' ' {
		return false
	}
	q := k - 3
	for q > i && v[q] == ' ' {
		q--
	}
	if q < i || v[q] != ')' {
		return false
	}
	args := v[i:q]
	for a := args; ; { // every string must close, or the bracket found could be inside one
		b := bytes.IndexByte(a, '"')
		if b < 0 {
			break
		}
		z := bytes.IndexByte(a[b+1:], '"') + b + 2
		if z == b+1 || a[z-2] == '\\' {
			z = quoteEnd(a, b, len(a))
		}
		if z < 0 || z < len(a) && !afterQuote(a[z]) {
			return false
		}
		a = a[z:]
	}
	if n := len(args); n > 16 && (args[0] == '<' || args[n-1] == '>') {
		return false
	}
	e.Args.src = args
	e.Ret.Kind, e.Ret.Int, e.Ret.Raw = RetInt, value, v[k+1:end]
	e.Dur, e.HasDur = time.Duration(t[2]-'0')*time.Second+time.Duration(us)*time.Microsecond, true
	r.format.Durations = true
	return true
}

func (r *Reader) unfinished(e *Event) {
	e.Flags |= Unfinished
	r.openLine, r.openPID = e.Line, e.PID
	r.openName = append(r.openName[:0], e.Name...)
}

// duration takes " <0.000007>" from the end of the line and returns the index where it begins.
func (r *Reader) duration(e *Event, v []byte, from int) int {
	n := len(v)
	if n-from < 4 || v[n-1] != '>' {
		return n
	}
	if n-from > 11 && v[n-10] == '<' && v[n-8] == '.' && v[n-11] == ' ' { // one digit, six decimals
		us, ok := digits8(binary.LittleEndian.Uint64(v[n-8:])<<8&^0xffff | 0x3030)
		if ok && isDigit(v[n-9]) {
			e.Dur = time.Duration(v[n-9]-'0')*time.Second + time.Duration(us)*time.Microsecond
			e.HasDur = true
			r.format.Durations = true
			return n - 11
		}
	}
	j := n - 2
	for j > from && (isDigit(v[j]) || v[j] == '.') && n-j < 32 {
		j--
	}
	if v[j] != '<' || j == from || v[j-1] != ' ' {
		return n
	}
	sec, k, ok := number(v, j+1)
	if !ok || sec > 1<<33 {
		return n
	}
	ns, _, m := fraction(v, k)
	if m != n-1 {
		return n
	}
	e.Dur, e.HasDur = time.Duration(sec)*time.Second+ns, true
	r.format.Durations = true
	return j - 1
}

// lastResult finds the last ") = " in v[from:end]: the index of its bracket, and of what follows; -1 without one. Outside
// strings and annotations there is at most one, so what is found has only to be shown clear.
func lastResult(v []byte, from, end int) (bracket, ret int) {
	for k := end - 2; k > from; k-- {
		if v[k] != '=' || v[k+1] != ' ' || v[k-1] != ' ' {
			continue
		}
		q := k - 1
		for q > from && v[q] == ' ' {
			q--
		}
		if v[q] == ')' {
			return q, k + 2
		}
	}
	return -1, 0
}

// firstResult finds the first ") = " that is outside strings and annotations. bad is what stood open when there is none.
func firstResult(v []byte, from, end int) (bracket, ret, bad int) {
	for i := from; i < end; i++ {
		switch v[i] {
		case '"':
			j := quoteEnd(v, i, end)
			if j < 0 || j < end && !afterQuote(v[j]) {
				return -1, 0, i
			}
			i = j - 1
		case '<':
			switch {
			case opensAngle(v, i):
				j := angleEnd(v, i, end)
				if j < 0 {
					return -1, 0, i
				}
				i = j - 1
			case i+1 < end && v[i+1] == '<':
				i++
			}
		case ')':
			k := i + 1
			for k < end && v[k] == ' ' {
				k++
			}
			if k > i+1 && k+1 < end && v[k] == '=' && v[k+1] == ' ' {
				return i, k + 2, -1
			}
		}
	}
	return -1, 0, -1
}

// result reads a return value with all that may follow it, up to the duration. It returns false when s is no result.
func (r *Reader) result(e *Event, s []byte) bool {
	n := len(s)
	if n == 0 {
		return false
	}
	t := &e.Ret
	if n == 1 && isDigit(s[0]) { // most calls return 0
		t.Kind, t.Int, t.Raw = RetInt, int64(s[0]-'0'), s
		return true
	}
	k := 0
	switch c := s[0]; {
	case c == '?':
		t.Kind, k = RetUnknown, 1
	case c == '0' && n > 1 && s[1] == 'x':
		t.Kind, k = RetHex, 2
		var x uint64
		for k < n && hexValue(s[k]) >= 0 {
			x = x<<4 | uint64(hexValue(s[k]))
			k++
		}
		t.Int = int64(x)
	case isDigit(c) || c == '-' && n > 1 && isDigit(s[1]):
		t.Kind = RetInt
		if c == '-' {
			k = 1
		}
		if c == '0' && n > 1 && isDigit(s[1]) {
			t.Kind = RetOctal
			for k < n && s[k]-'0' < 8 {
				t.Int = t.Int<<3 | int64(s[k]-'0')
				k++
			}
			break
		}
		var x uint64
		for k < n && isDigit(s[k]) {
			x = x*10 + uint64(s[k]-'0')
			k++
		}
		if t.Int = int64(x); c == '-' {
			t.Int = -t.Int
		}
	default:
		return false
	}
	t.Raw = s
	if k > 19 && t.past64(s[:k]) {
		e.Flags |= Damaged
		r.fail(e, 0, "the result does not fit in 64 bits")
	}
	if k == n {
		return true
	}
	return r.afterValue(e, s, k)
}

// past64 reports whether the number s is one that t.Int cannot hold.
func (t *Ret) past64(s []byte) bool {
	switch t.Kind {
	case RetInt:
		_, err := strconv.ParseInt(string(s), 10, 64)
		_, err2 := strconv.ParseUint(string(s), 10, 64)
		return err != nil && err2 != nil
	case RetHex:
		return len(bytes.TrimLeft(s[2:], "0")) > 16
	case RetOctal:
		return len(bytes.TrimLeft(s, "0")) > 21
	}
	return false
}

// afterValue reads annotation, errno, groups and marks behind a return value.
func (r *Reader) afterValue(e *Event, s []byte, k int) bool {
	if s[k] == '<' {
		j := angleEnd(s, k, len(s))
		if j < 0 {
			return false
		}
		k = j
		r.format.Paths = true
		k += len(s[k:]) - len(bytes.TrimPrefix(s[k:], []byte("(deleted)")))
	}
	if k == len(s) {
		return true
	}
	if s[k] != ' ' {
		return false
	}
	b := s[k+1:]
	switch {
	case len(b) > 1 && b[0] == 'E' && b[1]-'A' < 26:
		j := 0
		for j < len(b) && (b[j]-'A' < 26 || isDigit(b[j]) || b[j] == '_') {
			j++
		}
		e.Ret.Errno = b[:j]
		b = b[j:]
	case bytes.HasPrefix(b, []byte("(errno ")):
		if j := bytes.IndexByte(b, ')'); j > 7 {
			e.Ret.Errno = b[7:j]
			b = b[j+1:]
		}
	case bytes.HasPrefix(b, []byte("<unavailable>")):
		b = b[len("<unavailable>"):]
	default:
		b = s[k:]
	}
	if len(b) == 0 {
		return true
	}
	if len(b) < 3 || b[0] != ' ' || b[1] != '(' || b[len(b)-1] != ')' {
		return false
	}
	if b[len(b)-2] == 'D' {
		if bytes.Contains(b, []byte(" (INJECTED)")) {
			e.Flags |= Injected
		}
		if bytes.HasSuffix(b, []byte(" (DELAYED)")) {
			e.Flags |= Delayed
		}
	}
	return true
}

// argumentFlags looks at the few arguments that say something of the line itself.
func (r *Reader) argumentFlags(e *Event) {
	if a := e.Args.src; len(a) > 16 {
		if a[0] == '<' && bytes.HasPrefix(a, []byte("<... resuming interrupted ")) {
			e.Flags |= Restarted
		} else if a[len(a)-1] == '>' && bytes.HasSuffix(a, markUnfinished) {
			e.Flags |= Incomplete // killed inside the call
			e.Args.src = trimMark(a, len(markUnfinished))
		}
	}
}

// trimMark cuts a mark of n bytes and the one blank before it.
func trimMark(a []byte, n int) []byte {
	a = a[:len(a)-n]
	if len(a) > 0 && a[len(a)-1] == ' ' {
		a = a[:len(a)-1]
	}
	return a
}

// uncommon reads the body at v[i:end] when the plain way failed: results inside paths, halves, cut and damaged lines.
func (r *Reader) uncommon(e *Event, v []byte, i, end, bad int) {
	q, ret, open := firstResult(v, i, end)
	if q >= 0 && r.result(e, v[ret:end]) {
		e.Args.src = v[i:q]
		r.argumentFlags(e)
		return
	}
	e.Ret = Ret{}
	if open < 0 {
		switch {
		case bytes.HasSuffix(v[i:], markUnfinished):
			r.unfinished(e)
			e.Args.src = trimMark(v[i:], len(markUnfinished))
			r.argumentFlags(e)
			return
		case bytes.HasSuffix(v[i:], markDetached), bytes.HasSuffix(v[i:], []byte(":No such process>")):
			if k := bytes.LastIndexByte(v[i:], '<'); k >= 0 {
				e.Flags |= Detached | Incomplete
				e.Args.src = trimMark(v[i:], len(v)-i-k)
				r.argumentFlags(e)
				return
			}
		}
	}
	if open >= 0 {
		bad = open
	}
	r.recover(e, v, i, end, bad)
}

// recover reads what it can of a damaged body. A published log may have lost bytes inside a string, so that its end
// looks like an escaped quote: `\"...` and `, ` are taken for the end of the string; failing that, the last result counts.
func (r *Reader) recover(e *Event, v []byte, i, end, bad int) {
	e.Flags |= Damaged
	if bad < i {
		bad = i
	}
	reason := "the call has no result: the line is cut"
	if bad < len(v) && v[bad] == '"' {
		reason = "the string is not closed"
	} else if bad < len(v) && v[bad] == '<' {
		reason = "the annotation is not closed"
	}
	r.fail(e, bad, reason)
	from := i
	for {
		k := bytes.Index(v[from:end], []byte(`\"..., `))
		if k < 0 {
			break
		}
		from += k + 5
		if q, ret, _ := firstResult(v, from, end); q >= 0 && r.result(e, v[ret:end]) {
			e.Args.src = v[i:q]
			return
		}
	}
	if q, ret := lastResult(v, i, end); q >= 0 && r.result(e, v[ret:end]) {
		e.Args.src = v[i:q]
		return
	}
	e.Ret = Ret{}
	e.Flags |= Incomplete
	e.Args.src = v[i:end]
}

// resumed reads "<... name resumed>" and what follows.
func (r *Reader) resumed(e *Event, v []byte, i int) bool {
	p := i + len(markResumed)
	from := p
	for p < len(v) && nameByte[v[p]] {
		p++
	}
	if p == from || !bytes.HasPrefix(v[p:], []byte(" resumed>")) {
		return false
	}
	e.Kind = Syscall
	e.Flags |= Resumed
	e.Name = v[from:p]
	p += len(" resumed>")
	if p < len(v) && v[p] == ' ' && !bytes.HasPrefix(v[p:], []byte(" =>")) {
		r.format.OldResumed = true
		p++
	}
	r.rest(e, v, p)
	return true
}
