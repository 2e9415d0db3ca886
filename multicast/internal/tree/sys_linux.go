package tree

import (
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const utimeOmit = unix.UTIME_OMIT

func timespec(t time.Time) (sec, nsec int64) { return t.Unix(), int64(t.Nanosecond()) }

// exchange makes two names of one file system change places, at once.
func exchange(root *os.Root, a, b string) error {
	return control(root, func(fd int) error { return unix.Renameat2(fd, a, fd, b, unix.RENAME_EXCHANGE) })
}

const canExchange = true

// setFileTime sets the modification time of an open file.
func setFileTime(f *os.File, mtime time.Time) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	ts := [2]unix.Timespec{{Nsec: utimeOmit}, {Sec: mtime.Unix(), Nsec: int64(mtime.Nanosecond())}}
	var errno unix.Errno
	if err := raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall6(unix.SYS_UTIMENSAT, fd, 0, uintptr(unsafe.Pointer(&ts[0])), 0, 0, 0)
	}); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}
