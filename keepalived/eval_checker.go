package keepalived

import (
	"net/netip"
	"strconv"
	"strings"
)

// checkState is the health checker that is being read.
type checkState struct {
	name         string
	head         span
	dst, bind    netip.Addr
	dstSet       bool
	bindIf       bool
	urls         int
	path, digest bool
	pathAt       span
	hosts        int
	port         bool
	sender       netip.Addr
	// MISC_CHECK
	args    []string
	user    string
	userSet bool
	dropped bool
	pathSet span
	// FILE_CHECK
	file *TrackFile
	// BFD_CHECK
	bfd     string
	bfdGone bool
	// UDP_CHECK
	min, max int64
	// DNS_CHECK
	named bool
	misc  []*notify
}

func (e *eval) anyCheck(s *stmt) {
	misc := e.chk.misc
	e.chk = checkState{name: s.k.name, head: e.lineSpan(s), dst: e.rs.Address, dstSet: true, max: 255, pathAt: nowhere, pathSet: nowhere, misc: misc}
	if s.k.name == "SMTP_CHECK" {
		e.chk.dst, e.chk.dstSet = netip.Addr{}, false
	}
	e.rs.Checkers = append(e.rs.Checkers, s.k.name)
	e.headSurplus(s, 1)
}

func (e *eval) httpCheck(s *stmt) { e.anyCheck(s) }

func (e *eval) miscCheck(s *stmt) { e.anyCheck(s) }

func (e *eval) connectIP(s *stmt) { e.checkerAddr(s, &e.chk.dst, e.chk.bind, "bindto") }

func (e *eval) bindTo(s *stmt) {
	e.checkerAddr(s, &e.chk.bind, e.chk.dst, "the address it connects to")
}

// checkerAddr reads one of a checker's two addresses, which must be of the other's family.
func (e *eval) checkerAddr(s *stmt, into *netip.Addr, other netip.Addr, otherName string) {
	a, ok := e.addrWord(s, 1)
	if len(s.w) < 2 {
		return
	}
	at := e.argSpan(s, 1)
	switch {
	case !ok:
		e.object("KA168", at, "%s: %s is no address", s.arg(0), quoted(s.arg(1)))
		*into = netip.Addr{}
	case other.IsValid() && family(a) != family(other):
		e.object("KA169", at, "%s: %s is of another family than %s", s.arg(0), quoted(s.arg(1)), otherName)
		*into = netip.Addr{}
	default:
		*into = a
		e.surplus(s, 2)
	}
}

func (e *eval) connectPort(s *stmt) {
	if _, ok := e.number(s, 1); ok {
		e.chk.port = true
		e.surplus(s, 2)
	}
}

func (e *eval) bindIf(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	if len(s.arg(1)) > 15 {
		e.object("KA063", e.argSpan(s, 1), "bind_if: the interface name %s is longer than 15 bytes", quoted(s.arg(1)))
		return
	}
	e.chk.bindIf = s.arg(1) != ""
	e.surplus(s, 2)
}

func (e *eval) nbGetRetry(s *stmt) {
	e.renamed(s, "retry", true)
	e.number(s, 1)
}

func (e *eval) httpProtocol(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	switch s.arg(1) {
	case "1.0", "1.1", "1.0C", "1.0c":
		e.surplus(s, 2)
		return
	}
	e.object("KA183", e.argSpan(s, 1), "http_protocol: %s is none of 1.0, 1.1, 1.0C", quoted(s.arg(1))).fix("use 1.1", edit{e.argSpan(s, 1), "1.1"})
}

// connectable does what keepalived does when a checker ends: an address of the link
// wants an interface.
func (e *eval) connectable() bool {
	c := &e.chk
	if c.dst.IsValid() && isLinkLocal(c.dst) && !c.bindIf {
		e.object("KA168", c.head, "%s: the link local address %s wants bind_if", c.name, c.dst)
		return false
	}
	return true
}

func (e *eval) endCheck() {
	if !e.chk.dstSet && !e.chk.dst.IsValid() {
		// SMTP_CHECK: with a host block the address is that of the block.
		if e.chk.hosts > 0 && !e.chk.port && !e.chk.bind.IsValid() && !e.chk.bindIf {
			return
		}
		e.chk.dst = e.rs.Address
	}
	e.connectable()
}

func (e *eval) smtpHost(s *stmt) {
	e.chk.hosts++
	e.chk.sender = e.chk.dst
	e.chk.dst = e.rs.Address
}

func (e *eval) endHost() {
	e.connectable()
	e.chk.dst = e.chk.sender
	if !e.chk.dst.IsValid() {
		e.chk.dstSet = false
	}
}

func (e *eval) url(s *stmt) {
	e.chk.urls++
	e.chk.path, e.chk.digest = false, false
	e.chk.pathAt = e.lineSpan(s)
	e.headSurplus(s, 1)
}

func (e *eval) urlPath(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
	}
	if e.chk.path {
		f := e.note("KA184", e.lineSpan(s), "path stands twice in this url; the last one wins").also(e.chk.pathSet, "the first one").
			fix("delete the first", edit{e.c.lineOf(e.chk.pathSet), ""})
		f.objects = !e.v.before(version228)
	}
	e.chk.path = true
	e.chk.pathSet = e.lineSpan(s)
	e.surplus(s, 2)
}

func (e *eval) urlDigest(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	at := e.argSpan(s, 1)
	if e.chk.digest {
		e.object("KA183", at, "digest stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(at), ""})
		return
	}
	w := s.arg(1)
	if len(w) != 32 || strings.Trim(w, "0123456789abcdefABCDEF") != "" {
		e.object("KA183", at, "digest: %s is not 32 hexadecimal digits", quoted(w))
		return
	}
	e.chk.digest = true
	e.surplus(s, 2)
}

func (e *eval) urlStatus(s *stmt) {
	if len(s.w) < 2 {
		e.note("KA183", e.lineSpan(s), "status_code without a code")
	}
	for i := 1; i < len(s.w); i++ {
		w := s.w[i].s
		a, b, two := strings.Cut(w, "-")
		lo, err := strconv.ParseUint(strings.TrimPrefix(trimBlanks(a), "+"), 10, 32)
		hi := lo
		if two {
			var err2 error
			hi, err2 = strconv.ParseUint(strings.TrimPrefix(trimBlanks(b), "+"), 10, 32)
			if err == nil {
				err = err2
			}
		}
		if err != nil || lo < 100 || lo > 999 || hi < 100 || hi > 999 || lo > hi {
			e.object("KA183", e.argSpan(s, i), "status_code: %s is no code or range from 100 to 999", quoted(w))
		}
	}
}

func (e *eval) urlRegex(s *stmt) {
	words, ok := e.quotedWords(s)
	if !ok {
		e.crash(e.object("KA020", e.argsSpan(s, 1), "the regex cannot be split into words")).quiet = true
		return
	}
	if len(words) != 2 {
		e.note("KA183", e.lineSpan(s), "regex takes one word; quote it").weigh(0)
	}
}

func (e *eval) endURL() {
	if e.chk.path {
		return
	}
	f := e.object("KA182", e.chk.pathAt, "this url has no path")
	f.crashes = e.v.before(version228)
	if f.crashes {
		f.detail = "keepalived " + e.v.String() + " dies of this."
	}
	at := e.chk.pathAt
	if e.c.plain(e.lines[max(0, e.pos-1)], 0, 0) {
		text := e.c.sources[at.file].text[at.to:]
		trimmed := strings.TrimLeft(text, " \t")
		if strings.HasPrefix(trimmed, "{") {
			p := at.to + int32(len(text)-len(trimmed)) + 1
			nl := e.c.newline(at.file)
			f.fix("add path /", edit{span{at.file, p, p}, nl + e.c.indent(at) + "    path /"})
		}
	}
	e.chk.urls--
}

func (e *eval) endHTTP() {
	if e.chk.urls <= 0 {
		f := e.object("KA182", e.chk.head, "%s has no url", e.chk.name)
		f.crashes = e.v.before(version228)
		if e.chk.pathAt.file >= 0 {
			f.quiet = true // the url without path says it
		}
		at := e.chk.head
		text := e.c.sources[at.file].text[at.to:]
		trimmed := strings.TrimLeft(text, " \t")
		if strings.HasPrefix(trimmed, "{") {
			p := at.to + int32(len(text)-len(trimmed)) + 1
			nl := e.c.newline(at.file)
			in := nl + e.c.indent(at) + "    "
			f.fix("add a url", edit{span{at.file, p, p}, in + "url {" + in + "    path /" + in + "}"})
		}
		return
	}
	e.connectable()
}

func (e *eval) miscPath(s *stmt) {
	c := &e.chk
	if c.dropped {
		return
	}
	words, ok := e.quotedWords(s)
	if !ok {
		e.crash(e.object("KA020", e.argsSpan(s, 1), "the value of misc_path cannot be split into words")).quiet = true
		return
	}
	if args := e.command(s, words); args != nil {
		c.args = args
		e.scriptValue(s, words, args)
	}
	c.pathSet = e.lineSpan(s)
}

func (e *eval) miscUser(s *stmt) {
	c := &e.chk
	if c.dropped {
		return
	}
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if !e.userKnown(s.arg(1), s.arg(2)) {
		e.object("KA131", e.argSpan(s, 1), "user: this machine has no user or group %s", quoted(strings.TrimSpace(s.arg(1)+" "+s.arg(2))))
		c.dropped = true
		return
	}
	c.user, c.userSet = s.arg(1), true
	e.surplus(s, 3)
}

func (e *eval) endMisc() {
	c := &e.chk
	if c.dropped {
		return
	}
	if len(c.args) == 0 {
		f := e.object("KA185", c.head, "MISC_CHECK has no misc_path")
		if c.pathSet.file >= 0 {
			f.at = c.pathSet
		}
		return
	}
	if !c.userSet {
		user, ok := e.scriptDefault(c.head)
		if !ok {
			e.object("KA131", c.head, "no user can run the script").quiet = true
			return
		}
		c.user = user
	}
	c.misc = append(c.misc, &notify{args: c.args, user: c.user, at: c.pathSet})
}

func (e *eval) fileTrack(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	f := e.fileIdx[s.arg(1)]
	if f == nil {
		e.object("KA120", e.argSpan(s, 1), "there is no track_file %s", quoted(s.arg(1)))
		return
	}
	e.chk.file = f
	e.surplus(s, 2)
}

func (e *eval) fileWeight(s *stmt) {
	if len(s.w) < 2 {
		e.noValue(s)
		return
	}
	if _, ok := e.numberIn(s, 1, -2147483647, 2147483647, false); !ok {
		return
	}
	if len(s.w) >= 3 && s.arg(2) != "reverse" && s.arg(2) != "noreverse" {
		e.object("KA126", e.argSpan(s, 2), "weight: %s is not reverse", quoted(s.arg(2))).fix("delete the word", edit{e.trailing(s, 1), ""})
	}
}

func (e *eval) endFile() {
	if e.chk.file == nil {
		e.object("KA185", e.chk.head, "FILE_CHECK names no track_file")
	}
}

func (e *eval) bfdName(s *stmt) {
	c := &e.chk
	if c.bfdGone {
		return
	}
	at := e.lineSpan(s)
	switch {
	case len(s.w) != 2:
		e.object("KA185", at, "name of BFD_CHECK takes one word")
	case e.bfds[s.arg(1)] == nil:
		e.object("KA120", e.argSpan(s, 1), "there is no bfd_instance %s", quoted(s.arg(1)))
	case c.bfd != "":
		e.object("KA010", at, "name stands twice")
	case len(s.arg(1)) >= 32:
		e.object("KA190", e.argSpan(s, 1), "the name of the bfd_instance is longer than 31 bytes")
	default:
		for _, b := range e.rs.bfds {
			if b == s.arg(1) {
				e.object("KA010", e.argSpan(s, 1), "the server is checked by %s already", quoted(b))
				c.bfdGone = true
				return
			}
		}
		c.bfd = s.arg(1)
		return
	}
	c.bfdGone = true
}

func (e *eval) bfdAlpha(s *stmt) {
	if !e.chk.bfdGone {
		e.boolean(s)
	}
}

func (e *eval) endBFDCheck() {
	c := &e.chk
	if c.bfdGone {
		return
	}
	if c.bfd == "" {
		e.object("KA185", c.head, "BFD_CHECK names no bfd_instance")
		return
	}
	e.rs.bfds = append(e.rs.bfds, c.bfd)
}

func (e *eval) dnsType(s *stmt) {
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	types := []string{"A", "NS", "CNAME", "SOA", "MX", "TXT", "AAAA", "RRSIG", "DNSKEY"}
	for _, t := range types {
		if strings.EqualFold(t, s.arg(1)) {
			e.surplus(s, 2)
			return
		}
	}
	e.object("KA185", e.argSpan(s, 1), "DNS_CHECK: there is no type %s: %s", quoted(s.arg(1)), strings.Join(types, ", ")).fix("use the default, SOA", edit{e.argSpan(s, 1), "SOA"})
}

func (e *eval) dnsName(s *stmt) {
	if len(s.w) < 2 && e.chk.named {
		e.object("KA010", e.lineSpan(s), "name stands twice; the first one wins")
		return
	}
	if len(s.w) < 2 {
		e.missing(s, 1)
		return
	}
	if e.chk.named {
		e.object("KA010", e.lineSpan(s), "name stands twice; the first one wins").fix("delete the line", edit{e.c.lineOf(e.lineSpan(s)), ""})
		return
	}
	w := s.arg(1)
	if strings.HasPrefix(w, ".") && w != "." || strings.Contains(w, "..") {
		e.object("KA185", e.argSpan(s, 1), "DNS_CHECK: the name %s has an empty label", quoted(w))
		return
	}
	e.chk.named = true
	e.surplus(s, 2)
}

func (e *eval) udpPayload(s *stmt) {
	if len(s.w) == 1 {
		e.noValue(s)
		return
	}
	if !e.hexString(s, false) {
		e.object("KA185", e.argsSpan(s, 1), "payload: no hexadecimal text")
	}
}

func (e *eval) udpReply(s *stmt) {
	if len(s.w) == 1 {
		return
	}
	if !e.hexString(s, true) {
		e.object("KA185", e.argsSpan(s, 1), "require_reply: no hexadecimal text")
	}
}

// hexString reports whether the words from the second on are hexadecimal text, in
// which x may stand for any digit. Two words are joined with a blank.
func (e *eval) hexString(s *stmt, wild bool) bool {
	var words []string
	for _, w := range s.w[1:] {
		words = append(words, w.s)
	}
	text := strings.Join(words, " ")
	n := 0
	for i := 0; i < len(text); {
		for i < len(text) && (text[i] == ' ' || text[i] == '\t') {
			i++
		}
		if i == len(text) {
			break
		}
		for k := 0; k < 2 && i < len(text) && (k == 0 || text[i] != ' '); k++ {
			c := text[i] | 0x20
			if !isDigit(text[i]) && (c < 'a' || c > 'f') && !(wild && c == 'x') {
				return false
			}
			i++
		}
		n++
	}
	if e.v.before(Version{2, 3, 3}) && strings.HasSuffix(strings.ToLower(strings.TrimRight(text, " \t")), "ff") {
		return false // a last byte of ff is taken for an error
	}
	return n > 0
}

func (e *eval) udpLength(s *stmt) {
	n, ok := e.number(s, 1)
	if !ok {
		return
	}
	if s.k.name == "min_reply_length" {
		e.chk.min = n
	} else {
		e.chk.max = n
	}
	e.surplus(s, 2)
}

func (e *eval) endUDP() {
	if !e.connectable() {
		return
	}
	if e.chk.min > e.chk.max {
		e.object("KA043", e.chk.head, "min_reply_length %d is above max_reply_length %d: the check always fails", e.chk.min, e.chk.max)
	}
}
