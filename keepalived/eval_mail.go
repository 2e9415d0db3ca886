package keepalived

import (
	"strconv"
	"strings"
	"time"
)

func (e *eval) notificationEmail(s *stmt) {
	g := &e.m.Global
	n := len(g.NotificationEmails)
	if g.emailsAt.file < 0 {
		g.emailsAt = e.lineSpan(s)
	}
	e.values(s, 1, func(v *stmt) {
		for i, w := range v.w {
			g.NotificationEmails = append(g.NotificationEmails, w.s)
			g.emailSpans = append(g.emailSpans, e.argSpan(v, i))
		}
		e.recipients(s, v)
	})
	if len(g.NotificationEmails) == n {
		f := e.object("KA053", e.lineSpan(s), "notification_email without an address")
		f.quiet = len(s.w) > 1
	}
}

func (e *eval) emailFrom(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	e.m.Global.EmailFrom, e.m.Global.fromAt = s.arg(1), e.argSpan(s, 1)
	e.surplus(s, 2)
}

func (e *eval) smtpServer(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	g := &e.m.Global
	g.serverAt = e.lineSpan(s)
	g.SMTPServer, g.SMTPPort = s.arg(1), 25
	portOK := true
	if len(s.w) > 2 {
		var n int64
		if n, portOK = e.numberIn(s, 2, 1, 65535, true); portOK {
			g.SMTPPort = int(n)
		}
		e.surplus(s, 3)
	}
	if !portOK {
		return
	}
	if _, ok := sockAddr(s.arg(1)); ok && !strings.ContainsAny(s.arg(1), "-/") {
		return
	}
	// A name is looked up by keepalived; whether it is found is not known here, but a
	// word that is no name at all is not.
	found, known := e.o.Host.resolves(s.arg(1))
	if known && !found && hostName(s.arg(1)) && !inetAton(s.arg(1)) {
		e.object("KA058", e.argSpan(s, 1), "smtp_server: the host %s is not found", quoted(s.arg(1)))
		return
	}
	if !hostName(s.arg(1)) {
		f := e.object("KA058", e.argSpan(s, 1), "smtp_server: %s is neither an address nor a host name", quoted(s.arg(1)))
		if h, p, ok := strings.Cut(s.arg(1), ":"); ok && hostName(h) && e.literal(s, 1) {
			f.fix("put a blank before the port", edit{e.argSpan(s, 1), h + " " + p})
		}
	}
}

// hostName reports whether a word can be looked up as a host.
func hostName(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	if strings.Trim(s, "0123456789.") == "" {
		return inetAton(s)
	}
	for i := range len(s) {
		c := s[i]
		if !isName(c) && c != '-' && c != '.' {
			return false
		}
	}
	return s[0] != '-' && s[0] != '.' && !strings.Contains(s, "..")
}

// inetAton reports whether a word of digits and dots is an address in the old form of
// one to four numbers.
func inetAton(s string) bool {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return false
	}
	for i, p := range parts {
		max := uint64(255)
		if i == len(parts)-1 {
			max = 1<<(8*(5-len(parts))) - 1
		}
		base := 10
		if len(p) > 1 && p[0] == '0' {
			base = 8
		}
		if n, err := strconv.ParseUint(p, base, 64); err != nil || n > max {
			return false
		}
	}
	return true
}

func (e *eval) smtpTimeout(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if n == 0 {
		e.object("KA058", e.argSpan(s, 1), "smtp_connect_timeout of 0").fix("use 1, as keepalived does", edit{e.argSpan(s, 1), "1"})
		n = 1
	}
	e.m.Global.SMTPTimeout = time.Duration(n) * time.Second
	e.surplus(s, 2)
}

func (e *eval) smtpHelo(s *stmt) {
	e.m.Global.SMTPHelo = s.arg(1)
	e.surplus(s, 2)
}

func (e *eval) globalAlert(s *stmt) {
	v, ok := e.boolean(s)
	if !ok {
		return
	}
	g := &e.m.Global
	switch s.k.name {
	case "smtp_alert":
		g.Alert = &v
	case "smtp_alert_vrrp":
		g.AlertVRRP = &v
	default:
		g.AlertChecker = &v
	}
	if v && g.alertAt.file < 0 {
		g.alertAt = e.lineSpan(s)
	}
	e.surplus(s, 2)
}
