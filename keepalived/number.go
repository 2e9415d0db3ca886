package keepalived

import (
	"math"
	"strconv"
	"strings"
)

// cNumber reads a number as strtol and strtoul do: white space, a sign, digits. whole
// reports that nothing is left; over that it does not fit into 64 bits.
func cNumber(s string) (v int64, whole, over bool) {
	t := strings.TrimLeft(s, blanks)
	neg := false
	if t != "" && (t[0] == '-' || t[0] == '+') {
		neg = t[0] == '-'
		t = t[1:]
	}
	n := 0
	for n < len(t) && isDigit(t[n]) {
		n++
	}
	if n == 0 {
		return 0, s == "", false
	}
	u, err := strconv.ParseUint(t[:n], 10, 64)
	if err != nil || u > math.MaxInt64 {
		u, over = math.MaxInt64, true
	}
	v = int64(u)
	if neg {
		v = -v
	}
	return v, n == len(t), over
}

// number reads word i as a whole number within the bounds of the keyword.
func (e *eval) number(s *stmt, i int) (int64, bool) {
	return e.numberIn(s, i, s.k.min, s.k.max, s.k.kind == kindUint)
}

// numberIn reads word i as a whole number from min to max. A fault is recorded. v is
// what was read, even of a number out of range.
func (e *eval) numberIn(s *stmt, i int, min, max int64, unsigned bool) (v int64, ok bool) {
	if i >= len(s.w) {
		e.missing(s, i)
		return 0, false
	}
	w := s.w[i].s
	// The usual case first.
	if len(w) > 0 && len(w) < 10 {
		n := int64(0)
		j := 0
		for j < len(w) && isDigit(w[j]) {
			n = n*10 + int64(w[j]-'0')
			j++
		}
		if j == len(w) && n >= min && n <= max {
			if w[0] == '0' && len(w) > 1 {
				e.leadingZeros(s, i, n)
			}
			return n, true
		}
	}
	v, whole, over := cNumber(w)
	negative := strings.HasPrefix(strings.TrimLeft(w, blanks), "-")
	switch {
	case unsigned && negative:
		e.outOfRange(s, i, v, min, max, "is negative")
	case !whole:
		e.notNumber(s, i, min, max)
	case over || v < min || v > max:
		e.outOfRange(s, i, v, min, max, "")
	default:
		return v, true
	}
	return v, false
}

// ruleForRange lets rules that speak of one keyword take over from the general ones.
func (e *eval) rangeRule(s *stmt, general string) string {
	if s.k == nil {
		return general
	}
	switch s.k.name {
	case "persistence_timeout":
		return "KA172"
	case "connect_timeout":
		return "KA186"
	case "delay_loop":
		return "KA186"
	case "smtp_connect_timeout", "smtp_server":
		return "KA058"
	case "weight":
		if general == "KA043" {
			return "KA126"
		}
	}
	if s.k.name != "" && e.inBFD {
		return "KA191"
	}
	if general == "KA043" && strings.HasPrefix(strings.TrimPrefix(s.k.name, "vrrp_"), "garp_") {
		return "KA144"
	}
	return general
}

func (e *eval) outOfRange(s *stmt, i int, v, min, max int64, why string) {
	if why == "" {
		why = "is out of range"
	}
	w := s.w[i].s
	f := e.object(e.rangeRule(s, "KA043"), e.argSpan(s, i), "%s: %s %s: %d to %d", s.arg(0), quoted(w), why, min, max)
	e.offerInstead(f, s, i, v < min)
}

// offerInstead adds the fix for a number out of range: what the daemon uses instead.
func (e *eval) offerInstead(f *finding, s *stmt, i int, low bool) {
	if !e.literal(s, i) {
		return
	}
	use, known := insteadOf(s.k.name, low)
	if strings.HasPrefix(s.w[i].s, "-") && ignoresNegative[s.k.name] {
		known = false
	}
	at := e.argSpan(s, i)
	switch {
	case !known:
	case use != "":
		f.fix("use "+use+", as keepalived does", edit{at, use})
	case len(s.w) == i+1 && i == 1 && strings.TrimSpace(e.c.lineText(at)) == strings.TrimSpace(s.text):
		// The daemon keeps its default, as it does without the line.
		f.fix("delete the line, which has no effect", edit{e.c.lineOf(at), ""})
	}
}

// ignoresNegative contains the keywords for which the daemon (2.2.7) uses 1 instead of 0, but
// ignores a negative number: the default, which other lines can set, stays.
var ignoresNegative = map[string]bool{"interval": true, "timeout": true, "garp_master_repeat": true, "smtp_connect_timeout": true}

// insteadOf returns the value that the daemon uses instead of a number out of range, seen
// in its dump (2.2.7): "" for the default, as if the line were missing. A number that
// nobody has seen the daemon replace has no fix: the nearest one in the range can change
// what works today, such as the interval of a check.
func insteadOf(keyword string, low bool) (use string, known bool) {
	if !low {
		switch keyword {
		case "preempt_delay", "vrrp_priority", "checker_priority", "bfd_priority":
			return "", true
		}
		return "", false
	}
	switch keyword {
	case "persistence_timeout":
		return "", true
	case "advert_int", "smtp_connect_timeout", "quorum", "rise", "fall", "interval", "timeout", "garp_master_repeat":
		return "1", true
	}
	return "", false
}

func (e *eval) notNumber(s *stmt, i int, min, max int64) {
	w := s.w[i].s
	if e.variable(s, i) {
		return
	}
	rule := e.rangeRule(s, "KA042")
	if strings.HasSuffix(w, ";") || strings.HasSuffix(w, ",") {
		rule = "KA030"
	}
	f := e.object(rule, e.argSpan(s, i), "%s: %s is not a decimal number from %d to %d", s.arg(0), quoted(w), min, max)
	if n, ok := meant(w); ok && n >= min && n <= max && e.literal(s, i) {
		f.fix("use "+strconv.FormatInt(n, 10), edit{e.argSpan(s, i), strconv.FormatInt(n, 10)})
	}
}

// meant guesses the number behind 0x33, 100; or 5m.
func meant(w string) (int64, bool) {
	t := strings.TrimRight(w, ";,")
	if n, err := strconv.ParseInt(t, 10, 64); err == nil {
		return n, true
	}
	if strings.HasPrefix(t, "0x") {
		n, err := strconv.ParseInt(t[2:], 16, 64)
		return n, err == nil
	}
	units := map[string]int64{"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
	for u, factor := range units {
		if n, err := strconv.ParseInt(strings.TrimSuffix(t, u), 10, 32); err == nil && strings.HasSuffix(t, u) {
			return n * factor, true
		}
	}
	return 0, false
}

func (e *eval) leadingZeros(s *stmt, i int, n int64) {
	f := e.note("KA044", e.argSpan(s, i), "%s: %s is read as decimal %d", s.arg(0), quoted(s.w[i].s), n)
	if e.literal(s, i) {
		f.fix("drop the zeros", edit{e.argSpan(s, i), strconv.FormatInt(n, 10)})
	}
}

// decimal reads word i as a number with at most so many decimal places, in units of
// the last of them. max 0 means no upper bound.
func (e *eval) decimal(s *stmt, i int) (int64, bool) {
	return e.decimalIn(s, i, s.k.digits, s.k.min, s.k.max)
}

func (e *eval) decimalIn(s *stmt, i, digits int, min, max int64) (v int64, ok bool) {
	if i >= len(s.w) {
		e.missing(s, i)
		return 0, false
	}
	w := s.w[i].s
	unbounded := max == 0
	if unbounded {
		max = math.MaxInt64
	}
	form := func(v int64) string { return formatDecimal(v, digits) }
	bounds := func() string {
		if unbounded {
			return "from " + form(min)
		}
		return form(min) + " to " + form(max)
	}
	at := e.argSpan(s, i)
	if strings.HasPrefix(w, "-") {
		f := e.object(e.rangeRule(s, "KA043"), at, "%s: %s is negative: %s", s.arg(0), quoted(w), bounds())
		e.offerInstead(f, s, i, true)
		return 0, false
	}
	text, places := w, 0
	many := false
	if before, after, ok0 := strings.Cut(w, "."); ok0 {
		frac := after
		if len(frac) > digits {
			many = true
			frac = frac[:digits]
		}
		places = len(frac)
		text = before + frac
	}
	if places < digits {
		text += strings.Repeat("0", digits-places)
	}
	v, whole, over := cNumber(text)
	if text == "" {
		whole = true
	}
	switch {
	case !whole:
		if e.variable(s, i) {
			return 0, false
		}
		rule := e.rangeRule(s, "KA042")
		if strings.HasSuffix(w, ";") || strings.HasSuffix(w, ",") {
			rule = "KA030"
		}
		f := e.object(rule, at, "%s: %s is not a decimal number: %s", s.arg(0), quoted(w), bounds())
		if n, ok := meant(w); ok && e.literal(s, i) {
			f.fix("use "+strconv.FormatInt(n, 10), edit{at, strconv.FormatInt(n, 10)})
		}
		return 0, false
	case over || v < min || v > max:
		f := e.object(e.rangeRule(s, "KA043"), at, "%s: %s is out of range: %s", s.arg(0), quoted(w), bounds())
		e.offerInstead(f, s, i, v < min)
		return v, false
	}
	if many {
		f := e.object("KA045", at, "%s: %s has more than %d decimal places", s.arg(0), quoted(w), digits)
		if e.literal(s, i) {
			f.fix("use "+form(v), edit{at, form(v)})
		}
	}
	return v, true
}

// variable reports a word that is a variable nobody defined, where something else is
// wanted.
func (e *eval) variable(s *stmt, i int) bool {
	w := s.w[i].s
	if !strings.HasPrefix(w, "$") || len(w) < 2 {
		return false
	}
	name := strings.Trim(w[1:], "{}")
	n := 0
	for n < len(name) && isName(name[n]) {
		n++
	}
	if n == 0 {
		return false
	}
	at := e.argSpan(s, i)
	for _, d := range e.c.defs {
		if d.name != name[:n] {
			continue
		}
		if n < len(name) || !strings.HasSuffix(w, "}") && strings.IndexByte(w, '$') == 0 && n < len(w)-1 {
			e.object("KA033", at, "%s is not replaced: text stands right behind the name", quoted(w)).
				fix("write ${"+d.name+"}", edit{span{at.file, at.from, at.from + 1 + int32(n)}, "${" + d.name + "}"})
			return true
		}
		e.object("KA034", at, "%s is used before its definition", quoted(w)).also(d.at, "defined here")
		return true
	}
	e.object("KA031", at, "%s is not defined", quoted(w))
	return true
}

// boolean reads word i, or true when there is none.
func (e *eval) boolean(s *stmt) (value, ok bool) {
	if len(s.w) < 2 {
		return true, true
	}
	switch s.w[1].s {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	f := e.object("KA042", e.argSpan(s, 1), "%s: %s is not one of yes, true, on, no, false, off", s.arg(0), quoted(s.w[1].s))
	low := strings.ToLower(s.w[1].s)
	switch low {
	case "true", "on", "yes", "false", "off", "no":
		if e.literal(s, 1) {
			f.fix("write it in lower case", edit{e.argSpan(s, 1), low})
		}
	case "0":
		f.fix("use no", edit{e.argSpan(s, 1), "no"})
	case "1":
		f.fix("use yes", edit{e.argSpan(s, 1), "yes"})
	default:
		f.fix("delete the value", edit{e.trailing(s, 0), ""})
	}
	return false, false
}

// trailing returns the place from the end of word i to the end of the line.
func (e *eval) trailing(s *stmt, i int) span {
	a, b := e.argSpan(s, i), e.lineSpan(s)
	return span{a.file, a.to, max(a.to, b.to)}
}
