package tree

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Problem is what went wrong with one path.
type Problem struct {
	Path string
	Op   string
	Err  error
}

// Error tells what and where.
func (p *Problem) Error() string { return fmt.Sprintf("%s: %s: %v", p.Path, p.Op, p.Err) }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

// ScanOptions say what is sent.
type ScanOptions struct {
	Paths     []string // relative to the directory; none: all of it
	Exclude   []string
	Recursive bool
	Owner     bool
	Digest    bool
}

// Scanned is a source that was looked through.
type Scanned struct {
	Manifest *Manifest
	Problems []*Problem // what could not be read
	Special  []string   // devices, FIFOs and sockets: not sent
	Missing  []string   // of Paths
}

// CleanPath turns a path as a person types it into one of a manifest. Absolute paths
// and paths that leave the directory are errors.
func CleanPath(p string) (string, error) {
	if p == "" {
		return "", errors.New("invalid path: empty")
	}
	if strings.HasPrefix(p, "/") {
		return "", fmt.Errorf("invalid path %q: is absolute, want a path relative to the source directory", p)
	}
	c := path.Clean(p)
	if c == ".." || strings.HasPrefix(c, "../") {
		return "", fmt.Errorf("invalid path %q: leaves the source directory", p)
	}
	if c == "." {
		return c, nil
	}
	return c, CheckPath(c)
}

type inode struct{ dev, ino uint64 }

type scanner struct {
	o     ScanOptions
	x     *Excludes
	out   *Scanned
	links map[inode]int
	strip int // bytes of a path before the part that excludes see
}

// Scan looks through what is to be sent. The error is for the whole; what is wrong
// with one path is a Problem.
func Scan(root *os.Root, o ScanOptions) (*Scanned, error) {
	s := &scanner{o: o, x: NewExcludes(o.Exclude), links: map[inode]int{}, out: &Scanned{Manifest: &Manifest{Exclude: o.Exclude}}}
	m := s.out.Manifest
	if o.Owner {
		m.Flags |= FlagOwner
	}
	if o.Digest {
		m.Flags |= FlagDigest
	}
	roots, err := cleanRoots(o.Paths, o.Recursive)
	if err != nil {
		return nil, err
	}
	walk := &dirs{root: root}
	defer walk.close()
	for _, r := range roots {
		if r == "." {
			m.Roots = append(m.Roots, r)
			s.strip = 0
			s.dir(root, ".", "")
			continue
		}
		dir, name, err := walk.at(r)
		var fi fs.FileInfo
		if err == nil {
			fi, err = dir.Lstat(name)
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				s.out.Missing = append(s.out.Missing, r)
			} else {
				s.problem(r, "stat", err)
			}
			continue
		}
		m.Roots = append(m.Roots, r)
		s.strip = len(r) - len(name)
		s.entry(dir, name, r, fi)
	}
	return s.out, m.layout()
}

// cleanRoots sorts, and drops what lies within another.
func cleanRoots(paths []string, recursive bool) (roots []string, err error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	for _, p := range paths {
		c, err := CleanPath(p)
		if err != nil {
			return nil, err
		}
		roots = append(roots, c)
	}
	slices.SortFunc(roots, Compare)
	roots = slices.Compact(roots)
	if slices.Contains(roots, ".") {
		if recursive || len(roots) == 1 {
			return []string{"."}, nil
		}
		return nil, errors.New(`invalid paths: "." and other paths require a recursive transfer`)
	}
	out := roots[:0]
	for _, r := range roots {
		if n := len(out); recursive && n > 0 && strings.HasPrefix(r, out[n-1]+"/") {
			continue
		}
		out = append(out, r)
	}
	return out, nil
}

func sortNames(names []string) { slices.Sort(names) }

func (s *scanner) problem(p, op string, err error) {
	s.out.Problems = append(s.out.Problems, &Problem{p, op, unwrapPath(err)})
}

// dir scans what is in a directory. p is "" for the root itself.
func (s *scanner) dir(d *os.Root, name, p string) {
	names, err := readDir(d)
	if err != nil {
		s.problem(p, "readdir", err)
		return
	}
	for _, n := range names {
		full := n
		if p != "" {
			full = p + "/" + n
		}
		if p == "" && n == StageName {
			continue
		}
		fi, err := d.Lstat(n)
		if err != nil {
			s.problem(full, "stat", err)
			continue
		}
		if !s.o.Recursive && fi.IsDir() {
			continue
		}
		s.entry(d, n, full, fi)
	}
}

// entry adds a name, and what is below it.
func (s *scanner) entry(d *os.Root, name, p string, fi fs.FileInfo) {
	if s.x.Match(p[s.strip:], fi.IsDir()) {
		return
	}
	if err := CheckPath(p); err != nil {
		s.problem(p, "name", err)
		return
	}
	m := s.out.Manifest
	e := Entry{Path: p, Mode: modeOf(fi.Mode()), Sec: fi.ModTime().Unix(), Nsec: uint32(fi.ModTime().Nanosecond())}
	id, links, uid, gid := sysInfo(fi)
	if s.o.Owner {
		e.UID, e.GID = uid, gid
	}
	switch fi.Mode().Type() {
	case 0:
		e.Kind, e.Size = File, uint64(fi.Size())
		if first, ok := s.links[id]; ok && links > 1 {
			e.Kind, e.Size, e.Link = Hardlink, 0, first
		} else if links > 1 {
			s.links[id] = len(m.Entries)
		}
		if s.o.Digest && e.Kind == File {
			sum, err := digestOf(d, name)
			if err != nil {
				s.problem(p, "read", err)
				return
			}
			e.Digest = sum
		}
	case fs.ModeSymlink:
		target, err := d.Readlink(name)
		if err != nil {
			s.problem(p, "readlink", err)
			return
		}
		e.Kind, e.Target, e.Mode = Symlink, target, 0o777
	case fs.ModeDir:
		e.Kind = Dir
	default:
		s.out.Special = append(s.out.Special, p)
		return
	}
	m.Entries = append(m.Entries, e)
	if e.Kind != Dir || !s.o.Recursive {
		return
	}
	sub := &dirs{root: d}
	defer sub.close()
	r, err := sub.dir(name)
	if err != nil {
		s.problem(p, "open", err)
		return
	}
	s.dir(r, ".", p)
}

// modeOf returns the permission bits as the manifest has them.
func modeOf(m fs.FileMode) uint16 {
	v := uint16(m.Perm())
	if m&fs.ModeSetuid != 0 {
		v |= 0o4000
	}
	if m&fs.ModeSetgid != 0 {
		v |= 0o2000
	}
	if m&fs.ModeSticky != 0 {
		v |= 0o1000
	}
	return v
}

// fileMode is the reverse of modeOf.
func fileMode(v uint16) fs.FileMode {
	m := fs.FileMode(v & 0o777)
	if v&0o4000 != 0 {
		m |= fs.ModeSetuid
	}
	if v&0o2000 != 0 {
		m |= fs.ModeSetgid
	}
	if v&0o1000 != 0 {
		m |= fs.ModeSticky
	}
	return m
}

// openFile opens a file for reading: never a FIFO that waits, never through a link.
func openFile(d *os.Root, name string) (*os.File, error) {
	fi, err := d.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, errors.New("not a regular file any more")
	}
	f, err := d.OpenFile(name, os.O_RDONLY|noFollow, 0)
	if err != nil {
		return nil, err
	}
	if again, err := f.Stat(); err != nil || !again.Mode().IsRegular() {
		f.Close()
		return nil, errors.New("not a regular file any more")
	}
	return f, nil
}

func digestOf(d *os.Root, name string) (sum [32]byte, err error) {
	f, err := openFile(d, name)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}
