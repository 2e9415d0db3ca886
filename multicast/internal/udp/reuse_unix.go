//go:build darwin

package udp

import "golang.org/x/sys/unix"

func reuse(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
