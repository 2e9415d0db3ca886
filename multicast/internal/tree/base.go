package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// StageName is the directory below a receiver's base that holds what is on its way,
// and the receiver's memory. It is never sent and never deleted.
const StageName = ".mc-stage"

// Names within the stage.
const (
	treeDir      = StageName + "/tree"
	oldDir       = StageName + "/old"
	manifestFile = StageName + "/manifest"
	haveFile     = StageName + "/have"
	promiseFile  = StageName + "/promise"
	journalFile  = StageName + "/journal"
	doneFile     = StageName + "/journal.commit"
	stateFile    = StageName + "/state"
)

// Memory is what a receiver remembers from start to start.
type Memory struct {
	Epoch uint64   `json:"epoch"`
	Root  [32]byte `json:"root"`
}

// Promise is written when a receiver says that it is ready. Live is the identity of
// the tree that will be exchanged: where it is found in its place, the exchange has
// been.
type Promise struct {
	Sender   [12]byte `json:"sender"`
	Transfer uint32   `json:"transfer"`
	Epoch    uint64   `json:"epoch"`
	Root     [32]byte `json:"root"`
	Roster   [32]byte `json:"roster"`
	Atomic   bool     `json:"atomic"`
	Target   string   `json:"target"`
	Dev      uint64   `json:"dev"`
	Ino      uint64   `json:"ino"`
}

// Base is a receiver's directory.
type Base struct {
	root   *os.Root
	memory Memory
	left   bool // a part of the old tree is where the next one is staged
}

// OpenBase opens a base, ends what an earlier process left half-way, and returns the
// promise that is still open, or nil.
func OpenBase(dir string, readOnly bool) (*Base, *Promise, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, err
	}
	b := &Base{root: root}
	if readOnly {
		return b, nil, nil
	}
	p, err := b.recover()
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	return b, p, nil
}

// Close closes the base.
func (b *Base) Close() error { return b.root.Close() }

// Memory returns what was committed last.
func (b *Base) Memory() Memory { return b.memory }

func (b *Base) recover() (*Promise, error) {
	if fi, err := b.root.Lstat(StageName); err == nil && !fi.IsDir() {
		return nil, fmt.Errorf("%s is not a directory: remove it", StageName)
	}
	if text, err := b.root.ReadFile(stateFile); err == nil {
		if err := json.Unmarshal(text, &b.memory); err != nil {
			return nil, fmt.Errorf("%s is damaged: invalid JSON; remove it to forget the last epoch", stateFile)
		}
	}
	var p Promise
	text, err := b.root.ReadFile(promiseFile)
	if err != nil || json.Unmarshal(text, &p) != nil {
		return nil, nil // none, or torn: it was never told to anybody
	}
	if _, err := b.root.Lstat(doneFile); err == nil {
		// The decision was made: the journal is played to its end.
		if err := b.replay(&Results{}); err != nil {
			return nil, err
		}
		return nil, b.committed(&p)
	}
	if p.Atomic {
		if fi, err := b.root.Lstat(p.Target); err == nil {
			if id, _, _, _ := sysInfo(fi); id == (inode{p.Dev, p.Ino}) {
				return nil, errors.Join(b.settle(&p, nil, nil), b.retire(&p, nil, nil), b.committed(&p))
			}
		}
	}
	return &p, nil
}

// committed remembers that the promise was kept, and tidies up, unless a part of the old tree
// would go with it.
func (b *Base) committed(p *Promise) error {
	b.memory = Memory{p.Epoch, p.Root}
	text, err := json.Marshal(b.memory)
	if err != nil {
		return err
	}
	if err := b.write(stateFile, text, true); err != nil {
		return err
	}
	if b.left {
		return nil
	}
	return b.clear()
}

// vacate moves what an earlier transfer left in the stage aside.
func (b *Base) vacate() error {
	if !b.left {
		return nil
	}
	_, err := b.recover()
	if b.left {
		return errors.Join(errors.New("a part of the old tree is in "+treeDir+" and cannot be moved"), err)
	}
	return nil
}

// clear removes everything in the stage but the memory.
func (b *Base) clear() error {
	var errs []error
	for _, name := range []string{promiseFile, doneFile, journalFile, haveFile, manifestFile} {
		if err := b.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	for _, dir := range []string{treeDir, oldDir} {
		if err := removeAll(b.root, dir); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// write puts a small file in place, at once.
func (b *Base) write(name string, text []byte, sync bool) error {
	tmp := name + ".new"
	f, err := b.root.OpenFile(tmp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && sync {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return b.root.Rename(tmp, name)
}
