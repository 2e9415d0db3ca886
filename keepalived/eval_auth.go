package keepalived

func (e *eval) authType(s *stmt) {
	i := e.inst
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	at := e.argSpan(s, 1)
	i.authTypeAt = at
	switch s.arg(1) {
	case "AH", "PASS":
		i.AuthType = s.arg(1)
	default:
		f := e.object("KA082", at, "auth_type: %s is neither PASS nor AH", quoted(s.arg(1)))
		if e.literal(s, 1) {
			f.fix("use PASS", edit{at, "PASS"})
		}
	}
	e.surplus(s, 2)
}

func (e *eval) authPass(s *stmt) {
	i := e.inst
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	at := e.argSpan(s, 1)
	i.authPassAt = at
	p := s.arg(1)
	i.longPass = p
	if len(p) > 8 {
		f := e.object("KA080", at, "the password has %d bytes; only the first 8 count", len(p))
		if e.literal(s, 1) {
			w := s.w[1]
			cut := e.c.span(s.l, int(w.at)+8, int(w.at)+len(w.s))
			f.fix("cut it to the 8 bytes that count", edit{cut, ""})
		}
		p = p[:8]
	}
	i.pass = p
	e.surplus(s, 2)
}
