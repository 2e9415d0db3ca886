package errtext_test

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/internal/errtext"
)

func TestErrorsBeginWithOnePackage(t *testing.T) {
	inner := errtext.Wrap("relp", "read", io.EOF)
	require.EqualError(t, inner, "relp: read: EOF")
	outer := errtext.Wrap("syslogw", "connect", inner)
	require.EqualError(t, outer, "syslogw: connect: read: EOF")
	require.ErrorIs(t, outer, io.EOF)
	require.Same(t, inner, errtext.Wrap("relp", "", inner))
	require.EqualError(t, errtext.Wrap("target", "", inner), "target: read: EOF")
	require.NoError(t, errtext.Wrap("relp", "read", nil))
	both := errtext.Join("syslogw", []error{inner, errors.New("other")})
	require.EqualError(t, both, "syslogw: read: EOF\nother")
	require.ErrorIs(t, both, inner)
	require.NoError(t, errtext.Join("syslogw", nil))
}
