package multicast

import (
	"net/netip"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/wire"
)

type outAddr struct{ addr netip.AddrPort }

// maxTrain is how many datagrams leave at once.
const maxTrain = 44

// flush seals and sends what the engine has queued. DATA packets of one size leave as
// one train.
func (n *Node) flush() {
	for i, list := 0, n.eng.Take(); i < len(list); i++ {
		n.out(&list[i])
	}
	n.depart()
}

func (n *Node) out(o *engine.Out) {
	if o.Msg != nil {
		n.depart()
		n.single = n.sealer.Seal(n.single[:0], o.Number, o.Transfer, o.Msg)
		n.write(outAddr{o.To}, n.single, len(n.single))
		return
	}
	d := &o.Data
	if d.Payload == nil {
		if n.content == nil {
			return
		}
		p, err := n.content.Symbol(d.Block, int(d.Symbol))
		if err != nil {
			n.c.Logger.Warn("multicast: a block could not be read again", "block", d.Block, "err", err)
			return
		}
		d.Payload = p
	}
	size := wire.Overhead + wire.DataHeader + len(d.Payload)
	if n.trainSize != size || n.trainTo.addr != o.To || len(n.train)+size > maxTrain*size || len(n.train)+size > cap(n.train) {
		n.depart()
		n.trainSize, n.trainTo = size, outAddr{o.To}
	}
	n.train = n.sealer.Seal(n.train, o.Number, o.Transfer, d)
}

// depart sends the train.
func (n *Node) depart() {
	if len(n.train) > 0 {
		n.write(n.trainTo, n.train, n.trainSize)
		n.train = n.train[:0]
	}
}

func (n *Node) write(to outAddr, b []byte, size int) {
	if size <= 0 {
		size = len(b)
	}
	n.counts.wire += uint64(len(b) + 42*((len(b)+size-1)/size))
	if err := n.conn.Write(to.addr, b, size); err != nil && !n.closed {
		// A packet that could not be sent is a packet that was lost; the last reason is
		// kept for the report.
		if n.sendErr == nil || n.sendErr.Error() != err.Error() {
			n.c.Logger.Warn("multicast: sending failed", "err", err)
		}
		n.sendErr = err
	}
}
