//go:build linux || darwin

package tree

import (
	"errors"
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

// isNotEmpty, isCrossDevice and isFull name errors of the system.
func isNotEmpty(err error) bool {
	return errors.Is(err, unix.ENOTEMPTY) || errors.Is(err, unix.EEXIST)
}

func isCrossDevice(err error) bool { return errors.Is(err, unix.EXDEV) }

func isFull(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// renameOnto tries to rename a directory to one that is not empty. It returns nil if
// that was the only obstacle.
func renameOnto(root *os.Root, name, full string) error {
	err := control(root, func(fd int) error { return unix.Renameat(fd, name, fd, full) })
	if isNotEmpty(err) {
		return nil
	}
	return err
}

// freeSpace returns the bytes and the inodes that are free; 0 inodes: not known.
func freeSpace(root *os.Root) (bytes, inodes uint64, ok bool) {
	err := control(root, func(fd int) error {
		var st unix.Statfs_t
		err := unix.Fstatfs(fd, &st)
		bytes, inodes = st.Bavail*uint64(st.Bsize), st.Ffree
		if st.Files == 0 {
			inodes = 0
		}
		return err
	})
	return bytes, inodes, err == nil
}
