//go:build !linux

package device

import (
	"errors"
)

// Open is for Linux alone. The error wraps [errors.ErrUnsupported].
func Open(path string) (*Device, error) {
	return nil,
		errs.Errorf("%s: reading a device is implemented for Linux, give the output of smartctl instead: %w", path,
			errors.ErrUnsupported)
}
