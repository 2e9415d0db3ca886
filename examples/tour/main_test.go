package main

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

var update = flag.Bool("update", false, "write what each section prints to testdata/*.out, to be read as a diff")

func TestSectionPrintsItsResult(t *testing.T) {
	for _, s := range sections {
		t.Run(s.name, func(t *testing.T) {
			var b bytes.Buffer
			require.NoError(t, s.show(&b))
			b = *bytes.NewBufferString(strings.TrimPrefix(b.String(), noMulticast+"\n"))
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
	require.EqualError(t, run(&out, &errs, []string{"other"}), `unknown section "other" (known: good, bad)`)
	require.ErrorIs(t, run(&out, &errs, []string{"-h"}), flag.ErrHelp)
	require.Contains(t, errs.String(), "sections: good, bad")
}

// TestToursAtTheSameTime runs the section that uses sockets several times concurrently: all of
// them print the same, and so does the one in memory.
func TestToursAtTheSameTime(t *testing.T) {
	want, err := os.ReadFile(filepath.Join("testdata", "multicast.out"))
	require.NoError(t, err)
	var wg sync.WaitGroup
	out, errs := make([]bytes.Buffer, 3), make([]error, 3)
	for i := range out {
		wg.Go(func() { errs[i] = tourMulticast(&out[i]) })
	}
	wg.Wait()
	for i := range out {
		require.NoError(t, errs[i])
		require.Equal(t, string(want), strings.TrimPrefix(out[i].String(), noMulticast+"\n"))
	}
	var b bytes.Buffer
	p := place{network: mcsim.NewSwitch(1), group: netip.MustParseAddrPort("233.252.0.7:6000"), key: make([]byte, 32)}
	require.NoError(t, multicastStory(&b, t.TempDir(), p))
	require.Equal(t, string(want), b.String())
}

func TestPlacesDiffer(t *testing.T) {
	a, err := newPlace(multicast.UDP())
	require.NoError(t, err)
	b, err := newPlace(multicast.UDP())
	require.NoError(t, err)
	require.NotEqual(t, a.key, b.key)
	require.NotEqual(t, a.group, b.group)
	require.True(t, a.group.Addr().IsMulticast())
	require.NotEqual(t, multicast.DefaultGroup, a.group)
}

// TestForeignHostsAreAnError: a report may contain any name.
func TestForeignHostsAreAnError(t *testing.T) {
	for _, hosts := range [][]multicast.HostReport{{{Name: "web9"}}, make([]multicast.HostReport, 9)} {
		err := printReport(io.Discard, &multicast.Report{Hosts: hosts}, map[string]string{"web1": t.TempDir()})
		require.ErrorContains(t, err, "does not belong to the tour")
	}
}
