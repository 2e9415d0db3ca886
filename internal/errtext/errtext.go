// Package errtext makes errors that start with the name of their package exactly
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
	"fmt"
	"slices"
	"strings"
)

// Package is the name of a package as its errors show it.
type Package string

// New returns an error with the name of the package and the text.
func (p Package) New(text string) error { return &wrapped{pkg: p, text: text} }

// Errorf returns an error with the name of the package and the formatted text. An
// argument that is an error is formatted without the name of its package, if its
// package is this one or uses errtext. Errorf wraps the arguments of %w like
// fmt.Errorf.
func (p Package) Errorf(format string, args ...any) error {
	bare := slices.Clone(args)
	for i, a := range bare {
		if err, ok := a.(error); ok {
			bare[i] = text{p.Trim(err)}
		}
	}
	return &wrapped{pkg: p, text: fmt.Errorf(format, bare...).Error(), err: fmt.Errorf(format, args...)}
}

// Wrap returns err with the name of the package in front. If err is nil or starts
// with the name, Wrap returns err.
func (p Package) Wrap(err error) error {
	if err == nil || strings.HasPrefix(err.Error(), p.prefix()) {
		return err
	}
	return p.Errorf("%w", err)
}

// Trim returns the text of err without the name of its package.
func (p Package) Trim(err error) string {
	if w, ok := err.(interface{ WithoutPackage() string }); ok {
		return w.WithoutPackage()
	}
	return strings.TrimPrefix(err.Error(), p.prefix())
}

func (p Package) prefix() string { return string(p) + ": " }

// text is an error that consists of a text.
type text struct{ s string }

func (t text) Error() string { return t.s }

// wrapped is an error of a package. The error that it contains has another text and
// the same causes.
type wrapped struct {
	pkg  Package
	text string
	err  error
}

func (w *wrapped) Error() string { return w.pkg.prefix() + w.text }

// WithoutPackage returns the text without the name of the package. An error of
// another package that wraps w can then start with the name of that package.
func (w *wrapped) WithoutPackage() string { return w.text }

func (w *wrapped) Unwrap() error { return w.err }
