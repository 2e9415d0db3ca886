//go:build !linux || !amd64

package guest

import "os/exec"

func fewRegisters() bool { return false }

// run starts a guest, says whether it has started, and waits for its end.
func run(cmd *exec.Cmd, started chan<- error) {
	err := cmd.Start()
	started <- err
	if err == nil {
		cmd.Wait() // how it ends is its own matter: now and then a halted guest aborts
	}
}
