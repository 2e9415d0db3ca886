package stracelog

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"
)

// prefix reads what strace prints before the body of a line,
//
//	pid | [secontext] | absolute time | relative time | [scno] | [ip]
//
// each of it optional, and returns the index of the body.
func (r *Reader) prefix(e *Event, v []byte) int {
	i := 0
	if len(v) > 0 && isDigit(v[0]) {
		if i = r.known.column(e, v); i == 0 {
			i = r.pidColumn(e, v)
			r.known.learn(e, v, i)
		}
		if i > 0 {
			if j := r.known.epoch(e, v, i); j > 0 {
				return j
			}
		}
	} else {
		i = r.brackets(e, v, 0)
	}
	if i < len(v) && (isDigit(v[i]) || v[i] == ' ') {
		if j := r.time(e, v, i); j > i {
			i = j
			if i+2 < len(v) && v[i] == '(' && (v[i+1] == '+' || v[i+1] == '-') {
				i = r.delta(e, v, i)
			}
		}
	}
	if i < len(v) && v[i] == '[' {
		i = r.brackets(e, v, i)
	}
	return i
}

// known remembers the last pid columns and the last second: most lines begin with one of them, and comparing eight bytes is
// several times faster than reading them (BenchmarkEvents).
type known struct {
	pids  [8]knownPID // by the low bits of the fourth and fifth byte
	sec   time.Duration
	word  uint64 // the first eight digits of the second
	last2 uint16 // the two after them
}

type knownPID struct {
	word, mask uint64
	pid, n     int
}

// column returns the length of the pid column when it is known, else 0.
func (k *known) column(e *Event, v []byte) int {
	if len(v) < 8 {
		return 0
	}
	p := &k.pids[(v[4]^v[3]<<1)&7]
	if p.n == 0 || (binary.LittleEndian.Uint64(v)^p.word)&p.mask != 0 || v[p.n] == ' ' || v[p.n] == '[' {
		return 0
	}
	e.PID = p.pid
	return p.n
}

// learn takes a column of n bytes that was read the long way. Only columns with nothing but digits and blanks are taken.
func (k *known) learn(e *Event, v []byte, n int) {
	if n < 6 || n > 7 || len(v) < 8 || e.PID == 0 || e.Comm != nil || v[n-1] != ' ' || v[n] == ' ' {
		return
	}
	mask := uint64(1)<<(8*n) - 1
	k.pids[(v[4]^v[3]<<1)&7] = knownPID{word: binary.LittleEndian.Uint64(v) & mask, mask: mask, pid: e.PID, n: n}
}

// nameEnd returns the length of the name before a bracket at the beginning of v; 0 without one.
func nameEnd(v []byte) int {
	p := 0
	for p < len(v) && nameByte[v[p]] {
		p++
	}
	if p == 0 || p == len(v) || v[p] != '(' || isDigit(v[0]) {
		return 0
	}
	return p
}

// epoch reads a time of -ttt in a second that is known, when the body follows directly; else it returns 0.
func (k *known) epoch(e *Event, v []byte, i int) int {
	if len(v) < i+20 || binary.LittleEndian.Uint64(v[i:]) != k.word || binary.LittleEndian.Uint16(v[i+8:]) != k.last2 || v[i+10] != '.' || v[i+17] != ' ' {
		return 0
	}
	if c := v[i+18]; c == '(' || c == '[' {
		return 0
	}
	us, ok := digits8(binary.LittleEndian.Uint64(v[i+11:])<<16 | 0x3030)
	if !ok {
		return 0
	}
	e.Time.Form, e.Time.Digits, e.Time.At = Epoch, 6, k.sec+time.Duration(us)*time.Microsecond
	return i + 18
}

// pidColumn reads the number that -f -o prints first, with its command under -Y. A number of more than 7 digits is no pid.
func (r *Reader) pidColumn(e *Event, v []byte) int {
	n, i := 0, 0
	for i < len(v) && i < 8 && isDigit(v[i]) {
		n = n*10 + int(v[i]-'0')
		i++
	}
	if i == 8 || i == len(v) {
		return 0
	}
	switch v[i] {
	case '<':
		j := angleEnd(v, i, len(v))
		if j < 0 || j == len(v) || v[j] != ' ' {
			return 0
		}
		e.Comm = v[i+1 : j-1]
		r.rare, r.format.Comm = true, true
		i = j
	case ' ':
	default:
		return 0
	}
	e.PID = n
	r.format.PID = PIDColumn
	// The pid is padded to five columns and one blank; -r alone pads its seconds with more.
	i++
	for i < 6 && i < len(v) && v[i] == ' ' {
		i++
	}
	if i < len(v) && v[i] == '[' {
		return r.brackets(e, v, i)
	}
	return i
}

// time reads one time stamp with its blank and returns the index behind it, or i when there is none.
func (r *Reader) time(e *Event, v []byte, i int) int {
	s := v[i:]
	// -ttt: ten digits, a dot, six digits, a blank.
	if len(s) > 19 && s[10] == '.' && s[17] == ' ' {
		hi, ok1 := digits8(binary.LittleEndian.Uint64(s))
		lo, ok2 := digits8(binary.LittleEndian.Uint64(s[11:])<<16 | 0x3030)
		if ok1 && ok2 && isDigit(s[8]) && isDigit(s[9]) {
			sec := int64(hi)*100 + int64(s[8]-'0')*10 + int64(s[9]-'0')
			e.Time = Time{Form: Epoch, Digits: 6, At: time.Duration(sec)*time.Second + time.Duration(lo)*time.Microsecond}
			r.format.Time, r.format.Digits = Epoch, 6
			r.known.sec, r.known.word, r.known.last2 = time.Duration(sec)*time.Second, binary.LittleEndian.Uint64(s), binary.LittleEndian.Uint16(s[8:])
			return i + 18
		}
	}
	if len(s) > 8 && s[2] == ':' && s[5] == ':' {
		return r.clock(e, v, i)
	}
	j := i
	for j < len(v) && v[j] == ' ' {
		j++
	}
	sec, k, ok := number(v, j)
	if !ok || k == len(v) {
		return i
	}
	ns, digits, m := fraction(v, k)
	if m >= len(v) || v[m] != ' ' || sec > math.MaxInt64/int64(time.Second)-1 {
		return i
	}
	at := time.Duration(sec)*time.Second + ns
	switch {
	case k-j >= 9 && j == i:
		e.Time = Time{Form: Epoch, Digits: digits, At: at}
	case k-i >= 6: // %6ld
		e.Time = Time{Form: Relative, Digits: digits, At: r.axis.relative(at), HasDelta: true, Delta: at}
	default:
		return i
	}
	r.format.Time, r.format.Digits = e.Time.Form, digits
	return m + 1
}

func (r *Reader) clock(e *Event, v []byte, i int) int {
	s := v[i:]
	for _, k := range [...]int{0, 1, 3, 4, 6, 7} {
		if !isDigit(s[k]) {
			return i
		}
	}
	two := func(k int) time.Duration { return time.Duration(s[k]-'0')*10 + time.Duration(s[k+1]-'0') }
	h, m, sec := two(0), two(3), two(6)
	if h > 23 || m > 59 || sec > 60 {
		return i
	}
	ns, digits, end := fraction(v, i+8)
	if end >= len(v) || v[end] != ' ' {
		return i
	}
	at := h*time.Hour + m*time.Minute + sec*time.Second + ns
	e.Time = Time{Form: Clock, Digits: digits, At: r.axis.clock(at)}
	r.format.Time, r.format.Digits = Clock, digits
	return end + 1
}

// delta reads "(+     0.000323) ".
func (r *Reader) delta(e *Event, v []byte, i int) int {
	j := i + 2
	for j < len(v) && v[j] == ' ' {
		j++
	}
	sec, k, ok := number(v, j)
	if !ok || sec > math.MaxInt64/int64(time.Second)-1 {
		return i
	}
	ns, _, m := fraction(v, k)
	if m+1 >= len(v) || v[m] != ')' || v[m+1] != ' ' {
		return i
	}
	e.Time.HasDelta = true
	e.Time.Delta = time.Duration(sec)*time.Second + ns
	if v[i+1] == '-' {
		e.Time.Delta = -e.Time.Delta
	}
	r.format.Delta = true
	return m + 2
}

// brackets reads any number of [pid 7] [context] [scno] [ip] and returns the index behind the last.
func (r *Reader) brackets(e *Event, v []byte, i int) int {
	for i < len(v) && v[i] == '[' {
		if bytes.HasPrefix(v[i:], []byte("[pid ")) {
			j := r.pidBracket(e, v, i)
			if j == i {
				return i
			}
			i = j
			continue
		}
		n := bytes.Index(v[i:], []byte("] "))
		if n < 0 || !r.bracket(e, v[i+1:i+n]) {
			return i
		}
		i += n + 2
	}
	return i
}

// pidBracket reads "[pid  1320] " or "[pid 25657<php>] ".
func (r *Reader) pidBracket(e *Event, v []byte, i int) int {
	j := i + 5
	for j < len(v) && v[j] == ' ' {
		j++
	}
	n, k, ok := number(v, j)
	if !ok || k-j > 10 || k == len(v) {
		return i
	}
	var comm []byte
	if v[k] == '<' {
		c := angleEnd(v, k, len(v))
		if c < 0 {
			return i
		}
		comm, k = v[k+1:c-1], c
	}
	if !bytes.HasPrefix(v[k:], []byte("] ")) {
		return i
	}
	e.PID = int(n)
	r.format.PID = PIDBracket
	if comm != nil {
		e.Comm = comm
		r.rare, r.format.Comm = true, true
	}
	return k + 2
}

// bracket takes the content of one bracket other than [pid 7]: a system call number is decimal and four wide at
// least, an instruction pointer has 8 or 16 hexadecimal digits, a security context has colons.
func (r *Reader) bracket(e *Event, b []byte) bool {
	switch {
	case len(b) == 0 || b[0] == ' ' && len(b) > 4:
		return false
	case len(b) == 8 || len(b) == 16:
		var ip uint64
		unreadable := true
		for _, c := range b {
			d := hexValue(c)
			if c != '?' {
				unreadable = false
				if d < 0 {
					return r.context(e, b)
				}
			}
			ip = ip<<4 | uint64(d&15)
		}
		if !unreadable {
			e.IP = ip
		}
		r.rare, r.format.IP = true, true
		return true
	}
	d := bytes.TrimLeft(b, " ")
	if n, k, ok := number(d, 0); ok && k == len(d) && n <= math.MaxInt32 {
		e.NR = int(n)
		r.rare, r.format.NR = true, true
		return true
	}
	if string(b) == "????" {
		r.format.NR = true
		return true
	}
	return r.context(e, b)
}

func (r *Reader) context(e *Event, b []byte) bool {
	if bytes.IndexByte(b, ':') <= 0 || bytes.IndexByte(b, ' ') >= 0 {
		return false
	}
	e.Context = b
	r.rare, r.format.Context = true, true
	return true
}

func isDigit(c byte) bool { return c-'0' < 10 }

func isAlnum(c byte) bool { return isDigit(c) || c|0x20-'a' < 26 || c == '_' }

// hexValue returns the value of a hexadecimal digit, or -1.
func hexValue(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}

// number reads decimal digits at v[i:]; ok is false without digits or past 63 bits. It returns the index behind them.
func number(v []byte, i int) (n int64, end int, ok bool) {
	j := i
	for j < len(v) && isDigit(v[j]) {
		d := int64(v[j] - '0')
		if n > (math.MaxInt64-d)/10 {
			return 0, i, false
		}
		n = n*10 + d
		j++
	}
	return n, j, j > i
}

// fraction reads ".123456" at v[i:] as nanoseconds, at most nine digits; without a dot it reads nothing.
func fraction(v []byte, i int) (ns time.Duration, digits uint8, end int) {
	if i >= len(v) || v[i] != '.' {
		return 0, 0, i
	}
	j := i + 1
	for j < len(v) && isDigit(v[j]) && digits < 9 {
		ns = ns*10 + time.Duration(v[j]-'0')
		digits++
		j++
	}
	for k := digits; k < 9; k++ {
		ns *= 10
	}
	return ns, digits, j
}

// digits8 reads eight decimal digits from a little-endian word: three multiplications instead of eight.
func digits8(x uint64) (n uint64, ok bool) {
	x ^= 0x3030303030303030
	if (x|(x+0x0606060606060606))&0xf0f0f0f0f0f0f0f0 != 0 {
		return 0, false
	}
	x = x*10 + x>>8
	return ((x&0x000000ff000000ff)*(1000000<<32|100) + (x>>16&0x000000ff000000ff)*(10000<<32|1)) >> 32, true
}
