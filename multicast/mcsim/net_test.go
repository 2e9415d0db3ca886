package mcsim

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	n := New(Options{Seed: 1, Receivers: 4, Content: 4 << 20, Loss: 0.01, Delay: 100 * time.Microsecond, Link: 300e6, Rate: 300e6, Hello: true})
	n.Trace(os.Stdout)
	require.NoError(t, n.Send())
	require.NoError(t, n.Run(10*time.Second))
	t.Logf("%+v", n.Stats())
	require.NoError(t, n.Err())
}
