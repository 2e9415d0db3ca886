package sim

import (
	"strings"
)

// scope tells settings apart that have the same tag or name.
type scope uint8

const (
	noScope scope = iota
	builtinScope
	smbiosScope
	dhcpv6Scope
	ipv6Scope
	memmapScope
	pciScope
	otherScope
)

// setting names a setting: by tag, by name, or both.
type setting struct {
	name  string
	tag   uint64
	scope scope
	typ   *typ
}

// same is iPXE's comparison of two settings: by tag if both have one, else by name.
func (a *setting) same(b *setting) bool {
	if a.tag != 0 && a.tag == b.tag && a.scope == b.scope {
		return true
	}
	return a.name != "" && a.name == b.name
}

// stored is a setting with its value.
type stored struct {
	setting
	data []byte
}

// kind of a block decides which settings it takes and how they are looked up.
type kind uint8

const (
	genericBlock kind = iota
	builtinBlock
	smbiosBlock
	dhcpBlock
	netBlock
	netXBlock
	pciBlock
)

// block is a settings block.
type block struct {
	name     string
	kind     kind
	parent   *block
	children []*block
	values   []stored // newest first
	scope    scope
	nic      int // of a netBlock
}

// maxSettings bounds what a script may store.
const maxSettings = 1 << 16

// predefined are the settings that iPXE knows by name, in the order in which a tag or a
// name is looked for. Source: the __setting tables of iPXE.
var predefined = []setting{
	{"mac", 0, noScope, typeHex}, {"hwaddr", 0, noScope, typeHex}, {"bustype", 0, noScope, typeString},
	{"busloc", 0, noScope, typeUint32}, {"busid", 0, noScope, typeHex}, {"chip", 0, noScope, typeString},
	{"ifname", 0, noScope, typeString}, {"mtu", 26, noScope, typeInt16},
	{"ssid", 0, noScope, typeString}, {"active-scan", 0, noScope, typeInt8}, {"key", 0, noScope, typeString},
	{"ip", encap(2), noScope, typeIPv4}, {"netmask", 1, noScope, typeIPv4}, {"gateway", 3, noScope, typeIPv4},
	{"dns", 6, noScope, typeIPv4}, {"domain", 15, noScope, typeString},
	{"ip6", 0, ipv6Scope, typeIPv6}, {"len6", 0, ipv6Scope, typeInt8}, {"gateway6", 0, ipv6Scope, typeIPv6},
	{"filename", 67, noScope, typeString}, {"next-server", encap(3), noScope, typeIPv4},
	{"root-path", 17, noScope, typeString}, {"san-filename", encap(0xbc), noScope, typeString},
	{"initiator-iqn", 203, noScope, typeString}, {"keep-san", encap(8), noScope, typeInt8},
	{"skip-san-boot", encap(9), noScope, typeInt8}, {"san-drive", encap(0xbd), noScope, typeUint8},
	{"san-retries", encap(0xbb), noScope, typeInt8},
	{"hostname", 12, noScope, typeString}, {"uuid", 1<<16 | 8<<8 | 16, smbiosScope, typeUUID},
	{"user-class", 77, noScope, typeString}, {"vendor-class", 60, noScope, typeString},
	{"manufacturer", 1<<16 | 4<<8, smbiosScope, typeString}, {"product", 1<<16 | 5<<8, smbiosScope, typeString},
	{"serial", 1<<16 | 7<<8, smbiosScope, typeString}, {"asset", 3<<16 | 8<<8, smbiosScope, typeString},
	{"board-serial", 2<<16 | 7<<8, smbiosScope, typeString},
	{"username", encap(0xbe), noScope, typeString}, {"password", encap(0xbf), noScope, typeString},
	{"reverse-username", encap(0xc0), noScope, typeString}, {"reverse-password", encap(0xc1), noScope, typeString},
	{"dhcp-server", 54, noScope, typeIPv4}, {"syslog", 7, noScope, typeIPv4}, {"syslogs", encap(0x55), noScope, typeString},
	{"scriptlet", encap(0x51), noScope, typeString}, {"priority", encap(1), noScope, typeInt8},
	{"trust", encap(0x5a), noScope, typeHex}, {"cert", encap(0x5b), noScope, typeHex}, {"privkey", encap(0x5c), noScope, typeHex},
	{"crosscert", encap(0x5d), noScope, typeString}, {"dnssl", 119, noScope, typeDNSSL},
	{"dns6", 0, dhcpv6Scope, typeIPv6}, {"syslog6", 0, dhcpv6Scope, typeIPv6},
	{"errno", 0, builtinScope, typeUint32}, {"buildarch", 0, builtinScope, typeString}, {"platform", 0, builtinScope, typeString},
	{"version", 0, builtinScope, typeString}, {"unixtime", 0, builtinScope, typeUint32},
	{"vram", 0, builtinScope, typeBase64},
	{"memsize", 0, memmapScope, typeInt32}, {"cpuvendor", 0, otherScope, typeString}, {"cpumodel", 0, otherScope, typeString},
}

// workingURI are there from March 2024 on.
var workingURI = []setting{{"cwuri", 0, builtinScope, typeString}, {"cwduri", 0, builtinScope, typeString}}

func encap(n uint64) uint64 { return 175<<8 | n }

var predefinedByName, predefinedByTag = func() (map[string]int, map[uint64]int) {
	names, tags := map[string]int{}, map[uint64]int{}
	for i, p := range predefined {
		if _, ok := names[p.name]; !ok {
			names[p.name] = i
		}
		if p.tag != 0 {
			tags[p.tag] = i
		}
	}
	return names, tags
}()

// known returns the predefined setting that a parsed one stands for.
func (r *runner) known(s *setting) (*setting, bool) {
	if s.tag != 0 {
		if i, ok := predefinedByTag[s.tag]; ok && predefined[i].scope == s.scope {
			return &predefined[i], true
		}
	}
	if i, ok := predefinedByName[s.name]; ok {
		return &predefined[i], true
	}
	if r.p.WorkingURI {
		for i := range workingURI {
			if workingURI[i].name == s.name {
				return &workingURI[i], true
			}
		}
	}
	return nil, false
}

// parseTag reads a name of dotted numbers as a DHCP tag, 0 when it is none.
func parseTag(name string) uint64 {
	if name == "" || name[0] >= 'A' {
		return 0 // the usual case: a word
	}
	var tag uint64
	for {
		v, rest := strtoul(name, 0)
		tag = tag<<8 | uint64(v)
		if rest == "" {
			return tag
		}
		if rest[0] != '.' {
			return 0
		}
		name = rest[1:]
	}
}

// parseName reads [block[.sub]/]name[:type]. create makes blocks that are not there.
func (r *runner) parseName(text string, create bool) (b *block, s setting, status Status) {
	b = &r.root
	name, typeName, typed := text, "", false
	if before, after, ok := strings.Cut(text, "/"); ok {
		if b = r.findBlock(before, create); b == nil {
			return nil, s, enodevSettings
		}
		name = after
	}
	if i := strings.IndexByte(name, ':'); i >= 0 {
		name, typeName, typed = name[:i], name[i+1:], true
	}
	s = setting{name: name, tag: parseTag(name), scope: b.scope}
	if p, ok := r.known(&s); ok {
		s = *p
	}
	if typed {
		if s.typ = r.findType(typeName); s.typ == nil {
			return nil, s, enotsupSettings
		}
	}
	return b, s, OK
}

// findBlock walks a dotted path of block names; an empty part stays where it is.
func (r *runner) findBlock(path string, create bool) *block {
	b := &r.root
	for {
		part, rest, more := strings.Cut(path, ".")
		b = r.target(b)
		if part != "" {
			child := b.child(part)
			if child == nil {
				if !create {
					return nil
				}
				if r.blocks++; r.blocks > maxSettings {
					r.stop(HazardResources, "more than 65536 settings blocks")
					return nil
				}
				child = r.newBlock(b, part)
			}
			b = r.target(child)
		}
		if !more {
			return b
		}
		path = rest
	}
}

func (b *block) child(name string) *block {
	for _, c := range b.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// newBlock adds a block below another, behind its siblings of the same priority.
func (r *runner) newBlock(parent *block, name string) *block {
	b := r.block()
	b.name, b.parent = strings.Clone(name), parent
	parent.children = append(parent.children, b)
	r.reprioritise(b)
	return b
}

// target is the block that another stands for: netX is the card opened last.
func (r *runner) target(b *block) *block {
	if b.kind != netXBlock {
		return b
	}
	for _, c := range r.root.children {
		if c.kind == netBlock && c.nic == r.lastOpened {
			return c
		}
	}
	return b
}

var prioritySetting = setting{"priority", encap(1), noScope, typeInt8}

func (r *runner) priority(b *block) int32 {
	data, _, _, ok := r.fetch(b, &prioritySetting)
	if !ok {
		return 0
	}
	v, _ := number(data, true)
	return int32(v)
}

// reprioritise puts a block behind those siblings whose priority is not lower.
func (r *runner) reprioritise(b *block) {
	for ; b.parent != nil; b = b.parent {
		siblings := b.parent.children
		at := -1
		for i, c := range siblings {
			if c == b {
				at = i
			}
		}
		rest := append(append([]*block(nil), siblings[:at]...), siblings[at+1:]...)
		p, to := r.priority(b), len(rest)
		for i, c := range rest {
			if p > r.priority(c) {
				to = i
				break
			}
		}
		rest = append(rest, nil)
		copy(rest[to+1:], rest[to:])
		rest[to] = b
		b.parent.children = rest
	}
}

// applies reports whether a block can hold a setting.
func (b *block) applies(s *setting) bool {
	switch b.kind {
	case builtinBlock:
		return s.scope == builtinScope
	case smbiosBlock:
		return s.scope == smbiosScope
	case dhcpBlock:
		return s.scope == noScope && s.tag != 0 && s.tag <= 0xffff
	case pciBlock:
		return s.scope == pciScope
	}
	return true
}

// query is a setting that is looked up in block after block.
type query struct {
	*setting
	looked bool
	others [2]*setting // predefined ones that are the same, in the order of the table
}

// applicable returns the setting under which a block holds what is looked up.
func (q *query) applicable(b *block) *setting {
	if b.applies(q.setting) {
		return q.setting
	}
	if q.tag == 0 && q.name == "" || b.kind == pciBlock {
		return nil
	}
	if !q.looked {
		q.look()
	}
	for _, p := range q.others {
		if p != nil && b.applies(p) {
			return p
		}
	}
	return nil
}

// look finds the predefined settings: one by the name, one by the tag.
func (q *query) look() {
	q.looked = true
	byName, byTag := -1, -1
	if q.name != "" {
		if i, ok := predefinedByName[q.name]; ok {
			byName = i
		}
	}
	if q.tag != 0 {
		if i, ok := predefinedByTag[q.tag]; ok && predefined[i].scope == q.scope {
			byTag = i
		}
	}
	if byName > byTag {
		byName, byTag = byTag, byName
	}
	if byTag >= 0 {
		q.others[1] = &predefined[byTag]
	}
	if byName >= 0 {
		q.others[0] = &predefined[byName]
	}
}

// fetch looks a setting up: in the block, then in its children, depth first. It returns
// the raw bytes, the block they were found in, and the setting with its type.
func (r *runner) fetch(b *block, s *setting) (data []byte, origin *block, found setting, ok bool) {
	q := query{setting: s}
	if data, origin, ok = r.find(b, &q, &found); !ok {
		return nil, nil, *s, false
	}
	return data, origin, found, true
}

func (r *runner) find(b *block, q *query, found *setting) (data []byte, origin *block, ok bool) {
	b = r.target(b)
	if b.kind == netXBlock {
		return nil, nil, false
	}
	if a := q.applicable(b); a != nil {
		typ := a.typ
		if data, ok := r.value(b, a, &typ); ok {
			if *found = *a; typ == nil {
				typ = typeString
			}
			found.typ = typ
			return data, b, true
		}
	}
	for _, c := range b.children {
		if data, origin, ok = r.find(c, q, found); ok {
			return data, origin, true
		}
	}
	return nil, nil, false
}

// value reads one block; it fills in the type when the setting has none.
func (r *runner) value(b *block, s *setting, t **typ) ([]byte, bool) {
	switch b.kind {
	case builtinBlock:
		return r.builtin(s.name)
	case pciBlock: // configuration space: only what has no length can be told
		if s.tag&0xff != 0 {
			return nil, false
		}
		if *t == nil {
			*t = typeHexRaw
		}
		return nil, true
	case netBlock:
		if data, ok := r.nicValue(b.nic, s.name); ok {
			return data, true
		}
	}
	for i := range b.values {
		if v := &b.values[i]; v.same(s) {
			if *t == nil {
				*t = v.typ
			}
			return v.data, true
		}
	}
	return nil, false
}

// formatted returns a setting as text. It is empty when there is none.
func (r *runner) formatted(b *block, s *setting) (text string, origin *block, found setting, status Status) {
	out, origin, found, status := r.appendFormatted(r.scratch[:0], b, s)
	r.scratch = out
	if status != OK && origin == nil {
		return "", nil, *s, status
	}
	return r.keepText(out), origin, found, status
}

// appendFormatted appends the text of a setting.
func (r *runner) appendFormatted(dst []byte, b *block, s *setting) (_ []byte, origin *block, found setting, status Status) {
	data, origin, found, ok := r.fetch(b, s)
	if !ok {
		return dst, nil, found, enoentSettings
	}
	if found.typ == typeUUID && found.scope == smbiosScope && found.name == "uuid" && origin.kind == smbiosBlock {
		data = mangle(data) // SMBIOS keeps UUIDs little-endian; iPXE swaps them for this type alone
	}
	dst, status = found.typ.format(r, dst, data)
	return dst, origin, found, status
}

// store stores raw bytes; none clears the setting.
func (r *runner) store(b *block, s *setting, data []byte) Status {
	b = r.target(b)
	if !b.applies(s) {
		return enottySettings
	}
	switch b.kind {
	case builtinBlock, smbiosBlock, pciBlock, netXBlock:
		return enotsupSettings
	case netBlock:
		if status, done := r.storeNIC(b.nic, s.name, data); done {
			return status
		}
	}
	for i := range b.values {
		if b.values[i].same(s) {
			copy(b.values[1:i+1], b.values[:i])
			b.values[0] = stored{}
			if len(data) > 0 {
				b.values[0] = stored{*s, data}
			} else {
				b.values = append(b.values[:0], b.values[1:]...)
			}
			r.stored(b, s)
			return OK
		}
	}
	if len(data) > 0 {
		if r.storedCount++; r.storedCount > maxSettings {
			r.stop(HazardResources, "more than 65536 settings")
			return enomemExec
		}
		b.values = append(b.values, stored{})
		copy(b.values[1:], b.values)
		b.values[0] = stored{*s, data}
	}
	r.stored(b, s)
	return OK
}

// stored follows up a change.
func (r *runner) stored(b *block, s *setting) {
	if s.tag == prioritySetting.tag || s.name == "priority" {
		r.reprioritise(b)
	}
}

// storeText stores a value written as text, of the setting's type.
func (r *runner) storeText(b *block, s *setting, text string) Status {
	if text == "" {
		return r.store(b, s, nil)
	}
	data, status := s.typ.parse(r, text)
	if status != OK {
		return status
	}
	return r.store(b, s, data)
}

// blockName is the name that show prints; iPXE keeps it in 16 bytes.
func (r *runner) blockName(b *block) string {
	const room = 15
	name := ""
	for b = r.target(b); b.parent != nil; b = b.parent {
		dot := ""
		if name != "" {
			dot = "."
		}
		name = b.name + dot + name
		if len(name) > room {
			name = name[:room]
		}
	}
	return name
}

// fullName is block/name:type; show cuts it after 31 bytes.
func (r *runner) fullName(b *block, s *setting) string {
	name := r.blockName(b)
	if name != "" {
		name += "/"
	}
	name += s.name + ":" + s.typ.name
	if len(name) > 31 {
		name = name[:31]
	}
	return name
}
