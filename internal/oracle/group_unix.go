//go:build unix

package oracle

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the command in a process group of its own and kills that group,
// not the command alone, when its time is over.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
