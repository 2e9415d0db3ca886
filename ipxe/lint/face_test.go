package lint_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
)

func TestLintEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	list, err := lint.Script(ctx, ipxe.Parse("boot.ipxe", []byte("#!ipxe\nfrob\n")), lint.Options{})
	require.EqualError(t, err, "lint: check boot.ipxe: context canceled")
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, list)
	list, err = lint.DHCP(ctx, "dhcpd.conf", []byte(`filename "undionly.kpxe";`), lint.Options{})
	require.EqualError(t, err, "lint: check dhcpd.conf: context canceled")
	require.Nil(t, list)
}

func TestTheZeroProfileIsTheNewest(t *testing.T) {
	s := ipxe.Parse("x", []byte("#!ipxe\nimgextract http://h/x || goto y\nfrob\n"))
	zero, err := lint.Script(t.Context(), s, lint.Options{})
	require.NoError(t, err)
	newest, err := lint.Script(t.Context(), s, lint.Options{Profile: ipxe.Newest()})
	require.NoError(t, err)
	require.Equal(t, newest, zero)
	old, err := lint.Script(t.Context(), s, lint.Options{Profile: ipxe.Debian2019()})
	require.NoError(t, err)
	require.NotEqual(t, old, zero)
}

func TestRulesAreFreshAndSorted(t *testing.T) {
	list := lint.Rules()
	for i, r := range list {
		require.True(t, i == 0 || list[i-1].ID < r.ID, r.ID)
	}
	list[0].ID = "changed"
	require.NotEqual(t, "changed", lint.Rules()[0].ID)
}
