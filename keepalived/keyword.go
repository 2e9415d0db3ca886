package keepalived

import (
	"strings"

	"dougu.internal/diag"
)

// generic deals with keywords that need no code of their own.
func (e *eval) generic(s *stmt) {
	k := s.k
	switch k.kind {
	case kindFlag:
		e.flag(s)
		return
	case kindBlock:
		return
	case kindValues:
		e.values(s, 1, func(*stmt) {})
		return
	case kindBool:
		e.boolean(s)
		return
	case kindFlagBool:
		e.flagBool(s)
		return
	}
	if len(s.w) < 2 {
		switch k.need {
		case needStop:
			e.missing(s, 1)
		case needObject:
			e.noValue(s)
		}
		return
	}
	switch k.kind {
	case kindUint, kindInt:
		e.number(s, 1)
	case kindDec:
		e.decimal(s, 1)
	case kindName15:
		e.name15(s)
	}
	e.surplus(s, 2)
}

// noValue records a missing value that keepalived objects to.
func (e *eval) noValue(s *stmt) *finding {
	return e.object("KA006", e.lineSpan(s), "%s wants a value", s.arg(0))
}

func (e *eval) name15(s *stmt) {
	if len(s.arg(1)) >= 16 {
		f := e.object("KA100", e.argSpan(s, 1), "%s: the name is longer than 15 bytes", s.arg(0))
		if e.literal(s, 1) {
			f.fix("cut it", edit{e.argSpan(s, 1), s.arg(1)[:15]})
		}
	}
}

// flag deals with words behind a flag, which are not looked at.
func (e *eval) flag(s *stmt) {
	if len(s.w) < 2 {
		return
	}
	at := e.argsSpan(s, 1)
	switch strings.ToLower(s.w[1].s) {
	case "off", "no", "false", "0", "none", "disable", "disabled":
		e.note("KA008", at, "%s %s turns it on: the value is not looked at", s.arg(0), s.w[1].s).weigh(diag.Error).
			fix("delete the line", edit{e.c.lineOf(at), ""})
		return
	}
	e.note("KA009", at, "%s takes no value; %s is not looked at", s.arg(0), quoted(s.w[1].s)).fix("delete the value", edit{e.trailing(s, 0), ""})
}

func (e *eval) flagBool(s *stmt) bool {
	if e.v.before(version228) || e.v == version228 {
		e.flag(s)
		return true
	}
	v, ok := e.booleanStrict(s)
	return v || !ok
}

// booleanStrict is boolean; a value that is none does not change the setting.
func (e *eval) booleanStrict(s *stmt) (bool, bool) {
	if len(s.w) < 2 {
		return true, true
	}
	switch s.w[1].s {
	case "true", "on", "yes":
		return true, true
	case "false", "off", "no":
		return false, true
	}
	e.object("KA009", e.argsSpan(s, 1), "%s: %s is not one of yes, true, on, no, false, off", s.arg(0), quoted(s.w[1].s)).
		fix("delete the value", edit{e.trailing(s, 0), ""})
	return false, false
}

// surplus deals with words behind a value, which are not looked at.
func (e *eval) surplus(s *stmt, n int) {
	if len(s.w) <= n {
		return
	}
	at := e.argsSpan(s, n)
	extra := s.w[n].s
	rule := "KA007"
	switch s.arg(0) {
	case "router_id":
		rule = "KA059"
	case "notification_email_from":
		rule = "KA055"
	}
	f := e.note(rule, at, "%s takes %s; %s is not looked at", s.arg(0), count(n-1, "word"), quoted(extra))
	if rule == "KA059" {
		var words []string
		for _, w := range s.w[1:] {
			words = append(words, w.s)
		}
		f.fix("join the words", edit{e.argsSpan(s, 1), strings.Join(words, "_")})
		return
	}
	if rule == "KA055" {
		if !strings.ContainsAny(s.text, `"`) {
			a := e.argsSpan(s, 1)
			f.fix("quote the address", edit{span{a.file, a.from, a.from}, `"`}, edit{span{a.file, a.to, a.to}, `"`})
		}
		if !e.v.before(version230) {
			f.objects = true
		}
		return
	}
	if b := e.s.where[extra]; len(b) > 0 && e.c.plain(s.l, 0, len(s.text)) {
		before := e.argSpan(s, n-1)
		f.explain("%s is a keyword; it wants a line of its own.", extra)
		f.fix("move it to a line of its own", edit{span{at.file, before.to, at.from}, e.c.newline(at.file) + e.c.indent(at)})
		return
	}
	f.fix("delete the words", edit{e.trailing(s, n-1), ""})
}

func count(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return []string{"no", "one", "two", "three", "four"}[min(n, 4)] + " " + what + "s"
}

// single holds the keywords of which the last one wins.
var single = map[string]bool{
	"priority": true, "virtual_router_id": true, "interface": true, "advert_int": true, "router_id": true, "version": true,
	"smtp_server": true, "notification_email_from": true, "auth_pass": true, "auth_type": true, "lb_algo": true, "lb_kind": true,
	"protocol": true, "delay_loop": true, "weight": true, "script": true, "interval": true, "fall": true, "rise": true, "timeout": true,
	"path": true, "misc_path": true, "connect_port": true, "connect_timeout": true, "preempt_delay": true, "vrrp_version": true,
	"unicast_src_ip": true, "mcast_src_ip": true, "persistence_timeout": true, "quorum": true, "hysteresis": true, "sorry_server": true,
	"smtp_connect_timeout": true, "state": true, "neighbor_ip": true, "min_rx": true, "min_tx": true, "multiplier": true, "virtualhost": true,
}

type seenKeyword struct {
	k  *keyword
	at span
}

// repeated deals with a keyword that was given before in the same block.
func (e *eval) repeated(b *block, s *stmt) {
	if e.level == 0 || !single[s.k.name] {
		return
	}
	if s.k.name == "path" || s.k.name == "script" && e.prog == vrrp && b.name != "vrrp_script" {
		return
	}
	at := e.lineSpan(s)
	i := e.base
	for i < len(e.seen) && e.seen[i].k != s.k {
		i++
	}
	if i == len(e.seen) {
		e.seen = append(e.seen, seenKeyword{s.k, at})
		return
	}
	before := e.seen[i].at
	loser := before
	which := "the last one wins"
	if s.k.name == "state" && !strings.Contains(e.c.sources[before.file].text[before.from:before.to], s.arg(1)) {
		which = "MASTER wins"
		if s.arg(1) != "MASTER" {
			loser = at
		}
	}
	f := e.note("KA010", at, "%s stands twice in this block; %s", s.k.name, which)
	f.also(before, "the first one")
	if loser == before {
		e.seen[i].at = at
	}
	if !strings.ContainsAny(e.c.lineText(loser), "{}") {
		f.fix("delete the one that loses", edit{e.c.lineOf(loser), ""})
	}
}
