//go:build unix

package sshproxy

import (
	"io/fs"
	"os"
	"syscall"
)

// nonBlocking keeps an open from waiting for the other end of a FIFO.
const nonBlocking = syscall.O_NONBLOCK

// owner returns the owner of a file, when the file system knows one.
func owner(info fs.FileInfo) (uid, gid uint32, ok bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return st.Uid, st.Gid, true
}

// keepOwner gives a file an owner, if it has another.
func keepOwner(f *os.File, uid, gid uint32) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if u, g, _ := owner(info); u == uid && g == gid {
		return nil
	}
	return f.Chown(int(uid), int(gid))
}

// syncDir makes a rename last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
