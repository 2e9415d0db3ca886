package multicast

import (
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"dougu.internal/multicast/internal/engine"
)

// Version is the version of this implementation. Members report it to each other.
const Version = "1.0"

// DefaultGroup is the multicast group that is used if Config.Group is not set. The
// address is link-local: routers do not forward it, and switches flood it to all ports.
var DefaultGroup = netip.MustParseAddrPort("224.0.0.108:5000")

// keySize is the length of Config.Key.
const keySize = 32

// Config configures a [Node]. The zero value is usable: it joins the default group
// without a key, on the interface that the routing table selects, under the name of the
// host.
type Config struct {
	// Group is an IPv4 multicast address and a port. If not valid, [DefaultGroup] is used.
	Group netip.AddrPort
	// Interface is the name of a network interface, such as "lo" or "eth0". If empty, the
	// routing table selects it.
	Interface string
	// Name is the name of the node, at most 255 bytes. If empty, the host name is used.
	Name string
	// Key is the secret of the group, 32 bytes. If nil, packets have a checksum only, and
	// everybody can take part.
	Key []byte
	// Publish signs the transfers of this node. If nil, they are not signed.
	Publish ed25519.PrivateKey
	// Trust lists the publishers whose transfers a receiver accepts. If empty, it accepts
	// those of all members.
	Trust []ed25519.PublicKey
	// Rate limits the sending rate.
	Rate Rate
	// TTL is the IP time-to-live of sent packets. If zero, 1 is used and packets stay on
	// the local network.
	TTL int
	// Logger receives membership, transfer and error events. If nil, nothing is logged.
	Logger *slog.Logger
	// Transport replaces the network. If nil, [UDP] is used.
	Transport Transport
}

// Rate configures the sending rate of a node.
type Rate struct {
	// Mode selects how the rate is controlled.
	Mode RateMode `json:"mode,omitzero"`
	// Bits is the maximum rate in bits per second on the wire, counted in Ethernet frames
	// without preamble. If zero, the rate is not limited; [Fixed] requires a value.
	Bits uint64 `json:"bits,omitzero"`
}

// RateMode is a method of rate control.
type RateMode uint8

// The methods of rate control.
const (
	// LAN adapts the rate automatically, up to Rate.Bits.
	LAN RateMode = iota
	// Fixed sends at Rate.Bits, whatever is lost. It is meant for dedicated links.
	Fixed
	// Friendly sends at the rate that a TCP connection to the receiver with the worst path
	// would have (RFC 4654), up to Rate.Bits.
	Friendly
)

func (m RateMode) engine() engine.RateMode {
	switch m {
	case Fixed:
		return engine.Fixed
	case Friendly:
		return engine.Friendly
	}
	return engine.LAN
}

// Validate returns an error that lists all problems of the configuration, or nil.
func (c Config) Validate() error {
	var errs []error
	invalid := func(format string, args ...any) { errs = append(errs, fmt.Errorf(prefix+format, args...)) }
	if c.Group.IsValid() && (!c.Group.Addr().Is4() || !c.Group.Addr().IsMulticast() || c.Group.Port() == 0) {
		invalid("invalid group %s: want an IPv4 multicast address (224.0.0.0 to 239.255.255.255) and a port", c.Group)
	}
	if c.Key != nil && len(c.Key) != keySize {
		invalid("invalid key length %d, want %d bytes", len(c.Key), keySize)
	}
	if len(c.Name) > 255 {
		invalid("invalid name of %d bytes, want at most 255", len(c.Name))
	}
	if c.TTL < 0 || c.TTL > 255 {
		invalid("invalid TTL %d, want 0 to 255", c.TTL)
	}
	if c.Publish != nil && len(c.Publish) != ed25519.PrivateKeySize {
		invalid("invalid Publish key: not an Ed25519 private key")
	}
	for i, k := range c.Trust {
		if len(k) != ed25519.PublicKeySize {
			invalid("invalid Trust key %d: not an Ed25519 public key", i)
		}
	}
	switch {
	case c.Rate.Mode > Friendly:
		invalid("invalid rate mode %d", c.Rate.Mode)
	case c.Rate.Mode == Fixed && c.Rate.Bits == 0:
		invalid("invalid rate: mode fixed requires a number of bits per second")
	}
	return join(errs...)
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
			return c, during("determine the host name", err)
		}
		c.Name = name
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Transport == nil {
		c.Transport = UDP()
	}
	return c, nil
}

// Member describes another node of the group.
type Member struct {
	// Name is the name of the node. If several members have the same name, [Node.Members]
	// appends "#2", "#3" and so on, in the order of their IDs.
	Name string `json:"name,omitzero"`
	// ID identifies the process. It changes when the node is started again.
	ID   string     `json:"id,omitzero"`
	Addr netip.Addr `json:"addr,omitzero"`
	// Version is the version of the node's software.
	Version string `json:"version,omitzero"`
	// Protocol is the protocol version of an incompatible node, of which nothing else is
	// known but the address. It is zero if the node uses the version of this package.
	Protocol int `json:"protocol,omitzero"`
	// Receives is true if the node receives transfers.
	Receives bool `json:"receives,omitzero"`
	// ReadOnly is true if the node receives transfers and does not change anything.
	ReadOnly bool `json:"readOnly,omitzero"`
	// State is the name of the node's state, such as "idle".
	State string `json:"state,omitzero"`
	// Epoch is the epoch of the last transfer that the node committed.
	Epoch uint64 `json:"epoch,omitzero"`
	// Heard is the time at which the last packet of the node arrived.
	Heard time.Time `json:"heard,omitzero"`
}

// MemberEvent is a change in the list of members.
type MemberEvent struct {
	Kind   MemberEventKind `json:"kind,omitzero"`
	Member Member          `json:"member,omitzero"`
	// Text describes the last known state of a member that timed out.
	Text string `json:"text,omitzero"`
}

// MemberEventKind is the kind of a [MemberEvent].
type MemberEventKind uint8

// The kinds of a MemberEvent.
const (
	// Joined means that the node is a member from now on.
	Joined MemberEventKind = iota + 1
	// Left means that the node announced its end.
	Left
	// TimedOut means that no packet of the node arrived for 10 seconds.
	TimedOut
	// Incompatible means that the node uses another version of the protocol.
	Incompatible
)
