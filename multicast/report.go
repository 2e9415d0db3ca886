package multicast

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/ranges"
	"dougu.internal/multicast/internal/tree"
)

// Report is what a Send came to. It is the caller's.
type Report struct {
	Epoch     uint64
	Root      [32]byte // digest of the whole tree
	Committed bool     // the sender has decided so; each host's own State may differ
	Hosts     []HostReport
	Bytes     int64 // of content that had to go
	Sent      int64 // bytes of content and parity that went, once for all
	Repair    int64 // of which were parity or sent again
	Wire      int64 // bytes on the wire, frames, everything that this node sent
	Rounds    int   // of repair
	Elapsed   time.Duration
	// FlipSpread is the time between the first host's switch and the last one's, by the
	// sender's clock.
	FlipSpread time.Duration
	// Phases tell where the time went: scan, then the sender's states in their order. A
	// state that was entered again, because another sender went first, stands again.
	Phases []Phase
	Loss   float64 // of the worst host
	Rate   uint64  // bit/s at the end
	// Problems are paths of the source that could not be read, Special those that are
	// no files: not sent. Missing are paths that do not exist.
	Problems []PathError
	Special  []string
	Missing  []string
	Unopened int64 // packets with the group's tag that did not open: another key?
	Note     string
}

// Phase is a part of a Send and how long it took.
type Phase struct {
	Name string // "scan", then "listen", "gather", "stream", "seal", "commit", "finish"
	Took time.Duration
}

// HostState says how a host ended.
type HostState = engine.HostStatus

// The ends of a host.
const (
	HostUnknown   = engine.HostUnknown
	HostCommitted = engine.HostCommitted // it has the tree; of a dry run or a check: it has answered
	HostFailed    = engine.HostFailed
	HostSilent    = engine.HostSilent
	HostLeft      = engine.HostLeft
	HostLate      = engine.HostLate
	HostEvicted   = engine.HostEvicted
	HostRefused   = engine.HostRefused
	HostReadOnly  = engine.HostReadOnly
	HostInDoubt   = engine.HostInDoubt
	HostAborted   = engine.HostAborted
)

// HostReport is one host's part in a Send.
type HostReport struct {
	Name    string
	ID      string
	Addr    netip.Addr
	State   HostState
	Text    string   // why, when it is not HostCommitted
	Updated []string // children before their directory
	Deleted []string // children before their directory
	Skipped []string // they were as they should be
	Differs []string // of a check
	Errors  []*PathError
	Late    bool
	Evicted bool
	Atomic  bool
	Needed  int64 // bytes of content that it lacked
	Detail  HostDetail
}

// HostDetail is what was last known of a host.
type HostDetail struct {
	State     string        // of the transfer, when the host ended
	Round     int           // repair rounds that it asked for
	Missing   int           // blocks
	LastHeard time.Duration // before the end
	Last      string        // message
	Loss      float64
	Drops     int64 // datagrams that it did not read in time: the host is slow, not the network
	SlowHost  bool
}

// HostError is what is wrong with one host. It unwraps to one of the package's errors.
type HostError struct {
	Host   string
	Err    error
	Text   string
	Detail HostDetail
}

// Error tells what and where.
func (e *HostError) Error() string { return fmt.Sprintf("%s: %s", e.Host, e.Text) }

// Unwrap returns the cause.
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

// reverse turns a manifest's order into one with children before their directory.
func paths(m *tree.Manifest, s ranges.Set) (list []string) {
	for _, r := range s {
		for i := r.Start; i < r.End; i++ {
			list = append(list, m.Entries[i].Path)
		}
	}
	return ChildrenFirst(list)
}

// ChildrenFirst orders paths so that what is in a directory comes before it, and
// otherwise by name.
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
	r := HostReport{Name: h.Name, ID: h.ID.String(), Addr: h.Addr.Addr(), State: h.Status, Text: h.Text, Late: h.Late, Evicted: h.Evicted, Atomic: h.Atomic,
		Needed: int64(h.Needed), Detail: HostDetail{State: h.State.String(), Round: h.Round, Missing: int(h.Missing), LastHeard: h.Silent, Loss: h.Loss,
			Drops: int64(h.Drops), SlowHost: h.HostSlow}}
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
		r.Errors = append(r.Errors, &PathError{Op: "result", Text: fmt.Sprintf("%d more deletions and errors were not told", res.More)})
	}
	return r
}

// err joins what is wrong with the hosts.
func (r *Report) err() error {
	var errs []error
	for i := range r.Hosts {
		h := &r.Hosts[i]
		switch {
		case h.State != HostCommitted && h.State != HostReadOnly:
			errs = append(errs, &HostError{h.Name, hostError(h.State), h.Text, h.Detail})
		case h.Late:
			errs = append(errs, &HostError{h.Name, ErrLate, "it came late, and has caught up", h.Detail})
		case h.Evicted:
			errs = append(errs, &HostError{h.Name, ErrEvicted, "it was too slow, and has caught up", h.Detail})
		}
		for _, e := range h.Errors {
			errs = append(errs, &HostError{h.Name, e, e.Error(), h.Detail})
		}
	}
	for i := range r.Problems {
		errs = append(errs, fmt.Errorf("%w: %w", ErrSource, &r.Problems[i]))
	}
	for _, p := range r.Missing {
		errs = append(errs, fmt.Errorf("%w: no such file or directory: %s", ErrSource, p))
	}
	return errors.Join(errs...)
}
