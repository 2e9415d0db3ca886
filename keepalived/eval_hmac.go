package keepalived

import "strings"

// hmac is an auth_hmac block, which 2.4.0 brought.
type hmac struct {
	at       span
	keys     map[int64]span
	active   int64
	activeAt span
	mode     string
	modeAt   span
}

func (e *eval) authHMAC(s *stmt) {
	if e.inst.hmac == nil {
		e.inst.hmac = &hmac{at: e.lineSpan(s), keys: map[int64]span{}, activeAt: nowhere, modeAt: nowhere, mode: "enforce"}
	}
	e.headSurplus(s, 1)
}

// hmacKey reads "key ID VALUE"; the value is text, hex:DIGITS or file:PATH.
func (e *eval) hmacKey(s *stmt) {
	h := e.inst.hmac
	if h == nil {
		return
	}
	if len(s.w) < 3 {
		e.object("KA006", e.lineSpan(s), "key wants an id and a value")
		return
	}
	id, ok := e.hmacNumber(s, 255)
	if !ok {
		return
	}
	e.surplus(s, 3)
	value := s.arg(2)
	if strings.HasPrefix(value, "file:") {
		// What is in the file is not known.
		h.keys[id] = e.lineSpan(s)
		return
	}
	n := len(value)
	if digits, ok := strings.CutPrefix(value, "hex:"); ok {
		n = hexBytes(digits)
	}
	if n < 32 || n > 64 {
		e.object("KA087", e.argSpan(s, 2), "the key has %d bytes; 32 to 64 are wanted", n).
			explain("The value is text, hex: and hexadecimal digits, or file: and a path.")
		return
	}
	if first, ok := h.keys[id]; ok {
		e.object("KA087", e.argSpan(s, 1), "the key id %d stands twice; the first one wins", id).also(first, "the first one")
		return
	}
	h.keys[id] = e.lineSpan(s)
}

// hexBytes returns the number of bytes that hexadecimal digits give; blanks may stand
// between bytes. It is 0 for anything else.
func hexBytes(s string) int {
	digit := func(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
	n := 0
	for i := 0; i < len(s); {
		if s[i] == ' ' || s[i] == '\t' {
			i++
			continue
		}
		if !digit(s[i]) {
			return 0
		}
		i++
		if i < len(s) && s[i] != ' ' {
			if !digit(s[i]) {
				return 0
			}
			i++
		}
		n++
	}
	return n
}

// hmacNumber reads word 1 as a number from 1 to most.
func (e *eval) hmacNumber(s *stmt, most int64) (int64, bool) {
	from := len(e.found)
	n, ok := e.numberIn(s, 1, 1, most, true)
	for _, f := range e.found[from:] {
		if f.rule == "KA042" || f.rule == "KA043" {
			f.rule = "KA087"
		}
	}
	return n, ok
}

func (e *eval) hmacActive(s *stmt) {
	if n, ok := e.hmacNumber(s, 255); ok && e.inst.hmac != nil {
		e.inst.hmac.active, e.inst.hmac.activeAt = n, e.argSpan(s, 1)
		e.surplus(s, 2)
	}
}

func (e *eval) hmacWindow(s *stmt) {
	if _, ok := e.hmacNumber(s, 300); ok {
		e.surplus(s, 2)
	}
}

func (e *eval) hmacReplay(s *stmt) {
	e.hmacWord(s, "time", "monotonic")
}

func (e *eval) hmacMode(s *stmt) {
	modes := []string{"enforce", "permissive"}
	if !e.v.before(Version{2, 4, 2}) {
		modes = append(modes, "receive-only")
	}
	if e.hmacWord(s, modes...) && e.inst.hmac != nil {
		e.inst.hmac.mode, e.inst.hmac.modeAt = s.arg(1), e.argSpan(s, 1)
	}
}

// hmacWord reports whether word 1 is one of those that are known.
func (e *eval) hmacWord(s *stmt, known ...string) bool {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return false
	}
	for _, k := range known {
		if s.arg(1) == k {
			e.surplus(s, 2)
			return true
		}
	}
	f := e.object("KA087", e.argSpan(s, 1), "%s: %s is not %s", s.arg(0), quoted(s.arg(1)), strings.Join(known, " or "))
	if n := near(s.arg(1), known); n != "" && e.literal(s, 1) {
		f.fix("use "+n, edit{e.argSpan(s, 1), n})
	}
	return false
}

// finishHMAC checks the block once the instance is complete.
func (e *eval) finishHMAC(i *Instance, strict bool, strictAt span) {
	h := i.hmac
	if h == nil {
		return
	}
	if i.AuthType != "" {
		f := e.object("KA087", i.authTypeAt, "authentication and auth_hmac: keepalived drops the former").also(h.at, "auth_hmac")
		e.deleteAround(f, i.authTypeAt, "authentication")
		i.AuthType = ""
	}
	if _, ok := h.keys[h.active]; !ok {
		at := h.activeAt
		if at.file < 0 {
			at = h.at
		}
		f := e.object("KA087", at, "auth_hmac names no active_key that is defined: there is no authentication")
		f.quiet = e.objectedWithin(h.at)
		i.hmac = nil
		return
	}
	if strict && h.mode != "enforce" {
		e.object("KA087", h.modeAt, "vrrp_strict wants the mode enforce").also(strictAt, "vrrp_strict").fix("use enforce", edit{h.modeAt, "enforce"})
	}
	i.AuthType = "HMAC"
}
