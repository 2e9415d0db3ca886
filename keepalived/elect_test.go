package keepalived

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// nodeConfig is the configuration of one of two nodes: an instance V1 on eth0 with a
// check of its own.
type nodeConfig struct {
	node                  string
	state                 string
	priority, vrid        int
	advert                string
	weight, pass, address string
	more                  string
}

func (c nodeConfig) text() string {
	weight := ""
	if c.weight != "" {
		weight = "    weight " + c.weight + "\n"
	}
	return fmt.Sprintf(`vrrp_script check {
    script "/usr/bin/test ! -e /run/ka-fail-%s"
    interval 1
    rise 1
    fall 1
%s}
vrrp_instance V1 {
    state %s
    interface eth0
    virtual_router_id %d
    priority %d
    advert_int %s
%s    authentication {
        auth_type PASS
        auth_pass %s
    }
    virtual_ipaddress {
        %s
    }
    track_script {
        check
    }
}
`, c.node, weight, c.state, c.vrid, c.priority, c.advert, c.more, c.pass, c.address)
}

// pair returns the configurations of both nodes, which change may alter.
func pair(change func(a, b *nodeConfig)) (a, b nodeConfig) {
	a = nodeConfig{"A", "MASTER", 150, 51, "1", "", "s3cret", "10.0.0.1/24", ""}
	b = a
	b.node, b.state, b.priority = "B", "BACKUP", 100
	change(&a, &b)
	return a, b
}

// failoverRow is a situation and who holds the address at the end of each phase: at the
// start, while A's check fails, when it is well again, when A is stopped.
type failoverRow struct {
	name   string
	change func(a, b *nodeConfig)
	want   [4]string
}

// failoverRows were measured with two real daemons, keepalived 2.2.7, six seconds a
// phase; row 3 at its start is the settled state.
var failoverRows = []failoverRow{
	{"weight -20", func(a, b *nodeConfig) { a.weight, b.weight = "-20", "-20" }, [4]string{"A", "A", "A", "B"}},
	{"weight -60", func(a, b *nodeConfig) { a.weight, b.weight = "-60", "-60" }, [4]string{"A", "B", "A", "B"}},
	{"no weight", func(a, b *nodeConfig) {}, [4]string{"A", "B", "A", "B"}},
	{"nopreempt with a weight", func(a, b *nodeConfig) {
		a.weight, b.weight, a.state = "-60", "-60", "BACKUP"
		a.more, b.more = "    nopreempt\n", "    nopreempt\n"
	}, [4]string{"A", "A", "A", "B"}},
	{"passwords differ", func(a, b *nodeConfig) { b.pass = "other" }, [4]string{"A+B", "B", "A+B", "B"}},
	{"VRIDs differ", func(a, b *nodeConfig) { b.vrid = 52 }, [4]string{"A+B", "B", "A+B", "B"}},
	{"equal priorities", func(a, b *nodeConfig) { a.priority, a.state = 100, "BACKUP" }, [4]string{"A", "B", "B", "B"}},
	{"advert_int 5 on B", func(a, b *nodeConfig) { b.advert = "5" }, [4]string{"A", "", "A+B", "B"}},
	{"passwords equal in 8 bytes", func(a, b *nodeConfig) { a.pass, b.pass = "12345678a", "12345678b" }, [4]string{"A", "B", "A", "B"}},
	{"weight 2", func(a, b *nodeConfig) { a.weight, b.weight = "2", "2" }, [4]string{"A", "A", "A", "B"}},
	{"weight 60", func(a, b *nodeConfig) { a.weight, b.weight = "60", "60" }, [4]string{"A", "B", "A", "B"}},
	{"addresses differ", func(a, b *nodeConfig) { b.address = "10.0.0.2/24" }, [4]string{"A+B", "B", "A+B", "B"}},
}

func simulatePair(t *testing.T, a, b string) [4]string {
	t.Helper()
	p := Profile{version: Version{2, 2, 7}}
	load := func(name, text string) *Config { return Loader{Profile: p}.Parse(name, []byte(text)) }
	nodes := []Node{{"A", load("A.conf", a), mustAddrs("192.168.200.2")[0]}, {"B", load("B.conf", b), mustAddrs("192.168.200.3")[0]}}
	out, err := Simulate(nodes, [][]Fault{{{Node: "A", Subject: "check", Kind: CheckFails}}, nil, {{Node: "A", Kind: NodeStopped}}}, Options{})
	require.NoError(t, err)
	require.Len(t, out, 4)
	var got [4]string
	for n, o := range out {
		got[n] = strings.Join(o.Masters, "+")
		require.NotEmpty(t, o.Reason)
	}
	return got
}

func TestElectionGivesTheMeasuredFailovers(t *testing.T) {
	for _, row := range failoverRows {
		t.Run(row.name, func(t *testing.T) {
			a, b := pair(row.change)
			require.Equal(t, row.want, simulatePair(t, a.text(), b.text()))
		})
	}
}
