package syslogw_test

import (
	"context"
	"encoding"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/spool"
	"dougu.internal/examples/accesslog/syslogw"
)

type textValue interface {
	fmt.Stringer
	encoding.TextMarshaler
}

func TestEnumerationsHaveText(t *testing.T) {
	for _, row := range []struct {
		v    textValue
		back encoding.TextUnmarshaler
		want string
	}{
		{syslogw.FormatAuto, new(syslogw.Format), "auto"},
		{syslogw.RFC3164Local, new(syslogw.Format), "rfc3164-local"},
		{syslogw.RFC3164, new(syslogw.Format), "rfc3164"},
		{syslogw.RFC5424, new(syslogw.Format), "rfc5424"},
		{syslogw.Octet, new(syslogw.Framing), "octet"},
		{syslogw.LF, new(syslogw.Framing), "lf"},
		{syslogw.Facility(0), new(syslogw.Facility), "kern"},
		{syslogw.Facility(23), new(syslogw.Facility), "local7"},
		{syslogw.Severity(0), new(syslogw.Severity), "emerg"},
		{syslogw.Debug, new(syslogw.Severity), "debug"},
	} {
		text, err := row.v.MarshalText()
		require.NoError(t, err)
		require.Equal(t, row.want, string(text))
		require.Equal(t, row.want, row.v.String())
		require.NoError(t, row.back.UnmarshalText(text))
		require.Equal(t, row.v, reflect.ValueOf(row.back).Elem().Interface())
		require.Regexp(t, "^syslogw: ", row.back.UnmarshalText([]byte("X")).Error())
	}
	for _, v := range []textValue{syslogw.Format(9), syslogw.Framing(9), syslogw.Facility(24), syslogw.Severity(8)} {
		_, err := v.MarshalText()
		require.Error(t, err)
		require.Regexp(t, "^syslogw: ", err.Error())
	}
}

// TestErrorsOfOtherPackagesGetOnePrefix has a spool that is in use and one that is a file.
func TestErrorsOfOtherPackagesGetOnePrefix(t *testing.T) {
	dir := t.TempDir()
	s, err := spool.Open(dir, spool.Options{})
	require.NoError(t, err)
	defer s.Close()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	c := syslogw.Config{Ident: "a"}
	_, canceled := syslogw.Open(gone, c)
	c.Spool = dir
	_, locked := syslogw.Open(t.Context(), c)
	require.ErrorIs(t, locked, spool.ErrLocked)
	for _, err := range []error{canceled, locked} {
		require.Error(t, err)
		require.True(t, strings.HasPrefix(err.Error(), "syslogw: "), "%v", err)
		require.NotContains(t, err.Error(), "spool: ")
	}
}
