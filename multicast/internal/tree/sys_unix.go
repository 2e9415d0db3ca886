//go:build linux || darwin

package tree

import (
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const noFollow = unix.O_NOFOLLOW | unix.O_NONBLOCK

// sysInfo returns what identifies a file, how many names it has, and its owner.
func sysInfo(fi fs.FileInfo) (id inode, links uint64, uid, gid uint32) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return inode{}, 1, 0, 0
	}
	return inode{uint64(st.Dev), st.Ino}, uint64(st.Nlink), st.Uid, st.Gid
}

// control runs f with a directory's file descriptor.
func control(d *os.Root, f func(fd int) error) error {
	file, err := d.Open(".")
	if err != nil {
		return err
	}
	defer file.Close()
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// setLinkTime sets the modification time of a name itself, link or not.
func setLinkTime(d *os.Root, name string, mtime time.Time) error {
	at, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return err
	}
	return control(d, func(fd int) error {
		return unix.UtimesNanoAt(fd, name, []unix.Timespec{{Nsec: utimeOmit}, at}, unix.AT_SYMLINK_NOFOLLOW)
	})
}
