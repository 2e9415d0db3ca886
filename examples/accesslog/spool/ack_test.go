package spool

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFailedAckKeepsTheOtherSlot has a write that fails: the next one must not go to the slot
// that is still valid.
func TestFailedAckKeepsTheOtherSlot(t *testing.T) {
	name := filepath.Join(t.TempDir(), "acked")
	a, _, err := openAck(name)
	require.NoError(t, err)
	require.NoError(t, a.write(Position{1, 8}))
	before := a.turn
	require.NoError(t, a.f.Close())
	require.Error(t, a.write(Position{1, 20}))
	a.f, err = os.OpenFile(name, os.O_RDWR, 0)
	require.NoError(t, err)
	defer a.f.Close()
	require.NoError(t, a.write(Position{1, 30}))
	require.Equal(t, before+1, a.turn, "the slot of the failed write")
	again, at, err := openAck(name)
	require.NoError(t, err)
	defer again.f.Close()
	require.Equal(t, Position{1, 30}, at)
}
