package ranges

import (
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// bits is a set as the plainest model of it.
type bits [200]bool

func (b *bits) set() Set {
	var list []Range
	for i, on := range b {
		if on {
			list = append(list, Range{uint64(i), uint64(i) + 1})
		}
	}
	return Of(list)
}

func TestSetsAgreeWithBits(t *testing.T) {
	r := oracle.Rand(t)
	for range oracle.N(3000, 100000) {
		var a, b, union, minus bits
		var added Set
		for range r.IntN(8) {
			start := r.IntN(190)
			end := start + r.IntN(200-start)
			for i := start; i < end; i++ {
				a[i] = true
			}
			added.Add(Range{uint64(start), uint64(end)})
		}
		for i := range b {
			b[i] = r.IntN(4) == 0
			union[i], minus[i] = a[i] || b[i], a[i] && !b[i]
		}
		sa, sb := a.set(), b.set()
		require.Equal(t, sa, added)
		require.Equal(t, union.set(), sa.Union(sb))
		require.Equal(t, minus.set(), sa.Minus(sb))
		back, rest, err := Parse(append(sa.Append(nil), 7), 200)
		require.NoError(t, err)
		require.Equal(t, []byte{7}, rest)
		require.True(t, len(sa) == len(back) && len(sa.Minus(back)) == 0)

		m := NewMap(sb)
		var want []uint64 // the set's position of each position of the stream
		for i, on := range b {
			if on {
				want = append(want, uint64(i))
			}
		}
		require.Equal(t, uint64(len(want)), m.Size())
		from := uint64(r.IntN(100))
		to := from + uint64(r.IntN(100))
		var got []uint64
		require.NoError(t, m.Pieces(Range{from, to}, func(at uint64, p Range) error {
			require.Equal(t, from+uint64(len(got)), at)
			for i := p.Start; i < p.End; i++ {
				got = append(got, i)
			}
			return nil
		}))
		require.Equal(t, append([]uint64(nil), want[min(from, uint64(len(want))):min(to, uint64(len(want)))]...), got)
		var stream bits
		for at, i := range want {
			stream[at] = a[i]
		}
		require.Equal(t, stream.set(), m.Stream(sa))
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{2, 1, 5, 3, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, rest, err := Parse(b, 1<<40)
		if err != nil {
			return
		}
		again, _, err := Parse(s.Append(nil), 1<<40)
		require.NoError(t, err)
		require.Equal(t, s, again)
		require.LessOrEqual(t, len(rest), len(b))
	})
}
