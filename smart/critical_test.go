package smart

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCriticalWarningAsText reads the byte in each form in which JSON of nvme-cli, smartctl
// or a program after them contains it.
func TestCriticalWarningAsText(t *testing.T) {
	for text, want := range map[string]uint8{`4`: 4, `"4"`: 4, `"0x04"`: 4, `{"value":4}`: 4, `{"value":4,"ro":true}`: 12, `0`: 0} {
		var c jsonCritical
		require.NoError(t, c.UnmarshalJSON([]byte(text)))
		require.Equal(t, Some(want), c.v, text)
		require.False(t, c.odd, text)
	}
	for _, text := range []string{`"0x104"`, `-1`, `"x"`, `[]`} {
		var c jsonCritical
		require.NoError(t, c.UnmarshalJSON([]byte(text)))
		require.False(t, c.v.OK, text)
		require.True(t, c.odd, text)
	}
}
