package multicast

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"dougu.internal/multicast/internal/engine"
	"dougu.internal/multicast/internal/tree"
)

// Mode is how a tree is changed.
type Mode uint8

// The modes.
const (
	// Auto exchanges the tree as a whole where that can be, and works in place
	// otherwise; the report tells which it was.
	Auto Mode = iota
	// InPlace changes file by file, from a journal.
	InPlace
)

// ReceiveOptions say what a receiver allows. The zero value takes part and writes.
type ReceiveOptions struct {
	// ReadOnly answers, and changes and deletes nothing.
	ReadOnly bool
	Mode     Mode
	// Setuid keeps set-user-id, set-group-id and sticky bits.
	Setuid bool
	// OutsideLinks takes symlinks that are absolute or lead out of the directory.
	OutsideLinks bool
	// OnCommit is called after each commit, from one goroutine, before Next returns it.
	OnCommit func(Commit)
}

// Commit is a transfer that a receiver has committed.
type Commit struct {
	Epoch    uint64
	Sender   string
	Atomic   bool
	Why      string // when it was not: the reason
	Updated  []string
	Deleted  []string
	Errors   []PathError
	Tidy     error // the new tree is in place, and something of the old one could not be removed
	settled  bool
	finished bool
}

// PathError is what went wrong with one path of one host.
type PathError struct {
	Op, Path, Text string
}

// Error tells what and where.
func (e *PathError) Error() string { return fmt.Sprintf("%s: %s: %s", e.Path, e.Op, e.Text) }

// Notice is something that a receiver was told and did not do, or is not sure of.
type Notice struct {
	Epoch  uint64
	Sender string
	Text   string
	Doubt  bool // prepared, and the sender is silent
}

// Receiver takes what is sent to a directory, until it is closed.
type Receiver struct {
	n     *Node
	store *store
	o     ReceiveOptions

	mu      sync.Mutex
	cond    chan struct{} // closed and replaced when something changes
	commits []*Commit
	notices []Notice
	closed  bool
	once    sync.Once
}

// Receive lets the node take what is sent into dir, which must exist. One receiver at
// a time for a node; several nodes may be in one process. What an earlier process had
// left half done there is ended first: a decided change is played to its end, an
// undecided one is kept as a promise that the others are asked about.
func (n *Node) Receive(dir string, o ReceiveOptions) (*Receiver, error) {
	base, promise, err := tree.OpenBase(dir, o.ReadOnly)
	if err != nil {
		return nil, fmt.Errorf("multicast: cannot receive into %s: %w", dir, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.receiver != nil {
		base.Close()
		if n.closed {
			return nil, ErrClosed
		}
		return nil, errors.New("multicast: the node receives already")
	}
	r := &Receiver{n: n, o: o, cond: make(chan struct{})}
	r.store = newStore(n, base, o)
	n.receiver = r
	var p *engine.Promise
	if promise != nil {
		r.store.promise = promise
		p = &engine.Promise{Sender: promise.Sender, Transfer: promise.Transfer, Epoch: promise.Epoch, Root: promise.Root, Roster: promise.Roster}
	}
	m := base.Memory()
	n.eng.StartReceiving(n.now(), r.store, o.ReadOnly, m.Epoch, m.Root, p)
	n.after()
	return r, nil
}

// afterwards is for how long Next waits for the end of a commit whose context has ended.
const afterwards = 2 * time.Second

// Next returns the next commit, when the sender has its result or is gone, so that a
// program may end after it. A commit that has been made when ctx ends is returned still:
// its end is waited for, for two seconds at most.
func (r *Receiver) Next(ctx context.Context) (Commit, error) {
	ended := ctx.Done()
	var limit <-chan time.Time
	for {
		r.mu.Lock()
		if len(r.commits) > 0 && r.commits[0].settled && r.commits[0].finished {
			c := *r.commits[0]
			r.commits = r.commits[1:]
			r.mu.Unlock()
			return c, nil
		}
		wait, closed, made := r.cond, r.closed, len(r.commits) > 0
		r.mu.Unlock()
		if closed {
			return Commit{}, ErrClosed
		}
		select {
		case <-ended:
			if !made {
				return Commit{}, ctx.Err()
			}
			ended, limit = nil, time.After(afterwards)
		case <-limit:
			return Commit{}, ctx.Err()
		case <-wait:
		}
	}
}

// Notices returns what was refused, dropped or is in doubt since the last call.
func (r *Receiver) Notices() []Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.notices
	r.notices = nil
	return list
}

// Close ends receiving. A transfer that is not prepared is dropped; what was staged
// is kept for the next one.
func (r *Receiver) Close() error {
	r.n.mu.Lock()
	if r.n.receiver == r {
		r.n.receiver = nil
		if !r.n.closed {
			r.n.eng.StopReceiving(r.n.now())
			r.n.after()
		}
	}
	r.n.mu.Unlock()
	return r.shut()
}

func (r *Receiver) shut() (err error) {
	r.once.Do(func() {
		r.mu.Lock()
		r.closed = true
		r.changed()
		r.mu.Unlock()
		err = r.store.close()
	})
	return err
}

// changed wakes who waits. r.mu is held.
func (r *Receiver) changed() {
	close(r.cond)
	r.cond = make(chan struct{})
}

// event is called with the node's lock.
func (r *Receiver) event(e engine.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch e.Kind {
	case engine.EventCommitted:
		for _, c := range r.commits {
			if c.Epoch == 0 {
				c.Epoch, c.Sender = e.Epoch, e.Sender
			}
		}
	case engine.EventSettled:
		for _, c := range r.commits {
			if c.Epoch == e.Epoch {
				c.settled = true
			}
		}
		r.changed()
	case engine.EventRefused, engine.EventAborted, engine.EventDoubt, engine.EventSlow:
		if len(r.notices) < 1000 {
			r.notices = append(r.notices, Notice{e.Epoch, e.Sender, e.Text, e.Kind == engine.EventDoubt})
		}
		r.changed()
	}
}

func commitOf(s *tree.Stage, atomic bool) *Commit {
	c := &Commit{Atomic: atomic}
	if !atomic {
		c.Why = s.Fallback
	}
	m, r := s.Manifest(), s.Results()
	for _, x := range r.Updated {
		for i := x.Start; i < x.End; i++ {
			c.Updated = append(c.Updated, m.Entries[i].Path)
		}
	}
	c.Deleted = r.Deleted
	for _, e := range r.Errors {
		c.Errors = append(c.Errors, PathError{Op: e.Op, Path: e.Path, Text: e.Text})
	}
	return c
}

// receiverCommit notes a commit; the node's lock is held.
func (n *Node) receiverCommit(c *Commit) {
	if r := n.receiver; r != nil {
		r.mu.Lock()
		r.commits = append(r.commits, c)
		r.mu.Unlock()
	}
}

// receiverTidy notes that the commit's work is over.
func (n *Node) receiverTidy(c *Commit, err error) {
	n.mu.Lock()
	r := n.receiver
	n.mu.Unlock()
	if r == nil {
		return
	}
	if r.o.OnCommit != nil {
		r.o.OnCommit(*c)
	}
	r.mu.Lock()
	c.Tidy, c.finished = err, true
	r.changed()
	r.mu.Unlock()
}
