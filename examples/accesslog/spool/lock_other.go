//go:build !unix

package spool

import (
	"errors"
	"fmt"
	"os"
)

// lock fails: without flock(2) a second process could use the same directory.
func lock(string) (*os.File, error) {
	return nil, fmt.Errorf("not supported on this system: %w", errors.ErrUnsupported)
}
