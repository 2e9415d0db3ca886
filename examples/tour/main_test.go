package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what each section prints to testdata/*.out, to be read as a diff")

func TestSectionPrintsItsVerdict(t *testing.T) {
	for _, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, s.show(&b))
			golden := filepath.Join("testdata", s.name+".out")
			if *update {
				require.NoError(t, os.WriteFile(golden, b.Bytes(), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
			for line := range strings.Lines(b.String()) {
				require.LessOrEqual(t, len(line), 140, "fits a terminal: %s", line)
			}
		})
	}
}

func TestRunNamesTheSectionThatFails(t *testing.T) {
	saved := sections
	t.Cleanup(func() { sections = saved })
	sections = []section{
		{"good", func(w io.Writer) error { _, err := io.WriteString(w, "fine\n"); return err }},
		{"bad", func(io.Writer) error { return errors.New("the disk is cold") }},
	}
	var out, errs bytes.Buffer
	require.EqualError(t, run(&out, &errs, nil), "section bad: the disk is cold")
	require.Equal(t, "== good\nfine\n\n== bad\n", out.String())

	out.Reset()
	require.NoError(t, run(&out, &errs, []string{"good"}))
	require.Equal(t, "== good\nfine\n", out.String())
	require.EqualError(t, run(&out, &errs, []string{"other"}), `there is no section "other"; there are good, bad`)
	require.ErrorIs(t, run(&out, &errs, []string{"-h"}), flag.ErrHelp)
	require.Contains(t, errs.String(), "sections: good, bad")
}
