package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Error says where a packet stops making sense.
type Error struct {
	Type   Type // 0: the header
	Field  string
	Offset int // bytes from the start of the body, or of the packet for the header
	Err    error
}

// Error tells what and where.
func (e *Error) Error() string {
	if e.Type == 0 {
		return fmt.Sprintf("packet: %s at byte %d: %v", e.Field, e.Offset, e.Err)
	}
	return fmt.Sprintf("%v: %s at byte %d: %v", e.Type, e.Field, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

var (
	errShort    = errors.New("the packet ends too early")
	errTrailing = errors.New("bytes are left over")
	errValue    = errors.New("the value is out of range")
	errType     = errors.New("unknown message type")
)

// reader reads a body. The first failure sticks; all reads after it give zero.
type reader struct {
	b     []byte
	off   int
	field string
	err   error
}

func (r *reader) fail(field string, err error) {
	if r.err == nil {
		r.field, r.err = field, err
	}
}

func (r *reader) take(n int, field string) []byte {
	if r.err != nil || n < 0 || len(r.b)-r.off < n {
		r.fail(field, errShort)
		return nil
	}
	p := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return p
}

func (r *reader) u8(field string) uint8 {
	if p := r.take(1, field); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) u16(field string) uint16 {
	if p := r.take(2, field); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

func (r *reader) u32(field string) uint32 {
	if p := r.take(4, field); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

func (r *reader) u64(field string) uint64 {
	if p := r.take(8, field); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

func (r *reader) fill(dst []byte, field string) { copy(dst, r.take(len(dst), field)) }

// str reads a string of at most limit bytes.
func (r *reader) str(limit int, field string) string {
	n := int(r.u16(field))
	if n > limit {
		r.fail(field, errValue)
		return ""
	}
	return string(r.take(n, field))
}

// count reads the number of entries of at least size bytes each, which must fit
// into what is left.
func (r *reader) count(size int, field string) int {
	n := int(r.u16(field))
	if r.err == nil && n*size > len(r.b)-r.off {
		r.fail(field, errShort)
		return 0
	}
	return n
}

func (r *reader) rest() []byte {
	if r.err != nil {
		return nil
	}
	p := r.b[r.off:len(r.b):len(r.b)]
	r.off = len(r.b)
	return p
}

func (r *reader) addr(field string) netip.AddrPort {
	p := r.take(6, field)
	if p == nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(p)), binary.BigEndian.Uint16(p[4:]))
}

// atMost fails when v is over the limit.
func (r *reader) atMost(v, limit uint64, field string) {
	if r.err == nil && v > limit {
		r.fail(field, errValue)
	}
}

func u16(b []byte, v uint16) []byte { return binary.BigEndian.AppendUint16(b, v) }
func u32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }
func u64(b []byte, v uint64) []byte { return binary.BigEndian.AppendUint64(b, v) }

// str adds a string, cut to the limit.
func str(b []byte, s string, limit int) []byte {
	s = s[:min(len(s), limit)]
	return append(u16(b, uint16(len(s))), s...)
}

// addr adds an IPv4 address and port; any other address is written as zeros.
func addr(b []byte, a netip.AddrPort) []byte {
	var four [4]byte
	if ip := a.Addr().Unmap(); ip.Is4() {
		four = ip.As4()
	}
	return u16(append(b, four[:]...), a.Port())
}
