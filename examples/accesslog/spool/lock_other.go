//go:build !unix

package spool

import (
	"errors"
	"fmt"
	"os"
)

// lock: without flock nothing keeps a second process out, so there is no spool.
func lock(string) (*os.File, error) {
	return nil, fmt.Errorf("a spool on this system: %w", errors.ErrUnsupported)
}
