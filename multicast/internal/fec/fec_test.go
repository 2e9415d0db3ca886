package fec

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

func block(k, size int, fill func([]byte)) [][]byte {
	data := make([][]byte, k)
	for i := range data {
		data[i] = make([]byte, size)
		fill(data[i])
	}
	return data
}

func TestAnyKSymbolsGiveTheOthers(t *testing.T) {
	r := oracle.Rand(t)
	fill := func(b []byte) {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
	var c Coder
	for range oracle.N(400, 20000) {
		k := 1 + r.IntN(K)
		data := block(k, 512, fill)
		parity := make([][]byte, MaxParity)
		// Parity that comes in pieces is the parity that comes at once.
		for first := 0; first < MaxParity; {
			n := min(1+r.IntN(70), MaxParity-first)
			out := block(n, 512, func([]byte) {})
			require.NoError(t, c.Encode(data, first, out))
			copy(parity[first:], out)
			first += n
		}
		keep := r.Perm(k + MaxParity)[:k]
		got, have := make([][]byte, k), make([][]byte, MaxParity)
		for _, s := range keep {
			if s < k {
				got[s] = data[s]
			} else {
				have[s-k] = parity[s-k]
			}
		}
		require.NoError(t, c.Rebuild(got, have))
		require.Equal(t, data, got)
	}
}

func TestParityIsWhatTheFormulaSays(t *testing.T) {
	// By long multiplication, apart from the tables.
	mul := func(a, b int) int {
		p := 0
		for ; b > 0; b >>= 1 {
			if b&1 == 1 {
				p ^= a
			}
			if a <<= 1; a >= 256 {
				a ^= polynomial
			}
		}
		return p
	}
	inv := func(a int) int {
		for x := 1; x < 256; x++ {
			if mul(a, x) == 1 {
				return x
			}
		}
		return 0
	}
	data := [][]byte{bytes.Repeat([]byte{1}, 64), bytes.Repeat([]byte{0x53}, 64), bytes.Repeat([]byte{0xFF}, 64)}
	out := block(MaxParity, 64, func([]byte) {})
	var c Coder
	require.NoError(t, c.Encode(data, 0, out))
	for i := range out {
		want := mul(inv(64+i), 1) ^ mul(inv((64+i)^1), 0x53) ^ mul(inv((64+i)^2), 0xFF)
		require.Equal(t, byte(want), out[i][7], "parity %d", i)
	}
}

func TestRebuildSaysWhenItCannot(t *testing.T) {
	var c Coder
	data := [][]byte{make([]byte, 64), nil, nil}
	require.ErrorIs(t, c.Rebuild(data, [][]byte{make([]byte, 64)}), ErrTooFew)
	require.Error(t, c.Encode(data[:1], 190, [][]byte{nil, nil}))
	require.Error(t, c.Encode(nil, 0, nil))
}

func BenchmarkEncode(b *testing.B) {
	data := block(K, 1408, func([]byte) {})
	out := block(1, 1408, func([]byte) {})
	var c Coder
	b.SetBytes(K * 1408)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Encode(data, 0, out); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRebuild(b *testing.B) {
	var c Coder
	data := block(K, 1408, func([]byte) {})
	parity := block(2, 1408, func([]byte) {})
	b.SetBytes(K * 1408)
	b.ReportAllocs()
	for b.Loop() {
		data[3], data[40] = nil, nil
		if err := c.Rebuild(data, parity); err != nil {
			b.Fatal(err)
		}
	}
}
