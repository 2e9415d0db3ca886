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

// timeOr is the entry's time, or the file's when there is no entry.
func (e *Entry) timeOr(fi fs.FileInfo) time.Time {
	if e == nil {
		return fi.ModTime()
	}
	return e.mtime()
}

// Commit makes the promise true: a tree is exchanged, or the journal is played. It
// returns when readers see the new tree; Tidy removes the old one. Where they are given,
// wait is called when all is prepared for the last step, and done after it.
func (s *Stage) Commit(wait, done func()) (atomic bool, err error) {
	if wait == nil {
		wait = func() {}
	}
	if done == nil {
		done = func() {}
	}
	defer done()
	err = s.how.commit(wait)
	return s.Fallback == "", err
}

// Settle brings back what programs of this host created, replaced or removed in the
// live tree while the new one was prepared.
func (s *Stage) Settle() error {
	if s.how.target() == "" || s.settled {
		return nil
	}
	s.settled = true
	return s.base.settle(&s.promise, s.links, &s.plan.results)
}

// Tidy remembers the commit and removes what it has replaced.
func (s *Stage) Tidy() error {
	err := errors.Join(s.Close(), s.Settle())
	if s.how.target() != "" {
		err = errors.Join(err, s.base.retire(&s.promise, s.links, &s.plan.results))
	}
	return errors.Join(err, s.base.committed(&s.promise))
}

// Drop ends the stage without a commit: what is staged is kept for the next transfer,
// unless it has filled the disk.
func (s *Stage) Drop() error {
	err := s.Close()
	if s.full {
		return errors.Join(err, s.base.clear())
	}
	for _, name := range []string{promiseFile, journalFile} {
		if rerr := s.base.root.Remove(name); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}
	return err
}

// Resume returns the stage of a promise that an earlier process gave, so that it can be
// kept after all.
func (b *Base) Resume(p Promise) *Stage {
	s := &Stage{base: b, promise: p, plan: &plan{}, manifest: &Manifest{}}
	if s.how = (&journaler{s: s}); p.Atomic {
		s.how = &exchanger{s: s, top: p.Target}
	}
	if raw, err := b.root.ReadFile(manifestFile); err == nil {
		if m, err := Decode(raw); err == nil {
			s.manifest = m
		}
	}
	return s
}

// step is a line of the journal. Each can be played again without harm.
type step struct {
	Op    string `json:"op"` // mkdir, place, link, symlink, meta, delete, dir
	Path  string `json:"path"`
	From  string `json:"from,omitempty"` // link: path; symlink: target
	Mode  uint16 `json:"mode"`
	Sec   int64  `json:"sec"`
	Nsec  uint32 `json:"nsec"`
	Keep  uint16 `json:"keep,omitempty"` // meta: mode bits that stay if they are set
	Owner bool   `json:"owner,omitempty"`
	UID   uint32 `json:"uid,omitempty"`
	GID   uint32 `json:"gid,omitempty"`
}

// writeJournal writes down what the commit will do: new things before deletions
// but those of directories that give way to something else, children before their directory's deletion, the times of directories last. JSON
// strings are made of bytes: see quote.
func (s *Stage) writeJournal() error {
	var list []step
	touched := s.touched()
	add := func(op string, e *Entry, from string) {
		st := step{Op: op, Path: quote(e.Path), From: quote(from), Mode: s.o.wantMode(e), Sec: e.Sec, Nsec: e.Nsec}
		if op == "meta" || op == "dir" {
			st.Keep = e.Mode & setID
		}
		if s.o.Owner && s.manifest.Flags&FlagOwner != 0 {
			st.Owner, st.UID, st.GID = true, e.UID, e.GID
		}
		list = append(list, st)
	}
	for _, r := range s.manifest.Roots {
		for _, p := range parentsOf(r) {
			list = append(list, step{Op: "mkdir", Path: quote(p), Mode: 0o755})
		}
	}
	// What comes later stays, and so does the directory.
	for _, p := range s.plan.within {
		list = append(list, step{Op: "delete", Path: quote(p)})
	}
	var later []step
	for i := range s.manifest.Entries {
		e := &s.manifest.Entries[i]
		a := s.plan.actions[i]
		switch {
		case a == failed || a == same && e.Kind != Dir:
		case e.Kind == Dir:
			if a == make_ {
				add("mkdir", e, "")
			}
		case e.Kind == File && a == content:
			add("place", e, "")
		case e.Kind == File:
			add("meta", e, "")
		default:
			n := len(list)
			if e.Kind == Symlink {
				add("symlink", e, e.Target)
			} else {
				add("link", e, s.manifest.Entries[e.Link].Path)
			}
			later = append(later, list[n:]...)
			list = list[:n]
		}
	}
	list = append(list, later...)
	for _, p := range s.plan.deletes {
		list = append(list, step{Op: "delete", Path: quote(p)})
	}
	for i := len(s.manifest.Entries) - 1; i >= 0; i-- {
		// The time of a directory in which something is done changes, too.
		if e := &s.manifest.Entries[i]; e.Kind == Dir && s.plan.actions[i] != failed && (s.plan.actions[i] != same || touched[e.Path]) {
			add("dir", e, "")
		}
	}
	var text []byte
	for i := range list {
		line, err := json.Marshal(&list[i])
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	return s.base.write(journalFile, text, true)
}

// quote makes a JSON string of any bytes: those above 0x7F, and the escape itself,
// are written as %XX.
func quote(s string) string {
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < 0x80 && s[i] != '%'
	}
	if plain {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 0x80 || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func unquote(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		var c byte
		if s[i] == '%' && i+2 < len(s) {
			if _, err := fmt.Sscanf(s[i+1:i+3], "%02X", &c); err == nil {
				b = append(b, c)
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

// replay plays the journal of a decision that was made, from its beginning.
func (b *Base) replay(r *Results) error {
	text, err := b.root.ReadFile(doneFile)
	if err != nil {
		return err
	}
	p := &player{b: b, live: &dirs{root: b.root}}
	defer p.live.close()
	if p.stage, err = b.root.OpenRoot(treeDir); err != nil {
		return err
	}
	defer p.stage.Close()
	p.staged = &dirs{root: p.stage}
	defer p.staged.close()
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" {
			continue
		}
		var st step
		if json.Unmarshal([]byte(line), &st) != nil {
			return fmt.Errorf("%s is damaged: line %d is not a JSON object of a step", doneFile, i+1)
		}
		st.Path, st.From = unquote(st.Path), unquote(st.From)
		if err := CheckPath(st.Path); err != nil {
			return fmt.Errorf("%s is damaged: %w", doneFile, err)
		}
		if err := p.play(&st); err != nil {
			r.fail(st.Path, st.Op, err)
		}
	}
	return nil
}

type player struct {
	b            *Base
	live, staged *dirs
	stage        *os.Root
}

func (p *player) play(st *step) error {
	d, name, err := p.live.at(st.Path)
	if err != nil {
		if st.Op == "delete" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir)) {
			return nil
		}
		return err
	}
	switch st.Op {
	case "mkdir":
		if fi, err := d.Lstat(name); err == nil {
			if fi.IsDir() {
				return nil
			}
			if err := d.Remove(name); err != nil {
				return err
			}
		}
		return d.Mkdir(name, 0o755)
	case "place":
		return p.place(d, name, st)
	case "link":
		err := p.swapIn(d, name, func(tmp string) error { return p.b.root.Link(st.From, path.Join(path.Dir(st.Path), tmp)) })
		if isCrossDevice(err) {
			return p.copyIn(d, name, st.From)
		}
		return err
	case "symlink":
		return p.swapIn(d, name, func(tmp string) error {
			if err := d.Symlink(st.From, tmp); err != nil {
				return err
			}
			return setLinkTime(d, tmp, time.Unix(st.Sec, int64(st.Nsec)))
		})
	case "delete":
		err := d.Remove(name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		p.live.forget(st.Path)
		if isNotEmpty(err) {
			return nil // somebody has put something there, which stays
		}
		return err
	case "meta", "dir":
		p.live.forget(st.Path)
		if st.Owner {
			if err := d.Lchown(name, int(st.UID), int(st.GID)); err != nil {
				return err
			}
		}
		if st.Op == "meta" {
			if err := chmodKeep(d, name, st); err != nil {
				return err
			}
			return setLinkTime(d, name, time.Unix(st.Sec, int64(st.Nsec)))
		}
		if err := setLinkTime(d, name, time.Unix(st.Sec, int64(st.Nsec))); err != nil {
			return err
		}
		return chmodKeep(d, name, st)
	}
	return fmt.Errorf("unknown step %q", st.Op)
}

// chmodKeep sets a mode, but for the bits that stay where they are set.
func chmodKeep(d *os.Root, name string, st *step) error {
	fi, err := d.Lstat(name)
	if err != nil {
		return err
	}
	have := modeOf(fi.Mode())
	want := st.Mode | have&st.Keep
	if have == want {
		return nil
	}
	return d.Chmod(name, fileMode(want))
}

// place renames a staged file to its name. When it is not in the stage any more it is
// there already.
func (p *player) place(d *os.Root, name string, st *step) error {
	from := path.Join(treeDir, st.Path)
	if _, err := p.b.root.Lstat(from); errors.Is(err, fs.ErrNotExist) {
		_, err := d.Lstat(name)
		return err
	}
	if err := makeRoom(d, name); err != nil {
		return err
	}
	p.live.forget(st.Path)
	err := p.b.root.Rename(from, st.Path)
	if isCrossDevice(err) {
		// Another mount: a copy in the directory itself takes the name.
		return p.copyIn(d, name, from)
	}
	return err
}

// copyIn copies a file of the base into a directory and renames it into place.
func (p *player) copyIn(d *os.Root, name, from string) error {
	return p.swapIn(d, name, func(tmp string) error {
		in, err := p.b.root.OpenFile(from, os.O_RDONLY|noFollow, 0)
		if err != nil {
			return err
		}
		defer in.Close()
		fi, err := in.Stat()
		if err != nil {
			return err
		}
		out, err := d.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY|noFollow, 0o600)
		if err != nil {
			return err
		}
		err = copyInto(out, in, fi, nil, &Options{}, false)
		return errors.Join(err, out.Close())
	})
}

// swapIn makes a name beside and renames it into place.
func (p *player) swapIn(d *os.Root, name string, make func(tmp string) error) error {
	tmp := ".mc-new"
	if err := d.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := make(tmp); err != nil {
		return err
	}
	if err := makeRoom(d, name); err != nil {
		return err
	}
	if err := d.Rename(tmp, name); err != nil {
		return err
	}
	// A rename onto another name of the same file does nothing, and leaves both.
	if err := d.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// makeRoom removes an empty directory that stands where something else is to be.
func makeRoom(d *os.Root, name string) error {
	fi, err := d.Lstat(name)
	if err != nil || !fi.IsDir() {
		return nil
	}
	return d.Remove(name)
}
