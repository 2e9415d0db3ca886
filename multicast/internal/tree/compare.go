package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"dougu.internal/multicast/internal/ranges"
)

// Options say what a receiver does with a manifest.
type Options struct {
	Delete    bool
	MaxDelete int // more deletions refuse the transfer; 0: no limit
	Digest    bool
	Check     bool // tells what differs, changes nothing
	DryRun    bool
	Fsync     bool
	Owner     bool
	Setuid    bool // set-user-id and set-group-id bits of files are kept
	InPlace   bool // never exchange the tree as a whole
	Atomic    bool // refuse what cannot be switched in one step
	ReadOnly  bool
	// OutsideLinks allows symlinks that are absolute or lead out of the tree.
	OutsideLinks bool
}

// what is to be done with an entry.
type action uint8

const (
	same    action = iota
	meta           // content is there, mode or owner is not
	content        // content must come
	make_          // a directory, a link: made here
	timed          // a directory of which only the time differs
	failed         // an error is recorded
)

// plan is what comparing has found.
type plan struct {
	actions []action
	deletes []string // children before their directory
	results Results
	need    ranges.Set
	clear   []string // paths of another type that give way
	within  []string // what is in those that are directories, children first
	mounts  mounts   // below the base
}

type comparer struct {
	o    Options
	m    *Manifest
	walk *dirs
	p    *plan
	x    *Excludes
	stop func() bool
}

// ErrMaxDelete is wrapped when more would be deleted than is allowed.
var ErrMaxDelete = errors.New("too many deletions")

var errStopped = errors.New("stopped")

// compare finds out what differs between a manifest and what is below root.
func compare(root *os.Root, m *Manifest, o Options, stop func() bool) (*plan, error) {
	c := &comparer{o: o, m: m, walk: &dirs{root: root}, x: NewExcludes(m.Exclude), stop: stop,
		p: &plan{actions: make([]action, len(m.Entries))}}
	defer c.walk.close()
	var err error
	if c.p.mounts, err = mountsBelow(root); err != nil {
		return nil, fmt.Errorf("cannot read the list of mounted file systems: %w", err)
	}
	for i := range m.Entries {
		if i%256 == 0 && stop() {
			return nil, errStopped
		}
		c.entry(i)
	}
	if o.Delete {
		if err := c.deletes(); err != nil {
			return nil, err
		}
	}
	return c.p, nil
}

// setID are the mode bits that give a program rights.
const setID = 0o6000

// wantMode is the mode that an entry gets here. Set-user-id and set-group-id bits of
// files need a permission of the receiver. On a directory, set-group-id and sticky are
// no privilege.
func (o *Options) wantMode(e *Entry) uint16 {
	switch {
	case o.Setuid:
		return e.Mode
	case e.Kind == Dir:
		return e.Mode &^ 0o4000
	}
	return e.Mode &^ setID
}

// sameMode reports whether a mode that is there is the wanted one.
func (o *Options) sameMode(have uint16, e *Entry) bool {
	want := o.wantMode(e)
	switch {
	case o.Setuid:
		return have == want
	case e.Kind == Dir:
		return have&^0o4000 == want
	}
	return have&^setID == want
}

func (c *comparer) entry(i int) {
	e := &c.m.Entries[i]
	a := c.action(i, e)
	c.p.actions[i] = a
	r := &c.p.results
	switch {
	case a == failed:
	case c.o.Check:
		if a == same {
			r.skip(i)
		} else {
			r.differ(i)
		}
	case a == same:
		r.skip(i)
	default:
		r.update(i)
		if a == content && e.Size > 0 {
			c.p.need.Add(e.Range())
		}
	}
}

func (c *comparer) action(i int, e *Entry) action {
	d, name, err := c.walk.at(e.Path)
	var fi fs.FileInfo
	if err == nil {
		fi, err = d.Lstat(name)
	}
	fresh := content
	if e.Kind != File {
		fresh = make_
	}
	if e.Kind != Dir && c.p.mounts.has(e.Path) {
		return c.mounted(e, d, name, fi, err)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir):
		return fresh
	case err != nil:
		c.p.results.fail(e.Path, "stat", err)
		return failed
	}
	if kind := kindOf(fi.Mode()); kind != e.Kind && !(kind == File && e.Kind == Hardlink) {
		return c.conflict(e, d, name, kind, fresh)
	}
	if e.Kind == Symlink {
		return c.symlink(e, d, name, fi)
	}
	time := fi.ModTime().Unix() == e.Sec && uint32(fi.ModTime().Nanosecond()) == e.Nsec
	mode := c.o.sameMode(modeOf(fi.Mode()), e)
	id, _, uid, gid := sysInfo(fi)
	owner := !c.o.Owner || c.m.Flags&FlagOwner == 0 || uid == e.UID && gid == e.GID
	switch e.Kind {
	case Dir:
		switch {
		case !mode || !owner:
			return make_
		case !time:
			return timed
		}
		return same
	case Hardlink:
		t := &c.m.Entries[e.Link]
		other, err := c.lstat(t.Path)
		if tid, _, _, _ := sysInfo2(other); err == nil && tid == id && c.p.actions[e.Link] == same {
			return same
		}
		return make_
	}
	if uint64(fi.Size()) != e.Size {
		return content
	}
	if c.o.Digest || c.o.Check {
		if c.m.Flags&FlagDigest != 0 {
			sum, err := digestOf(d, name)
			switch {
			case err != nil:
				c.p.results.fail(e.Path, "read", err)
				return failed
			case sum != e.Digest:
				return content
			case c.o.Check || time && mode && owner:
				return same
			}
			return meta
		}
	}
	switch {
	case !time:
		return content
	case !mode || !owner:
		return meta
	}
	return same
}

// mounted decides about a name at which something is mounted: it stays, and what is the
// same already is not an error.
func (c *comparer) mounted(e *Entry, d *os.Root, name string, fi fs.FileInfo, err error) action {
	if err == nil && e.Kind == File && fi.Mode().IsRegular() && uint64(fi.Size()) == e.Size {
		if c.m.Flags&FlagDigest == 0 && fi.ModTime().Equal(e.mtime()) {
			return same
		}
		if c.m.Flags&FlagDigest != 0 {
			if sum, err := digestOf(d, name); err == nil && sum == e.Digest {
				return same
			}
		}
	}
	c.p.results.fail(e.Path, "replace", errors.New("a file system or file is mounted there"))
	return failed
}

func sysInfo2(fi fs.FileInfo) (id inode, links uint64, uid, gid uint32) {
	if fi == nil {
		return inode{}, 0, 0, 0
	}
	return sysInfo(fi)
}

func (c *comparer) lstat(p string) (fs.FileInfo, error) {
	d, name, err := c.walk.at(p)
	if err != nil {
		return nil, err
	}
	return d.Lstat(name)
}

func (c *comparer) symlink(e *Entry, d *os.Root, name string, fi fs.FileInfo) action {
	target, err := d.Readlink(name)
	if err != nil {
		c.p.results.fail(e.Path, "readlink", err)
		return failed
	}
	if target == e.Target && (fi.ModTime().Equal(time.Unix(e.Sec, int64(e.Nsec))) || c.o.Check) {
		return same
	}
	return make_
}

// conflict decides about a name that is there with another type: what is empty or no
// directory gives way; a directory with something in it only with Delete.
func (c *comparer) conflict(e *Entry, d *os.Root, name string, kind Kind, fresh action) action {
	if c.p.mounts.below(e.Path) {
		c.p.results.fail(e.Path, "replace", errors.New("a file system is mounted there or below"))
		return failed
	}
	if kind == Dir && !c.o.Delete {
		if r, err := d.OpenRoot(name); err == nil {
			names, err := readDir(r)
			r.Close()
			if err != nil || len(names) > 0 {
				c.p.results.fail(e.Path, "replace", fmt.Errorf("a directory that is not empty is in the place of a %v: the delete option removes it", e.Kind))
				return failed
			}
		}
	}
	if kind == Dir && c.o.Delete && !c.clears(d, name, e.Path) {
		c.p.results.fail(e.Path, "replace", errors.New("a directory that holds excluded files is in its place"))
		return failed
	}
	c.p.clear = append(c.p.clear, e.Path)
	return fresh
}

// clears reports whether all that a directory holds may be deleted.
func (c *comparer) clears(d *os.Root, name, p string) bool {
	sub, err := d.OpenRoot(name)
	if err != nil {
		return false
	}
	defer sub.Close()
	strip := 0
	for _, r := range c.m.Roots {
		if r != "." && within(p, r) {
			strip = len(r) - len(path.Base(r))
		}
	}
	n := len(c.p.deletes)
	all, err := c.extra(sub, p, strip, false)
	if all = all && err == nil; all {
		c.p.within = append(c.p.within, c.p.deletes[n:]...)
	}
	c.p.deletes = c.p.deletes[:n]
	return all
}

func kindOf(m fs.FileMode) Kind {
	switch m.Type() {
	case 0:
		return File
	case fs.ModeDir:
		return Dir
	case fs.ModeSymlink:
		return Symlink
	}
	return 0
}

// deletes finds what is below the roots and not in the manifest. What is excluded is
// protected, and so are the directories that hold it.
func (c *comparer) deletes() error {
	for _, r := range c.m.Roots {
		if r != "." {
			if i := c.m.Find(r); i < 0 || c.m.Entries[i].Kind != Dir {
				continue
			}
		}
		d, err := c.walk.dir(r)
		if err != nil {
			continue // it is not there yet, or not a directory: nothing to delete in it
		}
		strip := len(r) - len(path.Base(r))
		p := r
		if r == "." {
			p, strip = "", 0
		}
		if err := c.extraneous(d, p, strip, true); err != nil {
			return err
		}
	}
	if n := len(c.p.deletes); c.o.MaxDelete > 0 && n > c.o.MaxDelete {
		return fmt.Errorf("%w: %d, want at most %d", ErrMaxDelete, n, c.o.MaxDelete)
	}
	c.p.results.Deleted = c.p.deletes
	return nil
}

// extraneous looks through a directory that stays (known) or that goes when all in it
// goes.
func (c *comparer) extraneous(d *os.Root, p string, strip int, known bool) error {
	_, err := c.extra(d, p, strip, known)
	return err
}

func (c *comparer) extra(d *os.Root, p string, strip int, known bool) (all bool, err error) {
	if c.stop() {
		return false, errStopped
	}
	names, err := readDir(d)
	if err != nil {
		c.p.results.fail(p, "readdir", err)
		return false, nil
	}
	all = true
	for _, n := range names {
		full := n
		if p != "" {
			full = p + "/" + n
		}
		if p == "" && n == StageName {
			continue
		}
		if c.p.mounts.has(full) {
			all = false // what is mounted stays, with its content
			continue
		}
		fi, err := d.Lstat(n)
		if err != nil {
			continue
		}
		i := -1
		if known {
			i = c.m.Find(full)
		}
		if i >= 0 {
			all = false
			if c.m.Entries[i].Kind == Dir && fi.IsDir() {
				if err := c.below(d, n, full, strip, true, nil); err != nil {
					return false, err
				}
			}
			continue
		}
		if c.x.Match(full[strip:], fi.IsDir()) {
			all = false
			continue
		}
		gone := true
		if fi.IsDir() {
			if err := c.below(d, n, full, strip, false, &gone); err != nil {
				return false, err
			}
		}
		if gone {
			c.p.deletes = append(c.p.deletes, full)
		} else {
			all = false
		}
	}
	return all, nil
}

func (c *comparer) below(d *os.Root, name, full string, strip int, known bool, gone *bool) error {
	sub := &dirs{root: d}
	defer sub.close()
	r, err := sub.dir(name)
	if err != nil {
		c.p.results.fail(full, "open", err)
		if gone != nil {
			*gone = false
		}
		return nil
	}
	all, err := c.extra(r, full, strip, known)
	if gone != nil {
		*gone = all
	}
	return err
}

// outside reports whether a symlink at p leads out of the directory that holds the
// transfer.
func outside(p, target string) bool {
	if strings.HasPrefix(target, "/") {
		return true
	}
	depth := strings.Count(p, "/")
	for e := range strings.SplitSeq(target, "/") {
		switch e {
		case "", ".":
		case "..":
			if depth--; depth < 0 {
				return true
			}
		default:
			depth++
		}
	}
	return false
}
