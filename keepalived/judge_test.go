package keepalived

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// theTool is the real keepalived.
var theTool = oracle.Tool{Name: "keepalived", Package: "keepalived", Probe: []string{"-v"}, Version: regexp.MustCompile(`Keepalived v(\S+)`)}

// judge is a keepalived that is asked for its verdict, and the release it is.
type judge struct {
	found   oracle.Found
	version Version
	words   []string
}

// newJudge finds the real keepalived. DOUGU_KEEPALIVED names another binary than that
// of the system.
func newJudge(tb testing.TB) *judge {
	tb.Helper()
	if testing.Short() {
		tb.Skip("asks keepalived hundreds of times: not in short runs")
	}
	tool := theTool
	if name := os.Getenv("DOUGU_KEEPALIVED"); name != "" {
		tool.Name = name
	}
	f := tool.Need(tb)
	v, err := ParseVersion(f.Version)
	require.NoError(tb, err)
	oracle.Tool{Name: "ip", Package: "iproute2"}.Need(tb)
	return &judge{f, v, oracle.Namespaces(tb)}
}

// ruling is what the real tool made of one file.
type ruling struct {
	status int
	text   string
}

func (r ruling) ok() bool { return r.status == 0 }

// interfaces of the namespaces in which configurations are judged.
var testInterfaces = []string{"eth0", "eth1", "eth2", "eth3"}

// setUp makes them.
const setUp = `
mount -t tmpfs none /run || exit 90
ip link set lo up
for i in 0 1 2 3; do
  ip link add eth$i type veth peer name peer$i || exit 91
  ip link set eth$i up; ip link set peer$i up
  ip addr add 192.168.20$i.2/24 dev eth$i
  ip -6 addr add fe80::20$i:2/64 dev eth$i nodad 2>/dev/null
done
`

// rule asks the real tool for its verdict on each text.
func (j *judge) rule(tb testing.TB, texts []string) []ruling {
	tb.Helper()
	dir := tb.TempDir()
	for i, t := range texts {
		require.NoError(tb, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%06d.conf", i)), []byte(t), 0o644))
	}
	return j.ruleDir(tb, dir, "??????.conf", len(texts))
}

// ruleDir asks the real tool for its verdict on the files of a directory that match.
func (j *judge) ruleDir(tb testing.TB, dir, pattern string, n int) []ruling {
	tb.Helper()
	script := setUp + `cd "$1" || exit 92
one() {
  timeout -s KILL 20 unshare --pid --fork --kill-child -- "$2" -t -f "$1" >/dev/null 2>"$1.err" </dev/null
  echo $? >"$1.rc"
}
export -f one
printf '%s\n' ` + pattern + ` | xargs -P 4 -I{} bash -c 'one {} "$1"' bash "$2"
cat ` + pattern + `.rc`
	r := oracle.Run(tb, oracle.Cmd{Path: j.words[0], Args: append(append([]string{}, j.words[1:]...), "bash", "-c", script, "bash", dir, j.found.Path),
		Timeout: time.Minute + time.Duration(n)*time.Second})
	require.False(tb, r.TimedOut)
	require.Zero(tb, r.ExitCode, "%s", r.Stderr)
	lines := strings.Fields(string(r.Stdout))
	require.Len(tb, lines, n)
	files, err := filepath.Glob(filepath.Join(dir, pattern))
	require.NoError(tb, err)
	out := make([]ruling, n)
	for i := range out {
		out[i].status, err = strconv.Atoi(lines[i])
		require.NoError(tb, err)
		text, err := os.ReadFile(files[i] + ".err")
		require.NoError(tb, err)
		out[i].text = string(text)
	}
	oracle.Compared(tb, j.found, n)
	return out
}

// testHost is what is known of this machine inside the namespaces.
func testHost() *Host {
	h := NewHost(testInterfaces...)
	for i, name := range testInterfaces {
		h.Interfaces[name] = Interface{Addresses: mustAddrs(fmt.Sprintf("192.168.20%d.2", i), fmt.Sprintf("fe80::20%d:2", i))}
	}
	h.User = func(name string) bool { _, err := user.Lookup(name); return err == nil }
	h.Group = func(name string) bool { _, err := user.LookupGroup(name); return err == nil }
	h.Script = localScript
	h.Link = localLink
	h.Resolve = func(name string) bool { return name == "localhost" || name == hostname() }
	h.CPUs = runtime.NumCPU()
	return h
}

func hostname() string {
	n, _ := os.Hostname()
	return n
}

// config reads a text as a file of that name for the judge's release.
func (j *judge) config(name, text string) *Config {
	id, _, _ := strings.Cut(hostname(), ".")
	l := Loader{Profile: j.profile(), ConfigID: id, MaxLines: 200_000, FS: onlyFile{name, text}}
	return l.Parse(name, []byte(text))
}

func (j *judge) profile() Profile {
	var without []string
	if os.Getenv("DOUGU_KEEPALIVED") != "" {
		without = []string{"iptables", "regex", "snmp", "dbus"}
	}
	p, err := NewProfile(j.version, without...)
	if err != nil {
		panic(err)
	}
	return p
}

// verdict is ours on the same text.
func (j *judge) verdict(name, text string) (bool, string) {
	ok, why := verdictOf(j.config(name, text), Options{Profile: j.profile(), Host: testHost()})
	var b strings.Builder
	for i, d := range why {
		if i == 8 {
			break
		}
		fmt.Fprintf(&b, "    %s\n", d)
	}
	return ok, b.String()
}
