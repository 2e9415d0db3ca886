package keepalived

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestQuick(t *testing.T) {
	j := newJudge(t)
	files, _ := filepath.Glob("/work/shared/corpus/keepalived/*/*")
	var texts, names []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		texts = append(texts, string(b))
		names = append(names, filepath.Base(f))
	}
	rs := j.rule(t, texts)
	for i, r := range rs {
		ok, why := j.verdict("f", texts[i])
		if ok != r.ok() {
			t.Errorf("%s: real %d, ours %v\nreal: %s\nours: %s", names[i], r.status, ok, r.text, why)
		}
	}
}
