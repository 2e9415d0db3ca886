package tree

import (
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const utimeOmit = unix.UTIME_OMIT

// exchange makes two names of one file system change places, at once, when wait has
// returned.
func exchange(root *os.Root, a, b string, wait func()) error {
	return control(root, func(fd int) error {
		wait()
		return unix.Renameat2(fd, a, fd, b, unix.RENAME_EXCHANGE)
	})
}

// Sleep waits as exactly as the kernel does: Go's own timers are rounded to milliseconds.
func Sleep(d time.Duration) {
	for end := time.Now().Add(d); d > 0; d = time.Until(end) {
		ts := unix.NsecToTimespec(int64(d))
		if unix.Nanosleep(&ts, nil) == nil {
			return
		}
	}
}

const canExchange = true

// putsFiles reports whether there is putFile.
const putsFiles = true

// putFile makes a new file with its content, mode and time, and nothing in between: a
// tree of small files costs as much as its system calls. What stood there under that
// name is unlinked first, for it may be another name of a live file.
func putFile(dir *os.File, name string, data []byte, mode uint32, mtime time.Time) error {
	d := int(dir.Fd())
	const flags = unix.O_CREAT | unix.O_EXCL | unix.O_WRONLY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := openat(d, name, flags, mode)
	if err == unix.EEXIST {
		if err = unix.Unlinkat(d, name, 0); err == nil {
			fd, err = openat(d, name, flags, mode)
		}
	}
	if err != nil {
		return err
	}
	err = fillFile(fd, data, mode, mtime)
	if cerr := unix.Close(fd); err == nil {
		err = cerr
	}
	return err
}

func openat(d int, name string, flags int, mode uint32) (fd int, err error) {
	for {
		if fd, err = unix.Openat(d, name, flags, mode); err != unix.EINTR {
			return fd, err
		}
	}
}

func fillFile(fd int, data []byte, mode uint32, mtime time.Time) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil && err != unix.EINTR {
			return err
		}
		data = data[max(0, n):]
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&0o7777 != mode { // the umask took something away
		if err := unix.Fchmod(fd, mode); err != nil {
			return err
		}
	}
	return touch(uintptr(fd), mtime)
}

// touch sets the modification time of an open file.
func touch(fd uintptr, mtime time.Time) error {
	at, err := unix.TimeToTimespec(mtime)
	if err != nil {
		return err
	}
	ts := [2]unix.Timespec{{Nsec: utimeOmit}, at}
	if _, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, fd, 0, uintptr(unsafe.Pointer(&ts[0])), 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// setFileTime sets the modification time of an open file.
func setFileTime(f *os.File, mtime time.Time) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := raw.Control(func(fd uintptr) { inner = touch(fd, mtime) }); err != nil {
		return err
	}
	return inner
}

// keepOwner gives a file the owner and the extended attributes of another one, ACL and
// security label among them.
func keepOwner(dst, src *os.File, fi fs.FileInfo) error {
	st, err := dst.Stat()
	if err != nil {
		return err
	}
	_, _, uid, gid := sysInfo(fi)
	if _, _, u, g := sysInfo(st); u != uid || g != gid {
		if err := dst.Chown(int(uid), int(gid)); err != nil {
			return err
		}
	}
	from, to := int(src.Fd()), int(dst.Fd())
	n, err := unix.Flistxattr(from, nil)
	if n == 0 || err == unix.ENOTSUP {
		return nil
	}
	if err != nil {
		return err
	}
	list := make([]byte, n+1024)
	if n, err = unix.Flistxattr(from, list); err != nil {
		return err
	}
	for name := range strings.SplitSeq(string(list[:n]), "\x00") {
		if name == "" {
			continue
		}
		value := make([]byte, 64<<10) // the kernel's own limit (XATTR_SIZE_MAX)
		k, err := unix.Fgetxattr(from, name, value)
		if err == unix.ENODATA {
			continue
		}
		if err != nil {
			return err
		}
		have := make([]byte, 64<<10)
		if h, err := unix.Fgetxattr(to, name, have); err == nil && string(have[:h]) == string(value[:k]) {
			continue
		}
		if err := unix.Fsetxattr(to, name, value[:k], 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// changeTime returns when a name or its metadata changed last.
func changeTime(fi fs.FileInfo) time.Time {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return time.Unix(st.Ctim.Unix())
	}
	return fi.ModTime()
}
