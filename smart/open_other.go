//go:build !linux

package smart

import (
	"errors"
	"fmt"
)

// Open is for Linux alone. The error wraps [errors.ErrUnsupported].
func Open(path string) (*Device, error) {
	return nil, fmt.Errorf("%s: reading a device is implemented for Linux, give the output of smartctl instead: %w", path, errors.ErrUnsupported)
}
