package console

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// The major numbers of pseudo-terminal slaves; see Documentation/admin-guide/devices.txt in the
// kernel source.
const ptsFirst, ptsLast = 136, 143

func openRaw(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := checkPts(fd, path); err != nil {
		unix.Close(fd)
		return nil, err
	}
	if err := makeRaw(fd); err != nil {
		unix.Close(fd)
		return nil, &os.PathError{Op: "raw mode", Path: path, Err: err}
	}
	return os.NewFile(uintptr(fd), path), nil
}

// checkPts checks the open file, because the path may refer to another file by now.
func checkPts(fd int, path string) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return &os.PathError{Op: "stat", Path: path, Err: err}
	}
	major := unix.Major(st.Rdev)
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFCHR || major < ptsFirst || major > ptsLast:
		return fmt.Errorf("%s is not a pseudo-terminal", path)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d, but this process runs as user %d", path, st.Uid, os.Geteuid())
	}
	return nil
}

// makeRaw sets a terminal to raw mode like cfmakeraw(3).
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	rawTermios(t)
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

func rawTermios(t *unix.Termios) {
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
}

// gone reports whether the other end of a terminal is closed.
func gone(err error) bool { return errors.Is(err, unix.EIO) }

func setSize(f *os.File, columns, rows uint16) error {
	return control(f, func(fd int) error {
		return unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Col: columns, Row: rows})
	})
}

// control calls f with the file descriptor.
func control(file *os.File, f func(fd int) error) error {
	c, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	if err := c.Control(func(fd uintptr) { inner = f(int(fd)) }); err != nil {
		return err
	}
	return inner
}

// RawTerminal sets the terminal f to raw mode and returns a function that restores its mode. It
// returns an error if f is not a terminal.
func RawTerminal(f *os.File) (restore func() error, err error) {
	var saved *unix.Termios
	err = control(f, func(fd int) error {
		t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
		if err != nil {
			return fmt.Errorf("%s is not a terminal: %w", f.Name(), err)
		}
		raw := *t
		saved = t
		rawTermios(&raw)
		return unix.IoctlSetTermios(fd, unix.TCSETS, &raw)
	})
	if err != nil {
		return nil, wrap(err)
	}
	return func() error {
		return wrap(control(f, func(fd int) error { return unix.IoctlSetTermios(fd, unix.TCSETS, saved) }))
	}, nil
}

// NewPTY creates a pseudo-terminal, as a guest does for its console. It returns the master and the
// device of the slave. The caller must close the master.
func NewPTY() (master *os.File, d Device, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, d, wrap(&os.PathError{Op: "open", Path: "/dev/ptmx", Err: err})
	}
	if err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err == nil {
		var n uint32
		if n, err = unix.IoctlGetUint32(fd, unix.TIOCGPTN); err == nil {
			d.Path = "/dev/pts/" + strconv.FormatUint(uint64(n), 10)
			return os.NewFile(uintptr(fd), "/dev/ptmx"), d, nil
		}
	}
	unix.Close(fd)
	return nil, d, wrap(&os.PathError{Op: "ioctl", Path: "/dev/ptmx", Err: err})
}
