package tree

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// errMounted is wrapped where something is mounted at or below a path that would be
// removed or replaced.
var errMounted = errors.New("a file system is mounted there")

// removeAll removes a directory tree, also where a directory in it may not be written.
// It never enters another mount: what is mounted stays, and is an error.
func removeAll(root *os.Root, name string) error {
	return control(root, func(fd int) error {
		mount, err := mountID(fd)
		if err != nil {
			return err
		}
		return removeAt(fd, name, name, mount, true)
	})
}

func removeAt(dir int, name, p string, mount uint64, top bool) error {
	err := unix.Unlinkat(dir, name, 0)
	switch err {
	case nil, unix.ENOENT:
		return nil
	case unix.EISDIR, unix.EPERM:
	case unix.EACCES: // the directory that holds it may not be written
		if top || unix.Fchmod(dir, 0o700) != nil || unix.Unlinkat(dir, name, 0) != nil && !isDirAt(dir, name) {
			return &fs.PathError{Op: "remove", Path: p, Err: err}
		}
	case unix.EBUSY:
		return &fs.PathError{Op: "remove", Path: p, Err: errMounted}
	default:
		return &fs.PathError{Op: "remove", Path: p, Err: err}
	}
	fd, err := openDir(dir, name, mount)
	if err == unix.EACCES && unix.Fchmodat(dir, name, 0o700, 0) == nil {
		fd, err = openDir(dir, name, mount)
	}
	if err == unix.ENOENT {
		return nil
	}
	if err != nil {
		return &fs.PathError{Op: "remove", Path: p, Err: err}
	}
	f := os.NewFile(uintptr(fd), name)
	names, err := f.Readdirnames(-1)
	var errs []error
	if err != nil {
		errs = append(errs, err)
	}
	for _, n := range names {
		if err := removeAt(fd, n, path.Join(p, n), mount, false); err != nil {
			errs = append(errs, err)
		}
	}
	f.Close()
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	err = unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
	if err == unix.EACCES && !top && unix.Fchmod(dir, 0o700) == nil {
		err = unix.Unlinkat(dir, name, unix.AT_REMOVEDIR)
	}
	if err != nil && err != unix.ENOENT {
		return &fs.PathError{Op: "remove", Path: p, Err: err}
	}
	return nil
}

func isDirAt(dir int, name string) bool {
	var st unix.Stat_t
	return unix.Fstatat(dir, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR
}

// openDir opens a directory of one mount. Device numbers do not distinguish bind mounts,
// so the mount's id is compared, too.
func openDir(dir int, name string, mount uint64) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	fd, err := unix.Openat2(dir, name, &unix.OpenHow{Flags: flags, Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH})
	switch err {
	case nil:
		return fd, nil
	case unix.EXDEV:
		return -1, errMounted
	case unix.ENOSYS, unix.EPERM, unix.EINVAL: // an old kernel, or a filter of system calls
	default:
		return -1, err
	}
	if fd, err = unix.Openat(dir, name, flags, 0); err != nil {
		return -1, err
	}
	if id, err := mountID(fd); err != nil || id != mount {
		unix.Close(fd)
		return -1, errMounted
	}
	return fd, nil
}

// mountID returns what identifies the mount that an open file lies on.
func mountID(fd int) (uint64, error) {
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st); err == nil && st.Mask&unix.STATX_MNT_ID != 0 {
		return st.Mnt_id, nil
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", fd))
	if err != nil {
		return 0, err
	}
	for l := range strings.Lines(string(text)) {
		if v, ok := strings.CutPrefix(l, "mnt_id:"); ok {
			var id uint64
			if _, err := fmt.Sscan(v, &id); err == nil {
				return id, nil
			}
		}
	}
	return 0, errors.New("the kernel does not tell the mount of a file")
}

// sameMount reports whether two directories are known to lie on one mount.
func sameMount(a, b *os.Root) bool {
	var ids [2]uint64
	for i, d := range []*os.Root{a, b} {
		if control(d, func(fd int) (err error) { ids[i], err = mountID(fd); return err }) != nil {
			return false
		}
	}
	return ids[0] == ids[1]
}

// mountsBelow lists the mount points below a directory, relative to it.
func mountsBelow(root *os.Root) (mounts, error) {
	var base string
	err := control(root, func(fd int) (err error) {
		base, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		return err
	})
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	return parseMounts(string(text), base), nil
}

// parseMounts takes the mount points from /proc/self/mountinfo (proc_pid_mountinfo(5)).
func parseMounts(text, base string) mounts {
	base = strings.TrimSuffix(base, "/") + "/"
	var m mounts
	for l := range strings.Lines(text) {
		fields := strings.Fields(l)
		if len(fields) < 5 {
			continue
		}
		if p, ok := strings.CutPrefix(unescapeMount(fields[4]), base); ok && p != "" {
			m = append(m, p)
		}
	}
	return m
}

// unescapeMount replaces \ooo: space, tab, newline and backslash are written so.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			v := 0
			for _, c := range []byte(s[i+1 : i+4]) {
				if c < '0' || c > '7' {
					v = 1 << 16
				}
				v = v*8 + int(c) - '0'
			}
			if v < 256 {
				b = append(b, byte(v))
				i += 3
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}
