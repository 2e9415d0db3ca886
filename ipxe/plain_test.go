package ipxe

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEightBytesAtATimeJudgeAsOne: each byte, at each place of words of several lengths.
func TestEightBytesAtATimeJudgeAsOne(t *testing.T) {
	for _, size := range []int{1, 7, 8, 9, 16, 23} {
		for at := range size {
			for c := range 256 {
				for _, next := range []byte("a{~!\x01\x80") {
					b := bytes.Repeat([]byte("a"), size)
					if b[at] = byte(c); at+1 < size {
						b[at+1] = next
					}
					word, plain, url := string(b), true, true
					for i, x := range b {
						plain = plain && (plainByte[x] || x == '$' && (i+1 == size || b[i+1] != '{'))
						url = url && urlByte[x]
					}
					require.Equal(t, plain, plainBytes(word), "%q", word)
					var build Builder
					build.urlText("x", word)
					require.Equal(t, url, build.Err() == nil, "%q", word)
				}
			}
		}
	}
}
