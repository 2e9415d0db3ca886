//go:build unix

package guest

import (
	"os/exec"
	"syscall"
)

// setGroup creates a process group for the guest, which consists of several processes. When the
// guest is killed, the whole group is killed.
func setGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
