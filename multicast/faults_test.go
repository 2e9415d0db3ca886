package multicast_test

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// slowUDP is real sockets of a host that reads so many bytes a second.
type slowUDP struct{ bytes float64 }

func (s slowUDP) Open(ctx context.Context, c multicast.Config) (multicast.PacketConn, error) {
	p, err := multicast.UDP().Open(ctx, c)
	return &slowConn{p, s.bytes, 0}, err
}

type slowConn struct {
	multicast.PacketConn
	bytes float64
	debt  time.Duration // time that reading would have taken
}

func (c *slowConn) ReadGroup(d []multicast.Datagram) (int, error) {
	if c.debt > 2*time.Millisecond {
		time.Sleep(c.debt)
		c.debt = 0
	}
	n, err := c.PacketConn.ReadGroup(d[:1])
	for i := range n {
		c.debt += time.Duration(float64(d[i].N) / c.bytes * 1e9)
	}
	return n, err
}

func onLoopback(t *testing.T, group netip.AddrPort, name string, transport multicast.Transport) multicast.Config {
	t.Helper()
	return multicast.Config{Group: group, Interface: "lo", Name: name, Key: make([]byte, 32), Transport: transport}
}

// TestSlowReceiverPolicies on real sockets: a host that does not read as fast as the
// others is waited for, left out, or gets it later.
func TestSlowReceiverPolicies(t *testing.T) {
	if testing.Short() {
		t.Skip("seconds of traffic")
	}
	for _, row := range []struct {
		name    string
		slow    multicast.SlowPolicy
		state   multicast.HostState
		evicted bool
	}{
		{"wait", multicast.Wait, multicast.HostCommitted, false},
		{"evict", multicast.EvictBelow(5e9, 200*time.Millisecond), multicast.HostEvicted, true},
		{"later", multicast.Background(5e9, 200*time.Millisecond), multicast.HostCommitted, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			group := oracle.MulticastGroup(t)
			n, err := multicast.Join(context.Background(), onLoopback(t, group, "s", nil))
			if err != nil {
				oracle.Missing(t, "no multicast on the loopback interface: "+err.Error())
			}
			defer n.Close()
			fast, _ := receive(t, onLoopback(t, group, "fast", nil), multicast.ReceiveOptions{})
			slow, _ := receive(t, onLoopback(t, group, "slow", slowUDP{6e6}), multicast.ReceiveOptions{})
			src := t.TempDir()
			write(t, src, map[string]string{"t/f": strings.Repeat("0123456789abcdef", 12<<16)})
			o := wholeTree
			o.Slow = row.slow
			rep, err := n.Send(context.Background(), src, o)
			require.Len(t, rep.Hosts, 2)
			require.Equal(t, multicast.HostCommitted, rep.Hosts[0].State, "%v", err)
			require.Equal(t, row.evicted, rep.Hosts[1].Evicted, "%s: %v", rep.Hosts[1].Text, err)
			require.True(t, maps.Equal(read(t, src), read(t, fast)))
			if row.name == "evict" && rep.Hosts[1].State == multicast.HostCommitted {
				row.state = multicast.HostCommitted // it lost the word that it is out, and took the commit: so it is told
			}
			require.Equal(t, row.state, rep.Hosts[1].State, "%s: %v", rep.Hosts[1].Text, err)
			if row.state == multicast.HostCommitted {
				require.True(t, maps.Equal(read(t, src), read(t, slow)))
			} else {
				require.ErrorIs(t, err, multicast.ErrEvicted)
				require.Empty(t, slices.Collect(maps.Keys(read(t, slow))))
			}
		})
	}
}

// TestTransfersToDifferentHostsGoOnAtTheSameTime: neither sender waits for the other.
func TestTransfersToDifferentHostsGoOnAtTheSameTime(t *testing.T) {
	s := mcsim.NewSwitch(1)
	both := make(chan struct{}, 2)
	type result struct {
		rep *multicast.Report
		err error
	}
	results := [2]chan result{make(chan result, 1), make(chan result, 1)}
	var dirs, sources [2]string
	for i := range 2 {
		dirs[i], _ = receive(t, config(s, fmt.Sprintf("h%d", i)), multicast.ReceiveOptions{})
	}
	release := make(chan struct{})
	for i := range 2 {
		c := config(s, fmt.Sprintf("s%d", i))
		c.Rate = multicast.Rate{Bits: 40e6}
		n := join(t, c)
		sources[i] = t.TempDir()
		write(t, sources[i], map[string]string{"t/f": strings.Repeat(fmt.Sprint(i), 4<<20)})
		told := false
		o := multicast.SendOptions{Paths: []string{"t"}, Recursive: true, To: []string{fmt.Sprintf("h%d", i)}, Progress: func(p multicast.Progress) {
			if p.Done > 0 && !told { // both are in the middle of it before either may end
				told = true
				both <- struct{}{}
				<-release
			}
		}}
		go func() {
			rep, err := n.Send(context.Background(), sources[i], o)
			results[i] <- result{rep, err}
		}()
	}
	<-both
	<-both
	close(release)
	for i := range 2 {
		r := <-results[i]
		require.NoError(t, r.err)
		require.Len(t, r.rep.Hosts, 1)
		require.Equal(t, read(t, sources[i]), read(t, dirs[i]))
	}
}
