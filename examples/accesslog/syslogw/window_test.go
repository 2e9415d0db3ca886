package syslogw

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func sized(n int) []byte { return []byte(strings.Repeat("x", n)) }

func yes(int) bool { return true }

func TestWindowCountsWhatIsSentAgain(t *testing.T) {
	var w window
	require.Zero(t, w.sent([][]byte{sized(1), sized(2), sized(3)}))
	require.Len(t, w.settle(1, yes), 1)
	require.Nil(t, w.ended(true))
	require.Equal(t, 2, w.sent([][]byte{sized(2), sized(3), sized(4)}), "two of them were sent on the connection before")
	require.Len(t, w.settle(3, yes), 3)
	require.Equal(t, 4, w.largest)
	require.Zero(t, w.sent([][]byte{sized(5)}))
}

// TestWindowFindsTheMessageThatEndsConnections has a row for each sequence of connections. A
// row lists the sizes of the messages that are sent, and how many of them are acknowledged
// before the collector closes the connection.
func TestWindowFindsTheMessageThatEndsConnections(t *testing.T) {
	type connection struct {
		sizes  []int
		acked  int
		byPeer bool
	}
	end := func(acked int, sizes ...int) connection { return connection{sizes, acked, true} }
	for _, row := range []struct {
		name        string
		connections []connection
		culprit     int // the number of the connection that settles it, from 1; 0 for none
	}{
		{"sent alone and still closed", []connection{end(1, 50, 6000, 51), end(0, 6000, 51), end(0, 6000)}, 0},
		{"three strikes, alone at the end", []connection{end(0, 6000, 51), end(0, 6000, 51), end(0, 6000)}, 3},
		{"progress in between", []connection{end(0, 6000, 51), end(1, 6000, 51), end(0, 51), end(0, 51)}, 0},
		{"a small message is not the reason", []connection{end(0, 300), end(0, 300), end(0, 300), end(0, 300)}, 0},
		{"a larger one was accepted", []connection{end(1, 7000, 6000), end(0, 6000), end(0, 6000), end(0, 6000)}, 0},
		{"our own end does not count", []connection{{[]int{6000}, 0, false}, {[]int{6000}, 0, false}, {[]int{6000}, 0, false}}, 0},
		{"another message at the head", []connection{end(0, 6000), end(0, 6000), end(0, 6001), end(0, 6001), end(0, 6001)}, 5},
	} {
		t.Run(row.name, func(t *testing.T) {
			var w window
			for i, c := range row.connections {
				for _, size := range c.sizes {
					if w.limit(128) > 0 {
						w.sent([][]byte{sized(size)})
					}
				}
				w.settle(c.acked, yes)
				culprit := w.ended(c.byPeer)
				require.Equal(t, i+1 == row.culprit, culprit != nil, "connection %d", i+1)
				if culprit != nil {
					require.Len(t, culprit, c.sizes[0])
					w.giveUp()
					require.Equal(t, 128, w.limit(128))
				}
			}
		})
	}
}
