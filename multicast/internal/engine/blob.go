package engine

import (
	"encoding/binary"
	"errors"
	"time"

	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

// upload is a blob on its way to the sender, in parts that are acknowledged.
type upload struct {
	kind  wire.Type
	blob  []byte
	acked []bool
	left  int
	next  Time
	wait  time.Duration
}

// window is how many parts are on the way at once.
const window = 32

func newUpload(kind wire.Type, blob []byte, first Time, wait time.Duration) *upload {
	parts := max(1, (len(blob)+wire.BlobPart-1)/wire.BlobPart)
	return &upload{kind: kind, blob: blob, acked: make([]bool, parts), left: parts, next: first, wait: wait}
}

func (u *upload) done() bool { return u.left == 0 }

// poll sends the first parts that are not acknowledged.
func (u *upload) poll(now Time, send func(wire.Message)) {
	if u.done() || u.next == 0 || now < u.next {
		return
	}
	u.emit(send)
	u.next = now + int64(u.wait)
	u.wait = min(2*u.wait, time.Second)
}

func (u *upload) emit(send func(wire.Message)) {
	n := 0
	for i, ok := range u.acked {
		if ok {
			continue
		}
		b := u.blob[i*wire.BlobPart : min(len(u.blob), (i+1)*wire.BlobPart)]
		if u.kind == wire.TypeNeed {
			send(&wire.Need{Part: uint16(i), Parts: uint16(len(u.acked)), Bytes: b})
		} else {
			send(&wire.Result{Part: uint16(i), Parts: uint16(len(u.acked)), Bytes: b})
		}
		if n++; n == window {
			return
		}
	}
}

// ack notes what has arrived, and sends more when all of the window has.
func (u *upload) ack(now Time, m *wire.Ack, send func(wire.Message)) {
	fresh := false
	for i := range 256 {
		if j := int(m.From) + i; j < len(u.acked) && m.Bits[i/8]>>(i%8)&1 == 1 && !u.acked[j] {
			u.acked[j], fresh = true, true
			u.left--
		}
	}
	if fresh && !u.done() && len(u.acked) > 1 {
		first := 0
		for u.acked[first] {
			first++
		}
		if int(m.From) <= first && first%window == 0 {
			u.emit(send)
			u.next = now + int64(u.wait)
		}
	}
}

// download is a blob that comes in.
type download struct {
	parts [][]byte
	left  int
}

// take keeps a part and reports whether all are there. A part that contradicts the
// earlier ones is dropped.
func (d *download) take(part, parts uint16, b []byte) bool {
	if d.parts == nil {
		d.parts, d.left = make([][]byte, parts), int(parts)
	}
	if int(parts) != len(d.parts) || int(part) >= len(d.parts) || d.parts[part] != nil {
		return d.left == 0
	}
	if b == nil {
		b = []byte{}
	}
	d.parts[part] = b
	d.left--
	return d.left == 0
}

// has reports whether a part is there.
func (d *download) has(part uint16) bool { return int(part) < len(d.parts) && d.parts[part] != nil }

func (d *download) bytes() []byte {
	var b []byte
	for _, p := range d.parts {
		b = append(b, p...)
	}
	return b
}

// ackFor returns the acknowledgement of what is there around part.
func (d *download) ackFor(of wire.Type, part uint16) *wire.Ack {
	a := &wire.Ack{Of: of, From: part / 256 * 256}
	for i := range 256 {
		if j := int(a.From) + i; j < len(d.parts) && d.parts[j] != nil {
			a.Bits[i/8] |= 1 << (i % 8)
		}
	}
	return a
}

// Statuses of NEED.
const (
	needTakesPart uint8 = iota
	needReadOnly
	needBusy
	needRefused
	needLate
	needAnswer // the answer to a dry run or a check: no part in the transfer
)

// need is the blob of NEED.
type need struct {
	status uint8
	nonce  wire.Nonce
	epoch  uint64
	holds  uint64
	reason string
	set    ranges.Set
}

func (n *need) append() []byte {
	b := append([]byte{n.status}, n.nonce[:]...)
	b = binary.BigEndian.AppendUint64(b, n.epoch)
	b = binary.BigEndian.AppendUint64(b, n.holds)
	reason := n.reason[:min(len(n.reason), wire.MaxText)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(reason)))
	return n.set.Append(append(b, reason...))
}

var errBlob = errors.New("not what was expected of it")

func parseNeed(b []byte, limit uint64) (n need, err error) {
	if len(b) < 35 {
		return n, errBlob
	}
	n.status = b[0]
	copy(n.nonce[:], b[1:])
	n.epoch = binary.BigEndian.Uint64(b[17:])
	n.holds = binary.BigEndian.Uint64(b[25:])
	size := int(binary.BigEndian.Uint16(b[33:]))
	if b = b[35:]; size > len(b) || size > wire.MaxText {
		return n, errBlob
	}
	n.reason = string(b[:size])
	set, rest, err := ranges.Parse(b[size:], limit)
	if err == nil && len(rest) > 0 {
		err = errBlob
	}
	n.set = set
	return n, err
}

// result is the blob of RESULT: 11 bytes, then the store's own.
type result struct {
	ok      bool
	atomic  bool
	flipped uint64
	text    string
	bytes   []byte
}

func (r *result) append() []byte {
	var flags byte
	if r.ok {
		flags |= 1
	}
	if r.atomic {
		flags |= 2
	}
	b := binary.BigEndian.AppendUint64([]byte{flags}, r.flipped)
	text := r.text[:min(len(r.text), wire.MaxText)]
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	b = append(append(b, text...), r.bytes...)
	return b[:min(len(b), wire.MaxParts*wire.BlobPart)]
}

func parseResult(b []byte) (r result, err error) {
	if len(b) < 11 {
		return r, errBlob
	}
	r.ok, r.atomic = b[0]&1 != 0, b[0]&2 != 0
	r.flipped = binary.BigEndian.Uint64(b[1:])
	n := int(binary.BigEndian.Uint16(b[9:]))
	if n > len(b)-11 || n > wire.MaxText {
		return r, errBlob
	}
	r.text, r.bytes = string(b[11:11+n]), b[11+n:]
	return r, nil
}
