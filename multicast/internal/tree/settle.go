package tree

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"
)

// settler compares the live tree with the one that was exchanged for it. Programs of
// this host create, replace and remove files all the time: until the exchange in the
// tree that is in the stage now, and later in the live one. links are what the new
// tree was given for unchanged files; nil after a restart.
type settler struct {
	b        *Base
	links    *standIns
	manifest *Manifest
	replaced map[string]bool // paths that the sender has changed or deleted
	touched  map[string]bool // directories in which it has
	last     bool            // what is decided is removed from the stage
	back     bool            // what is below has changed places a second time
	results  *Results
	errs     []error
}

// standIns are the links and directories in a new tree for files and directories that do not
// change.
// A nil pointer contains none.
type standIns struct {
	ids    map[string]inode
	copies map[string]bool // paths of which only mode or owner changes: a copy
	copied map[inode]bool  // and what was copied
}

func (s *standIns) id(p string) (id inode, ok bool) {
	if s == nil {
		return inode{}, false
	}
	id, ok = s.ids[p]
	return id, ok
}

// settler reads what the exchange was for.
func (b *Base) settler(links *standIns, r *Results) (*settler, error) {
	t := &settler{b: b, links: links, manifest: &Manifest{}, replaced: map[string]bool{}, touched: map[string]bool{}, results: r}
	if r == nil {
		t.results = &Results{}
	}
	if raw, err := b.root.ReadFile(manifestFile); err == nil {
		if m, err := Decode(raw); err == nil {
			t.manifest = m
		}
	}
	text, err := b.root.ReadFile(journalFile)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var st step
		if json.Unmarshal([]byte(line), &st) != nil {
			return nil, fmt.Errorf("%s is damaged", journalFile)
		}
		p := unquote(st.Path)
		if st.Op != "mkdir" && st.Op != "dir" {
			t.replaced[p] = true
		}
		if st.Op == "mkdir" || st.Op == "dir" {
			t.touched[p] = true
		}
		for d := path.Dir(p); d != "." && !t.touched[d]; d = path.Dir(d) {
			t.touched[d] = true
		}
	}
	return t, nil
}

// settle brings back what the new tree lacks, and puts directories in which the sender
// changes nothing back in their places: whoever has them open sees no other.
func (b *Base) settle(p *Promise, links *standIns, r *Results) error {
	err := b.merge(p, links, r, false)
	return errors.Join(err, b.dirTimes(p.Target))
}

// retire settles once more and removes the old tree. What could not be brought back is
// kept aside.
func (b *Base) retire(p *Promise, links *standIns, r *Results) error {
	var err error
	b.left = false
	for range 3 { // a program may still work in the old tree
		if err = b.merge(p, links, r, true); err == nil {
			return b.dirTimes(p.Target)
		}
	}
	aside := fmt.Sprintf("%s/kept-%d-%d", StageName, p.Epoch, time.Now().UnixNano())
	if rerr := b.root.Rename(treeDir, aside); rerr != nil {
		b.left = true
		return errors.Join(err, rerr)
	}
	return fmt.Errorf("a part of the old tree stays in %s: %w", aside, err)
}

func (b *Base) merge(p *Promise, links *standIns, r *Results, last bool) error {
	old := path.Join(treeDir, p.Target)
	fi, err := b.root.Lstat(old)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	t, err := b.settler(links, r)
	if err != nil {
		return err
	}
	t.last = last
	if fi.IsDir() {
		t.dir(p.Target)
	} else {
		t.file(p.Target, fi)
	}
	return errors.Join(t.errs...)
}

func (t *settler) fail(err error) {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && len(t.errs) < 20 {
		t.errs = append(t.errs, err)
	}
}

func (t *settler) staged(p string) string { return path.Join(treeDir, p) }

func idOf(fi fs.FileInfo) inode {
	id, _, _, _ := sysInfo(fi)
	return id
}

// dir settles what a directory of the stage holds, and removes it at the last time.
func (t *settler) dir(p string) {
	old, err := t.b.root.OpenRoot(t.staged(p))
	if err != nil {
		t.fail(err)
		return
	}
	names, err := readDir(old)
	if err != nil {
		t.fail(err)
		old.Close()
		return
	}
	live, err := t.b.root.OpenRoot(p)
	if err != nil {
		live = nil
	}
	// What was mounted while the switch waited for its time has gone along.
	for _, d := range []*os.Root{old, live} {
		if d != nil && !sameMount(t.b.root, d) {
			t.fail(&fs.PathError{Op: "settle", Path: d.Name(), Err: errMounted})
			old.Close()
			if live != nil {
				live.Close()
			}
			return
		}
	}
	seen := map[string]bool{}
	for _, n := range names {
		fi, err := old.Lstat(n)
		if err != nil {
			continue
		}
		seen[n] = true
		full := path.Join(p, n)
		var lfi fs.FileInfo
		if live != nil {
			lfi, _ = live.Lstat(n) // nil if nothing is there
		}
		switch {
		case fi.IsDir():
			t.sub(full, fi, lfi)
		default:
			t.name(full, fi, lfi)
		}
	}
	if live != nil {
		if !t.last {
			t.gone(p, live, seen)
		}
		live.Close()
	}
	old.Close()
	if t.last {
		t.remove(p)
	}
}

// remove removes a name of the stage that is not needed any more.
func (t *settler) remove(p string) {
	fi, err := t.b.root.Lstat(t.staged(p))
	if err != nil {
		return
	}
	if fi.IsDir() {
		_ = t.b.root.Chmod(path.Dir(t.staged(p)), 0o700) // the old modes are of no use any more
		err = t.b.root.Remove(t.staged(p))
	} else if err = t.b.root.Remove(t.staged(p)); errors.Is(err, fs.ErrPermission) {
		_ = t.b.root.Chmod(path.Dir(t.staged(p)), 0o700)
		err = t.b.root.Remove(t.staged(p))
	}
	t.fail(err)
}

// sub settles a directory of the stage whose counterpart is lfi, or nil.
func (t *settler) sub(p string, fi, lfi fs.FileInfo) {
	switch {
	case lfi != nil && lfi.IsDir():
		back := false
		if !t.last && !t.back && !t.touched[p] {
			// On failure the files in it are settled one by one.
			back = exchange(t.b.root, t.staged(p), p, func() {}) == nil
		}
		t.back = t.back || back
		t.dir(p)
		t.back = t.back && !back
	case lfi == nil && !t.replaced[p] && !t.touched[p] && !t.standsIn(p, fi):
		t.fail(t.bring(p))
	default:
		// The sender has deleted or replaced it, or a program has removed it: what it
		// holds that is new is brought back, if there is room.
		t.dir(p)
	}
}

// standsIn reports whether a name was made for the new tree.
func (t *settler) standsIn(p string, fi fs.FileInfo) bool {
	id, ok := t.links.id(p)
	return ok && id == idOf(fi)
}

func (t *settler) file(p string, fi fs.FileInfo) {
	lfi, err := t.b.root.Lstat(p)
	if err != nil {
		lfi = nil
	}
	t.name(p, fi, lfi)
}

// name settles a file of the stage whose counterpart is lfi, or nil.
func (t *settler) name(p string, fi, lfi fs.FileInfo) {
	switch {
	case lfi != nil && os.SameFile(fi, lfi):
	case t.replaced[p] && !t.rewritten(p, fi, lfi):
	case t.standsIn(p, fi): // what was made for the new tree, and replaced or removed there
	case lfi != nil && t.standsIn(p, lfi) && t.links.copied[idOf(fi)]: // the other name of a file of which the mode changed
	case lfi == nil || t.standsIn(p, lfi) || !lfi.IsDir() && newer(fi, lfi):
		if err := t.bring(p); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.fail(err)
			return
		}
		return
	}
	if t.last {
		t.remove(p)
	}
}

// oneTick is more than the clock by which a file system notes times may lag.
const oneTick = 20 * time.Millisecond

// newer reports whether a name came to be what it is after its counterpart did. A rename
// over a file changes both at one moment: which was written later decides then.
func newer(fi, lfi fs.FileInfo) bool {
	d := changeTime(fi).Sub(changeTime(lfi))
	if d.Abs() < oneTick && !fi.ModTime().Equal(lfi.ModTime()) {
		return fi.ModTime().After(lfi.ModTime())
	}
	return d > 0
}

// rewritten reports whether a program wrote into a file of which only mode or owner
// changes, after it was copied. The file goes back, and gets them.
func (t *settler) rewritten(p string, fi, lfi fs.FileInfo) bool {
	i := t.manifest.Find(p)
	if i < 0 || lfi == nil || t.manifest.Entries[i].Kind != File || !fi.Mode().IsRegular() {
		return false
	}
	e := &t.manifest.Entries[i]
	if fi.Size() == lfi.Size() && fi.ModTime().Equal(lfi.ModTime()) || !fi.ModTime().After(e.mtime()) || !t.onlyMeta(p) {
		return false
	}
	t.fail(t.b.root.Chmod(t.staged(p), lfi.Mode()))
	return changeTime(fi).After(changeTime(lfi))
}

// onlyMeta reports whether the sender changes no more than mode or owner of a path.
func (t *settler) onlyMeta(p string) bool {
	return t.links != nil && t.links.copies[p]
}

// bring moves a name of the stage into the live tree.
func (t *settler) bring(p string) error {
	for _, d := range parentsOf(p) {
		if _, err := t.b.root.Lstat(d); !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		fi, err := t.b.root.Lstat(t.staged(d))
		if err != nil {
			return err
		}
		if err := t.b.root.Mkdir(d, fi.Mode().Perm()); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		_, _, uid, gid := sysInfo(fi)
		_ = t.b.root.Lchown(d, int(uid), int(gid)) // the content counts
	}
	if err := t.b.root.Rename(t.staged(p), p); err != nil {
		return fmt.Errorf("%s was changed by a program of this host and can't be brought back: %w", p, unwrapPath(err))
	}
	return nil
}

// gone removes from the live directory what a program had removed from the old one.
func (t *settler) gone(p string, live *os.Root, seen map[string]bool) {
	if t.links == nil {
		return
	}
	names, err := readDir(live)
	if err != nil {
		return
	}
	for _, n := range names {
		full := path.Join(p, n)
		id, ok := t.links.id(full)
		if !ok || seen[n] || t.manifest.Find(full) >= 0 {
			continue
		}
		if fi, err := live.Lstat(n); err == nil && idOf(fi) == id {
			t.unlink(full, fi)
		}
	}
}

// unlink removes the stand-in of something that is gone. Whatever is new in it stays.
func (t *settler) unlink(p string, fi fs.FileInfo) {
	if !fi.IsDir() {
		t.fail(t.b.root.Remove(p))
		return
	}
	sub, err := t.b.root.OpenRoot(p)
	if err != nil {
		return
	}
	t.gone(p, sub, nil)
	sub.Close()
	_ = t.b.root.Remove(p) // what is not empty stays
}

// dirTimes sets the times of directories again, which the exchange and settling change.
func (b *Base) dirTimes(top string) error {
	text, err := b.root.ReadFile(journalFile)
	if err != nil {
		return err
	}
	var errs []error
	p := &player{b: b, live: &dirs{root: b.root}}
	defer p.live.close()
	for line := range strings.Lines(string(text)) {
		var st step
		if json.Unmarshal([]byte(line), &st) != nil || st.Op != "dir" {
			continue
		}
		st.Path, st.From = unquote(st.Path), unquote(st.From)
		if within(top, st.Path) || within(st.Path, top) {
			if err := p.play(&st); err != nil && !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
			}
		}
	}
	return errors.Join(errs...)
}
