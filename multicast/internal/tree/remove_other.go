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
	above, err := root.Stat(".")
	if err != nil {
		return err
	}
	a, _, _, _ := sysInfo(above)
	if b, _, _, _ := sysInfo(fi); a.dev != b.dev {
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

// mountsBelow is not known here: removeAll compares devices.
func mountsBelow(*os.Root) (mounts, error) { return nil, nil }
