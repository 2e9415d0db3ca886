package keepalived

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSchemaHasEveryKeyword compares the schema with the recorded table.
func TestSchemaHasEveryKeyword(t *testing.T) {
	text, err := os.ReadFile("testdata/blocks.tsv")
	require.NoError(t, err)
	s := theSchema()
	n := 0
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		f := strings.Split(strings.TrimRight(line, "\n"), "\t")
		b := s.blocks[f[0]]
		require.NotNil(t, b, f[0])
		k := b.keys[f[1]]
		require.NotNil(t, k, "%s / %s", f[0], f[1])
		require.Equal(t, f[2], "v"+k.since.String(), "%s / %s", f[0], f[1])
		until := ""
		if k.until != (Version{}) {
			until = "v" + k.until.String()
		}
		require.Equal(t, f[3], until, "%s / %s", f[0], f[1])
		require.Equal(t, f[4] == "q", k.kind == kindScript, "%s / %s", f[0], f[1])
		n++
	}
	total := 0
	for _, b := range s.blocks {
		total += len(b.list)
	}
	require.Equal(t, n, total)
}
