package ipxe

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// Facts are what a machine says of itself in a query. All of it is hostile input: it
// may decide which script a machine gets, and never becomes part of one as it is.
type Facts struct {
	// MAC is the card's address, when HasMAC.
	MAC    [6]byte `json:"mac,omitzero"`
	HasMAC bool    `json:"hasMAC,omitzero"`
	// The texts are as the machine has them, with what iPXE did to them undone. They may
	// hold any bytes.
	UUID         string `json:"uuid,omitzero"`
	Product      string `json:"product,omitzero"`
	Manufacturer string `json:"manufacturer,omitzero"`
	Serial       string `json:"serial,omitzero"`
	Asset        string `json:"asset,omitzero"`
	Arch         string `json:"arch,omitzero"`
	Platform     string `json:"platform,omitzero"`
	Hostname     string `json:"hostname,omitzero"`
	IP           string `json:"ip,omitzero"`
	// Extra are all other keys, the first value of each.
	Extra map[string]string `json:"extra,omitzero"`
	// Remote and UserAgent are set by the handler.
	Remote    netip.AddrPort `json:"remote,omitzero"`
	UserAgent string         `json:"userAgent,omitzero"`
}

// FactProblem is something in a query that was not as it should be.
type FactProblem struct {
	// Key as decoded; Text says what is wrong.
	Key  string `json:"key,omitzero"`
	Text string `json:"text,omitzero"`
}

// String returns the problem in one line.
func (p FactProblem) String() string { return fmt.Sprintf("%q: %s", p.Key, p.Text) }

const (
	maxQuery = 64 << 10
	maxPairs = 256
)

// factNames are the keys that have a field, and other names in use for them. type is the
// key of the story of 2012.
var factNames = map[string]string{
	"mac": "mac", "uuid": "uuid", "product": "product", "type": "product", "model": "product",
	"manufacturer": "manufacturer", "vendor": "manufacturer", "serial": "serial", "asset": "asset",
	"arch": "arch", "buildarch": "arch", "platform": "platform", "hostname": "hostname", "ip": "ip",
}

// ParseFacts reads the raw query of a request, as net/http's URL.RawQuery has it. It
// takes what every generation of iPXE sends: %XX in either case, bytes above 127 as
// %FFFFFFXX or %FFFFFFFFFFFFXX, MACs with colons, hyphens, nothing, or %3A between the
// digits, and texts as hexadecimal digits ([InspectScript] marks these with the suffix
// _hex of their key). A plus is a plus. It never fails: what is wrong is told, and
// the rest is read. Of a repeated key the first value counts.
func ParseFacts(rawQuery string) (Facts, []FactProblem) {
	var f Facts
	var problems []FactProblem
	problem := func(key, format string, args ...any) {
		if len(problems) < maxPairs {
			problems = append(problems, FactProblem{key, fmt.Sprintf(format, args...)})
		}
	}
	if len(rawQuery) > maxQuery {
		problem("", "a query of %d bytes; only %d are read", len(rawQuery), maxQuery)
		rawQuery = rawQuery[:maxQuery]
	}
	seen := map[string]bool{}
	n := 0
	for pair := range strings.SplitSeq(rawQuery, "&") {
		if pair == "" {
			continue
		}
		if n++; n > maxPairs {
			problem("", "more than %d pairs", maxPairs)
			break
		}
		rawKey, rawValue, given := strings.Cut(pair, "=")
		key, _ := decodeFact(rawKey)
		value, bad := decodeFact(rawValue)
		if !given {
			problem(key, "no value")
		}
		if bad {
			problem(key, "a broken %% escape")
		}
		name := strings.ToLower(key)
		hexed := strings.HasSuffix(name, "_hex")
		if hexed {
			name = strings.TrimSuffix(name, "_hex")
			b, err := hex.DecodeString(value)
			if err != nil {
				problem(key, "not hexadecimal digits")
				continue
			}
			value = string(b)
		}
		field, known := factNames[name]
		if !known {
			field = name
		}
		if seen[field] {
			problem(key, "given more than once; the first one counts")
			continue
		}
		seen[field] = true
		if !f.set(field, value) {
			problem(key, "%.40q is no MAC address", value)
		}
	}
	return f, problems
}

func (f *Facts) set(field, value string) bool {
	switch field {
	case "mac":
		mac, ok := ParseMAC(value)
		if !ok && len(value) == 6 {
			mac, ok = [6]byte([]byte(value)), true // mac_hex
		}
		f.MAC, f.HasMAC = mac, ok
		return ok
	case "uuid":
		f.UUID = strings.ToLower(value)
	case "product":
		f.Product = value
	case "manufacturer":
		f.Manufacturer = value
	case "serial":
		f.Serial = value
	case "asset":
		f.Asset = value
	case "arch":
		f.Arch = value
	case "platform":
		f.Platform = value
	case "hostname":
		f.Hostname = value
	case "ip":
		f.IP = value
	default:
		if f.Extra == nil {
			f.Extra = map[string]string{}
		}
		f.Extra[field] = value
	}
	return true
}

// decodeFact undoes what iPXE did to a text on its way.
func decodeFact(s string) (text string, bad bool) {
	i := strings.IndexByte(s, '%')
	if i < 0 {
		return s, false
	}
	out := append(make([]byte, 0, len(s)), s[:i]...)
	for i < len(s) {
		if s[i] != '%' {
			out = append(out, s[i])
			i++
			continue
		}
		// A byte above 127 comes as %FFFFFFC3, and where it went through the encoder twice
		// as %FFFFFFFFFFFFC3; after the first decoding as \xff and "FFFFC3".
		rest := s[i+1:]
		f := 0
		for f < len(rest) && rest[f] == 'F' {
			f++
		}
		switch {
		case f >= 12 && len(rest) >= 14 && highByte(rest[12:14]):
			out = append(out, unhex(rest[12:14]))
			i += 15
		case f >= 6 && len(rest) >= 8 && highByte(rest[6:8]):
			out = append(out, unhex(rest[6:8]))
			i += 9
		case len(rest) >= 2 && isHex(rest[0]) && isHex(rest[1]):
			out = append(out, unhex(rest[:2]))
			i += 3
		default:
			bad = true
			out = append(out, '%')
			i++
		}
	}
	return string(out), bad
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func highByte(s string) bool { return isHex(s[0]) && isHex(s[1]) && unhex(s) >= 0x80 }

func unhex(s string) byte {
	var b [1]byte
	_, _ = hex.Decode(b[:], []byte(s[:2]))
	return b[0]
}

// ParseMAC reads a MAC address: six bytes, two digits each, with colons, hyphens, or
// nothing between them, or in the dotted form of three groups.
func ParseMAC(s string) (mac [6]byte, ok bool) {
	sep := byte(0)
	switch len(s) {
	case 12:
	case 17:
		if sep = s[2]; sep != ':' && sep != '-' {
			return mac, false
		}
	case 14: // 5254.0012.3456
		if s[4] != '.' || s[9] != '.' {
			return mac, false
		}
		return ParseMAC(s[:4] + s[5:9] + s[10:])
	default:
		return mac, false
	}
	at := 0
	for i := range mac {
		if i > 0 && sep != 0 {
			if s[at] != sep {
				return mac, false
			}
			at++
		}
		if !isHex(s[at]) || !isHex(s[at+1]) {
			return mac, false
		}
		mac[i] = unhex(s[at:])
		at += 2
	}
	return mac, true
}

// MACText writes a MAC address with a separator, in lower case.
func MACText(mac [6]byte, sep string) string {
	var b strings.Builder
	for i, c := range mac {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteByte(lowerHex[c>>4])
		b.WriteByte(lowerHex[c&15])
	}
	return b.String()
}

// maxShown is the maximum number of bytes of a fact in a log line or an error.
const maxShown = 200

// shown returns a fact as text for logs and errors. It escapes control characters, bytes
// that are not UTF-8, quotes and backslashes in the syntax of Go, and it cuts the fact
// after maxShown bytes.
func shown(fact string) string {
	if len(fact) > maxShown {
		fact = fact[:maxShown] + "..."
	}
	for i, c := range fact {
		if c < ' ' || c == 0x7f || c == utf8.RuneError || c >= 0x80 && c < 0xa0 || c >= 0x2028 && c <= 0x202e || c >= 0x2066 && c <= 0x2069 || c == '"' || c == '\\' {
			q := fmt.Sprintf("%+q", fact[i:])
			return fact[:i] + q[1:len(q)-1]
		}
	}
	return fact
}

// Fact is a fact that [InspectScript] asks for: the key of the query, and the setting.
type Fact struct {
	Key     string `json:"key,omitzero"`
	Setting string `json:"setting,omitzero"`
}

// StandardFacts are the facts that ParseFacts knows.
func StandardFacts() []Fact {
	return []Fact{
		{"mac", "mac"}, {"uuid", "uuid"}, {"product", "product"}, {"manufacturer", "manufacturer"}, {"serial", "serial"},
		{"asset", "asset"}, {"arch", "buildarch"}, {"platform", "platform"}, {"hostname", "hostname"}, {"ip", "ip"},
	}
}

// InspectScript is the first script of a machine: it chains to a URL with the machine's
// facts in the query, the texts as hexadecimal digits, so that every iPXE brings them
// over whole. next is constant text, or begins with a variable.
func InspectScript(next *URLBuilder, facts ...Fact) *Builder {
	b := &Builder{}
	if len(facts) == 0 {
		facts = StandardFacts()
	}
	b.Imgfree()
	u := *next
	u.parts = append([]urlPart(nil), next.parts...)
	for _, f := range facts {
		switch f.Setting {
		case "mac":
			u.Query(f.Key, Var(f.Setting).As(HexHyp))
		case "uuid", "ip", "buildarch", "platform":
			u.Query(f.Key, Var(f.Setting).Bare())
		default:
			u.Query(f.Key+"_hex", Var(f.Setting))
		}
	}
	b.Chain(&u)
	return b
}

// BootScript is the 102 bytes of the story: boot.ipxe, which frees the images and chains
// to the script that a CGI of that time, or [Handler], makes for the model and the MAC.
// InspectScript brings the facts over more safely.
func BootScript() *Builder {
	b := &Builder{}
	b.Imgfree()
	b.Chain(URL(Text("http://"), Var("next-server"), Text("/cgi-bin/boot_ipxe.cgi")).
		Query("type", Var("product").As(URIString)).Query("mac", Var("mac").Bare()))
	return b
}
