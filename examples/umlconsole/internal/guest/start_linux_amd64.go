package guest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// fewRegisters reports whether a guest saves the registers up to SSE only.
//
// A processor with AMX has more state than a User Mode Linux kernel of the 6.1 series can save.
// The kernel reads a part of the state with PTRACE_GETREGSET and sets that part again. The host
// rejects this, and the init process is killed ("ptrace set fp regs failed"). If the host does not
// support the request, the kernel uses an older one. Therefore the guest runs under a filter that
// rejects the two requests.
func fewRegisters() bool {
	flags, _ := os.ReadFile("/proc/cpuinfo") // if it is missing, no filter is used
	return bytes.Contains(flags, []byte(" amx_tile"))
}

// run starts a guest, sends the result to started, and waits for its end.
func run(cmd *exec.Cmd, started chan<- error) {
	if fewRegisters() {
		// The filter applies to this thread and the guest. The thread ends with this goroutine.
		runtime.LockOSThread()
		if err := refuseRegsets(); err != nil {
			started <- fmt.Errorf("the guest needs a seccomp filter on this processor, which has AMX: %w", err)
			return
		}
	}
	err := cmd.Start()
	started <- err
	if err == nil {
		cmd.Wait() // a halted guest sometimes aborts: ignore its status
	}
}

// refuseRegsets makes ptrace(2) with PTRACE_GETREGSET and PTRACE_SETREGSET fail with EIO in this
// thread and its child processes.
func refuseRegsets() error {
	const (
		offNumber, offArch, offRequest = 0, 4, 16 // in struct seccomp_data
		refuse                         = unix.SECCOMP_RET_ERRNO | uint32(unix.EIO)
	)
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: k, Jt: yes, Jf: no}
	}
	answer := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	program := []unix.SockFilter{
		load(offArch), equal(unix.AUDIT_ARCH_X86_64, 0, 5),
		load(offNumber), equal(unix.SYS_PTRACE, 0, 3),
		load(offRequest), equal(unix.PTRACE_GETREGSET, 2, 0), equal(unix.PTRACE_SETREGSET, 1, 0),
		answer(unix.SECCOMP_RET_ALLOW),
		answer(refuse),
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	f := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&f)), 0, 0)
}
