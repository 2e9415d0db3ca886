//go:build !linux

package tree

import (
	"errors"
	"io/fs"
	"os"
)

var errMounted = errors.New("a file system is mounted there")

// removeAll removes a directory tree that lies on one file system.
func removeAll(root *os.Root, name string) error {
	fi, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !fi.IsDir() {
		return root.Remove(name)
	}
	sub, err := root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	if !sameMount(root, sub) {
		return &fs.PathError{Op: "remove", Path: name, Err: errMounted}
	}
	names, err := readDir(sub)
	for _, n := range names {
		if e := removeAll(sub, n); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return err
	}
	return root.Remove(name)
}

// sameMount reports whether two directories are known to lie on one file system.
func sameMount(a, b *os.Root) bool {
	f, err := a.Stat(".")
	if err != nil {
		return false
	}
	g, err := b.Stat(".")
	return err == nil && idOf(f).dev == idOf(g).dev
}

// mountsBelow is not known here: removeAll compares devices.
func mountsBelow(*os.Root) (mounts, error) { return nil, nil }
