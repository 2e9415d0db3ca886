package keepalived

import (
	"embed"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

//go:embed testdata/rules/*.txt
var exampleFiles embed.FS

// example is a section of the files of examples.
type example struct {
	id       string
	version  Version
	config   string       // the id that @id lines are compared with
	insecure string       // the path of a script that others can change
	network  netip.Prefix // the address of eth0 with its network
	// texts by name: "bad", "good", "fixed"; with " b" behind it that of a second
	// node.
	texts map[string]string
}

// show returns a text for the page of a rule; that of a second node follows it.
func (x example) show(name string) string {
	t := x.texts[name]
	if b := x.texts[name+" b"]; b != "" {
		t = "# the file of one node\n" + t + "# the file of the other\n" + b
	}
	return t
}

// parseExamples reads all examples, in the order of the files.
func parseExamples() ([]example, error) {
	entries, err := exampleFiles.ReadDir("testdata/rules")
	if err != nil {
		return nil, err
	}
	var out []example
	for _, f := range entries {
		text, err := exampleFiles.ReadFile("testdata/rules/" + f.Name())
		if err != nil {
			return nil, err
		}
		var cur *example
		section := ""
		for line := range strings.Lines(string(text)) {
			if head, ok := strings.CutPrefix(line, "=== "); ok {
				words := strings.Fields(head)
				out = append(out, example{id: words[0], texts: map[string]string{}})
				cur, section = &out[len(out)-1], ""
				for _, w := range words[1:] {
					k, v, _ := strings.Cut(w, "=")
					switch k {
					case "version":
						if cur.version, err = ParseVersion(v); err != nil {
							return nil, err
						}
					case "id":
						cur.config = v
					case "insecure":
						cur.insecure = v
					case "network":
						if cur.network, err = netip.ParsePrefix(v); err != nil {
							return nil, err
						}
					default:
						return nil, fmt.Errorf("keepalived: %s: unknown word %q", f.Name(), w)
					}
				}
				continue
			}
			if name, ok := strings.CutPrefix(line, "--- "); ok && cur != nil {
				section = strings.TrimSpace(name)
				continue
			}
			if cur != nil && section != "" {
				cur.texts[section] += line
			}
		}
	}
	for i := range out {
		for k, t := range out[i].texts {
			if k != "fixed" && k != "fixed b" {
				out[i].texts[k] = expandExample(strings.TrimRight(t, "\n") + "\n")
			} else {
				out[i].texts[k] = expandSigns(strings.TrimRight(t, "\n") + "\n")
			}
		}
	}
	return out, nil
}

// expandSigns replaces the names of bytes that a text file should not hold.
func expandSigns(s string) string {
	return strings.NewReplacer("%BOM", "\ufeff", "%NBSP", "\u00a0", "%NUL", "\x00", "%CR", "\r", "%LONG", strings.Repeat("long ", 220)).Replace(s)
}

// expandExample replaces the lines that stand for the begin of a block.
func expandExample(s string) string {
	var b strings.Builder
	names := []string{}
	for line := range strings.Lines(expandSigns(s)) {
		f := strings.Fields(line)
		if len(f) == 0 || !strings.HasPrefix(f[0], "%") {
			b.WriteString(line)
			continue
		}
		switch f[0] {
		case "%instance", "%backup":
			n := slices.Index(names, f[1])
			if n < 0 {
				names = append(names, f[1])
				n = len(names) - 1
			}
			dev := "eth0"
			if len(f) > 2 {
				dev = f[2]
			}
			prio := 100
			if f[0] == "%backup" {
				prio = 90
			}
			fmt.Fprintf(&b, "vrrp_instance %s {\n    state BACKUP\n    interface %s\n    virtual_router_id %d\n    priority %d\n    virtual_ipaddress {\n        10.0.0.%d/24\n    }\n",
				f[1], dev, 51+n, prio, 1+n)
		case "%script":
			b.WriteString("global_defs {\n    enable_script_security\n    script_user root\n}\nvrrp_script check {\n    script \"/usr/bin/test -e /etc/passwd\"\n    weight -60\n")
		case "%server":
			b.WriteString("virtual_server 10.0.0.1 80 {\n    lb_algo rr\n    lb_kind NAT\n    protocol TCP\n    real_server 192.168.201.1 80 {\n        TCP_CHECK {\n        }\n    }\n")
		case "%ADDRESSES":
			for i := range 256 {
				b.WriteString("        10.7." + strconv.Itoa(i/200) + "." + strconv.Itoa(1+i%200) + "/24\n")
			}
		}
	}
	return b.String()
}
