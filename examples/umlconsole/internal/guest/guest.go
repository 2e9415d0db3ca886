// Package guest boots a small User Mode Linux guest for umlconsole and its tests. The guest has
// busybox in an initramfs and a shell on its console con1, which is a pseudo-terminal of the host.
package guest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Guest is a running guest.
type Guest struct {
	// Name is the umid of the guest.
	Name string
	// Dir is the uml_dir that contains the directory of the guest.
	Dir string
	// Log is the path of the boot log.
	Log string

	done chan struct{}
}

const initScript = `#!/bin/sh
mount -t devtmpfs none /dev
mount -t proc none /proc
echo the guest is up
( while :; do setsid sh -c 'exec sh </dev/tty1 >/dev/tty1 2>&1'; sleep 1; done ) &
while :; do sleep 1000; done
`

// withoutAVX disables AVX in the C library of the guest's programs, because such a guest can lose
// the AVX registers at a page fault.
const withoutAVX = "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX,-AVX2,-AVX512F,-AVX512VL,-AVX512BW,-AVX_Fast_Unaligned_Load"

// Find returns the paths of the programs that a guest requires. If one is missing, the error
// contains the name of the Debian package to install.
func Find() (linux, busybox string, err error) {
	linux, err = exec.LookPath("linux.uml")
	if err != nil {
		return "", "", errors.New("linux.uml is missing: install Debian package user-mode-linux")
	}
	busybox, err = exec.LookPath("busybox")
	if err != nil {
		return "", "", errors.New("busybox is missing: install Debian package busybox-static")
	}
	return linux, busybox, nil
}

// Boot starts a guest with its files in dir, which should have a short path. The guest is killed
// when ctx ends.
func Boot(ctx context.Context, dir string) (*Guest, error) {
	linux, busybox, err := Find()
	if err != nil {
		return nil, err
	}
	binary, err := os.ReadFile(busybox)
	if err != nil {
		return nil, err
	}
	entries := []entry{
		{"bin", modeDir, nil},
		{"dev", modeDir, nil},
		{"proc", modeDir, nil},
		{"bin/busybox", modeFile, binary},
		{"init", modeFile, []byte(initScript)},
	}
	for _, name := range []string{"sh", "mount", "setsid", "sleep", "echo", "uname", "cat", "halt", "stty", "head", "yes", "dd"} {
		entries = append(entries, entry{"bin/" + name, modeLink, []byte("busybox")})
	}
	initrd, err := archive(entries)
	if err != nil {
		return nil, err
	}
	g := &Guest{
		Name: "guest",
		Dir:  filepath.Join(dir, "uml"),
		Log:  filepath.Join(dir, "boot.log"),
		done: make(chan struct{}),
	}
	if err := os.WriteFile(filepath.Join(dir, "initrd.gz"), initrd, 0o644); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(g.Log, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	// Without a disk, zswap prints a trace at boot.
	cmd := exec.CommandContext(
		ctx,
		linux,
		"mem=96M",
		"umid="+g.Name,
		"uml_dir="+g.Dir,
		"initrd="+filepath.Join(dir, "initrd.gz"),
		"zswap.enabled=0",
		"con0=null,fd:1",
		"con1=pts",
		"con=null",
		"ssl=null",
	)
	if fewRegisters() {
		cmd.Args = append(cmd.Args, withoutAVX) // the kernel adds unknown parameters with "=" to the environment of init
	}
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	cmd.WaitDelay = time.Second
	setGroup(cmd)
	started := make(chan error, 1)
	go func() {
		run(cmd, started)
		close(g.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return g, nil
}

// Socket returns the path of the socket of the management console.
func (g *Guest) Socket() string { return filepath.Join(g.Dir, g.Name, "mconsole") }

// Done returns a channel that is closed when the guest has ended.
func (g *Guest) Done() <-chan struct{} { return g.done }

// Wait waits for the end of the guest.
func (g *Guest) Wait(limit time.Duration) error {
	select {
	case <-g.done:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("the guest has not ended within %v", limit)
	}
}
