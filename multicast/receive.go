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

// Mode selects how a receiver changes its tree.
type Mode uint8

// The modes of a receiver.
const (
	// Auto exchanges the tree as a whole if the file system supports it, and otherwise
	// works like InPlace. The report contains which one was used.
	Auto Mode = iota
	// InPlace changes one file after the other, according to a journal.
	InPlace
)

// ReceiveOptions configures a [Receiver]. The zero value accepts transfers and writes
// them to the directory.
type ReceiveOptions struct {
	// ReadOnly answers transfers without changing anything.
	ReadOnly bool
	// Mode selects how the tree is changed.
	Mode Mode
	// Setuid keeps the set-user-id and set-group-id bits of files. If false, a file keeps
	// them only as long as its content does not change. Directories keep theirs.
	Setuid bool
	// OutsideLinks accepts symbolic links that are absolute or lead out of the directory.
	OutsideLinks bool
	// OnCommit, if not nil, is called after each commit, before [Receiver.Next] returns it.
	// All calls are made by one goroutine.
	OnCommit func(Commit)
}

// Commit describes a transfer that a receiver has committed.
type Commit struct {
	Epoch uint64 `json:"epoch,omitzero"`
	// Sender is the name of the sending node.
	Sender string `json:"sender,omitzero"`
	// Atomic is true if the tree was exchanged as a whole.
	Atomic bool `json:"atomic,omitzero"`
	// Why is the reason if Atomic is false.
	Why string `json:"why,omitzero"`
	// Updated lists the paths that were created or changed.
	Updated []string `json:"updated,omitzero"`
	// Deleted lists the paths that were deleted.
	Deleted []string `json:"deleted,omitzero"`
	// Errors lists the paths that could not be changed.
	Errors []PathError `json:"errors,omitzero"`
	// Tidy is set if the new tree is in place and a part of the old one could not be
	// removed.
	Tidy error `json:"tidy,omitzero"`
}

// pending is a commit that Next has not returned.
type pending struct {
	Commit
	settled  bool // the sender has the result, or does not answer any more
	finished bool // the old tree is removed
}

// PathError is an error at one path of a tree.
type PathError struct {
	// Op is the operation that failed, such as "read".
	Op string `json:"op,omitzero"`
	// Path is relative to the directory of the sender or receiver.
	Path string `json:"path,omitzero"`
	// Text is the cause.
	Text string `json:"text,omitzero"`
}

// Error returns the path, the operation and the cause.
func (e *PathError) Error() string { return fmt.Sprintf(prefix+"%s: %s: %s", e.Path, e.Op, e.Text) }

// Notice describes a transfer that a receiver refused or dropped, or whose outcome is not
// known.
type Notice struct {
	Epoch uint64 `json:"epoch,omitzero"`
	// Sender is the name of the sending node.
	Sender string `json:"sender,omitzero"`
	// Text is the reason.
	Text string `json:"text,omitzero"`
	// Doubt is true if the receiver was ready to commit and the sender does not answer.
	Doubt bool `json:"doubt,omitzero"`
}

// Receiver writes transfers to a directory until it is closed. Its methods are safe for
// concurrent use by multiple goroutines.
type Receiver struct {
	n     *Node
	store *store
	o     ReceiveOptions

	mu      sync.Mutex
	cond    chan struct{} // closed and replaced when something changes
	commits []*pending
	notices []Notice
	closed  bool
	once    sync.Once
}

// Receive starts to write transfers to dir, which must exist. A node can have one
// receiver at a time; a process can have several nodes.
//
// If an earlier process was interrupted during a commit, Receive first completes a
// committed change. An undecided one stays prepared until other nodes report the outcome.
func (n *Node) Receive(dir string, o ReceiveOptions) (*Receiver, error) {
	base, promise, err := tree.OpenBase(dir, o.ReadOnly)
	if err != nil {
		return nil, during("cannot receive into "+dir, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed || n.receiver != nil {
		base.Close()
		if n.closed {
			return nil, ErrClosed
		}
		return nil, errors.New("multicast: cannot receive into " + dir + ": the node already has a receiver")
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

// Next blocks until the next commit is complete and the sender has its result or does not
// answer any more, so that a program may exit afterwards. If ctx ends during a commit,
// Next waits up to two seconds for its completion.
func (r *Receiver) Next(ctx context.Context) (Commit, error) {
	ended := ctx.Done()
	var limit <-chan time.Time
	for {
		r.mu.Lock()
		if len(r.commits) > 0 && r.commits[0].settled && r.commits[0].finished {
			c := r.commits[0].Commit
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
				return Commit{}, during("wait for a commit", ctx.Err())
			}
			ended, limit = nil, time.After(afterwards)
		case <-limit:
			return Commit{}, during("wait for a commit", ctx.Err())
		case <-wait:
		}
	}
}

// Notices returns the notices since the last call.
func (r *Receiver) Notices() []Notice {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.notices
	r.notices = nil
	return list
}

// Close stops receiving. A transfer that is not ready to commit is dropped; its data is
// kept in the directory, and the next transfer does not send it again.
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
		err = wrap(r.store.close())
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
	case engine.EventKey, engine.EventRefused, engine.EventAborted, engine.EventDoubt, engine.EventSlow:
		if len(r.notices) < 1000 {
			r.notices = append(r.notices, Notice{e.Epoch, e.Sender, e.Text, e.Kind == engine.EventDoubt})
		}
		r.changed()
	}
}

func commitOf(s *tree.Stage, atomic bool) *pending {
	c := &pending{Commit: Commit{Atomic: atomic}}
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
func (n *Node) receiverCommit(c *pending) {
	if r := n.receiver; r != nil {
		r.mu.Lock()
		r.commits = append(r.commits, c)
		r.mu.Unlock()
	}
}

// receiverTidy notes that the commit's work is over.
func (n *Node) receiverTidy(c *pending, err error) {
	n.mu.Lock()
	r := n.receiver
	n.mu.Unlock()
	if r == nil {
		return
	}
	if r.o.OnCommit != nil {
		r.o.OnCommit(c.Commit)
	}
	r.mu.Lock()
	c.Tidy, c.finished = wrap(err), true
	r.changed()
	r.mu.Unlock()
}
