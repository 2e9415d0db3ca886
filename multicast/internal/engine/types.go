package engine

import (
	"crypto/ed25519"
	"net/netip"
	"time"

	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/wire"
)

// Time is nanoseconds of a node's clock; 0 means never.
type Time = int64

// Timers and limits, all in one place.
const (
	helloEvery     = 2 * time.Second
	helloPerMember = 2 * time.Millisecond
	memberLife     = 10 * time.Second
	quietMembers   = 30 * time.Millisecond // no new member for so long ends discovery
	quietEnough    = 8 * time.Millisecond  // and when those that were asked for are there
	discover       = 500 * time.Millisecond
	discoverLimit  = 5 * time.Second
	gatherLimit    = 5 * time.Second
	memberTimeout  = 10 * time.Second
	senderTimeout  = 10 * time.Second
	doubtAfter     = 5 * time.Second
	commitTimeout  = 10 * time.Second
	heartbeatEvery = 50 * time.Millisecond
	announceEvery  = 100 * time.Millisecond
	announceLater  = time.Second
	foreignSilence = 2 * time.Second
	senderSilence  = 2 * time.Second       // of a sender lets another one in
	confirmAfter   = 20 * time.Millisecond // by then a host has the packet, too
	maxStrangers   = 64
	maxAnswers     = 16 // askers that are answered at a time
	// epochReach is how far an epoch may be ahead of the last one: a wrong number can't end
	// all transfers for ever.
	epochReach      = 1 << 32
	busyLimit       = 15 * time.Second // a host that is busy is waited for
	initialGRTT     = 10 * time.Millisecond
	minGRTT         = time.Millisecond
	maxGRTT         = time.Second
	maxForeign      = 8
	nacksASecond    = 100
	smallGroup      = 16 // up to here NACKs go to the sender at once
	refusalsASecond = 1
)

// State is what a node is doing, in STATUS and in reports.
type State uint8

// The states of a receiver, then those of a sender.
const (
	Idle State = iota + 1
	Manifest
	Compare
	Need
	Content
	Verify
	Prepared
	Doubt
	Flip
	Result
	Aborted
	Listen
	Gather
	Plan
	Stream
	Sealing
	Commit
	Finish
	Done
)

var stateNames = [...]string{"", "idle", "manifest", "compare", "need", "content", "verify", "prepared", "in doubt", "flip", "result", "aborted",
	"listen", "gather", "plan", "stream", "seal", "commit", "finish", "done"}

// String names it.
func (s State) String() string {
	if int(s) >= len(stateNames) || s == 0 {
		return "unknown"
	}
	return stateNames[s]
}

// Config is what a node is.
type Config struct {
	ID      wire.NodeID
	Name    string
	Version string
	Unicast netip.AddrPort
	Group   netip.AddrPort

	Receives bool
	ReadOnly bool
	Store    Store // what a receiver keeps; nil for a node that does not receive
	Epoch    uint64
	Root     [32]byte
	// Prepared is a transfer that an earlier process had prepared; nil: none.
	Prepared *Promise

	Trust   []ed25519.PublicKey
	Publish ed25519.PrivateKey

	// Rand gives random numbers of 64 bits.
	Rand func() uint64
	// Track keeps the list of members; without it only a sender does.
	Track bool
	// MaxMembers bounds the list; 0 means wire.MaxRoster.
	MaxMembers int
	// Immutable promises that the payload of DATA is never changed after Handle: it is
	// kept without a copy.
	Immutable bool
	// Quiet leaves out HELLO at start and at intervals.
	Quiet bool
}

// Promise is what a receiver keeps of a transfer that it had prepared.
type Promise struct {
	Sender   wire.NodeID
	Transfer uint32
	Epoch    uint64
	Root     [32]byte
	Roster   [32]byte
}

// Out is a packet to be sent.
type Out struct {
	To       netip.AddrPort // not valid: the group
	Number   uint64
	Transfer uint32
	Msg      wire.Message // nil: Data
	// Data without a payload is a symbol of the content: the caller fills it in.
	Data wire.Data
}

// Store is where a receiver's work on its disk is done. No method waits: the results
// come back through the node's methods named below.
type Store interface {
	// Compare compares the manifest with what is there: Node.Compared.
	Compare(a *wire.Announce, manifest []byte)
	// Open tells which ranges of the tree the content is made of.
	Open(layout ranges.Set, symbol int)
	// Room reports whether there is memory for one more symbol. Without it the symbol
	// is as good as lost.
	Room() bool
	// Symbol keeps a symbol of the content. The payload is the caller's after the call.
	Symbol(block uint32, symbol, k uint8, payload []byte)
	// Complete writes a block of which k symbols have come.
	Complete(block uint32)
	// Verify checks all digests and prepares the commit: Node.Verified.
	Verify(seal []byte, p Promise)
	// Commit makes the tree switch: Node.Committed.
	Commit()
	// Drop ends a transfer without a commit. What was staged is kept for the next.
	Drop()
	// Load returns the bytes that wait for the disk, what the disk takes in a second,
	// and how many datagrams the kernel has dropped in all.
	Load() (backlog, drain uint64, drops uint32)
}

// Punctual is a Store that keeps the moment of a commit itself: it is told as soon as
// the moment is known, and need not wait for the engine's next turn.
type Punctual interface {
	// CommitAt is Commit at a time of the node's clock.
	CommitAt(at Time)
}

// Compared is what a receiver needs.
type Compared struct {
	Need    ranges.Set
	Holds   uint64 // bytes of the tree that are there already
	Refused string // not empty: the reason why it takes no part
	Results []byte // of a dry run or a check
}

// Verified is the result of Store.Verify.
type Verified struct {
	OK     bool
	Root   [32]byte
	Failed uint32
	Text   string
	// Again are ranges of the content that did not have their digest, to be sent again.
	Again ranges.Set
}

// Committed is the result of Store.Commit.
type Committed struct {
	OK      bool
	Atomic  bool
	Results []byte
	Text    string
}

// Source is where a sender's content comes from.
type Source interface {
	// Open tells which ranges are wanted; the digests come back by Node.Sealed.
	Open(layout ranges.Set, symbol int)
	// Ready reports whether a block can be filled in without waiting for the disk.
	Ready(block uint32) bool
}

// Member is another node.
type Member struct {
	ID       wire.NodeID
	Name     string
	Addr     netip.AddrPort
	Flags    uint8
	Version  string
	State    State
	Epoch    uint64
	Heard    Time
	Protocol uint8  // another protocol version than ours; 0: the same
	proof    uint64 // the nonce of the QUERY that it has answered last
}

// Event is something that the caller may want to know.
type Event struct {
	Kind   EventKind
	Member Member
	Text   string
	// Epoch, Sender and Name are set for events of a transfer.
	Epoch  uint64
	Sender string
	status *wire.Status
}

// Status returns the answer to QueryStatus that the event carries, or nil.
func (e *Event) Status() *wire.Status { return e.status }

// EventKind is what an Event is about.
type EventKind uint8

// The events.
const (
	EventJoined EventKind = iota + 1
	EventLeft
	EventTimedOut
	EventIncompatible
	EventRefused   // something was not taken: unsigned, too old, too large
	EventCommitted // a receiver has committed
	EventAborted   // a receiver's transfer has ended without a commit
	EventDoubt     // a receiver does not know whether the others have committed
	EventSettled   // the sender has the result, or the transfer's end was heard
	EventKey       // packets of this protocol with the tag of another key or group
	EventSlow      // the kernel drops datagrams: this host is slow
)

// SlowPolicy is what becomes of a receiver that is slow.
type SlowPolicy uint8

// The policies.
const (
	Wait SlowPolicy = iota
	Evict
	Background
)

// SendOptions describe a transfer.
type SendOptions struct {
	Manifest []byte
	Digest   [32]byte
	Flags    uint16
	Symbol   int
	Source   Source
	Targets  []string // names; empty: all
	IDs      []wire.NodeID
	Min      int // members to wait for; 0: any
	MaxDel   uint32
	Slow     SlowPolicy
	SlowRate uint64        // bit/s below which a receiver is slow
	Grace    time.Duration // for so long
	Quorum   int           // commits when so many are ready; 0: all; -1: whoever is
	Rate     Rate
	Member   time.Duration // 0: memberTimeout
	Gather   time.Duration // 0: gatherLimit
	Catchup  bool          // a catch-up transfer: no discovery
}

// Outcome is what a transfer came to.
type Outcome struct {
	Err       error
	Unknown   []string // names that are not members
	Epoch     uint64
	Root      [32]byte
	Committed bool // the decision
	Aborted   uint8
	Hosts     []HostOutcome
	Content   uint64 // bytes of content
	Data      uint64 // DATA packets
	DataBytes uint64 // their payload
	Repair    uint64 // DATA packets that were parity or sent again
	Rounds    int
	Nacks     uint64
	Packets   uint64
	Wire      uint64 // bytes of frames
	Began     Time
	Ended     Time
	Phases    []Phase
	Loss      float64
	Rate      uint64
	BadOpen   uint64
}

// Phase is when a transfer came into a state.
type Phase struct {
	State State
	At    Time
}

// HostOutcome is one receiver's part.
type HostOutcome struct {
	Member
	State     State // when it ended
	Status    HostStatus
	Text      string
	Results   []byte
	Atomic    bool
	Flipped   uint64 // sender's clock
	Late      bool
	Evicted   bool
	Round     int
	Missing   uint32 // blocks
	Silent    time.Duration
	Last      wire.Type
	Loss      float64
	Drops     uint32
	Backlog   uint64
	Needed    uint64 // bytes
	HostSlow  bool
	Committed bool
}

// HostStatus says how a host ended.
type HostStatus uint8

// The ends.
const (
	HostUnknown   HostStatus = iota
	HostCommitted            // it has the tree, or has answered a dry run
	HostFailed               // it said that it could not
	HostSilent               // it was not heard any more
	HostLeft                 // it said goodbye
	HostLate                 // it came in the middle
	HostEvicted              // it was too slow
	HostRefused              // it takes no part, with a reason
	HostReadOnly             // it may not write
	HostInDoubt              // it was prepared; whether it has committed is not known
	HostAborted              // the transfer was aborted
)

// Errors of a transfer.
type sendError string

func (e sendError) Error() string { return string(e) }

// The errors that Outcome.Err is made of.
const (
	ErrNoMembers = sendError("no receiver answered")
	ErrTooFew    = sendError("too few receivers answered")
	ErrUnknown   = sendError("not a member")
	ErrAborted   = sendError("the transfer was aborted")
	ErrBusy      = sendError("another transfer is in progress")
	ErrSource    = sendError("the source could not be read")
	ErrCancelled = sendError("the transfer was cancelled")
)

// eventStatus carries an answer to QueryStatus.
const eventStatus EventKind = 100

var hostNames = [...]string{"unknown", "committed", "failed", "silent", "left", "late", "evicted", "refused", "read-only", "in doubt", "aborted"}

// String names it.
func (s HostStatus) String() string {
	if int(s) >= len(hostNames) {
		return "unknown"
	}
	return hostNames[s]
}
