//go:build !linux

package console

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

func unsupported() error {
	return fmt.Errorf("consoles of guests on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

func openRaw(string) (*os.File, error) { return nil, unsupported() }

func gone(error) bool { return false }

func setSize(*os.File, uint16, uint16) error { return unsupported() }

// RawTerminal is for Linux.
func RawTerminal(*os.File) (restore func() error, err error) { return nil, unsupported() }

// NewPTY is for Linux.
func NewPTY() (master *os.File, d Device, err error) { return nil, d, unsupported() }
