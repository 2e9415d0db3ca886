package wire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"
)

// Reasons why a packet is not taken.
var (
	ErrForeign = errors.New("not of this group")           // another key, group or program
	ErrVersion = errors.New("another protocol version")    // of this group
	ErrOpen    = errors.New("the packet does not open")    // changed, or another key
	ErrReplay  = errors.New("the packet has come already") // or is too old to tell
	ErrFlood   = errors.New("too many new node ids")
)

// Keys are those of a group.
type Keys struct {
	secret [32]byte
	tag    [4]byte
	keyed  bool
}

// NewKeys makes the keys of a group, named "224.0.0.108:5000". Without a key, nil,
// the group is protected against accidents only. A key has 32 bytes.
func NewKeys(key []byte, group string) (*Keys, error) {
	k := &Keys{keyed: key != nil}
	switch {
	case key == nil:
		k.secret = sha256.Sum256([]byte("dougu-mc1 no key"))
	case len(key) == 32:
		copy(k.secret[:], key)
	default:
		return nil, errors.New("a key has 32 bytes")
	}
	h := hmac.New(sha256.New, k.secret[:])
	h.Write([]byte("dougu-mc1 tag"))
	h.Write([]byte(group))
	copy(k.tag[:], h.Sum(nil))
	return k, nil
}

// Keyed reports whether a key was given.
func (k *Keys) Keyed() bool { return k.keyed }

// Group returns the tag that packets of the group carry.
func (k *Keys) Group() [4]byte { return k.tag }

// aead returns the cipher of a node: its id is new with each process, and so is its
// key, which is why a number is never used twice under one key.
func (k *Keys) aead(id NodeID) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, k.secret[:], id[:], "dougu-mc1 aead", 16)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Sealer seals the packets of one node. It is not safe for concurrent use.
type Sealer struct {
	group [4]byte
	id    NodeID
	aead  cipher.AEAD
	nonce [12]byte
}

// NewSealer returns the sealer of a node.
func (k *Keys) NewSealer(id NodeID) (*Sealer, error) {
	a, err := k.aead(id)
	return &Sealer{group: k.tag, id: id, aead: a}, err
}

// Seal adds the packet with that number to b. It allocates only when b is too small.
func (s *Sealer) Seal(b []byte, number uint64, transfer uint32, m Message) []byte {
	h := Header{Version: Version, Type: m.Type(), Group: s.group, Node: s.id, Transfer: transfer, Number: number}
	start := len(b)
	b = h.Append(b)
	b = m.Append(b)
	return s.finish(b, start, number)
}

// finish encrypts the packet at b[start:].
func (s *Sealer) finish(b []byte, start int, number uint64) []byte {
	binary.BigEndian.PutUint64(s.nonce[4:], number)
	b = slices.Grow(b, TagSize)
	body := b[start+HeaderSize:]
	sealed := s.aead.Seal(body[:0], s.nonce[:], body, b[start:start+HeaderSize])
	return b[:start+HeaderSize+len(sealed)]
}

// window remembers which of the last 4096 packet numbers have come.
type window struct {
	top  uint64
	bits [64]uint64
}

// fresh reports whether a number is new, and remembers it.
func (w *window) fresh(n uint64) bool {
	const size = 4096
	switch {
	case n == 0:
		return false
	case n > w.top:
		if n-w.top >= size {
			w.bits = [64]uint64{}
		} else {
			for i := w.top + 1; i < n; i++ {
				w.bits[i/64%64] &^= 1 << (i % 64)
			}
		}
		w.top = n
		w.bits[n/64%64] |= 1 << (n % 64)
		return true
	case w.top-n >= size:
		return false
	}
	if w.bits[n/64%64]>>(n%64)&1 == 1 {
		return false
	}
	w.bits[n/64%64] |= 1 << (n % 64)
	return true
}

type peer struct {
	aead   cipher.AEAD
	window window
	last   int64
}

// Limits of an Opener.
const (
	// peerLife is how long a node's replay window is kept after its last packet.
	peerLife = 300 * 1e9
	// newPeers is how many unknown node ids a second are tried.
	newPeers = 1000
)

// Opener opens packets of a group and refuses those that came already. It is not
// safe for concurrent use.
type Opener struct {
	keys   *Keys
	own    NodeID
	limit  int
	peers  map[NodeID]*peer
	last   *peer
	lastID NodeID
	second int64
	tries  int
	nonce  [12]byte
}

// NewOpener returns an opener that drops the packets of node own, and keeps at most
// limit nodes.
func (k *Keys) NewOpener(own NodeID, limit int) *Opener {
	return &Opener{keys: k, own: own, limit: limit, peers: map[NodeID]*peer{}}
}

// ErrOwn is returned for a packet of the node itself: it is no fault.
var ErrOwn = errors.New("an own packet")

// Open checks a packet that came at now (ns) and returns its header and its body,
// which is decrypted in place. It allocates nothing for a known node.
func (o *Opener) Open(now int64, packet []byte) (h Header, body []byte, err error) {
	if len(packet) < Overhead {
		if h, err := ParseHeader(packet); err == nil && h.Version == Version && h.Type == TypeRefuse && h.Group == o.keys.tag {
			return h, nil, nil
		}
		return h, nil, ErrForeign
	}
	h, err = ParseHeader(packet)
	if err != nil || h.Group != o.keys.tag {
		return h, nil, ErrForeign
	}
	if h.Node == o.own {
		return h, nil, ErrOwn
	}
	if h.Version != Version {
		return h, nil, ErrVersion
	}
	p, err := o.peer(now, h.Node)
	if err != nil {
		return h, nil, err
	}
	binary.BigEndian.PutUint64(o.nonce[4:], h.Number)
	sealed := packet[HeaderSize:]
	body, err = p.aead.Open(sealed[:0], o.nonce[:], sealed, packet[:HeaderSize])
	if err != nil {
		return h, nil, ErrOpen
	}
	if p.last == 0 {
		o.keep(now, h.Node, p)
	}
	p.last = max(now, 1)
	if !p.window.fresh(h.Number) {
		return h, nil, ErrReplay
	}
	return h, body, nil
}

func (o *Opener) peer(now int64, id NodeID) (*peer, error) {
	if o.last != nil && o.lastID == id {
		return o.last, nil
	}
	if p := o.peers[id]; p != nil {
		o.last, o.lastID = p, id
		return p, nil
	}
	if s := now / 1e9; s != o.second {
		o.second, o.tries = s, 0
	}
	if o.tries++; o.tries > newPeers {
		return nil, ErrFlood
	}
	a, err := o.keys.aead(id)
	return &peer{aead: a}, err
}

// keep remembers a node whose packet has opened. A full table loses those that were
// silent for long; when there are none, the one that was silent for longest.
func (o *Opener) keep(now int64, id NodeID, p *peer) {
	if len(o.peers) >= o.limit {
		var oldest NodeID
		least := int64(1<<63 - 1)
		for id, q := range o.peers {
			if now-q.last > peerLife {
				delete(o.peers, id)
			} else if q.last < least {
				least, oldest = q.last, id
			}
		}
		if len(o.peers) >= o.limit {
			delete(o.peers, oldest)
		}
		o.last = nil
	}
	o.peers[id] = p
}

// Known returns how many nodes the opener remembers.
func (o *Opener) Known() int { return len(o.peers) }

// Refuse returns the packet that answers another version: a header alone.
func (k *Keys) Refuse(id NodeID) []byte {
	h := Header{Version: Version, Type: TypeRefuse, Group: k.tag, Node: id}
	return h.Append(nil)
}

// signedMessage is a message that ends with a signature.
type signedMessage interface {
	Message
	signature() *Signature
	signed(b []byte) []byte
}

func (m *Announce) signature() *Signature { return &m.Sign }
func (m *Commit) signature() *Signature   { return &m.Sign }
func (m *Abort) signature() *Signature    { return &m.Sign }

// signed leaves out what changes from packet to packet of one announcement: the
// sizes of the group, the times.
func (m *Announce) signed(b []byte) []byte {
	c := *m
	c.Group, c.GRTT, c.Clock = 0, 0, 0
	b = c.Append(b)
	return b[:len(b)-signatureSize]
}

func signedText(m signedMessage, node NodeID, transfer uint32) []byte {
	b := append([]byte("dougu-mc1 "), m.Type().String()...)
	b = u32(append(b, node[:]...), transfer)
	return m.signed(b)
}

// Sign signs ANNOUNCE, COMMIT or ABORT of a transfer. It panics on other messages.
func Sign(m Message, key ed25519.PrivateKey, node NodeID, transfer uint32) {
	s := m.(signedMessage)
	sum := ed25519.Sign(key, signedText(s, node, transfer))
	copy(s.signature().Sum[:], sum)
	copy(s.signature().Publisher[:], key.Public().(ed25519.PublicKey))
}

// Trusted reports whether a message is signed by one of the publishers.
func Trusted(m Message, trust []ed25519.PublicKey, node NodeID, transfer uint32) bool {
	s, ok := m.(signedMessage)
	if !ok {
		return false
	}
	sign := s.signature()
	for _, key := range trust {
		if string(key) == string(sign.Publisher[:]) {
			return ed25519.Verify(key, signedText(s, node, transfer), sign.Sum[:])
		}
	}
	return false
}
