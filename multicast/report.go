package multicast

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/tree"
)

// Report is the result of a [Node.Send]. The caller owns it. Durations are nanoseconds
// in JSON.
type Report struct {
	// Epoch is the number of the transfer. It is larger than that of any earlier one.
	Epoch uint64 `json:"epoch,omitzero"`
	// Root is the digest of the whole tree.
	Root Digest `json:"root,omitzero"`
	// Committed is true if the sender decided to commit. The State of each host may differ.
	Committed bool `json:"committed,omitzero"`
	// Hosts lists the receivers by name.
	Hosts []HostReport `json:"hosts,omitzero"`
	// Bytes is the number of bytes of content that at least one host needed.
	Bytes int64 `json:"bytes,omitzero"`
	// Sent is the number of bytes of content and parity sent, counted once for all
	// receivers.
	Sent int64 `json:"sent,omitzero"`
	// Repair is the part of Sent that was parity or was sent again.
	Repair int64 `json:"repair,omitzero"`
	// Wire is the number of bytes that this node sent during the transfer, with the headers
	// of all layers.
	Wire int64 `json:"wire,omitzero"`
	// Rounds is the number of repair rounds.
	Rounds int `json:"rounds,omitzero"`
	// Elapsed is the duration of the transfer without the scan of the source.
	Elapsed time.Duration `json:"elapsed,omitzero"`
	// FlipSpread is the time between the first host's switch to the new tree and the last
	// one's, measured by the sender's clock.
	FlipSpread time.Duration `json:"flipSpread,omitzero"`
	// Phases lists the states of the transfer in their order. A state is listed again if it
	// was entered again because another sender had precedence.
	Phases []Phase `json:"phases,omitzero"`
	// Loss is the loss rate at the host with the highest one, from 0 to 1.
	Loss float64 `json:"loss,omitzero"`
	// Rate is the sending rate at the end, in bits per second.
	Rate uint64 `json:"rate,omitzero"`
	// Problems lists the paths of the source that could not be read.
	Problems []PathError `json:"problems,omitzero"`
	// Special lists paths of the source that are devices, FIFOs or sockets. They are not
	// sent.
	Special []string `json:"special,omitzero"`
	// SetID lists files of the source with a set-user-id or set-group-id bit. A receiver
	// drops these bits from new files unless ReceiveOptions.Setuid is set.
	SetID []string `json:"setID,omitzero"`
	// Missing lists the elements of SendOptions.Paths that do not exist.
	Missing []string `json:"missing,omitzero"`
	// Unopened is the number of packets that claimed to be of this group and could not be
	// decrypted. Their senders probably use another key.
	Unopened int64 `json:"unopened,omitzero"`
	// OtherKeys lists addresses whose packets had the tag of another key or group.
	OtherKeys []netip.Addr `json:"otherKeys,omitzero"`
	// Note is that of [Node.Note].
	Note string `json:"note,omitzero"`
}

// Digest is a SHA-256 digest. Its text form is hexadecimal.
type Digest [32]byte

// String returns the digest as 64 hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText returns the digest as 64 hexadecimal digits.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (d *Digest) UnmarshalText(text []byte) error {
	b, err := hex.DecodeString(string(text))
	if err != nil || len(b) != len(d) {
		return fmt.Errorf(prefix+"invalid digest %q, want %d hexadecimal digits", text, 2*len(d))
	}
	copy(d[:], b)
	return nil
}

// Phase is a part of a [Node.Send].
type Phase struct {
	// Name is "scan", "listen", "gather", "plan", "stream", "seal", "commit" or "finish".
	Name string `json:"name,omitzero"`
	// Took is the duration of the phase.
	Took time.Duration `json:"took,omitzero"`
}

// HostState is the result of a transfer at one host.
type HostState uint8

// The results at a host.
const (
	// HostUnknown means that the result is not known.
	HostUnknown HostState = iota
	// HostCommitted means that the host has the new tree. In a dry run or a check it means
	// that the host answered.
	HostCommitted
	// HostFailed means that the host reported an error.
	HostFailed
	// HostSilent means that the host did not send anything for too long.
	HostSilent
	// HostLeft means that the host left the group during the transfer.
	HostLeft
	// HostLate means that the host joined after the transfer had started.
	HostLate
	// HostEvicted means that the host was removed from the transfer by the [SlowPolicy].
	HostEvicted
	// HostRefused means that the host declined the transfer. HostReport.Text contains the
	// reason.
	HostRefused
	// HostReadOnly means that the host answered and, being read-only, changed nothing.
	HostReadOnly
	// HostInDoubt means that the host was ready to commit and did not report a result.
	HostInDoubt
	// HostAborted means that the transfer was aborted.
	HostAborted
)

func hostState(s engine.HostStatus) HostState {
	switch s {
	case engine.HostCommitted:
		return HostCommitted
	case engine.HostFailed:
		return HostFailed
	case engine.HostSilent:
		return HostSilent
	case engine.HostLeft:
		return HostLeft
	case engine.HostLate:
		return HostLate
	case engine.HostEvicted:
		return HostEvicted
	case engine.HostRefused:
		return HostRefused
	case engine.HostReadOnly:
		return HostReadOnly
	case engine.HostInDoubt:
		return HostInDoubt
	case engine.HostAborted:
		return HostAborted
	}
	return HostUnknown
}

// HostReport is the result of a [Node.Send] at one host. All lists of paths have the
// contents of a directory before the directory.
type HostReport struct {
	Name  string     `json:"name,omitzero"`
	ID    string     `json:"id,omitzero"`
	Addr  netip.Addr `json:"addr,omitzero"`
	State HostState  `json:"state"`
	// Text is the reason for a State other than HostCommitted.
	Text string `json:"text,omitzero"`
	// Updated lists the paths that were created or changed.
	Updated []string `json:"updated,omitzero"`
	// Deleted lists the paths that were deleted.
	Deleted []string `json:"deleted,omitzero"`
	// Skipped lists the paths that were up to date.
	Skipped []string `json:"skipped,omitzero"`
	// Differs lists the files whose content a check found to be different.
	Differs []string `json:"differs,omitzero"`
	// Errors lists the paths that could not be changed.
	Errors []*PathError `json:"errors,omitzero"`
	// Late is true if the host joined after the transfer had started and was served by a
	// second one.
	Late bool `json:"late,omitzero"`
	// Evicted is true if the host was removed from the transfer by the [SlowPolicy].
	Evicted bool `json:"evicted,omitzero"`
	// Atomic is true if the host exchanged the tree as a whole.
	Atomic bool `json:"atomic,omitzero"`
	// Needed is the number of bytes of content that the host did not have.
	Needed int64      `json:"needed,omitzero"`
	Detail HostDetail `json:"detail,omitzero"`
}

// HostDetail describes the last known state of a host.
type HostDetail struct {
	// State is the state of the transfer when the host's part in it ended.
	State string `json:"state,omitzero"`
	// Round is the number of repair rounds that the host requested.
	Round int `json:"round,omitzero"`
	// Missing is the number of blocks that the host did not have.
	Missing int `json:"missing,omitzero"`
	// LastHeard is the time from the last packet of the host to the end of its part.
	LastHeard time.Duration `json:"lastHeard,omitzero"`
	// Last is the type of the last message of the host.
	Last string `json:"last,omitzero"`
	// Loss is the loss rate at the host, from 0 to 1.
	Loss float64 `json:"loss,omitzero"`
	// Drops is the number of datagrams that the host did not read in time. A large number
	// means that the host is slow, not the network.
	Drops int64 `json:"drops,omitzero"`
	// SlowHost is true if the disk or the processor of the host limits its rate.
	SlowHost bool `json:"slowHost,omitzero"`
}

// HostError is an error at one host. It wraps one of the errors of the package or a
// [*PathError].
type HostError struct {
	Host   string     `json:"host,omitzero"`
	Err    error      `json:"err,omitzero"`
	Text   string     `json:"text,omitzero"`
	Detail HostDetail `json:"detail,omitzero"`
}

// Error returns the host name and the cause.
func (e *HostError) Error() string {
	text := e.Text
	if text == "" && e.Err != nil {
		text = plain(e.Err)
	}
	return prefix + e.Host + ": " + text
}

// Unwrap returns Err.
func (e *HostError) Unwrap() error { return e.Err }

func hostError(s HostState) error {
	switch s {
	case HostSilent:
		return ErrTimeout
	case HostLate:
		return ErrLate
	case HostEvicted:
		return ErrEvicted
	case HostRefused:
		return ErrRefused
	case HostInDoubt:
		return ErrInDoubt
	}
	return ErrAborted
}

// paths returns the paths of a set of entries, children before their directory.
func paths(m *tree.Manifest, s ranges.Set) (list []string) {
	for _, r := range s {
		for i := r.Start; i < r.End; i++ {
			list = append(list, m.Entries[i].Path)
		}
	}
	return ChildrenFirst(list)
}

// ChildrenFirst returns the paths sorted by name, with the contents of a directory before
// the directory.
func ChildrenFirst(list []string) []string {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b string) int {
		switch {
		case len(a) > len(b) && a[len(b)] == '/' && a[:len(b)] == b:
			return -1
		case len(b) > len(a) && b[len(a)] == '/' && b[:len(a)] == a:
			return 1
		}
		return tree.Compare(a, b)
	})
	return list
}

func (n *Node) hostReport(m *tree.Manifest, h *engine.HostOutcome) HostReport {
	r := HostReport{
		Name: h.Name, ID: h.ID.String(), Addr: h.Addr.Addr(), State: hostState(h.Status), Text: h.Text,
		Late: h.Late, Evicted: h.Evicted, Atomic: h.Atomic, Needed: int64(h.Needed),
		Detail: HostDetail{
			State: h.State.String(), Round: h.Round, Missing: int(h.Missing), LastHeard: h.Silent, Loss: h.Loss,
			Drops: int64(h.Drops), SlowHost: h.HostSlow,
		},
	}
	if h.Last != 0 {
		r.Detail.Last = h.Last.String()
	}
	if len(h.Results) == 0 {
		return r
	}
	res, err := tree.ParseResults(h.Results, len(m.Entries))
	if err != nil {
		r.Errors = append(r.Errors, &PathError{Op: "result", Text: err.Error()})
		return r
	}
	r.Updated, r.Skipped, r.Differs, r.Deleted = paths(m, res.Updated), paths(m, res.Skipped), paths(m, res.Differs), res.Deleted
	for _, e := range res.Errors {
		r.Errors = append(r.Errors, &PathError{Op: e.Op, Path: e.Path, Text: e.Text})
	}
	if res.More > 0 {
		r.Errors = append(r.Errors, &PathError{Op: "result", Text: fmt.Sprintf("%d more deletions and errors are not listed", res.More)})
	}
	return r
}

// err returns an error that lists the failures of all hosts and of the source, or nil.
func (r *Report) err() error {
	var errs []error
	// A host that was fine is not given the error of another one.
	blamed := slices.ContainsFunc(r.Hosts, func(h HostReport) bool {
		return h.State != HostCommitted && h.State != HostReadOnly && h.State != HostAborted
	})
	for i := range r.Hosts {
		h := &r.Hosts[i]
		switch {
		case h.State == HostAborted && blamed:
		case h.State != HostCommitted && h.State != HostReadOnly:
			errs = append(errs, &HostError{h.Name, hostError(h.State), h.Text, h.Detail})
		case h.Late:
			errs = append(errs, &HostError{h.Name, ErrLate, "host joined after the transfer started, and has caught up", h.Detail})
		case h.Evicted:
			errs = append(errs, &HostError{h.Name, ErrEvicted, "host was evicted: too slow, and has caught up", h.Detail})
		}
		for _, e := range h.Errors {
			errs = append(errs, &HostError{h.Name, e, plain(e), h.Detail})
		}
	}
	for i := range r.Problems {
		p := &r.Problems[i]
		errs = append(errs, &fault{plain(ErrSource) + ": " + plain(p), ErrSource, p})
	}
	for _, p := range r.Missing {
		errs = append(errs, &fault{fmt.Sprintf("%s: no such file or directory: %s", plain(ErrSource), p), ErrSource, nil})
	}
	return join(errs...)
}
