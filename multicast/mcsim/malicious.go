package mcsim

import (
	"net/netip"
	"time"

	"dougu.internal/internal/enum"
	"dougu.internal/multicast/internal/wire"
)

// Malice is an attack of a malicious node.
type Malice uint8

// The attacks.
const (
	// NackStorm is a member that requests repair of everything, a thousand times per second.
	NackStorm Malice = iota + 1
	// Replay is a node without the key that sends recorded packets again. It requires
	// Options.Sealed.
	Replay
	// Forge is a member that sends announcements, commits and aborts in the name of the
	// sender. It requires Options.Signed, since only signatures distinguish members.
	Forge
	// Hellos is a node that floods the group with packets of invented node ids. It requires
	// Options.Sealed.
	Hellos
)

var malices = enum.Names[Malice]{
	Type:  "mcsim: malice",
	Words: map[Malice]string{0: "none", NackStorm: "nacks", Replay: "replay", Forge: "forge", Hellos: "hellos"},
}

// String returns the word that a script uses for the attack: nacks, replay, forge or
// hellos.
func (m Malice) String() string { return malices.String(m) }

// MarshalText returns the word of the attack. It fails if m is not a valid attack.
func (m Malice) MarshalText() ([]byte, error) { return malices.Text(m) }

// UnmarshalText reads the word of an attack.
func (m *Malice) UnmarshalText(text []byte) error { return malices.Parse(text, m) }

// maliceTime bounds how long a malice lasts, in milliseconds.
const maliceTime = 500

// Malicious makes receiver i attack the group for half a second.
func (n *Net) Malicious(i int, m Malice) {
	nd := n.nodes[i]
	n.log(nd, "turns malicious")
	for k := range maliceTime {
		n.At(time.Duration(n.now)+time.Duration(k)*time.Millisecond, func() { n.harm(nd, m) })
	}
}

func (n *Net) harm(nd *node, m Malice) {
	if n.send == nil || n.outcome != nil {
		return
	}
	sender := n.nodes[0]
	transfer := n.send.ID()
	switch m {
	case NackStorm:
		if nd.down || sender.down {
			return
		}
		lacks := make([]wire.Lack, wire.MaxNack)
		for j := range lacks {
			lacks[j] = wire.Lack{Block: uint32(n.rng.IntN(64)), Deficit: uint8(1 + n.rng.IntN(wire.K))}
		}
		n.inject(nd, sender, transfer, &wire.Nack{Object: wire.ObjectContent, Lacks: lacks})
	case Forge:
		for _, to := range n.nodes[1:] {
			if to == nd {
				continue
			}
			// A member knows the group's key, not the publisher's.
			head := wire.Header{Version: wire.Version, Node: sender.id, Transfer: transfer, Number: 1 << 40}
			for _, msg := range []wire.Message{
				&wire.Commit{Epoch: 1, At: 1, Root: rootOf(n.version, []byte("seal of 1"))},
				&wire.Abort{Reason: wire.ReasonCancel, Text: "forged"},
				&wire.Announce{Epoch: 1 << 30, Symbol: 1408, Manifest: 20, Unicast: nd.addr, Name: "forged"},
			} {
				if to.down {
					continue
				}
				h := head
				h.Type = msg.Type()
				if h.Type == wire.TypeAnnounce {
					h.Node, h.Transfer = nd.id, 7
				}
				to.eng.Handle(n.clock(to), nd.addr, &h, msg)
				n.after(to)
			}
		}
	case Replay:
		if len(n.record) == 0 || !n.opt.Sealed {
			return
		}
		for range 4 {
			raw := n.record[n.rng.IntN(len(n.record))]
			for _, to := range n.nodes {
				if !to.down {
					n.open(to, append([]byte(nil), raw...), nd.addr, false)
				}
			}
		}
	case Hellos:
		if !n.opt.Sealed {
			return
		}
		for range 4 {
			h := wire.Header{Version: wire.Version, Type: wire.TypeHello, Group: n.keys.Group(), Number: 1}
			for j := range h.Node {
				h.Node[j] = byte(n.rng.Uint32())
			}
			raw := append(h.Append(nil), make([]byte, 64)...)
			for _, to := range n.nodes {
				if !to.down {
					n.open(to, append([]byte(nil), raw...), netip.AddrPort{}, true)
				}
			}
		}
	}
}

// inject delivers a message as if a node had sent it.
func (n *Net) inject(from, to *node, transfer uint32, m wire.Message) {
	h := wire.Header{Version: wire.Version, Type: m.Type(), Node: from.id, Transfer: transfer, Number: 1 << 41}
	to.eng.Handle(n.clock(to), from.addr, &h, m)
	n.after(to)
}

// Peace ends all faults of the network and of the disks. Nodes that are down stay down.
func (n *Net) Peace() {
	n.Heal()
	o := &n.opt
	o.Loss, o.Burst, o.Shared, o.Reorder, o.Duplicate, o.Corrupt = 0, Burst{}, 0, 0, 0, 0
	for _, nd := range n.nodes[1:] {
		nd.disk.full = false
	}
}
