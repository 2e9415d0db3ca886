package multicast

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/tree"
	"dougu.internal/multicast/internal/wire"
)

// SlowPolicy is what becomes of a host that is slow, or silent.
type SlowPolicy struct {
	kind  engine.SlowPolicy
	rate  uint64
	grace time.Duration
}

// Wait lets the slowest host set the pace: the zero value.
var Wait = SlowPolicy{}

// EvictBelow takes a host out of the transfer that can't take rate bit/s for so long,
// and one that is silent.
func EvictBelow(rate uint64, grace time.Duration) SlowPolicy {
	return SlowPolicy{engine.Evict, rate, grace}
}

// Background is EvictBelow, after which the hosts get a transfer of their own.
func Background(rate uint64, grace time.Duration) SlowPolicy {
	return SlowPolicy{engine.Background, rate, grace}
}

// CommitPolicy says when a transfer is committed.
type CommitPolicy struct{ quorum int }

// The policies. All is the zero value: every host, or none. Reached commits on
// whichever hosts are ready.
var (
	All     = CommitPolicy{}
	Reached = CommitPolicy{-1}
)

// Quorum commits when at least n hosts are ready; n is at least 1.
func Quorum(n int) CommitPolicy { return CommitPolicy{max(1, n)} }

// SendOptions say what is sent and how. The zero value sends nothing but the
// directory's own files: Recursive is needed for more.
type SendOptions struct {
	// Paths are relative to the directory; empty: all of it.
	Paths []string
	// Exclude are patterns as rsync's --exclude has them, anchored at the directory
	// that holds the path. What is excluded is not deleted either.
	Exclude   []string
	Recursive bool
	// Delete removes what is below the paths at the hosts and not here. It does nothing
	// when a part of the source could not be read. MaxDelete refuses a transfer that
	// would delete more at a host; 0: no limit.
	Delete    bool
	MaxDelete int
	// DryRun tells what would be done. Check compares the content of all files, and
	// changes nothing.
	DryRun, Check bool
	// Checksum compares by content, not by size and time.
	Checksum bool
	// Fsync has everything on the disk before a host is ready.
	Fsync bool
	// Owner sets user and group, which receivers can do as root.
	Owner bool
	// To are names of hosts; empty: all that receive. At most 80.
	To []string
	// MinMembers is how many receivers are waited for, at most 5 s; 0: half a second,
	// and at least one.
	MinMembers int
	Slow       SlowPolicy
	Commit     CommitPolicy
	// Symbol is the payload of a datagram, a multiple of 64, 512 to 8896; 0: what fits
	// the interface, at most 1408.
	Symbol int
	// Progress is called from one goroutine, at most ten times a second.
	Progress func(Progress)
	// MemberTimeout is how long a host may be silent; 0: 10 s.
	MemberTimeout time.Duration
}

// Progress is how far a transfer is.
type Progress struct {
	State       string
	Done, Total int64   // bytes of content that were sent once
	Rate        float64 // bit/s
	Repair      float64 // share of what was sent
	Slowest     string
}

// Send sends what is in dir to the hosts of the group and waits until they have
// committed. Several calls on one node queue up.
//
// When only some hosts failed, both the report and an error that joins a *HostError
// for each are returned. When ctx ends before the decision, the transfer is aborted;
// after it, what was decided goes on and Send waits for its end.
func (n *Node) Send(ctx context.Context, dir string, o SendOptions) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	select {
	case n.sending <- struct{}{}:
		defer func() { <-n.sending }()
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-n.stop:
		return nil, ErrClosed
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("multicast: %w", err)
	}
	defer root.Close()
	began := time.Now()
	scanned, err := tree.Scan(root, tree.ScanOptions{Paths: o.Paths, Exclude: o.Exclude, Recursive: o.Recursive, Owner: o.Owner, Digest: o.Check || o.Checksum})
	if err != nil {
		return nil, fmt.Errorf("multicast: %w", err)
	}
	r := &Report{Special: scanned.Special, Missing: scanned.Missing, Phases: []Phase{{"scan", time.Since(began)}}}
	for _, p := range scanned.Problems {
		r.Problems = append(r.Problems, PathError{Op: p.Op, Path: p.Path, Text: p.Err.Error()})
	}
	if len(scanned.Manifest.Roots) == 0 {
		return r, errors.Join(errors.New("multicast: there is nothing to send"), r.err())
	}
	s := &sending{n: n, root: root, o: o, m: scanned.Manifest, report: r}
	return s.run(ctx)
}

func (o *SendOptions) validate() error {
	switch {
	case len(o.To) > wire.MaxTargets:
		return fmt.Errorf("multicast: %d names: at most %d can be told apart, send to all", len(o.To), wire.MaxTargets)
	case o.Symbol != 0 && (o.Symbol < wire.MinSymbol || o.Symbol > wire.MaxSymbol || o.Symbol%64 != 0):
		return fmt.Errorf("multicast: symbol %d: a multiple of 64, %d to %d", o.Symbol, wire.MinSymbol, wire.MaxSymbol)
	case o.MinMembers < 0 || o.MaxDelete < 0:
		return errors.New("multicast: a number is negative")
	}
	return nil
}

// sending is one Send.
type sending struct {
	n      *Node
	root   *os.Root
	o      SendOptions
	m      *tree.Manifest
	raw    []byte
	digest [32]byte
	report *Report
}

func (s *sending) run(ctx context.Context) (*Report, error) {
	s.raw = s.m.Append(nil)
	if len(s.raw) > wire.MaxManifest {
		return s.report, fmt.Errorf("multicast: the names and times of %d files take %d MiB, at most %d can be sent at once", len(s.m.Entries), len(s.raw)>>20, wire.MaxManifest>>20)
	}
	s.digest = sha256.Sum256(s.raw)
	start := time.Now()
	out, err := s.transfer(ctx, nil)
	if err != nil {
		return s.report, err
	}
	s.fill(out)
	if out.Committed && ctx.Err() == nil {
		s.catchUp(ctx, out)
	}
	s.report.Elapsed = time.Since(start)
	return s.report, s.outcomeError(out)
}

func (s *sending) outcomeError(out *engine.Outcome) error {
	var top error
	switch out.Err {
	case nil:
	case engine.ErrNoMembers:
		top = ErrNoMembers
		if s.report.Unopened > 0 {
			top = fmt.Errorf("%w: %d packets with our group's tag could not be opened: is the key another one?", ErrNoMembers, s.report.Unopened)
		}
	case engine.ErrTooFew:
		top = ErrTooFew
	case engine.ErrUnknown:
		var errs []error
		for _, name := range out.Unknown {
			errs = append(errs, fmt.Errorf("%s is %w", name, ErrUnknownHost))
		}
		top = errors.Join(errs...)
	case engine.ErrSource:
		top = ErrSource
	case engine.ErrBusy:
		top = ErrBusy
	case engine.ErrCancelled:
		top = context.Canceled
	default:
		top = fmt.Errorf("%w: %w", ErrAborted, out.Err)
	}
	err := errors.Join(top, s.report.err())
	if err == nil {
		return nil
	}
	return fmt.Errorf("multicast: %w", err)
}

// flags are those of the announcement.
func (s *sending) flags() (f uint16) {
	for _, b := range []struct {
		on   bool
		flag uint16
	}{{s.o.DryRun, wire.FlagDryRun}, {s.o.Delete, wire.FlagDelete}, {s.o.Checksum, wire.FlagDigest}, {s.o.Check, wire.FlagCheck}, {s.o.Fsync, wire.FlagFsync},
		{s.o.Owner, wire.FlagOwner}, {len(s.report.Problems) > 0, wire.FlagIncomplete}, {s.n.c.Rate.Mode == Fixed, wire.FlagFixed}} {
		if b.on {
			f |= b.flag
		}
	}
	return f
}

// symbol is the size of a symbol that fits the path.
func (s *sending) symbol() int {
	if s.o.Symbol != 0 {
		return s.o.Symbol
	}
	room := s.n.conn.MTU() - 28 - wire.Overhead - wire.DataHeader
	return max(wire.MinSymbol, min(1408, room/64*64))
}

// transfer runs one transfer to its end; ids are the hosts of a catch-up.
func (s *sending) transfer(ctx context.Context, ids []wire.NodeID) (*engine.Outcome, error) {
	n := s.n
	ended := make(chan struct{})
	var es *engine.Send
	content := tree.NewContent(s.root, s.m, func() { n.kickSend() }, func(seals []byte, err error) {
		n.do(func(now engine.Time) {
			if es != nil {
				es.Sealed(now, seals, tree.Root(s.digest, seals), err)
			}
		})
	})
	defer content.Close()
	before, badBefore := uint64(0), uint64(0)
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return nil, ErrClosed
	}
	before, badBefore = n.counts.wire, n.counts.unopened
	n.content, n.sent = content, ended
	es = n.eng.StartSend(n.now(), engine.SendOptions{Manifest: s.raw, Digest: s.digest, Flags: s.flags(), Symbol: s.symbol(), Source: content, Targets: s.o.To, IDs: ids,
		Min: s.o.MinMembers, MaxDel: uint32(s.o.MaxDelete), Slow: s.o.Slow.kind, SlowRate: s.o.Slow.rate, Grace: s.o.Slow.grace, Quorum: s.o.Commit.quorum,
		Rate: engine.Rate{Mode: n.c.Rate.Mode, Bits: n.c.Rate.Bits}, Member: s.o.MemberTimeout, Catchup: ids != nil})
	n.send = es
	n.poll()
	n.mu.Unlock()
	s.wait(ctx, es, ended)
	n.mu.Lock()
	out := es.Outcome()
	n.send, n.content = nil, nil
	s.report.Wire += int64(n.counts.wire - before)
	s.report.Unopened = int64(n.counts.unopened - badBefore)
	n.mu.Unlock()
	content.Close()
	for _, p := range content.Problems {
		s.report.Problems = append(s.report.Problems, PathError{Op: p.Op, Path: p.Path, Text: p.Err.Error()})
	}
	if out == nil {
		return nil, ErrClosed
	}
	return out, nil
}

// wait waits for the end, tells the progress, and passes on that the caller gives up.
func (s *sending) wait(ctx context.Context, es *engine.Send, ended <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	cancelled := ctx.Done()
	for {
		select {
		case <-ended:
			return
		case <-s.n.stop:
			return
		case <-cancelled:
			cancelled = nil
			s.n.do(es.Cancel)
		case <-tick.C:
			if s.o.Progress == nil {
				continue
			}
			var p Progress
			s.n.mu.Lock()
			done, total, rate, repair, slowest := es.Progress()
			p = Progress{es.State().String(), int64(done), int64(total), rate, repair, slowest}
			s.n.mu.Unlock()
			s.o.Progress(p)
		}
	}
}

// kickSend lets the sender go on: a block was read. If the timer is set anew at the same
// moment, the pacer's next tick does it.
func (n *Node) kickSend() { n.timer.Reset(0) }

// fill takes the outcome into the report.
func (s *sending) fill(out *engine.Outcome) {
	r := s.report
	r.Epoch, r.Root, r.Committed = out.Epoch, out.Root, out.Committed
	r.Bytes += int64(out.Content)
	r.Sent += int64(out.DataBytes)
	r.Repair += int64(out.Repair) * int64(s.symbol())
	r.Rounds += out.Rounds
	for i, p := range out.Phases[:max(0, len(out.Phases)-1)] {
		r.Phases = append(r.Phases, Phase{p.State.String(), time.Duration(out.Phases[i+1].At - p.At)})
	}
	r.Loss = max(r.Loss, out.Loss)
	r.Rate = out.Rate
	r.Note = s.n.conn.Note()
	first, last := uint64(1<<63), uint64(0)
	for i := range out.Hosts {
		h := s.n.hostReport(s.m, &out.Hosts[i])
		if f := out.Hosts[i].Flipped; f != 0 {
			first, last = min(first, f), max(last, f)
		}
		if j := slices.IndexFunc(r.Hosts, func(o HostReport) bool { return o.ID == h.ID }); j >= 0 {
			h.Late, h.Evicted = r.Hosts[j].Late, r.Hosts[j].Evicted
			r.Hosts[j] = h
			continue
		}
		r.Hosts = append(r.Hosts, h)
	}
	if last >= first && r.FlipSpread == 0 {
		r.FlipSpread = time.Duration(last - first)
	}
	slices.SortFunc(r.Hosts, func(a, b HostReport) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	k := 1
	for i := 1; i < len(r.Hosts); i++ {
		if baseName(r.Hosts[i-1].Name, 0) == r.Hosts[i].Name {
			k++
			r.Hosts[i].Name = fmt.Sprintf("%s#%d", r.Hosts[i].Name, k)
		} else {
			k = 1
		}
	}
}

// catchUp sends the same again to the hosts that were late, or slow and are to follow.
func (s *sending) catchUp(ctx context.Context, out *engine.Outcome) {
	var ids []wire.NodeID
	for _, h := range out.Hosts {
		if h.Status == engine.HostLate || h.Status == engine.HostEvicted && s.o.Slow.kind == engine.Background {
			ids = append(ids, h.ID)
		}
	}
	if len(ids) == 0 || len(ids) > wire.MaxTargets {
		return
	}
	slow := s.o
	slow.Slow, slow.Commit = Wait, Reached
	t := *s
	t.o = slow
	again, err := t.transfer(ctx, ids)
	if err != nil {
		return
	}
	committed, root, epoch := s.report.Committed, s.report.Root, s.report.Epoch
	s.fill(again)
	s.report.Committed, s.report.Root, s.report.Epoch = committed, root, max(epoch, again.Epoch)
}

// CheckPath returns what is wrong with a path for SendOptions.Paths, or nil.
func CheckPath(p string) error {
	_, err := tree.CleanPath(p)
	return err
}
