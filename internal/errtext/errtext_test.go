package errtext_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/errtext"
)

const errs = errtext.Package("pkg")

var errGone = errs.New("the file is gone")

func TestThePackageIsNamedOnce(t *testing.T) {
	require.EqualError(t, errGone, "pkg: the file is gone")
	err := errs.Errorf("read %q: %w", "pkg: x", errGone)
	require.EqualError(t, err, `pkg: read "pkg: x": the file is gone`)
	require.ErrorIs(t, err, errGone)
	err = errs.Errorf("line %d: %w (%w)", 7, err, io.EOF)
	require.EqualError(t, err, `pkg: line 7: read "pkg: x": the file is gone (EOF)`)
	require.ErrorIs(t, err, errGone)
	require.ErrorIs(t, err, io.EOF)
	require.NotErrorIs(t, errs.Errorf("shown only: %v", io.EOF), io.EOF)
}

func TestWrap(t *testing.T) {
	require.NoError(t, errs.Wrap(nil))
	require.Same(t, errGone, errs.Wrap(errGone))
	err := errs.Wrap(io.ErrUnexpectedEOF)
	require.EqualError(t, err, "pkg: unexpected EOF")
	require.True(t, errors.Is(err, io.ErrUnexpectedEOF))
	require.Equal(t, "unexpected EOF", errs.Trim(err))
}
