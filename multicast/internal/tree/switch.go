package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// switcher puts what is staged in the place of what is live. It is chosen when a
// manifest is compared, before anything is promised.
type switcher interface {
	// target is the path that changes places as a whole, or "".
	target() string
	// prepare completes what is staged.
	prepare(stop func() bool) error
	// commit makes the switch. It calls wait immediately before.
	commit(wait func()) error
}

// within reports whether p is dir or lies below it.
func within(p, dir string) bool {
	return p == dir || len(p) > len(dir) && p[len(dir)] == '/' && p[:len(dir)] == dir
}

// changes lists the paths that readers will see differently. The time of a directory
// alone is none.
func (s *Stage) changes() (list []string) {
	for i, a := range s.plan.actions {
		if a == meta || a == content || a == make_ {
			list = append(list, s.manifest.Entries[i].Path)
		}
	}
	return append(append(list, s.plan.deletes...), s.plan.clear...)
}

// touched are the directories in which something changes, and all above them.
func (s *Stage) touched() map[string]bool {
	t := map[string]bool{}
	for _, p := range s.changes() {
		for d := path.Dir(p); d != "." && !t[d]; d = path.Dir(d) {
			t[d] = true
		}
	}
	return t
}

// common returns the deepest path that all paths are, or lie below; "" if there is none.
func common(list []string) string {
	top := list[0]
	for _, p := range list[1:] {
		for top != "" && !within(p, top) {
			i := strings.LastIndexByte(top, '/')
			top = top[:max(i, 0)]
		}
	}
	return top
}

// choose finds the way in which this host switches.
func (s *Stage) choose() {
	s.how, s.Fallback = &journaler{s: s}, ""
	list := s.changes()
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return // nothing to switch
	}
	top := common(list)
	if top != "" && len(list) == 1 && !s.isDir(top) {
		return // one name changes: a rename is enough
	}
	if why := s.cannot(top); why != "" {
		s.Fallback = why
		return
	}
	s.how = &exchanger{s: s, top: top}
}

// isDir reports whether a path is a directory now or will be one.
func (s *Stage) isDir(p string) bool {
	if i := s.manifest.Find(p); i >= 0 && s.manifest.Entries[i].Kind == Dir {
		return true
	}
	fi, err := s.base.root.Lstat(p)
	return err == nil && fi.IsDir()
}

// cannot returns why a path can't change places with a staged one as a whole, or "".
func (s *Stage) cannot(top string) string {
	m := s.manifest
	switch {
	case s.o.InPlace:
		return "the receiver was told to work in place"
	case top == "" && len(m.Roots) > 1:
		return "more than one path was sent"
	case top == "":
		return "the whole directory was sent, and it can't be exchanged from within"
	case m.Find(top) < 0:
		return "the path itself is excluded"
	case s.plan.actions[m.Find(top)] == failed:
		return "the path itself can't be replaced"
	case !canExchange:
		return "this system can't exchange two directories"
	}
	return s.base.cannotMove(top)
}

// cannotMove is the part of cannot that the disk answers.
func (b *Base) cannotMove(top string) string {
	below, err := mountsBelow(b.root)
	if err != nil {
		return "the mounted file systems are not known: " + err.Error()
	}
	for _, p := range below {
		if within(p, top) || within(top, p) {
			return fmt.Sprintf("a file system is mounted at %s", p)
		}
	}
	live, err := b.root.Lstat(top)
	if errors.Is(err, fs.ErrNotExist) {
		return "" // nothing is there: a rename will do
	}
	if err != nil {
		return unwrapPath(err).Error()
	}
	if err := b.probeExchange(); err != nil {
		return "this file system can't exchange two directories: " + unwrapPath(err).Error()
	}
	if live.IsDir() {
		if err := b.probeRename(top); err != nil {
			return fmt.Sprintf("%s can't be moved: %v", top, unwrapPath(err))
		}
	}
	return ""
}

// probeExchange exchanges two directories of the stage.
func (b *Base) probeExchange() error {
	probe := []string{StageName + "/x", StageName + "/y"}
	for _, p := range probe {
		if err := b.root.Mkdir(p, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	err := exchange(b.root, probe[0], probe[1], func() {})
	for _, p := range probe {
		err = errors.Join(err, b.root.Remove(p))
	}
	return err
}

// probeRename asks the file system whether the live directory itself can be moved, which
// is not so for one of a lower layer of overlayfs. It is renamed to a directory that is
// not empty: that fails in any case, with the reason.
func (b *Base) probeRename(top string) error {
	full := StageName + "/full"
	if err := b.root.MkdirAll(full+"/x", 0o700); err != nil {
		return err
	}
	err := renameOnto(b.root, top, full)
	return errors.Join(err, b.root.Remove(full+"/x"), b.root.Remove(full))
}

// journaler changes one name after the other. What is to be done is on the disk before.
type journaler struct{ s *Stage }

func (j *journaler) target() string            { return "" }
func (j *journaler) prepare(func() bool) error { return nil }

func (j *journaler) commit(wait func()) error {
	wait()
	b := j.s.base
	if err := b.root.Rename(journalFile, doneFile); err != nil {
		return err
	}
	return b.replay(&j.s.plan.results)
}

// exchanger completes a tree aside and makes it change places with the live one.
type exchanger struct {
	s   *Stage
	top string
}

func (x *exchanger) target() string { return x.top }

// prepare completes the staged tree: links for what did not change, copies where only
// the mode did, and everything that stays here although the sender does not have it.
func (x *exchanger) prepare(stop func() bool) error {
	s := x.s
	b := &builder{s: s, live: &dirs{root: s.base.root}, top: x.top, links: &standIns{map[string]inode{}, map[string]bool{}, map[inode]bool{}}}
	defer b.live.close()
	for i := range s.manifest.Entries {
		if i%256 == 0 && stop() {
			return errStopped
		}
		if !within(s.manifest.Entries[i].Path, x.top) {
			continue
		}
		if err := b.entry(i); err != nil {
			return fmt.Errorf("%s: %w", s.manifest.Entries[i].Path, unwrapPath(err))
		}
	}
	deleted := map[string]bool{}
	for _, p := range append(slices.Clone(s.plan.deletes), s.plan.clear...) {
		deleted[p] = true
	}
	if fi, err := s.base.root.Lstat(x.top); err == nil && fi.IsDir() && !deleted[x.top] && s.manifest.Entries[s.manifest.Find(x.top)].Kind == Dir {
		if err := b.others(x.top, deleted); err != nil {
			return err
		}
	}
	s.links = b.links
	if s.lost != "" {
		return errors.New(s.lost)
	}
	return b.finishDirs()
}

func (x *exchanger) commit(wait func()) error {
	b := x.s.base
	// The last look: what was mounted since must not go along.
	why := b.cannotMove(x.top)
	var err error
	if why == "" {
		err = b.exchangeTree(x.top, wait)
	}
	if why == "" && err == nil {
		return nil
	}
	// The decision is made, and the journal takes over.
	if why == "" {
		why = unwrapPath(err).Error()
	}
	x.s.how, x.s.Fallback = &journaler{s: x.s}, why
	return x.s.how.commit(func() {})
}

// exchangeTree puts the staged tree in the place of the live one.
func (b *Base) exchangeTree(target string, wait func()) error {
	staged := path.Join(treeDir, target)
	_, err := b.root.Lstat(target)
	if !errors.Is(err, fs.ErrNotExist) {
		return exchange(b.root, staged, target, wait)
	}
	wait()
	for _, p := range parentsOf(target) {
		if err := b.root.Mkdir(p, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return b.root.Rename(staged, target)
}

// mirror gives a staged directory what the live one has beside mode and time, so that
// it is kept, and so that new files inherit it.
func (s *Stage) mirror(in *os.Root, name, p string) error {
	fi, err := s.base.root.Lstat(p)
	if err != nil || !fi.IsDir() {
		return nil
	}
	live, err := s.base.root.Open(p)
	if err != nil {
		s.lost = fmt.Sprintf("%s can't be read: %v", p, unwrapPath(err))
		return nil
	}
	defer live.Close()
	staged, err := in.Open(name)
	if err != nil {
		return err
	}
	defer staged.Close()
	if err := keepOwner(staged, live, fi); err != nil {
		s.lost = fmt.Sprintf("owner or attributes of %s can't be kept: %v", p, unwrapPath(err))
		return nil
	}
	return staged.Chmod(0o700 | fi.Mode()&fs.ModeSetgid)
}
