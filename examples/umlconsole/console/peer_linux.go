package console

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// workingDir returns the working directory of the process at the other end of a unix socket, or
// "" if it is not known.
func workingDir(c net.Conn) string {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return ""
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return ""
	}
	var peer *unix.Ucred
	raw.Control(func(fd uintptr) { peer, err = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })
	if err != nil || peer == nil || peer.Pid <= 0 {
		return ""
	}
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", peer.Pid))
	if err != nil {
		return ""
	}
	return dir
}
