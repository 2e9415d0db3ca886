package sshproxy

import (
	"io/fs"
	"os"
	"path/filepath"
)

// WriteOptions say how to write a file.
type WriteOptions struct {
	// FollowSymlink writes to the file that a symbolic link names. Without it a link
	// is refused.
	FollowSymlink bool
}

// WriteFile replaces the file at path as a whole: a temporary file beside it is written,
// synced and renamed, so that a reader sees the old or the new text. An existing file
// keeps its mode and owner; a new one is 0600. What is not a regular file is refused.
func WriteFile(path string, text []byte, o WriteOptions) error {
	return errs.Wrap(writeFile(path, text, o))
}

func writeFile(path string, text []byte, o WriteOptions) (err error) {
	mode, uid, gid, owned := fs.FileMode(0o600), uint32(0), uint32(0), false
	info, err := os.Lstat(path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if !o.FollowSymlink {
			return errs.Errorf("%s is a symbolic link: it is not replaced unless asked", path)
		}
		if path, err = filepath.EvalSymlinks(path); err != nil {
			return err
		}
		info, err = os.Lstat(path)
	}
	switch {
	case err == nil && !info.Mode().IsRegular():
		return errs.Errorf("%s is not a regular file", path)
	case err == nil:
		mode = info.Mode().Perm()
		uid, gid, owned = owner(info)
	case !notFound(err):
		return err
	}
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*") // 0600 from the start
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(text); err != nil {
		return err
	}
	if owned {
		if err = keepOwner(f, uid, gid); err != nil {
			return errs.Errorf("%s: its owner can't be kept: %w", path, err)
		}
	}
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}
