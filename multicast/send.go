package multicast

import (
	"cmp"
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

// SlowPolicy selects what happens to a host that is slow or does not answer. The zero
// value is [Wait]. The text form is "wait", "evict:RATE:GRACE" or "background:RATE:GRACE".
type SlowPolicy struct {
	kind  engine.SlowPolicy
	rate  uint64
	grace time.Duration
}

// Wait adapts the rate to the slowest host.
var Wait = SlowPolicy{}

// EvictBelow removes a host from the transfer if it receives less than rate bits per
// second for the duration of grace, or does not answer.
func EvictBelow(rate uint64, grace time.Duration) SlowPolicy {
	return SlowPolicy{engine.Evict, rate, grace}
}

// Background is like [EvictBelow], and sends a second transfer to the removed hosts
// afterwards.
func Background(rate uint64, grace time.Duration) SlowPolicy {
	return SlowPolicy{engine.Background, rate, grace}
}

// CommitPolicy selects when a transfer is committed. The zero value is [All]. The text
// form is "all", "reached" or the number of hosts of a [Quorum].
type CommitPolicy struct{ quorum int }

// The policies without a number.
var (
	// All commits when every host is ready. Otherwise no host commits.
	All = CommitPolicy{}
	// Reached commits on the hosts that are ready.
	Reached = CommitPolicy{-1}
)

// Quorum commits when at least n hosts are ready. If n is less than 1, 1 is used.
func Quorum(n int) CommitPolicy { return CommitPolicy{max(1, n)} }

// SendOptions configures [Node.Send]. The zero value sends the files of the directory
// without its subdirectories.
type SendOptions struct {
	// Paths lists the paths to send, relative to the directory. If empty, the whole
	// directory is sent.
	Paths []string
	// Exclude lists rules with the syntax of rsync's --exclude option, anchored at the
	// directory that contains the path. The rule "+ PATTERN" includes, "- PATTERN" and
	// PATTERN exclude, and "!" removes the rules before it. The first rule that matches a
	// path decides. Excluded paths are not deleted at the hosts.
	Exclude []string
	// Recursive sends subdirectories.
	Recursive bool
	// Delete deletes paths at the hosts that do not exist in the source. It has no effect
	// if a part of the source could not be read.
	Delete bool
	// MaxDelete is the maximum number of deletions at a host. A host that would delete more
	// refuses the transfer. If zero, the number is not limited.
	MaxDelete int
	// DryRun reports what would be changed. Nothing is changed.
	DryRun bool
	// Check compares the content of all files. Nothing is changed.
	Check bool
	// Checksum finds changed files by their content instead of their size and time.
	Checksum bool
	// Fsync flushes all data to the disk before a host is ready to commit.
	Fsync bool
	// Owner sets user and group. The receivers must run as root.
	Owner bool
	// To lists the names or addresses of the hosts, at most 80. A name that several hosts
	// have addresses all of them. If empty, all receivers are addressed.
	To []string
	// MinMembers is the number of receivers to wait for, up to 5 seconds. If zero, Send
	// waits for half a second, and requires one receiver.
	MinMembers int
	// Slow selects what happens to slow hosts.
	Slow SlowPolicy
	// Commit selects when the transfer is committed.
	Commit CommitPolicy
	// Symbol is the size of the payload of a datagram: a multiple of 64 from 512 to 8896.
	// If zero, the largest size that fits the interface is used, at most 1408.
	Symbol int
	// Progress, if not nil, is called at most ten times per second. All calls are made by
	// one goroutine.
	Progress func(Progress)
	// MemberTimeout is the time after which a host that does not answer has failed. If
	// zero, 10 seconds is used.
	MemberTimeout time.Duration
}

// Progress describes a transfer that is in progress.
type Progress struct {
	// State is the state of the sender, such as "stream".
	State string `json:"state,omitzero"`
	// Done is the number of bytes of content that were sent at least once.
	Done int64 `json:"done,omitzero"`
	// Total is the number of bytes of content to send.
	Total int64 `json:"total,omitzero"`
	// Rate is the sending rate in bits per second.
	Rate float64 `json:"rate,omitzero"`
	// Repair is the share of repair in the sent data, from 0 to 1.
	Repair float64 `json:"repair,omitzero"`
	// Slowest is the name of the host that limits the rate, or "".
	Slowest string `json:"slowest,omitzero"`
}

// Send sends the content of dir to the hosts of the group and blocks until they have
// committed. Concurrent calls on one node are executed one after the other.
//
// If some hosts fail, Send returns the report and an error that wraps a [*HostError] for
// each of them. If ctx ends before the decision to commit, the transfer is aborted. If it
// ends later, the transfer continues and Send waits for its end.
func (n *Node) Send(ctx context.Context, dir string, o SendOptions) (*Report, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	select {
	case n.sending <- struct{}{}:
		defer func() { <-n.sending }()
	case <-ctx.Done():
		return nil, during("wait for the previous transfer", ctx.Err())
	case <-n.stop:
		return nil, ErrClosed
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, during("open the source", err)
	}
	defer root.Close()
	began := time.Now()
	scanned, err := tree.Scan(root, tree.ScanOptions{Paths: o.Paths, Exclude: o.Exclude, Recursive: o.Recursive, Owner: o.Owner, Digest: o.Check || o.Checksum})
	if err != nil {
		return nil, during("scan "+dir, err)
	}
	r := &Report{Special: scanned.Special, Missing: scanned.Missing, Phases: []Phase{{"scan", time.Since(began)}}}
	for _, p := range scanned.Problems {
		r.Problems = append(r.Problems, PathError{Op: p.Op, Path: p.Path, Text: p.Err.Error()})
	}
	for i := range scanned.Manifest.Entries {
		if e := &scanned.Manifest.Entries[i]; e.Kind == tree.File && e.Mode&0o6000 != 0 {
			r.SetID = append(r.SetID, e.Path)
		}
	}
	if len(scanned.Manifest.Roots) == 0 {
		return r, join(errors.New("multicast: nothing to send"), r.err())
	}
	s := &sending{n: n, root: root, o: o, m: scanned.Manifest, report: r}
	return s.run(ctx)
}

func (o *SendOptions) validate() error {
	switch {
	case len(o.To) > wire.MaxTargets:
		return fmt.Errorf("multicast: SendOptions.To has %d names, want at most %d", len(o.To), wire.MaxTargets)
	case o.Symbol != 0 && (o.Symbol < wire.MinSymbol || o.Symbol > wire.MaxSymbol || o.Symbol%64 != 0):
		return fmt.Errorf("multicast: invalid symbol size %d, want a multiple of 64 from %d to %d", o.Symbol, wire.MinSymbol, wire.MaxSymbol)
	case o.MinMembers < 0:
		return fmt.Errorf("multicast: invalid MinMembers %d: negative", o.MinMembers)
	case o.MaxDelete < 0:
		return fmt.Errorf("multicast: invalid MaxDelete %d: negative", o.MaxDelete)
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
		return s.report, fmt.Errorf("multicast: the metadata of %d files takes %d MiB, want at most %d MiB in a transfer", len(s.m.Entries), len(s.raw)>>20, wire.MaxManifest>>20)
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
	return s.report, s.outcomeError(ctx, out)
}

func (s *sending) outcomeError(ctx context.Context, out *engine.Outcome) error {
	var top error
	switch out.Err {
	case nil:
	case engine.ErrNoMembers:
		top = ErrNoMembers
		if s.report.Unopened > 0 {
			top = fmt.Errorf("%w: %d packets of the group could not be decrypted: do the nodes use the same key?", ErrNoMembers, s.report.Unopened)
		}
	case engine.ErrTooFew:
		top = ErrTooFew
	case engine.ErrUnknown:
		var errs []error
		for _, name := range out.Unknown {
			errs = append(errs, &fault{name + " is not contained in members", ErrUnknownHost, nil})
		}
		top = join(errs...)
	case engine.ErrSource:
		top = ErrSource
	case engine.ErrBusy:
		top = ErrBusy
	case engine.ErrCancelled:
		top = during("send", cmp.Or(ctx.Err(), context.Canceled))
	case engine.ErrAborted:
		top = ErrAborted
	default:
		top = &fault{plain(ErrAborted) + ": " + out.Err.Error(), ErrAborted, out.Err}
	}
	return join(top, s.report.err())
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
		Rate: engine.Rate{Mode: n.c.Rate.Mode.engine(), Bits: n.c.Rate.Bits}, Member: s.o.MemberTimeout, Catchup: ids != nil})
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
	r.Epoch, r.Root, r.Committed = out.Epoch, Digest(out.Root), out.Committed
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
	s.n.mu.Lock()
	names := s.n.eng.Names()
	s.n.mu.Unlock()
	for i := range r.Hosts {
		for id, name := range names {
			if id.String() == r.Hosts[i].ID {
				r.Hosts[i].Name = name
			}
		}
	}
	r.OtherKeys = s.n.OtherKeys()
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

// CheckPath returns an error if p is not valid for SendOptions.Paths.
func CheckPath(p string) error {
	_, err := tree.CleanPath(p)
	return wrap(err)
}
