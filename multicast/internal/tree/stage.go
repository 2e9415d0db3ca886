package tree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"dougu.internal/multicast/internal/ranges"
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
			return nil, fmt.Errorf("%s is damaged, remove it to forget the last epoch: %w", stateFile, err)
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
				return nil, b.committed(&p)
			}
		}
	}
	return &p, nil
}

// committed remembers that the promise was kept, and tidies up.
func (b *Base) committed(p *Promise) error {
	b.memory = Memory{p.Epoch, p.Root}
	text, err := json.Marshal(b.memory)
	if err != nil {
		return err
	}
	if err := b.write(stateFile, text, true); err != nil {
		return err
	}
	return b.clear()
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

// removeAll removes a directory tree, also where a directory in it may not be written.
func removeAll(root *os.Root, name string) error {
	err := root.RemoveAll(name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if chmodAll(root, name) != nil {
		return err
	}
	return root.RemoveAll(name)
}

func chmodAll(root *os.Root, name string) error {
	fi, err := root.Lstat(name)
	if err != nil || !fi.IsDir() {
		return err
	}
	if err := root.Chmod(name, 0o700); err != nil {
		return err
	}
	sub, err := root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	names, err := readDir(sub)
	for _, n := range names {
		if err := chmodAll(sub, n); err != nil {
			return err
		}
	}
	return err
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

// Stage is one transfer at a receiver. Its methods are called from one goroutine.
type Stage struct {
	base     *Base
	o        Options
	manifest *Manifest
	digest   [32]byte
	plan     *plan
	held     ranges.Set // staged by an earlier transfer, or by this one
	missing  []uint64   // bytes that a file still lacks
	layout   *ranges.Map
	symbol   int
	out      *dirs
	files    map[int]*os.File
	order    []int
	have     *os.File
	log      []byte
	logged   int
	hash     *hasher
	promise  Promise
	atomic   bool
	Fallback string // why the tree is not exchanged as a whole; empty: it is
	seals    []Seal
}

// Begin compares a manifest with the base, and takes over what an earlier transfer
// has staged. stop ends it early.
func (b *Base) Begin(raw []byte, o Options, digest [32]byte, stop func() bool) (*Stage, error) {
	m, err := Decode(raw)
	if err != nil {
		return nil, err
	}
	if !o.OutsideLinks {
		for i := range m.Entries {
			if e := &m.Entries[i]; e.Kind == Symlink && outside(e.Path, e.Target) {
				return nil, fmt.Errorf("%q is a link to %q, which is outside: the receiver has to allow such links", e.Path, e.Target)
			}
		}
	}
	s := &Stage{base: b, o: o, manifest: m, digest: digest, files: map[int]*os.File{}}
	if s.plan, err = compare(b.root, m, o, stop); err != nil {
		return nil, err
	}
	if o.DryRun || o.Check || o.ReadOnly {
		return s, nil
	}
	if err := s.prepareStage(raw); err != nil {
		return nil, err
	}
	return s, nil
}

// Manifest returns the manifest.
func (s *Stage) Manifest() *Manifest { return s.manifest }

// Results returns what was found, or done.
func (s *Stage) Results() *Results { return &s.plan.results }

// Need returns the ranges of the tree's content that must come, and the bytes that
// are here already.
func (s *Stage) Need() (ranges.Set, uint64) {
	need := s.plan.need.Minus(s.held)
	for i := range s.missing {
		// A file that is staged whole asks for its last byte: so its digest comes.
		if e := &s.manifest.Entries[i]; s.plan.actions[i] == content && e.Size > 0 && s.missing[i] == 0 {
			need.Add(ranges.Range{Start: e.Start + e.Size - 1, End: e.Start + e.Size})
		}
	}
	return need, s.manifest.Total - need.Len()
}

// prepareStage makes the stage for this manifest; what is of use in the old one stays.
func (s *Stage) prepareStage(raw []byte) error {
	r := s.base.root
	if err := r.Mkdir(StageName, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, name := range []string{promiseFile, doneFile, journalFile} {
		if err := r.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := removeAll(r, oldDir); err != nil {
		return err
	}
	old, held := s.leftovers()
	if old == nil {
		if err := removeAll(r, treeDir); err != nil {
			return err
		}
	} else {
		s.takeOver(old, held)
	}
	if err := r.Mkdir(treeDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.base.write(manifestFile, raw, false); err != nil {
		return err
	}
	if err := s.base.write(haveFile, s.held.Append(nil), false); err != nil {
		return err
	}
	f, err := r.OpenFile(haveFile, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	s.have = f
	s.missing = make([]uint64, len(s.manifest.Entries))
	for i := range s.manifest.Entries {
		if s.plan.actions[i] == content {
			e := &s.manifest.Entries[i]
			s.missing[i] = ranges.Set{e.Range()}.Minus(s.held).Len()
		}
	}
	s.out = &dirs{create: 0o700}
	if s.out.root, err = r.OpenRoot(treeDir); err != nil {
		return err
	}
	s.hash = newHasher()
	return nil
}

// leftovers returns the manifest of the stage that is there, and what it holds: sets
// of ranges one after another.
func (s *Stage) leftovers() (*Manifest, ranges.Set) {
	r := s.base.root
	raw, err := r.ReadFile(manifestFile)
	if err != nil {
		return nil, nil
	}
	old, err := Decode(raw)
	if err != nil {
		return nil, nil
	}
	log, err := r.ReadFile(haveFile)
	if err != nil {
		return nil, nil
	}
	var held ranges.Set
	for len(log) > 0 {
		set, rest, err := ranges.Parse(log, old.Total)
		if err != nil {
			break // torn at the end
		}
		held, log = held.Union(set), rest
	}
	return old, held
}

// takeOver keeps the staged files that the new manifest wants as they are, and removes
// the others.
func (s *Stage) takeOver(old *Manifest, held ranges.Set) {
	sub, err := s.base.root.OpenRoot(treeDir)
	if err != nil {
		return
	}
	defer sub.Close()
	walk := &dirs{root: sub}
	defer walk.close()
	keep := map[string]bool{}
	for i := range s.manifest.Entries {
		e := &s.manifest.Entries[i]
		if e.Kind != File || s.plan.actions[i] != content {
			continue
		}
		j := old.Find(e.Path)
		if j < 0 {
			continue
		}
		f := &old.Entries[j]
		if f.Kind != File || f.Size != e.Size || f.Sec != e.Sec || f.Nsec != e.Nsec || f.Digest != e.Digest {
			continue
		}
		d, name, err := walk.at(e.Path)
		if err != nil {
			continue
		}
		fi, err := d.Lstat(name)
		if err != nil || !fi.Mode().IsRegular() {
			continue
		}
		// With a second name it may be the live file, linked here when it was the same:
		// what is staged is written to.
		if _, links, _, _ := sysInfo(fi); links != 1 {
			continue
		}
		fr := f.Range()
		for _, r := range held.Minus(held.Minus(ranges.Set{fr})) {
			s.held.Add(ranges.Range{Start: r.Start - fr.Start + e.Start, End: r.End - fr.Start + e.Start})
		}
		keep[e.Path] = true
		for dir := path.Dir(e.Path); dir != "."; dir = path.Dir(dir) {
			keep[dir] = true
		}
	}
	walk.close()
	prune(sub, "", keep)
}

// prune removes what is not to be kept.
func prune(d *os.Root, p string, keep map[string]bool) {
	names, err := readDir(d)
	if err != nil {
		return
	}
	for _, n := range names {
		full := path.Join(p, n)
		if !keep[full] {
			_ = removeAll(d, n) // what stays is overwritten, or an error then
			continue
		}
		if fi, err := d.Lstat(n); err == nil && fi.IsDir() {
			if sub, err := d.OpenRoot(n); err == nil {
				prune(sub, full, keep)
				sub.Close()
			}
		}
	}
}

// Open takes the layout of the content.
func (s *Stage) Open(layout ranges.Set, symbol int) {
	s.layout, s.symbol = ranges.NewMap(layout), symbol
}

// logEvery is how many blocks go into one entry of the log of what is held.
const logEvery = 4

// Write stores a block of the content. Only what is needed here is written. The memory
// of data is the caller's again when done is called: at the end, or when a later block
// is written, or by Close; never twice.
func (s *Stage) Write(number uint32, data []byte, done func()) error {
	b := &lent{busy: true, size: len(data), done: done}
	err := s.writeBlock(number, data, b)
	b.busy = false
	b.free()
	return err
}

func (s *Stage) writeBlock(number uint32, data []byte, lent *lent) error {
	per := uint64(s.symbol) * blockSymbols
	r := ranges.Range{Start: uint64(number) * per, End: uint64(number+1) * per}
	var done ranges.Set
	err := s.layout.Pieces(r, func(at uint64, p ranges.Range) error {
		b := data[at-r.Start:]
		for i := s.manifest.At(p.Start); p.Start < p.End; i++ {
			fr := s.manifest.Entries[i].Range()
			n := min(p.End, fr.End) - p.Start
			if fr.Len() == 0 || n == 0 {
				continue
			}
			if piece := (ranges.Range{Start: p.Start, End: p.Start + n}); s.plan.actions[i] == content && !s.held.Covers(piece) {
				s.hash.feed(i, fr, piece, b[:n], s.missing[i], lent)
				if err := s.writeFile(i, b[:n], piece); err != nil {
					return fmt.Errorf("%s: %w", s.manifest.Entries[i].Path, unwrapPath(err))
				}
				done = append(done, piece)
			}
			b, p.Start = b[n:], p.Start+n
		}
		return nil
	})
	if err != nil {
		return err
	}
	set := ranges.Of(done)
	if len(set) == 0 {
		return nil
	}
	s.log = set.Append(s.log)
	if s.logged++; s.logged >= logEvery {
		return s.flushLog()
	}
	return nil
}

func (s *Stage) flushLog() error {
	s.logged = 0
	if len(s.log) == 0 {
		return nil
	}
	_, err := s.have.Write(s.log)
	s.log = s.log[:0]
	return err
}

// writeFile writes a piece of a file; a file that has all its bytes is finished.
func (s *Stage) writeFile(i int, b []byte, piece ranges.Range) error {
	e := &s.manifest.Entries[i]
	if putsFiles && piece == e.Range() && s.files[i] == nil && !s.o.Fsync && !s.o.Owner && !hasHole(b) {
		// All of it is here.
		d, name, err := s.out.handle(e.Path)
		if err == nil {
			err = putFile(d, name, b, uint32(s.o.wantMode(e)), e.mtime())
		}
		if err == nil {
			s.held.Add(piece)
			s.missing[i] = 0
		}
		return err
	}
	f, err := s.file(i)
	if err != nil {
		return err
	}
	if err := writeSparse(f, b, int64(piece.Start-e.Start)); err != nil {
		return err
	}
	before := ranges.Set{piece}.Minus(s.held).Len()
	s.held.Add(piece)
	s.missing[i] -= min(before, s.missing[i])
	if s.missing[i] == 0 {
		return s.finishFile(i)
	}
	return nil
}

// openFiles is how many staged files are open at once.
const openFiles = 16

func (s *Stage) file(i int) (*os.File, error) {
	if f := s.files[i]; f != nil {
		return f, nil
	}
	e := &s.manifest.Entries[i]
	d, name, err := s.out.at(e.Path)
	if err != nil {
		return nil, err
	}
	f, err := d.OpenFile(name, os.O_CREATE|os.O_RDWR|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if e.Size > 64<<10 {
		// Its size is set first, so that holes stay holes and a full disk shows.
		if err := f.Truncate(int64(e.Size)); err != nil {
			f.Close()
			return nil, err
		}
	}
	for len(s.order) >= openFiles {
		if err := s.closeFile(s.order[0]); err != nil {
			f.Close()
			return nil, err
		}
	}
	s.files[i] = f
	s.order = append(s.order, i)
	return f, nil
}

func (s *Stage) closeFile(i int) error {
	f := s.files[i]
	delete(s.files, i)
	for j, k := range s.order {
		if k == i {
			s.order = append(s.order[:j], s.order[j+1:]...)
			break
		}
	}
	if f == nil {
		return nil
	}
	return f.Close()
}

// finishFile gives a staged file its size, mode, owner and time.
func (s *Stage) finishFile(i int) error {
	f, err := s.file(i)
	if err != nil {
		return err
	}
	e := &s.manifest.Entries[i]
	// The digest is made while the file may still be read.
	if s.hash.sums[i], err = s.hash.sum(s, i); err != nil {
		return err
	}
	if e.Size <= 64<<10 {
		if fi, err := f.Stat(); err != nil {
			return err
		} else if uint64(fi.Size()) != e.Size {
			if err := f.Truncate(int64(e.Size)); err != nil {
				return err
			}
		}
	}
	if s.o.Owner && s.manifest.Flags&FlagOwner != 0 {
		if err := f.Chown(int(e.UID), int(e.GID)); err != nil {
			return err
		}
	}
	if mode := s.o.wantMode(e); mode != 0o600 {
		if err := f.Chmod(fileMode(mode)); err != nil {
			return err
		}
	}
	if err := setFileTime(f, e.mtime()); err != nil {
		return err
	}
	if s.o.Fsync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return s.closeFile(i)
}

var zeros [4096]byte

// hasHole reports whether a file has a page of zeros.
func hasHole(b []byte) bool {
	for ; len(b) >= len(zeros); b = b[len(zeros):] {
		if b[0] == 0 && bytes.Equal(b[:len(zeros)], zeros[:]) {
			return true
		}
	}
	return false
}

// writeSparse leaves out pages of zeros: the file has its size already, or gets it at
// its end.
func writeSparse(f *os.File, b []byte, at int64) error {
	if at%4096 == 0 && len(b) < 4096 || bytes.IndexByte(b, 0) < 0 {
		_, err := f.WriteAt(b, at)
		return err
	}
	start := 0 // of what is to be written
	for i := 0; i < len(b); {
		page := min(len(b), i+4096-int((at+int64(i))%4096))
		if page-i == 4096 && bytes.Equal(b[i:page], zeros[:]) {
			if start < i {
				if _, err := f.WriteAt(b[start:i], at+int64(start)); err != nil {
					return err
				}
			}
			start = page
		}
		i = page
	}
	if start < len(b) {
		_, err := f.WriteAt(b[start:], at+int64(start))
		return err
	}
	return nil
}

// Close closes files; what is staged stays.
func (s *Stage) Close() error {
	var errs []error
	if s.hash != nil {
		s.hash.close()
	}
	for _, i := range append([]int(nil), s.order...) {
		errs = append(errs, s.closeFile(i))
	}
	if s.have != nil {
		errs = append(errs, s.flushLog(), s.have.Close())
		s.have = nil
	}
	if s.out != nil {
		s.out.close()
		errs = append(errs, s.out.root.Close())
		s.out = nil
	}
	return errors.Join(errs...)
}

// read reads staged bytes of a file.
func (s *Stage) read(i int, b []byte, at int64) error {
	f := s.files[i]
	if f == nil {
		d, name, err := s.out.at(s.manifest.Entries[i].Path)
		if err == nil {
			f, err = openFile(d, name)
		}
		if err != nil {
			return err
		}
		defer f.Close()
	}
	_, err := f.ReadAt(b, at)
	if err == io.EOF {
		err = errShort
	}
	return err
}
