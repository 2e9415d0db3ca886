package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// dirs opens directories below a root, an element at a time and never through a link,
// and keeps the last chain open: walks in order cost one step an entry. It is not safe
// for concurrent use.
type dirs struct {
	root  *os.Root
	names []string
	open  []*os.Root
	// file is the directory fileOf as a file, for system calls of our own.
	file   *os.File
	fileOf *os.Root
	// create makes directories that are missing, with mode 0700 or this one.
	create fs.FileMode
	// made, if not nil, is called for each directory that was made, with its path.
	made func(in *os.Root, name, p string) error
}

var errNotDir = errors.New("not a directory")

// at returns the directory that holds p, and p's last element.
func (d *dirs) at(p string) (*os.Root, string, error) {
	dir, name := path.Split(p)
	r, err := d.dir(strings.TrimSuffix(dir, "/"))
	return r, name, err
}

// handle is at with the directory as a file, which is the chain's.
func (d *dirs) handle(p string) (*os.File, string, error) {
	r, name, err := d.at(p)
	if err != nil || d.fileOf == r {
		return d.file, name, err
	}
	d.drop()
	f, err := r.Open(".")
	if err != nil {
		return nil, name, err
	}
	d.file, d.fileOf = f, r
	return f, name, nil
}

func (d *dirs) drop() {
	if d.file != nil {
		d.file.Close()
	}
	d.file, d.fileOf = nil, nil
}

// dir returns a directory; "" and "." are the root.
func (d *dirs) dir(p string) (*os.Root, error) {
	if p == "" || p == "." {
		return d.root, nil
	}
	i, at := 0, 0
	r := d.root
	for {
		end := strings.IndexByte(p[at:], '/')
		name := p[at:]
		if end >= 0 {
			name = p[at : at+end]
		}
		if i < len(d.names) && d.names[i] == name {
			r = d.open[i]
		} else {
			d.cut(i)
			next, err := d.enter(r, name, p[:at+len(name)])
			if err != nil {
				return nil, &fs.PathError{Op: "open", Path: p, Err: unwrapPath(err)}
			}
			d.names, d.open = append(d.names, name), append(d.open, next)
			r = next
		}
		i++
		if end < 0 {
			return r, nil
		}
		at += end + 1
	}
}

func (d *dirs) enter(r *os.Root, name, p string) (*os.Root, error) {
	fi, err := r.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) && d.create != 0 {
		if err = r.Mkdir(name, d.create); err == nil && d.made != nil {
			err = d.made(r, name, p)
		}
		if err == nil {
			fi, err = r.Lstat(name)
		}
	}
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, errNotDir
	}
	next, err := r.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	// What was opened is what was looked at, and no link that took its place.
	again, err := next.Stat(".")
	if err == nil && !os.SameFile(fi, again) {
		err = fmt.Errorf("%q was replaced while it was opened", name)
	}
	if err != nil {
		next.Close()
		return nil, err
	}
	return next, nil
}

// cut closes the chain from element i on.
func (d *dirs) cut(i int) {
	if i < len(d.open) {
		d.drop()
	}
	for j := len(d.open) - 1; j >= i; j-- {
		d.open[j].Close()
	}
	d.names, d.open = d.names[:min(i, len(d.names))], d.open[:min(i, len(d.open))]
}

func (d *dirs) close() {
	d.cut(0)
	d.drop()
}

// forget closes the chain when it passes through p: p is about to be replaced.
func (d *dirs) forget(p string) {
	for i, e := 0, strings.Split(p, "/"); i < len(d.names) && i < len(e) && d.names[i] == e[i]; i++ {
		if i == len(e)-1 {
			d.cut(i)
			return
		}
	}
}

// readDir returns the names in a directory, sorted.
func readDir(r *os.Root) ([]string, error) {
	f, err := r.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	sortNames(names)
	return names, nil
}

// unwrapPath takes the system's own error out of one that names a path of ours.
func unwrapPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
