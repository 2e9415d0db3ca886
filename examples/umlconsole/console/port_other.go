//go:build !linux

package console

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func unsupported() error {
	return fmt.Errorf("console: not supported on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func openRaw(string) (*os.File, error) { return nil, unsupported() }

func gone(error) bool { return false }

func setSize(*os.File, uint16, uint16) error { return unsupported() }

// RawTerminal returns an error that wraps [errors.ErrUnsupported]: it is implemented on Linux only.
func RawTerminal(*os.File) (restore func() error, err error) { return nil, unsupported() }

// NewPTY returns an error that wraps [errors.ErrUnsupported]: it is implemented on Linux only.
func NewPTY() (master *os.File, d Device, err error) { return nil, d, unsupported() }
