//go:build unix

package guest

import (
	"os/exec"
	"syscall"
)

// setGroup gives the guest, which is several processes, a group of its own, and kills
// the group when the guest is killed.
func setGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
