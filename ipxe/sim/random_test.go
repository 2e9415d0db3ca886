package sim_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/oracle"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
	"dougu.internal/ipxe/sim"
)

// writer makes random scripts. Everything that outlives a case has a name of its own,
// loops end by themselves, and the network stays as it is.
type writer struct {
	*rand.Rand
	n     int // number of the case
	vars  []string
	files map[string]fwFile
	depth int
	line  int
	keys  strings.Builder
	scr   bool
}

func pick[T any](w *writer, list ...T) T { return list[w.IntN(len(list))] }

// chance is true p times in 100.
func (w *writer) chance(p int) bool { return w.IntN(100) < p }

func randomCase(rng *rand.Rand, n int) fwCase {
	w := &writer{Rand: rng, n: n, files: map[string]fwFile{}}
	for i := range 6 {
		w.vars = append(w.vars, fmt.Sprintf("%c%d", 'a'+i, n))
	}
	w.vars = append(w.vars, fmt.Sprintf("b%d.c/v%d", n, n), fmt.Sprintf("%d", 128+n%60), "hostname", "root-path", fmt.Sprintf("w%d", n))
	script := w.script(4 + w.IntN(14))
	return fwCase{name: fmt.Sprintf("r%d", n), script: script, dump: w.vars, files: w.files, keys: w.keys.String(), screen: w.scr}
}

// script writes a whole script.
func (w *writer) script(lines int) string {
	var b strings.Builder
	b.WriteString(pick(w, "#!ipxe\n", "#!ipxe\n", "#!ipxe\n", "#!gpxe\n", "#!ipxe comment echo x\n", "#!ipxe\r\n"))
	eol := "\n"
	if w.chance(10) {
		eol = "\r\n"
	}
	if w.depth == 0 {
		b.WriteString("isset ${} ||" + eol) // ${errno} is the same in both
	}
	labels := 0
	for i := range lines {
		text := w.chain(0)
		if w.chance(15) {
			text = fmt.Sprintf(":l%d%s", labels, pick(w, "", " ", "\t")) + pick(w, "", " "+text)
			labels++
		}
		if w.chance(12) { // a jump forward, to a label that may or may not exist
			text = pick(w, "goto l%d ||", "goto l%d", "isset ${%[2]s} && goto l%[1]d ||", "goto l%d && echo no ; echo no ||")
			text = fmt.Sprintf(text, labels+w.IntN(2), pick(w, w.vars...))
			if k := strings.Index(text, "%!(EXTRA"); k >= 0 {
				text = text[:k]
			}
		}
		if w.chance(6) { // a loop that counts
			v := fmt.Sprintf("i%d_%d_%d", w.n, w.depth, i)
			text = fmt.Sprintf("clear %[1]s%[3]s:t%[2]d%[3]sinc %[1]s%[3]secho round ${%[1]s}%[3]siseq ${%[1]s} %[4]d || goto t%[2]d", v, i, eol, 1+w.IntN(4))
		}
		if w.chance(8) {
			text = w.continued(text, eol)
		}
		b.WriteString(pick(w, "", "", "", " ", "\t") + text + pick(w, "", "", "", " ", " # tail") + eol)
	}
	s := b.String()
	switch w.IntN(12) {
	case 0:
		s = strings.TrimRight(s, "\r\n")
	case 1:
		s += fmt.Sprintf("exit %s", pick(w, "", "0", "3", "0x2d02203b", "-1", "x", "08"))
	case 2:
		s = strings.TrimRight(s, "\r\n") + " \\"
	}
	return s
}

// continued breaks a line in two.
func (w *writer) continued(text, eol string) string {
	i := w.IntN(len(text) + 1)
	return text[:i] + "\\" + eol + text[i:]
}

// chain writes commands with operators between them. Most lines cannot fail, so that
// scripts do not end early.
func (w *writer) chain(deep int) string {
	var text strings.Builder
	text.WriteString(w.command())
	for w.chance(30) && deep < 3 {
		text.WriteString(pick(w, " || ", " && ", " ; ", "  ||\t", " ||") + " " + w.command())
		deep++
	}
	if w.chance(85) {
		text.WriteString(pick(w, " ||", " ||", " || echo failed ${errno}", " ; isset x"))
	}
	return text.String()
}

// word writes a word, without blanks.
func (w *writer) word() string {
	switch w.IntN(16) {
	case 0, 1, 2, 3:
		return pick(w, "a", "foo", "x-y", "10", "0x1f", "-3", "a#b", "'q", "b\"", "1;2", "a||b", "%41", "=", "k=v", "/p/q", "{", "}", "$", "a:b", "..", "+", "\\", "&", "[x]", "~")
	case 4, 5, 6:
		return "${" + w.name() + "}"
	case 7:
		return "${" + w.name() + ":" + w.typeName() + "}"
	case 8:
		return pick(w, "pre${", "${", "x${") + w.name() + pick(w, "}", "}post", "", "}}", "}${"+w.name()+"}")
	case 9:
		return "${${" + w.name() + "}}"
	case 10:
		return pick(w, "#c", "||", ";", "--", "-n", "--foo", "&&")
	case 11:
		return pick(w, "${product}", "${serial:uristring}", "${mac}", "${uuid}", "${net0/mac:hexraw}", "${netX/ip}", "${manufacturer:base64}", "${platform}", "${errno}", "${nosuch}", "${}", "${a b}", "${smbios/serial}")
	}
	b := make([]byte, 1+w.IntN(6))
	for i := range b {
		b[i] = byte(w.IntN(0x7f-0x21) + 0x21)
	}
	return strings.ReplaceAll(string(b), "##", "#")
}

func (w *writer) words(limit int) string {
	var list []string
	for range w.IntN(limit + 1) {
		list = append(list, w.word())
	}
	return strings.Join(list, pick(w, " ", " ", "  ", "\t"))
}

// name is the name of a setting that a case may read.
func (w *writer) name() string {
	if w.chance(8) {
		return pick(w, "product", "net0/mac", "mac", "ip", "nosuch", "next-server", "smbios/uuid", "netX/hwaddr", "busid", "net0.dhcp/ip", "errno")
	}
	return pick(w, w.vars...)
}

func (w *writer) typeName() string {
	return pick(w, "string", "uristring", "int8", "int16", "int32", "uint8", "uint16", "uint32", "hex", "hexhyp", "hexraw", "base64", "ipv4", "ipv6", "uuid", "busdevfn", "guid", "nosuch")
}

// value is something that may be a value of a type.
func (w *writer) value(typ string) string {
	hexes := func(sep string) string {
		var list []string
		for range w.IntN(9) {
			list = append(list, fmt.Sprintf(pick(w, "%02x", "%02X"), w.IntN(256)))
		}
		return strings.Join(list, sep)
	}
	if w.chance(15) {
		return w.words(2)
	}
	switch typ {
	case "int8", "int16", "int32", "uint8", "uint16", "uint32":
		return pick(w, fmt.Sprint(w.IntN(70000)), fmt.Sprint(-w.IntN(300)), fmt.Sprintf("0x%x", w.Uint32()), fmt.Sprintf("0%o", w.IntN(999)), "08", "12x", "+5", fmt.Sprint(w.Uint64()))
	case "hex":
		return hexes(":")
	case "hexhyp":
		return hexes("-")
	case "hexraw":
		return pick(w, hexes(""), hexes(""), "247b"+fmt.Sprintf("%x", w.vars[0])+"7d", "2320", "7c7c", "2d2d78")
	case "base64":
		return pick(w, "QUJD", "QQ==", "QUI=", "QUJ", "====", "A-B=", "QU JD")
	case "ipv4":
		return pick(w, "10.1.2.3", "1.2.3", "256.1.1.1", "0x7f.0.0.1", "1.2.3.4.5", "010.1.1.1")
	case "ipv6":
		return pick(w, "::1", "fe80::1", "1:2:3:4:5:6:7:8", "::", "1::2::3", ":1", "1:2", "12345::", "1:0:0:2::")
	case "uuid", "guid":
		return "11223344-5566-7788-99aa-bbccddeeff00"
	case "uristring":
		return pick(w, "a%20b", "%zz%2", "100%", "%00x", "a+b%2fc", "%41%4")
	}
	return w.words(3)
}

func (w *writer) command() string {
	w.line++
	switch w.IntN(34) {
	case 0, 1, 2, 3:
		return "echo " + w.words(4)
	case 4, 5, 6, 7:
		return "set " + pick(w, w.vars...) + " " + w.words(3)
	case 8, 9, 10, 11:
		t := w.typeName()
		return "set " + pick(w, w.vars...) + ":" + t + " " + w.value(t)
	case 12, 13:
		return "show " + w.name() + pick(w, "", "", ":"+w.typeName())
	case 14, 15:
		return "inc " + pick(w, w.vars...) + pick(w, "", "", " "+w.word(), " 5", " -1", ":"+w.typeName(), ":int8 200", ":uint16")
	case 16:
		return "isset " + pick(w, w.word(), "${"+w.name()+"}", "")
	case 17:
		return "iseq " + pick(w, w.word()+" "+w.word(), "a a", "${"+w.name()+"} ${"+w.name()+"}", "x")
	case 18:
		return "clear " + pick(w, pick(w, w.vars...), "nosuch", "nosuch/x")
	case 19:
		return pick(w, "nosuch", "ECHO x", "${nothing}", "echo", "goto", "exit x", "sleep 0", "set", "isset --help", "set -h", "echo --x", "params", "item -k", "imgfree nosuch", "ifopen net9", "sanboot -d x", "read --timeout 1 x", "prompt --key", "cpuid 99x", "config nosuch", "dhcp -c x")
	case 20, 21:
		return pick(w, "imgfetch", "initrd", "module", "imgfetch --name "+w.imageName()) + " " + w.uri() + pick(w, "", " "+w.words(3))
	case 22:
		return pick(w, "kernel", "imgselect", "imgload", "kernel --name "+w.imageName(), "kernel --autofree") + " " + w.imageOrURI() + pick(w, "", " "+w.words(3))
	case 23:
		return "imgargs " + w.imageOrURI() + " " + w.words(4)
	case 24:
		return "imgstat" + pick(w, "", "", " "+w.imageName(), " "+w.imageName()+" "+w.imageName())
	case 25:
		return "imgfree" + pick(w, "", " "+w.imageName())
	case 26, 27, 28:
		return w.chained()
	case 29:
		return pick(w, "imgexec", "boot", "imgexec --replace", "boot --autofree") + " " + pick(w, "e", "s9", "s9", "nosuch9", "e", "s9", "nosuch9", "")
	case 30:
		return fmt.Sprintf("imgfetch {{BASE}}/%s", w.target())
	case 31:
		return w.menus()
	case 32:
		return pick(w, "prompt --timeout 20 ", "prompt -t 20 -k x ") + pick(w, "", "hit a key")
	}
	return pick(w, "", "# comment "+w.words(2), "goto nowhere", "goto ${"+w.name()+"}", "exit x", "sleep x", "imgstat -x")
}

func (w *writer) imageName() string { return pick(w, "e", "f", "s9", "nosuch9", "n"+w.vars[0]) }

// uri is something to fetch: files that are there, that are not, and that can't be.
func (w *writer) uri() string {
	w.files["/e"], w.files["/f"] = fwFile{}, fwFile{body: "text of f"}
	w.files["/red"] = fwFile{status: 302, header: map[string]string{"Location": "f?red"}}
	return pick(w, "{{BASE}}/e", "{{BASE}}/f", "{{BASE}}/f", "{{BASE}}/none", "{{BASE}}/f?q="+w.word(), "foo:bar", "{{BASE}}/red", "f", "../f", "?x=1")
}

func (w *writer) imageOrURI() string { return pick(w, w.imageName(), w.uri()) }

// target is the path and query of a URI, with all sorts of bytes.
func (w *writer) target() string {
	var b strings.Builder
	for range 1 + w.IntN(8) {
		b.WriteString(pick(w, "a", "B", "%41", "%2f", "%26", "%zz", "%2", "%", "/", "?", "&", "=", "+", ":", "@", ";", ",", "[", "]", "\"", "<", "^", "|", "`", "~", "'", "(", "..", "./", "#",
			"${"+w.name()+":uristring}", "${"+w.name()+":hexraw}", "${"+w.name()+"}", "${serial:uristring}", "${mac}", "${mac:hexhyp}"))
	}
	return b.String()
}

// chained runs another script, to a depth of three.
func (w *writer) chained() string {
	if w.depth == 3 {
		return "echo deep"
	}
	w.line++
	name := fmt.Sprintf("s%d_%d", w.depth, w.line)
	w.depth++
	body := w.script(1 + w.IntN(5))
	w.depth--
	w.files["/"+name], w.files["/s9"] = fwFile{body: body}, fwFile{body: "#!ipxe\necho in s9\nimgstat\n"}
	return pick(w, "chain ", "chain ", "chain --autofree ", "chain --replace ", "imgexec ", "chain --name n"+w.vars[0]+" ") +
		pick(w, "{{BASE}}/"+name, "{{BASE}}/"+name, "{{BASE}}/s9", "s9") + pick(w, "", "", " "+w.words(2))
}

// menus builds a menu and chooses by default, by timeout.
func (w *writer) menus() string {
	w.scr = true
	m := pick(w, "", " --menu m"+w.vars[0])
	open := strings.Replace(m, "--menu", "--name", 1)
	var items strings.Builder
	for i := range w.IntN(4) {
		items.WriteString(fmt.Sprintf("item%s%s ; ", m, pick(w, fmt.Sprintf(" x%d Text %d", i, i), fmt.Sprintf(" --default x%d", i), " --gap gap", fmt.Sprintf(" --key %d x%d", i, i), " "+w.word())))
	}
	return fmt.Sprintf("menu%s Title %s ; %schoose%s%s --timeout 20 %s", open, "x", items.String(), m, pick(w, "", " --default x1", " --default nosuch"), pick(w, w.vars...)+pick(w, "", ":hexraw", ":uristring"))
}

// TestFirmwareAgreesOnRandomScripts is the differential test: 60 scripts, 1,000 in long
// runs.
func TestFirmwareAgreesOnRandomScripts(t *testing.T) {
	rng := oracle.Rand(t)
	n := oracle.N(60, 1000)
	var cases []fwCase
	for i := range n {
		cases = append(cases, randomCase(rng, i))
	}
	require.Equal(t, n, compare(t, cases))
}

// TestLintErrorsMeanFailure: a script that ends with success has no error-level finding,
// but for what would hang a machine.
func TestLintErrorsMeanFailure(t *testing.T) {
	rng := oracle.Rand(t)
	good := 0
	for i := range oracle.N(3000, 30000) {
		c := randomCase(rng, i%1000)
		d := newDesk("http://h", []fwCase{c})
		d.at = 0
		src := []byte(d.text(0, c.script))
		s := ipxe.Parse("r", src)
		r, err := sim.Run(t.Context(), &sim.Machine{Profile: ipxe.Debian2019(), SMBIOS: dmi, URI: "http://h/_case/0"}, s, d, sim.Options{MaxSteps: 5000})
		require.NoError(t, err)
		if r.Status != sim.OK || r.Hang() != nil || r.Boot.Kind != sim.Returned {
			continue
		}
		good++
		list, err := lint.Script(t.Context(), s, lint.Options{NoRun: true})
		require.NoError(t, err)
		for _, f := range list {
			require.NotEqual(t, diag.Error, f.Severity, "%v\n%s\n%s", f, src, r.Console)
		}
	}
	require.Greater(t, good, 100)
}
