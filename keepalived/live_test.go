package keepalived

import (
	"fmt"

	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// dump is what the real daemon prints of its configuration, with all defaults.
func (j *judge) dump(tb testing.TB, text string) string {
	tb.Helper()
	dir := tb.TempDir()
	file := filepath.Join(dir, "keepalived.conf")
	require.NoError(tb, os.WriteFile(file, []byte(text), 0o644))
	script := setUp + `timeout 4 "$1" -n -P -d -l -f "$2" 2>&1; exit 0`
	r := oracle.Run(tb, oracle.Cmd{Path: j.words[0], Args: append(append([]string{}, j.words[1:]...), "bash", "-c", script, "bash", j.found.Path, file), Timeout: time.Minute})
	require.Zero(tb, r.ExitCode, "%s", r.Stderr)
	out := string(r.Stdout)
	i := strings.Index(out, "-----< Global def")
	require.Positive(tb, i, "no dump: %.2000s", out)
	oracle.Compared(tb, j.found, 1)
	return stamp.ReplaceAllString(out[i:], "")
}

var stamp = regexp.MustCompile(`(?m)^[A-Z][a-z]{2} [A-Z][a-z]{2} +[0-9]+ [0-9:]+ [0-9]{4}: `)

// field returns the values of a name in a dump.
func field(dump, name string) []string {
	var out []string
	for line := range strings.Lines(dump) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && strings.TrimSpace(k) == name {
			out = append(out, strings.TrimSpace(v))
		}
	}
	return out
}

// TestModelIsWhatTheDaemonDumps compares typed values with the daemon's own dump.
func TestModelIsWhatTheDaemonDumps(t *testing.T) {
	j := newJudge(t)
	texts := []string{baseConfigs[0], baseConfigs[5], `global_defs {
    router_id edge
    vrrp_version 3
    notification_email { a@example.com b@example.com }
    notification_email_from lb@example.com
    smtp_server 192.0.2.9 2525
    smtp_connect_timeout 12
}
vrrp_instance W1 { interface eth0
    state MASTER
    virtual_router_id 7
    advert_int 0.25
    virtual_ipaddress { 10.0.0.9 } }
vrrp_instance W2 {
    interface eth1
    virtual_router_id 010
    priority 90
    version 2
    nopreempt
    authentication {
        auth_type PASS
        auth_pass 123456789
    }
    virtual_ipaddress {
        10.0.1.9/24
        10.0.1.10/24
    }
}
`}
	for n, text := range texts {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			c := j.config("f", text)
			m := c.Model(Options{Profile: j.profile(), Host: testHost()})
			dump := j.dump(t, text)
			var names, ifaces, vrids, prios, adverts, versions []string
			for _, i := range m.Instances {
				names, ifaces = append(names, i.Name), append(ifaces, i.Interface)
				vrids, prios = append(vrids, strconv.Itoa(i.VRID)), append(prios, strconv.Itoa(i.Priority))
				versions = append(versions, strconv.Itoa(i.Version))
				adverts = append(adverts, fmt.Sprintf("%.0f", float64(i.Advert)/1e6))
			}
			require.Equal(t, names, field(dump, "VRRP Instance"))
			require.Equal(t, vrids, field(dump, "Virtual Router ID"))
			require.Equal(t, prios, field(dump, "Priority"))
			require.Equal(t, versions, field(dump, "VRRP Version"))
			require.Equal(t, ifaces, field(dump, "Interface")[:len(ifaces)])
			var pre []string
			for _, i := range m.Instances {
				pre = append(pre, map[bool]string{true: "disabled", false: "enabled"}[i.NoPreempt])
			}
			require.Equal(t, pre, field(dump, "Preempt"))
			if m.Global.RouterID != "" {
				require.Equal(t, m.Global.RouterID, field(dump, "Router ID")[0])
			}
			for _, a := range m.Global.NotificationEmails {
				require.Contains(t, dump, a)
			}
			if m.Global.EmailFrom != "" {
				require.Equal(t, m.Global.EmailFrom, field(dump, "Email notification from")[0])
			}
			for _, i := range m.Instances {
				for _, a := range i.Addresses {
					require.Contains(t, dump, "     "+strings.TrimSuffix(strings.TrimSuffix(a.Prefix.String(), "/32"), "/128")+" ")
				}
			}
			for k, i := range m.Instances {
				if i.Version == 2 {
					require.Equal(t, strconv.Itoa(int(i.Advert/time.Second))+" sec", field(dump, "Advert interval")[k])
				} else {
					require.Equal(t, adverts[k]+" milli-sec", field(dump, "Advert interval")[k])
				}
			}
		})
	}
}

// TestFormatChangesNothingForTheDaemon: the dump of a formatted file is that of the
// file.
func TestFormatChangesNothingForTheDaemon(t *testing.T) {
	j := newJudge(t)
	texts := []string{baseConfigs[1], baseConfigs[4]}
	if oracle.Long() {
		texts = append(texts, baseConfigs[0]) // [2] has no VRRP to dump, the others can't be laid out
	}
	for n, text := range texts {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			text = regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAllString(strings.ReplaceAll(text, " {\n", "\n{\n"), "  ")
			out, err := Format([]byte(text))
			require.NoError(t, err)
			require.NotEqual(t, text, string(out))
			require.Equal(t, stable(j.dump(t, text)), stable(j.dump(t, string(out))))
		})
	}
}

// volatile are lines of a dump that differ from run to run.
var volatile = regexp.MustCompile(`(?i)time|startup complete|transition|pid|uid|ifindex|mac|fd|socket|hw_addr|sands|address =|sent|rcvd|rand`)

// stable returns the lines of a dump up to the interfaces that do not change from run
// to run.
func stable(dump string) string {
	if i := strings.Index(dump, "-----< Interfaces"); i > 0 {
		dump = dump[:i]
	}
	var out []string
	for line := range strings.Lines(dump) {
		if !volatile.MatchString(line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// failoverScript runs two daemons in namespaces that a link joins, and prints who holds
// which address at the end of each phase.
const failoverScript = `
mount -t tmpfs none /run || exit 90
mkdir -p /run/netns
ip netns add A && ip netns add B || exit 91
ip link add eth0 netns A type veth peer name eth0 netns B || exit 92
for n in A B; do ip -n $n link set lo up; ip -n $n link set eth0 up; done
ip -n A addr add 192.168.200.2/24 dev eth0; ip -n B addr add 192.168.200.3/24 dev eth0
for n in A B; do ip -n $n -6 addr flush dev eth0 scope link; done
ip -n A -6 addr add fe80::2/64 dev eth0 nodad; ip -n B -6 addr add fe80::3/64 dev eth0 nodad
D=$1 KA=$2 W=$3
start() {
  ip netns exec $1 "$KA" -n -l -P -D -f "$D/$1.conf" -p /run/$1.pid -r /run/$1.vpid -c /run/$1.cpid -b /run/$1.bpid >"$D/$1.log" 2>&1 &
}
start A; PA=$!
sleep 0.3
start B; PB=$!
held() { ip -n $1 -o addr show dev eth0 | awk '{print $4}' | grep -v -e '^192\.168\.200\.' -e '^fe80::[23]/64' | tr '\n' ',' | sed 's/,$//'; }
say() { sleep $W; echo "$1 A=$(held A) B=$(held B)"; }
say start
touch /run/ka-fail-A; say fail
rm -f /run/ka-fail-A; say recover
kill $PA; say stop
kill $PB; wait $PA $PB 2>/dev/null
exit 0
`

// holders returns who holds an address at the end of each phase, of real daemons.
func (j *judge) holders(tb testing.TB, a, b string, seconds int) (held [4]string, log string) {
	dir := tb.TempDir()
	for name, text := range map[string]string{"A.conf": a, "B.conf": b} {
		require.NoError(tb, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	r := oracle.Run(tb, oracle.Cmd{Path: j.words[0], Args: append(append([]string{}, j.words[1:]...), "bash", "-c", failoverScript, "bash", dir, j.found.Path, strconv.Itoa(seconds)),
		Timeout: time.Duration(4*seconds)*time.Second + time.Minute})
	require.Zero(tb, r.ExitCode, "%s", r.Stderr)
	lines := strings.Split(strings.TrimSpace(string(r.Stdout)), "\n")
	require.Len(tb, lines, 4)
	for n, line := range lines {
		var who []string
		for _, f := range strings.Fields(line)[1:] {
			if node, addrs, _ := strings.Cut(f, "="); addrs != "" {
				who = append(who, node)
			}
		}
		held[n] = strings.Join(who, "+")
	}
	la, _ := os.ReadFile(filepath.Join(dir, "A.log"))
	lb, _ := os.ReadFile(filepath.Join(dir, "B.log"))
	return held, string(r.Stdout) + string(la) + string(lb)
}

// TestElectionAgreesWithTwoDaemons: fresh pairs of configurations, and in the large run
// all measured situations, against two real daemons.
func TestElectionAgreesWithTwoDaemons(t *testing.T) {
	j := newJudge(t)
	r := oracle.Rand(t)
	type situation struct {
		name string
		a, b string
	}
	var all []situation
	for n := range oracle.N(3, 24) {
		a, b := pair(func(a, b *nodeConfig) {
			a.priority, b.priority = 50+r.IntN(150), 50+r.IntN(150)
			if r.IntN(2) == 0 {
				a.state = "BACKUP"
			}
			if w := r.IntN(4); w > 0 {
				a.weight = strconv.Itoa([]int{0, -1, 1, 1}[w] * (1 + r.IntN(120)))
				b.weight = a.weight
			}
			if r.IntN(4) == 0 {
				b.pass = "another"
			}
			if r.IntN(4) == 0 && a.state == "BACKUP" {
				a.more, b.more = "    nopreempt\n", "    nopreempt\n"
			}
			if r.IntN(6) == 0 {
				b.vrid = 60
			}
		})
		if a.priority == b.priority {
			a.priority++
		}
		all = append(all, situation{fmt.Sprintf("fresh %d", n), a.text(), b.text()})
	}
	if oracle.Long() {
		for _, row := range failoverRows {
			if row.name == "advert_int 5 on B" {
				continue // its outcome hangs on the length of a phase
			}
			a, b := pair(row.change)
			all = append(all, situation{row.name, a.text(), b.text()})
		}
	}
	var wg sync.WaitGroup
	limit := make(chan struct{}, 6)
	type result struct {
		held [4]string
		log  string
	}
	results := make([]result, len(all))
	for n, s := range all {
		wg.Go(func() {
			limit <- struct{}{}
			defer func() { <-limit }()
			results[n].held, results[n].log = j.holders(t, s.a, s.b, 9)
			if results[n].held != simulatePair(t, s.a, s.b) {
				// A loaded machine may be late: once more, with more time.
				results[n].held, results[n].log = j.holders(t, s.a, s.b, 20)
			}
		})
	}
	wg.Wait()
	for n, s := range all {
		t.Run(s.name, func(t *testing.T) {
			require.Equal(t, results[n].held, simulatePair(t, s.a, s.b), "daemons, then we\n%s\n%s\n%s", s.a, s.b, results[n].log)
		})
	}
	oracle.Compared(t, j.found, 4*len(all))
}
