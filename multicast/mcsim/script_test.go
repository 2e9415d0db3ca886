package mcsim

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the traces of the scripts to testdata/*.trace, to be read as a diff")

func TestScriptsGiveTheirTraces(t *testing.T) {
	list, err := filepath.Glob("testdata/*.mc")
	require.NoError(t, err)
	require.NotEmpty(t, list)
	for _, name := range list {
		t.Run(filepath.Base(name), func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			var b bytes.Buffer
			err = Run(bytes.NewReader(text), &b)
			golden := strings.TrimSuffix(name, ".mc") + ".trace"
			if *update {
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
			}
			require.NoError(t, err, "%s", b.Bytes())
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

func TestScriptErrorsHaveTheirLine(t *testing.T) {
	for script, want := range map[string]string{
		"loss 1":                             `mcsim: line 1: "loss 1": invalid share "1"`,
		"\nreceivers 2\nfly":                 `mcsim: line 3: "fly": unknown option`,
		"send\nat 1s crash r9":               `mcsim: line 2: "at 1s crash r9": missing node`,
		"send\nrun 1s\nexpect committed 7":   `mcsim: line 3: "expect committed 7": 1 receivers have committed`,
		"send\nrun 1s\nexpect error nothing": `mcsim: line 3: "expect error nothing": the error is <nil>`,
		"send\nreceivers 3":                  `unknown command, or not allowed after send`,
		"content -1":                         `invalid amount`,
		"delay 1":                            `missing unit`,
		"send\nat 1ms malicious r1 x":        `nacks, replay, forge or hellos`,
	} {
		err := Run(strings.NewReader(script), &bytes.Buffer{})
		require.ErrorContains(t, err, want, script)
	}
}

func FuzzRun(f *testing.F) {
	f.Add("receivers 2\ncontent 1KiB\nloss 5%\nsend\nat 1ms crash r1\nrun 2s\nexpect good\nprint stats")
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 200 || strings.Contains(script, "run for") || strings.Count(script, "run") > 2 || strings.Contains(script, "receivers") && !strings.Contains(script, "receivers 2\n") || strings.Contains(script, "content") && !strings.Contains(script, "content 1KiB\n") || strings.Contains(script, "h") {
			return // longer than a fuzz run should take
		}
		if err := Run(strings.NewReader(script), &bytes.Buffer{}); err != nil {
			require.NotErrorIs(t, err, errBroken)
		}
	})
}
