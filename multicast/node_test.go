package multicast_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast"
)

// config is a node on the loopback interface, in a group of the test's own.
func config(name string, port uint16) multicast.Config {
	return multicast.Config{Group: netip.AddrPortFrom(netip.MustParseAddr("239.192.7.7"), port), Interface: "lo", Name: name, Key: make([]byte, 32)}
}

// receivers joins n nodes that receive into directories of their own.
func receivers(tb testing.TB, port uint16, n int, o multicast.ReceiveOptions) (dirs []string, list []*multicast.Receiver) {
	tb.Helper()
	for i := range n {
		node, err := multicast.Join(context.Background(), config(fmt.Sprintf("r%d", i+1), port))
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, node.Close()) })
		dir := tb.TempDir()
		r, err := node.Receive(dir, o)
		require.NoError(tb, err)
		dirs, list = append(dirs, dir), append(list, r)
	}
	return dirs, list
}

func BenchmarkLoopback(b *testing.B) {
	src := b.TempDir()
	data := make([]byte, 64<<20)
	r := rand.NewChaCha8([32]byte{})
	r.Read(data)
	require.NoError(b, os.WriteFile(filepath.Join(src, "big"), data, 0o644))
	receivers(b, 6100, 4, multicast.ReceiveOptions{})
	s, err := multicast.Join(context.Background(), config("s", 6100))
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	b.SetBytes(64 << 20)
	t := time.Now()
	for b.Loop() {
		t = t.Add(time.Second)
		require.NoError(b, os.Chtimes(filepath.Join(src, "big"), t, t))
		rep, err := s.Send(context.Background(), src, multicast.SendOptions{Paths: []string{"big"}, MinMembers: 4})
		require.NoError(b, err)
		b.Logf("%v sent %d repair %d rounds %d rate %d loss %v", rep.Elapsed, rep.Sent, rep.Repair, rep.Rounds, rep.Rate, rep.Loss)
	}
}
