package mcsim

import (
	"fmt"
	"testing"
	"time"

	"dougu.internal/multicast/internal/wire"
	"github.com/stretchr/testify/require"
)

var dbg func(n *Net, nd *node, p *packet)

func TestDbg(t *testing.T) {
	n := New(Options{Seed: 1, Receivers: 3000, Content: 2 << 20, Loss: .01, Delay: 200 * time.Microsecond, Link: 1e9, Rate: 900e6})
	require.NoError(t, n.Send())
	type key struct {
		ms int64
		o  uint8
	}
	cnt := map[key]int{}
	bl := map[key]int{}
	rep := map[key]int{}
	dbg = func(n *Net, nd *node, p *packet) {
		if m, ok := p.msg.(*wire.Nack); ok {
			cnt[key{n.now / 5e6, m.Object}]++
			bl[key{n.now / 5e6, m.Object}] += len(m.Lacks)
		}
		if nd.i == 0 && p.msg == nil {
			rep[key{n.now / 5e6, p.data.Object*2 + p.data.Flags}]++
		}
	}
	require.NoError(t, n.Run(60*time.Second))
	for ms := int64(0); ms < 800; ms++ {
		s := ""
		for o := range uint8(4) {
			if c := cnt[key{ms, o}]; c > 0 {
				s += fmt.Sprintf(" obj%d: %d nacks %d blocks", o, c, bl[key{ms, o}])
			}
		}
		for o := range uint8(8) {
			if c := rep[key{ms, o}]; c > 0 {
				s += fmt.Sprintf(" data%d/%d: %d", o/2, o%2, c)
			}
		}
		if s != "" {
			fmt.Println(ms*5, s)
		}
	}
	t.Logf("%+v grtt", n.Stats())
}
