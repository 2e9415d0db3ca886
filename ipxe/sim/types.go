package sim

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// typ is a setting type.
type typ struct {
	name  string
	parse func(r *runner, text string) ([]byte, Status)
	// format appends the text.
	format func(r *runner, dst, raw []byte) ([]byte, Status)
	// width and signed are of the integer types; width 0: none.
	width  int
	signed bool
}

var (
	typeString    = &typ{name: "string", parse: parseString, format: formatString}
	typeURIString = &typ{name: "uristring", parse: parseURIString, format: formatURIString}
	typeIPv4      = &typ{name: "ipv4", parse: parseIPv4, format: formatIPv4}
	typeIPv6      = &typ{name: "ipv6", parse: parseIPv6, format: formatIPv6}
	typeInt8      = integer("int8", 1, true)
	typeInt16     = integer("int16", 2, true)
	typeInt32     = integer("int32", 4, true)
	typeUint8     = integer("uint8", 1, false)
	typeUint16    = integer("uint16", 2, false)
	typeUint32    = integer("uint32", 4, false)
	typeHex       = hexType("hex", ':')
	typeHexHyp    = hexType("hexhyp", '-')
	typeHexRaw    = hexType("hexraw", 0)
	typeBase64    = &typ{name: "base64", parse: parseBase64, format: formatBase64}
	typeUUID      = &typ{name: "uuid", parse: parseUUID, format: formatUUID}
	typeGUID      = &typ{name: "guid", parse: parseGUID, format: formatGUID}
	typeBusDevFn  = &typ{name: "busdevfn", parse: unparseable, format: formatBusDevFn}
	typeDNSSL     = &typ{name: "dnssl", parse: unparseable, format: formatDNSSL}
)

func byName(list ...*typ) map[string]*typ {
	m := make(map[string]*typ, len(list))
	for _, t := range list {
		m[t.name] = t
	}
	return m
}

var typeByName = byName(typeString, typeURIString, typeIPv4, typeIPv6, typeInt8, typeInt16, typeInt32, typeUint8, typeUint16,
	typeUint32, typeHex, typeHexHyp, typeHexRaw, typeBase64, typeUUID, typeGUID, typeBusDevFn, typeDNSSL)

// findType returns a type by its name, nil when the build does not know it.
func (r *runner) findType(name string) *typ {
	t := typeByName[name]
	if t == typeGUID && !r.p.UUIDs {
		return nil
	}
	return t
}

func unparseable(*runner, string) ([]byte, Status) { return nil, enotsupSettings }

func parseString(r *runner, text string) ([]byte, Status) { return r.keepCopy(text), OK }

// formatString ends at the first NUL, as all text does in iPXE.
func formatString(_ *runner, dst, raw []byte) ([]byte, Status) { return append(dst, raw...), OK }

func parseURIString(_ *runner, text string) ([]byte, Status) { return []byte(uriDecode(text)), OK }

func formatURIString(r *runner, dst, raw []byte) ([]byte, Status) {
	return appendEncoded(dst, r.p, uriDefault, raw), OK
}

func parseIPv4(_ *runner, text string) ([]byte, Status) {
	out := make([]byte, 4)
	for i := range out {
		v, rest := strtoul(text, 0)
		if len(rest) == len(text) || v > 255 {
			return nil, einvalIPv4
		}
		out[i] = byte(v)
		if i == 3 {
			if rest != "" {
				return nil, einvalIPv4
			}
			break
		}
		if rest == "" || rest[0] != '.' {
			return nil, einvalIPv4
		}
		text = rest[1:]
	}
	return out, OK
}

func formatIPv4(_ *runner, dst, raw []byte) ([]byte, Status) {
	if len(raw) < 4 {
		return dst, einvalIPv4
	}
	for i, c := range raw[:4] {
		if i > 0 {
			dst = append(dst, '.')
		}
		dst = strconv.AppendUint(dst, uint64(c), 10)
	}
	return dst, OK
}

func parseIPv6(r *runner, text string) ([]byte, Status) {
	if !r.p.IPv6 {
		return nil, enotsupSettings
	}
	out := make([]byte, 0, 16)
	pad := -1
	for first := true; ; first = false {
		v, rest := strtoul(text, 16)
		if v > 0xffff {
			return nil, einvalIPv6
		}
		out = append(out, byte(v>>8), byte(v))
		if rest == "" {
			break
		}
		if rest[0] != ':' {
			return nil, einvalIPv6
		}
		if len(rest) == len(text) && !first {
			if pad >= 0 {
				return nil, einvalIPv6
			}
			pad = len(out)
		}
		text = rest[1:]
		if len(out) == 16 {
			return nil, einvalIPv6
		}
	}
	switch {
	case pad >= 0:
		full := make([]byte, 16)
		copy(full, out[:pad])
		copy(full[16-(len(out)-pad):], out[pad:])
		return full, OK
	case len(out) != 16:
		return nil, einvalIPv6
	}
	return out, OK
}

func formatIPv6(r *runner, dst, raw []byte) ([]byte, Status) {
	if !r.p.IPv6 {
		return dst, enotsupSettings
	}
	if len(raw) < 16 {
		return dst, einvalIPv6
	}
	// The longest run of two or more zero words is left out, the first of equals.
	var words [8]uint16
	best, bestLen := -1, 1
	for i, n := 0, 0; i < 8; i++ {
		words[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
		if words[i] != 0 {
			n = 0
			continue
		}
		if n++; n > bestLen {
			best, bestLen = i-n+1, n
		}
	}
	var b strings.Builder
	for i := 0; i < 8; i++ {
		if i == best {
			b.WriteString("::")
			i += bestLen - 1
			continue
		}
		if b.Len() > 0 && !strings.HasSuffix(b.String(), ":") {
			b.WriteByte(':')
		}
		b.WriteString(strconv.FormatUint(uint64(words[i]), 16))
	}
	return append(dst, b.String()...), OK
}

func integer(name string, width int, signed bool) *typ {
	t := &typ{name: name, width: width, signed: signed}
	t.parse = func(r *runner, text string) ([]byte, Status) {
		v, rest := strtoul(text, 0)
		if rest != "" {
			return nil, einvalSettings
		}
		return t.denumerate(r.keepBytes(4), v), OK
	}
	t.format = func(_ *runner, dst, raw []byte) ([]byte, Status) {
		v, status := t.numerate(raw)
		if status != OK {
			return dst, status
		}
		if signed {
			return strconv.AppendInt(dst, int64(int32(v)), 10), OK
		}
		return strconv.AppendUint(append(dst, "0x"...), uint64(v), 16), OK
	}
	return t
}

// numerate reads raw bytes of any length as one number; more than four must be padding.
func (t *typ) numerate(raw []byte) (uint32, Status) {
	if t.width == 0 {
		return 0, enotsupSettings
	}
	return number(raw, t.signed)
}

func number(raw []byte, signed bool) (uint32, Status) {
	var v uint32
	var pad byte
	if signed && len(raw) > 0 && raw[0] >= 0x80 {
		v, pad = 0xffffffff, 0xff
	}
	for i, c := range raw {
		v = v<<8 | uint32(c)
		if i+4 < len(raw) && c != pad {
			return 0, erangeSettings
		}
	}
	return v, OK
}

// denumerate writes a number into four bytes and returns those of the type's width.
func (t *typ) denumerate(out []byte, v uint32) []byte {
	out[0], out[1], out[2], out[3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	return out[4-t.width:]
}

func hexType(name string, sep byte) *typ {
	return &typ{
		name:   name,
		parse:  func(r *runner, text string) ([]byte, Status) { return r.parseHex(text, sep) },
		format: func(_ *runner, dst, raw []byte) ([]byte, Status) { return appendHex(dst, raw, sep), OK },
	}
}

func (r *runner) parseHex(text string, sep byte) ([]byte, Status) {
	out := r.keepBytes(len(text) / 2)[:0]
	for i := 0; i < len(text); i += 2 {
		if len(out) > 0 && sep != 0 {
			if text[i] != sep {
				return nil, einvalHex
			}
			i++
		}
		if i+2 > len(text) {
			return nil, einvalHex
		}
		hi, lo := digit(text[i]), digit(text[i+1])
		if hi > 15 || lo > 15 {
			return nil, einvalHex
		}
		out = append(out, byte(hi<<4|lo))
	}
	return out, OK
}

func appendHex(dst, raw []byte, sep byte) []byte {
	const digits = "0123456789abcdef"
	for i, c := range raw {
		if i > 0 && sep != 0 {
			dst = append(dst, sep)
		}
		dst = append(dst, digits[c>>4], digits[c&15])
	}
	return dst
}

const base64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// parseBase64 passes over white space and wants whole bytes: at most two pads, each of
// which takes back two bits.
func parseBase64(_ *runner, text string) ([]byte, Status) {
	var out []byte
	bit, pads := 0, 0
	for i := range len(text) {
		c := text[i]
		if isSpace(c) {
			continue
		}
		if c == '=' {
			if pads == 2 {
				return nil, einvalBase64
			}
			pads++
			bit -= 2
			continue
		}
		v := strings.IndexByte(base64Digits, c)
		if pads > 0 || v < 0 {
			return nil, einvalBase64
		}
		for len(out) <= (bit+5)/8 {
			out = append(out, 0)
		}
		out[bit/8] |= byte(v << 2 >> (bit % 8))
		if bit%8 > 2 {
			out[bit/8+1] |= byte(v << 2 << (8 - bit%8))
		}
		bit += 6
	}
	if bit%8 != 0 || bit < 0 {
		return nil, einvalBase64
	}
	return out[:bit/8], OK
}

func formatBase64(_ *runner, dst, raw []byte) ([]byte, Status) {
	return base64.StdEncoding.AppendEncode(dst, raw), OK
}

func parseUUID(r *runner, text string) ([]byte, Status) {
	if !r.p.UUIDs {
		return nil, enotsupSettings
	}
	return uuidBytes(text)
}

func uuidBytes(text string) ([]byte, Status) {
	var out []byte
	for i, part := range strings.SplitN(text, "-", 6) {
		if i > 4 || len(part) != [...]int{8, 4, 4, 4, 12}[i] {
			return nil, einvalUUID
		}
		b, err := hex.DecodeString(part)
		if err != nil {
			return nil, einvalUUID
		}
		out = append(out, b...)
	}
	if len(out) != 16 {
		return nil, einvalUUID
	}
	return out, OK
}

func formatUUID(_ *runner, dst, raw []byte) ([]byte, Status) {
	if len(raw) != 16 {
		return dst, erangeSettings
	}
	return fmt.Appendf(dst, "%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:]), OK
}

// mangle swaps the bytes of the first three fields: a GUID is little-endian there.
func mangle(b []byte) []byte {
	if len(b) != 16 {
		return b
	}
	out := []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]}
	return append(out, b[8:]...)
}

func parseGUID(_ *runner, text string) ([]byte, Status) {
	b, status := uuidBytes(text)
	return mangle(b), status
}

func formatGUID(r *runner, dst, raw []byte) ([]byte, Status) { return formatUUID(r, dst, mangle(raw)) }

func formatBusDevFn(_ *runner, dst, raw []byte) ([]byte, Status) {
	v, status := number(raw, false)
	if status != OK {
		return dst, status
	}
	return fmt.Appendf(dst, "%04x:%02x:%02x.%x", v>>16, v>>8&0xff, v>>3&0x1f, v&7), OK
}

// formatDNSSL prints a list of domain names in the form that DNS packets have.
func formatDNSSL(_ *runner, dst, raw []byte) ([]byte, Status) {
	var names []string
	for len(raw) > 0 {
		var labels []string
		for len(raw) > 0 && raw[0] != 0 {
			n := int(raw[0])
			if n > 63 || n >= len(raw) {
				return dst, einvalSettings
			}
			labels = append(labels, string(raw[1:1+n]))
			raw = raw[1+n:]
		}
		if len(raw) > 0 {
			raw = raw[1:]
		}
		names = append(names, strings.Join(labels, "."))
	}
	return append(dst, strings.Join(names, " ")...), OK
}

// strtoul is that of iPXE on 32 bits: white space, a sign, 0x or a leading 0 with base
// 0; the number is cut to its last 32 bits; what follows the digits is returned.
func strtoul(s string, base uint32) (uint32, string) {
	i := 0
	for i < len(s) && isSpace(s[i]) {
		i++
	}
	negate := false
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		negate = s[i] == '-'
		i++
	}
	if base == 0 {
		base = 10
		if i < len(s) && s[i] == '0' {
			i, base = i+1, 8
			if i < len(s) && s[i]|0x20 == 'x' {
				i, base = i+1, 16
			}
		}
	}
	var v uint32
	for ; i < len(s); i++ {
		d := digit(s[i])
		if d >= base {
			break
		}
		_, v = bits.Mul32(v, base)
		v += d
	}
	if negate {
		v = -v
	}
	return v, s[i:]
}

func digit(c byte) uint32 {
	switch {
	case c >= '0' && c <= '9':
		return uint32(c - '0')
	case c >= 'a' && c <= 'z':
		return uint32(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return uint32(c-'A') + 10
	}
	return 255
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }
