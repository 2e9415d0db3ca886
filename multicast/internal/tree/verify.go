package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"dougu.internal/multicast/internal/ranges"
)

// Verdict is what Verify has found.
type Verdict struct {
	Root   [32]byte
	Failed int        // files that do not have their digest, although they were sent whole
	Again  ranges.Set // where their content is in the stream, to be sent again
	Text   string
}

// Verify checks the digest of every file that came, finishes what is staged, and
// writes the promise: after it, Commit needs no more than a rename and some metadata.
func (s *Stage) Verify(seal []byte, p Promise, stop func() bool) (Verdict, error) {
	v := Verdict{Root: Root(s.digest, seal)}
	seals, err := ParseSeals(seal, len(s.manifest.Entries))
	if err != nil {
		return v, err
	}
	s.seals = seals
	if err := s.emptyFiles(); err != nil {
		return v, err
	}
	bad, err := s.checkSums(stop)
	if err != nil {
		return v, err
	}
	if len(bad) > 0 {
		return s.spoiled(v, bad)
	}
	s.choose() // again: what is mounted may have changed
	if s.o.Atomic && s.Fallback != "" {
		return v, fmt.Errorf("the tree cannot be switched in one step: %s", s.Fallback)
	}
	if err := s.writeJournal(); err != nil {
		return v, err
	}
	if err := s.how.prepare(stop); err != nil {
		_, whole := s.how.(*exchanger)
		if errors.Is(err, errStopped) || !whole || s.o.Atomic {
			return v, err
		}
		// What cannot be built aside can be changed in place.
		s.how, s.Fallback = &journaler{s: s}, unwrapPath(err).Error()
	}
	if err := s.flushLog(); err != nil {
		return v, err
	}
	p.Root, p.Target, p.Dev, p.Ino = v.Root, "", 0, 0
	if p.Target = s.how.target(); p.Target != "" {
		p.Atomic = true
		fi, err := s.base.root.Lstat(path.Join(treeDir, p.Target))
		if err != nil {
			return v, err
		}
		id, _, _, _ := sysInfo(fi)
		p.Dev, p.Ino = id.dev, id.ino
	}
	s.promise = p
	text, err := json.Marshal(&p)
	if err != nil {
		return v, err
	}
	return v, s.base.write(promiseFile, text, s.o.Fsync)
}

// emptyFiles makes the files that have no content, and those that were staged whole.
func (s *Stage) emptyFiles() error {
	for i := range s.manifest.Entries {
		e := &s.manifest.Entries[i]
		if s.plan.actions[i] != content || s.missing[i] != 0 {
			continue
		}
		if e.Size == 0 {
			if err := s.finishFile(i); err != nil {
				return fmt.Errorf("%s: %w", e.Path, unwrapPath(err))
			}
			continue
		}
		if _, ok := s.hash.sums[i]; !ok { // all of it was there from the start
			sum, err := s.hash.sum(s, i)
			if err != nil {
				return fmt.Errorf("%s: %w", e.Path, unwrapPath(err))
			}
			s.hash.sums[i] = sum
		}
	}
	return nil
}

// checkSums compares digests and returns the files that are not what was sent. A file
// that changed at the source is an error of its path, and stays as it was.
func (s *Stage) checkSums(stop func() bool) (bad []int, err error) {
	sealed := map[int]*Seal{}
	for i := range s.seals {
		sealed[int(s.seals[i].Index)] = &s.seals[i]
	}
	for i := range s.manifest.Entries {
		if i%64 == 0 && stop() {
			return nil, errStopped
		}
		e := &s.manifest.Entries[i]
		if s.plan.actions[i] != content || e.Size == 0 {
			continue
		}
		seal := sealed[i]
		switch {
		case seal == nil && s.manifest.Flags&FlagDigest != 0:
			if s.hash.sums[i] != e.Digest {
				bad = append(bad, i)
			}
		case seal == nil:
			// Nobody needed it sent: it was staged whole, by name, size and time. Its
			// digest is not known, so it has to come again.
			bad = append(bad, i)
		case seal.Status != SealGood:
			s.plan.actions[i] = failed
			s.plan.results.Updated = s.plan.results.Updated.Minus(ranges.Set{{Start: uint64(i), End: uint64(i) + 1}})
			s.plan.results.fail(e.Path, "read", errors.New("the file changed or could not be read at the sender: it stays as it was here"))
		case s.missing[i] != 0:
			return nil, fmt.Errorf("%s lacks %d bytes", e.Path, s.missing[i])
		case s.hash.sums[i] != seal.Sum:
			bad = append(bad, i)
		}
	}
	return bad, nil
}

// spoiled drops what is staged of bad files.
func (s *Stage) spoiled(v Verdict, bad []int) (Verdict, error) {
	v.Failed = len(bad)
	var set ranges.Set
	for _, i := range bad {
		e := &s.manifest.Entries[i]
		set.Add(e.Range())
		s.hash.spoil(i)
		s.missing[i] = e.Size
		if err := s.closeFile(i); err != nil {
			return v, err
		}
		d, name, err := s.out.at(e.Path)
		if err == nil {
			err = d.Remove(name)
		}
		if err != nil {
			return v, err
		}
	}
	s.held = s.held.Minus(set)
	if err := s.have.Close(); err != nil {
		return v, err
	}
	if err := s.base.write(haveFile, s.held.Append(nil), false); err != nil {
		return v, err
	}
	var err error
	if s.have, err = s.base.root.OpenFile(haveFile, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return v, err
	}
	if s.layout != nil {
		v.Again = s.layout.Stream(set)
	}
	v.Text = fmt.Sprintf("%s does not have the digest of what was sent", s.manifest.Entries[bad[0]].Path)
	return v, nil
}

type builder struct {
	s     *Stage
	live  *dirs
	extra []dirMeta // directories that only the receiver has
	top   string    // what is exchanged
	links *standIns // the stand-ins of live files and directories
	// copied are the copies of live files with several names, whose modes change: the
	// names that the sender does not have go along, as with a change in place.
	copied map[inode]string
}

type dirMeta struct {
	path string
	fi   fs.FileInfo
}

func (b *builder) entry(i int) error {
	s := b.s
	e := &s.manifest.Entries[i]
	a := s.plan.actions[i]
	switch {
	case a == failed:
		return b.old(e.Path) // what is there stays
	case e.Kind == Dir:
		_, err := s.out.dir(e.Path)
		return err
	case e.Kind == File && a == content:
		return nil // it is staged
	case e.Kind == File && a == same:
		return b.link(e.Path)
	case e.Kind == File: // meta
		return b.copy(e.Path, e)
	}
	d, name, err := s.out.at(e.Path)
	if err != nil {
		return err
	}
	if err := d.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if e.Kind == Symlink {
		if err := d.Symlink(e.Target, name); err != nil {
			return err
		}
		return setLinkTime(d, name, e.mtime())
	}
	return s.base.root.Link(path.Join(treeDir, s.manifest.Entries[e.Link].Path), path.Join(treeDir, e.Path))
}

// link puts what is live into the staged tree, by a hard link where the file system
// has them.
func (b *builder) link(p string) error { return b.linkTo(p, p) }

// linkTo is link with the file that a path gets.
func (b *builder) linkTo(file, p string) error {
	d, name, err := b.s.out.at(p)
	if err != nil {
		return err
	}
	if err := d.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = b.s.base.root.Link(file, path.Join(treeDir, p))
	switch {
	case err == nil:
	case errors.Is(err, fs.ErrNotExist):
		return nil // a program of this host has removed it meanwhile
	default:
		if err := b.copy(p, nil); err != nil {
			return err
		}
	}
	if fi, err := d.Lstat(name); err == nil {
		b.links.ids[p] = idOf(fi)
	}
	return nil
}

// copy copies a live file; e says which mode and owner it gets, nil: its own.
func (b *builder) copy(p string, e *Entry) error {
	d, name, err := b.live.at(p)
	if err != nil {
		return err
	}
	fi, err := d.Lstat(name)
	if err != nil {
		return err
	}
	out, outName, err := b.s.out.at(p)
	if err != nil {
		return err
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		target, err := d.Readlink(name)
		if err != nil {
			return err
		}
		return out.Symlink(target, outName)
	}
	in, err := openFile(d, name)
	if err != nil {
		return err
	}
	defer in.Close()
	f, err := out.OpenFile(outName, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|noFollow, 0o600)
	if err != nil {
		return err
	}
	if e != nil {
		b.links.copies[p] = true
	}
	if id, links, _, _ := sysInfo(fi); e != nil && links > 1 {
		if b.copied == nil {
			b.copied = map[inode]string{}
		}
		b.copied[id], b.links.copied[id] = p, true
	}
	if err = keepOwner(f, in, fi); err == nil {
		err = copyInto(f, in, fi, e, &b.s.o, b.s.manifest.Flags&FlagOwner != 0)
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

func copyInto(f, in *os.File, fi fs.FileInfo, e *Entry, o *Options, owner bool) error {
	if _, err := f.ReadFrom(in); err != nil {
		return err
	}
	mode := fi.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
	if e != nil {
		mode = fileMode(o.wantMode(e) | e.Mode&modeOf(fi.Mode())&setID)
		if o.Owner && owner {
			if err := f.Chown(int(e.UID), int(e.GID)); err != nil {
				return err
			}
		}
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	if o.Fsync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return setFileTime(f, fi.ModTime())
}

// old keeps what is live at a path, whatever it is; nothing there is fine.
func (b *builder) old(p string) error {
	if sd, sname, err := b.s.out.at(p); err == nil {
		b.s.out.forget(p)
		if err := removeAll(sd, sname); err != nil { // what was staged is not good
			return err
		}
	}
	d, name, err := b.live.at(p)
	if err != nil {
		return nil
	}
	fi, err := d.Lstat(name)
	if err != nil {
		return nil
	}
	if fi.IsDir() {
		return b.others(p, map[string]bool{})
	}
	return b.link(p)
}

// others links what a live directory holds and the staged one does not.
func (b *builder) others(p string, deleted map[string]bool) error {
	s := b.s
	live, err := b.live.dir(p)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	names, err := readDir(live)
	if err != nil {
		return err
	}
	out, err := s.out.dir(p)
	if err != nil {
		return err
	}
	if fi, err := out.Stat("."); err == nil {
		b.links.ids[p] = idOf(fi)
	}
	if i := s.manifest.Find(p); i < 0 || s.plan.actions[i] == failed {
		fi, err := live.Stat(".")
		if err != nil {
			return err
		}
		b.extra = append(b.extra, dirMeta{p, fi})
	}
	for _, n := range names {
		full := p + "/" + n
		if deleted[full] || full == StageName {
			continue
		}
		fi, err := live.Lstat(n)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		i := s.manifest.Find(full)
		switch {
		case fi.IsDir() && (i < 0 || s.manifest.Entries[i].Kind == Dir):
			err = b.others(full, deleted)
		case i >= 0: // it has been made
		default:
			err = b.other(full, fi)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// other keeps a live file that the sender does not have.
func (b *builder) other(p string, fi fs.FileInfo) error {
	if len(b.copied) > 0 && fi.Mode().IsRegular() {
		id, _, _, _ := sysInfo(fi)
		if of, ok := b.copied[id]; ok {
			return b.linkTo(path.Join(treeDir, of), p)
		}
	}
	return b.link(p)
}

// finishDirs gives directories their modes and times, children first.
func (b *builder) finishDirs() error {
	s := b.s
	s.out.close()
	set := func(p string, mode fs.FileMode, e *Entry, fi fs.FileInfo) error {
		d, name, err := s.out.at(p)
		if err != nil {
			return err
		}
		if e != nil && s.o.Owner && s.manifest.Flags&FlagOwner != 0 {
			if err := d.Lchown(name, int(e.UID), int(e.GID)); err != nil {
				return err
			}
		}
		t := fi
		mtime := e.timeOr(t)
		// The time first: a directory that may not be entered can't be opened.
		if err := setLinkTime(d, name, mtime); err != nil {
			return err
		}
		return d.Chmod(name, mode)
	}
	for i := len(b.extra) - 1; i >= 0; i-- {
		x := b.extra[i]
		if err := set(x.path, x.fi.Mode()&(fs.ModePerm|fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky), nil, x.fi); err != nil {
			return fmt.Errorf("%s: %w", x.path, unwrapPath(err))
		}
	}
	for i := len(s.manifest.Entries) - 1; i >= 0; i-- {
		e := &s.manifest.Entries[i]
		if e.Kind != Dir || s.plan.actions[i] == failed || !within(e.Path, b.top) {
			continue
		}
		if err := set(e.Path, fileMode(s.o.wantMode(e)), e, nil); err != nil {
			return fmt.Errorf("%s: %w", e.Path, unwrapPath(err))
		}
	}
	s.out.close()
	return nil
}

// parentsOf lists the directories above a path, the highest first.
func parentsOf(p string) (list []string) {
	for i := range len(p) {
		if p[i] == '/' {
			list = append(list, p[:i])
		}
	}
	return list
}
