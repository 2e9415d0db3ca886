package multicast

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast/internal/fec"
)

func emptyStore(symbol int) *store {
	return &store{n: &Node{}, symbol: symbol, blocks: map[uint32]*inBlock{}}
}

// TestSymbolsAreStoredWithoutAllocation once there is memory: the rest of a packet's
// way is TestDataCostsNoAllocation of wire.
func TestSymbolsAreStoredWithoutAllocation(t *testing.T) {
	const symbol = 1408
	s := emptyStore(symbol)
	payload := make([]byte, symbol)
	block := func() {
		for i := range uint8(fec.K - 2) {
			s.Symbol(7, i, fec.K, payload)
		}
		s.Symbol(7, fec.K, fec.K, payload) // two of parity
		s.Symbol(7, fec.K+3, fec.K, payload)
		b := s.blocks[7]
		delete(s.blocks, 7)
		s.inUse = 0
		s.recycle(b, symbol)
	}
	block()
	require.Zero(t, testing.AllocsPerRun(100, block))
}

// TestReceiverMemoryIsBounded: blocks that never get whole fill the memory up to its
// limit, and then symbols are as good as lost.
func TestReceiverMemoryIsBounded(t *testing.T) {
	const symbol = 8896
	s := emptyStore(symbol)
	payload := make([]byte, symbol)
	n := uint32(0)
	for ; s.Room(); n++ {
		s.Symbol(n, 0, fec.K, payload)
		require.Less(t, n, uint32(1000))
	}
	require.LessOrEqual(t, s.inUse, int64(memoryLimit+fec.K*symbol))
	for i := range 300 { // and so does parity
		s.Symbol(0, uint8(fec.K+i%fec.MaxParity), fec.K, payload)
	}
	require.False(t, s.Room())
	for range 2 * freeBlocks { // what is kept for later is bounded too
		s.recycle(&inBlock{}, symbol)
	}
	require.Len(t, s.free, freeBlocks)
}
