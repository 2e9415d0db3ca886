package multicast

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/link"
	"dougu.internal/multicast/internal/udp"
)

// Version is the software's version, as members see it.
const Version = "1.0"

// DefaultGroup is the group of a Config that names none: link-local, so no router
// passes it on, and switches flood it.
var DefaultGroup = netip.MustParseAddrPort("224.0.0.108:5000")

// Config says how a node takes part. The zero value is usable: the default group, the
// interface of its route, the host's name, no key.
type Config struct {
	// Group is an IPv4 multicast address and a port.
	Group netip.AddrPort
	// Interface is a name, "lo" or "eth0"; empty: the one that the routes choose.
	Interface string
	// Name is how others call this node, at most 255 bytes; empty: the host's name.
	Name string
	// Key is the group's secret, 32 bytes. Without it, nil, packets are protected
	// against accidents alone.
	Key []byte
	// Publish signs what this node sends. Trust are the publishers whose transfers a
	// receiver takes; empty: every member's.
	Publish ed25519.PrivateKey
	Trust   []ed25519.PublicKey
	// Rate bounds what is sent.
	Rate Rate
	// TTL is the number of routers to cross plus one; 0: 1, the local network.
	TTL int
	// Logger hears of members, transfers and faults; nil: nothing is logged.
	Logger *slog.Logger
	// Transport is another network than UDP; nil: UDP.
	Transport Transport
}

// RateMode is how the sending rate is found.
type RateMode = engine.RateMode

// The modes of Rate.
const (
	// LAN finds the rate by itself, up to the cap.
	LAN = engine.LAN
	// Fixed keeps the rate whatever happens: for links of one's own.
	Fixed = engine.Fixed
	// Friendly takes what a TCP connection to the worst receiver would (RFC 4654).
	Friendly = engine.Friendly
)

// Rate is a mode with its cap, in bits a second on the wire: Ethernet frames without
// preamble. 0 is no cap, which Fixed must not have.
type Rate struct {
	Mode RateMode
	Bits uint64
}

// Transport is a network that nodes can join: UDP, or another, as in package mcsim.
type Transport interface {
	// Open takes a node's place in the network, until Close of what it returns. c has its
	// defaults; of it the group, the interface and the TTL concern a network. The context
	// is that of Join.
	Open(ctx context.Context, c Config) (PacketConn, error)
}

// What a Transport is made of.
type (
	// PacketConn is a node's place in a network: ReadGroup and ReadUnicast are called from
	// one goroutine each, Write from one at a time, Close from any. One that has a method
	// ReceiveBuffer() int, the bytes that may wait before some are lost, is read in larger
	// portions.
	PacketConn = link.Conn
	// Datagram is room for what a PacketConn reads: a datagram, or several of one size.
	Datagram = link.Datagram
)

// Validate returns what is wrong with the configuration, or nil.
func (c Config) Validate() error {
	var errs []error
	if c.Group.IsValid() && (!c.Group.Addr().Is4() || !c.Group.Addr().IsMulticast() || c.Group.Port() == 0) {
		errs = append(errs, fmt.Errorf("group %s: an IPv4 multicast address (224.0.0.0 to 239.255.255.255) and a port are needed", c.Group))
	}
	if c.Key != nil && len(c.Key) != 32 {
		errs = append(errs, fmt.Errorf("key: it has %d bytes, not 32", len(c.Key)))
	}
	if len(c.Name) > 255 {
		errs = append(errs, errors.New("name: more than 255 bytes"))
	}
	if c.TTL < 0 || c.TTL > 255 {
		errs = append(errs, fmt.Errorf("ttl %d: 0 to 255", c.TTL))
	}
	if c.Publish != nil && len(c.Publish) != ed25519.PrivateKeySize {
		errs = append(errs, errors.New("publish: not an Ed25519 private key"))
	}
	for _, k := range c.Trust {
		if len(k) != ed25519.PublicKeySize {
			errs = append(errs, errors.New("trust: not an Ed25519 public key"))
		}
	}
	if c.Rate.Mode > Friendly || c.Rate.Mode == Fixed && c.Rate.Bits == 0 {
		errs = append(errs, errors.New("rate: a fixed rate needs its bits a second"))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("multicast: %w", errors.Join(errs...))
}

func (c Config) withDefaults() (Config, error) {
	if err := c.Validate(); err != nil {
		return c, err
	}
	if !c.Group.IsValid() {
		c.Group = DefaultGroup
	}
	if c.Name == "" {
		name, err := os.Hostname()
		if err != nil {
			return c, fmt.Errorf("multicast: no name was given, and the host has none: %w", err)
		}
		c.Name = name
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = udpTransport{}
	}
	return c, nil
}

// UDP is the transport that a Config without one gets: to be wrapped by one that
// counts, delays or loses.
func UDP() Transport { return udpTransport{} }

type udpTransport struct{}

func (udpTransport) Open(ctx context.Context, c Config) (PacketConn, error) {
	return udp.Open(ctx, udp.Options{Group: c.Group, Interface: c.Interface, TTL: c.TTL})
}

// Member is another node of the group.
type Member struct {
	// Name as Members shows it: where two are equal, "#2" and so on in the order of ID.
	Name string
	ID   string // of this start of its process
	Addr netip.Addr
	// Version of its software; Protocol is that of another protocol version than
	// ours, in which case nothing else is known; 0: the same.
	Version  string
	Protocol int
	Receives bool
	ReadOnly bool
	State    string
	Epoch    uint64 // last committed
	Heard    time.Time
}

// MemberEvent is a change in the list of members.
type MemberEvent struct {
	Kind   MemberEventKind
	Member Member
	Text   string // of a timeout: the member's full state
}

// MemberEventKind is what a MemberEvent tells.
type MemberEventKind uint8

// The changes.
const (
	Joined MemberEventKind = iota + 1
	Left
	TimedOut
	Incompatible
)

// String names it.
func (k MemberEventKind) String() string {
	if k == 0 || k > Incompatible {
		return "unknown"
	}
	return [...]string{"", "joined", "left", "timed out", "incompatible"}[k]
}

// Errors of a transfer, to be looked for with errors.Is.
var (
	ErrNoMembers    = errors.New("no receiver has answered")
	ErrTooFew       = errors.New("too few receivers")
	ErrUnknownHost  = errors.New("not contained in members")
	ErrTimeout      = errors.New("not heard any more")
	ErrAborted      = errors.New("the transfer was aborted")
	ErrInDoubt      = errors.New("whether it has committed is not known")
	ErrIncompatible = errors.New("another protocol version")
	ErrLate         = errors.New("it came when the transfer had begun")
	ErrEvicted      = errors.New("it was too slow")
	ErrRefused      = errors.New("it refused the transfer")
	ErrSource       = errors.New("the source could not be read")
	ErrBusy         = errors.New("another sender's transfer does not end")
	ErrClosed       = errors.New("the node is closed")
)
