// Package errtext makes errors that begin with the name of their package exactly
// once.
//
// A package declares its name and uses it for every error that it returns:
//
//	const errs = errtext.Package("smart")
//
//	var ErrNoData = errs.New("no data")
//
//	return errs.Errorf("read %s: %w", name, ErrNoData) // smart: read a.txt: no data
//
// All functions are safe for concurrent use by multiple goroutines.
package errtext

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Package is the name of a package as its errors show it.
type Package string

// New returns an error with the name of the package and the text.
func (p Package) New(text string) error { return errors.New(p.prefix() + text) }

// Errorf returns an error with the name of the package and the formatted text. An
// argument that is an error and begins with the name of the package is formatted
// without the name. Errorf wraps the arguments of %w like fmt.Errorf.
func (p Package) Errorf(format string, args ...any) error {
	bare := slices.Clone(args)
	for i, a := range bare {
		if err, ok := a.(error); ok {
			bare[i] = text{p.Trim(err)}
		}
	}
	return &wrapped{text: p.prefix() + fmt.Errorf(format, bare...).Error(), err: fmt.Errorf(format, args...)}
}

// Wrap returns err with the name of the package in front. If err is nil or begins
// with the name, Wrap returns err.
func (p Package) Wrap(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), p.prefix()) {
		return err
	}
	return p.Errorf("%w", err)
}

// Trim returns the text of err without the name of the package.
func (p Package) Trim(err error) string { return strings.TrimPrefix(err.Error(), p.prefix()) }

func (p Package) prefix() string { return string(p) + ": " }

// text is an error that consists of a text.
type text struct{ s string }

func (t text) Error() string { return t.s }

// wrapped is an error with a text of its own. The error that it contains has the
// same causes.
type wrapped struct {
	text string
	err  error
}

func (w *wrapped) Error() string { return w.text }

func (w *wrapped) Unwrap() error { return w.err }
