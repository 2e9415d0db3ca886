package keepalived

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

func TestQuick(t *testing.T) {
	j := newJudge(t)
	r := oracle.Rand(t)
	m := mutator{r}
	n := 300
	fmt.Sscan(os.Getenv("QN"), &n)
	texts := append([]string{}, baseConfigs...)
	for len(texts) < n {
		texts = append(texts, m.mutate(baseConfigs[r.IntN(len(baseConfigs))]))
	}
	start := time.Now()
	rs := j.rule(t, texts)
	t.Log(time.Since(start))
	bad, notok := 0, 0
	for i, r := range rs {
		ok, why := j.verdict(fmt.Sprintf("%06d.conf", i), texts[i])
		if !r.ok() {
			notok++
		}
		if ok != r.ok() {
			bad++
			dir := os.Getenv("QDIR")
			if dir != "" {
				require.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.conf", i)), []byte(texts[i]), 0o644))
			}
			t.Errorf("%d: real %d, ours %v\nreal: %.600s\nours: %s", i, r.status, ok, r.text, why)
		}
	}
	t.Logf("%d of %d differ, %d not ok", bad, n, notok)
}
