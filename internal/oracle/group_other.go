//go:build !unix

package oracle

import "os/exec"

// ownGroup does nothing. On this system only the command itself is killed.
func ownGroup(*exec.Cmd) {}
