package engine

import (
	"math"
	"time"

	"dougu.internal/multicast/internal/wire"
)

// close tells an object how far the sender is; what is lacking is asked for: soon in
// a small group, after a random time in a large one, so that one asks for all (RFC
// 5740, 5.3).
func (r *receiver) close(now Time, o *inObject, high uint32) {
	first := o.closeUpTo(high)
	if first == len(o.lacks) {
		return
	}
	at := now + int64(2*time.Millisecond)
	if r.path.group > smallGroup {
		at = now + r.backoff(o.lacks[first:], o)
	}
	for i := first; i < len(o.lacks); i++ {
		o.lacks[i].next = at
	}
	r.askAt(at)
}

// askAt sets the time of the next NACK, or brings it forward.
func (r *receiver) askAt(at Time) {
	if r.nack == 0 || at < r.nack {
		r.nack = at
	}
}

// backoff is shorter for who lacks most: its NACK silences the others.
func (r *receiver) backoff(lacks []lack, o *inObject) Time {
	worst := uint8(1)
	for _, l := range lacks {
		worst = max(worst, o.deficit(l.block))
	}
	t := 4 * float64(r.path.grtt) / float64(min(worst, 4))
	l := math.Log(float64(r.path.group)) + 1
	x := r.n.float()*l/t + l/(t*(math.Exp(l)-1))
	return max(0, Time(t/l*math.Log(x*(math.Exp(l)-1)*t/l)))
}

// overheard is a NACK of another receiver.
func (r *receiver) overheard(now Time, h *wire.Header, m *wire.Nack) {
	if !r.active() || h.Transfer != r.transfer || r.path.group <= smallGroup {
		return
	}
	if o := r.objects[m.Object]; o != nil {
		o.hush(m.Lacks, now+int64(max(10*time.Millisecond, 6*r.path.grtt))+r.backoff(nil, o))
	}
}

// patience is how long a repair is waited for. In a small group to ask again costs one
// packet: the sender takes off what is on its way.
func (r *receiver) patience(least time.Duration, rounds int) time.Duration {
	wait := max(least, time.Duration(rounds)*r.path.grtt)
	if r.path.group <= smallGroup {
		wait = min(wait, 50*time.Millisecond)
	}
	return wait
}

func (r *receiver) sendNacks(now Time) {
	next := never
	wait := r.patience(10*time.Millisecond, 2)
	if r.path.group > smallGroup {
		wait = max(10*time.Millisecond, 6*r.path.grtt)
	}
	var list []wire.Lack
	for i, o := range r.objects {
		if o == nil || len(o.lacks) == 0 || uint8(i) == wire.ObjectContent && r.state < Need {
			continue
		}
		var at Time
		again := wait
		if r.path.group > smallGroup {
			again += time.Duration(r.backoff(nil, o))
		}
		list, at = o.due(now, again, list[:0])
		next = min(next, at)
		if len(list) == 0 {
			continue
		}
		m := &wire.Nack{Object: uint8(i), Seen: r.path.highest, Echo: r.path.echo, Held: uint32((now - r.path.echoAt) / 1000), Lacks: append([]wire.Lack(nil), list...)}
		if r.path.group <= smallGroup {
			r.toSender(m)
		} else {
			r.n.queue(group, r.transfer, m)
		}
	}
	r.nack = 0
	if next != never {
		r.nack = next
	}
}
