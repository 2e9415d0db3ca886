package guest

import (
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// The two requests fail as on a host that does not know them; the others, and other
// threads, are left alone.
func TestRefusedRegsets(t *testing.T) {
	ptrace := func(request uintptr) syscall.Errno {
		const nobody = 1<<31 - 1 // no process has this number
		_, _, errno := syscall.RawSyscall6(unix.SYS_PTRACE, request, nobody, 0, 0, 0, 0)
		return errno
	}
	errs := make(chan error)
	answers := map[int]syscall.Errno{}
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		err := refuseRegsets()
		for _, r := range []int{unix.PTRACE_GETREGSET, unix.PTRACE_SETREGSET, unix.PTRACE_GETREGS, unix.PTRACE_GETFPREGS, unix.PTRACE_CONT} {
			answers[r] = ptrace(uintptr(r))
		}
		errs <- err
	}()
	require.NoError(t, <-errs)
	require.Equal(t, map[int]syscall.Errno{unix.PTRACE_GETREGSET: unix.EIO, unix.PTRACE_SETREGSET: unix.EIO,
		unix.PTRACE_GETREGS: unix.ESRCH, unix.PTRACE_GETFPREGS: unix.ESRCH, unix.PTRACE_CONT: unix.ESRCH}, answers)
	require.Equal(t, unix.ESRCH, ptrace(unix.PTRACE_GETREGSET))
}
