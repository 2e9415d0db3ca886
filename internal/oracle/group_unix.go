//go:build unix

package oracle

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the command the leader of a new process group, which is killed as a
// whole after the time limit.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
