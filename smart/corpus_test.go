package smart_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/smart"
)

// temperatureLine finds a temperature as a reader of the file would.
var temperatureLine = regexp.MustCompile(`(?m)^(?:\s*19[04] \S+\s.*\s-\s+(\d+)|Temperature:\s+(\d+) Cel|Current Drive Temperature:\s+([1-9]\d*) C|Current temperature = (\d+))`)

// TestPublicCorpusParses reads every file of the corpus: the drive is named, its
// temperature is found where the file shows one, and no line is left without a reader.
func TestPublicCorpusParses(t *testing.T) {
	dir := oracle.Corpus(t, "smart")
	files := 0
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "SOURCES" {
			return err
		}
		files++
		rel, _ := filepath.Rel(dir, name)
		t.Run(rel, func(t *testing.T) {
			b, err := os.ReadFile(name)
			require.NoError(t, err)
			list, err := smart.ParseBytes(b, nil)
			if strings.Contains(rel, "_scan_") {
				require.ErrorIs(t, err, smart.ErrScan)
				return
			}
			require.NoError(t, err)
			require.NotEmpty(t, list)
			for _, s := range list {
				checkCorpus(t, rel, b, s)
			}
		})
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, files, 100)
}

func checkCorpus(t *testing.T, rel string, b []byte, s *smart.Snapshot) {
	for _, w := range s.Warnings {
		t.Errorf("%s", w)
	}
	if s.Exit.OK && s.Exit.V&(smart.ExitUsage|smart.ExitOpen) != 0 {
		require.NotEmpty(t, s.Messages)
		return
	}
	if bytes.Contains(b, []byte(`"model_name"`)) || bytes.Contains(b, []byte("START OF INFORMATION")) {
		require.NotEmpty(t, s.Identity.Model)
	}
	if bytes.Contains(b, []byte(`"serial_number"`)) || bytes.Contains(bytes.ToLower(b), []byte("\nserial number:")) {
		require.NotEmpty(t, s.Identity.Serial)
	}
	if m := temperatureLine.FindSubmatch(b); m != nil {
		require.True(t, s.Temp.Current.OK, "%s", m[0])
	}
	if bytes.Contains(b, []byte("result: PASSED")) && !bytes.Contains(b, []byte("based on an Attribute check")) {
		require.Equal(t, smart.Passed, s.Health.Status)
	}
	require.True(t, !s.Temp.Current.OK || s.Temp.Current.C > -40 && s.Temp.Current.C < 110, "%v", s.Temp.Current)
}
