package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"dougu.internal/multicast/internal/ranges"
)

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
	how      switcher
	links    *standIns
	lost     string // what can't be kept of a directory that is made anew
	full     bool   // the disk is
	settled  bool
	Fallback string // why readers can see a mixture during the switch, or "" if they cannot
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
	if !o.DryRun && !o.Check && !o.ReadOnly {
		if err := b.vacate(); err != nil {
			return nil, err
		}
	}
	if s.plan, err = compare(b.root, m, o, stop); err != nil {
		return nil, err
	}
	if o.DryRun || o.Check || o.ReadOnly {
		return s, nil
	}
	if err := b.makeStage(); err != nil {
		return nil, err
	}
	s.choose()
	if o.Atomic && s.Fallback != "" {
		return nil, fmt.Errorf("the tree cannot be switched in one step: %s", s.Fallback)
	}
	if err := s.prepareStage(raw); err != nil {
		return nil, err
	}
	if err := s.enough(); err != nil {
		return nil, errors.Join(err, s.Close(), b.clear())
	}
	return s, nil
}

// enough reports whether the file system has room for what must come.
func (s *Stage) enough() error {
	bytes, files := uint64(0), uint64(0)
	need, _ := s.Need()
	for i := range s.manifest.Entries {
		e := &s.manifest.Entries[i]
		switch a := s.plan.actions[i]; {
		case a == make_ && e.Kind != Hardlink:
			files++
		case a == content:
			files++
			if e.Size > 0 && need.Intersects(e.Range()) {
				bytes += min(s.missing[i], e.Size)
			}
		}
	}
	free, inodes, ok := freeSpace(s.base.root)
	switch {
	case !ok:
		return nil
	case bytes > free:
		return fmt.Errorf("no space left: %d bytes are needed, %d are free", bytes, free)
	case inodes > 0 && files > inodes:
		return fmt.Errorf("no space left: %d inodes are needed, %d are free", files, inodes)
	}
	return nil
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

// makeStage makes the directory of the stage.
func (b *Base) makeStage() error {
	if err := b.root.Mkdir(StageName, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// prepareStage makes the stage for this manifest; what is of use in the old one stays.
func (s *Stage) prepareStage(raw []byte) error {
	r := s.base.root
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
	s.out = &dirs{create: 0o700, made: s.mirror}
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
