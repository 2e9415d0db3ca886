package sshproxy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// profileOf is the profile of the client under test.
func profileOf(t *testing.T, tool oracle.Found) Profile {
	t.Helper()
	p, err := ParseProfile(tool.Version)
	require.NoError(t, err)
	return p
}

// TestResolverAgreesWithSSH asks the installed client and the resolver the same random
// questions: exit status, every line of -G, every line of stderr.
func TestResolverAgreesWithSSH(t *testing.T) {
	oracle.Slow(t)
	tool := sshTool.Need(t)
	p := profileOf(t, tool)
	seeds := oracle.Rand(t)
	n := oracle.N(300, 5000)
	cases := make([]sshCase, n)
	for i := range cases {
		seed := seeds.Uint64()
		cases[i] = newGenerator(rand.New(rand.NewPCG(seed, 1)), p).oneCase()
		cases[i].seed = fmt.Sprintf("case %d, seed %d", i, seed)
	}
	compareAll(t, tool, p, cases)
}

func compareAll(t *testing.T, tool oracle.Found, p Profile, cases []sshCase) {
	t.Helper()
	answers := batch(t, tool, cases)
	refused, different := 0, 0
	for i, c := range cases {
		got := ours(t, p, c, i)
		want := answers[i]
		if want.status != 0 {
			refused++
		}
		if diff := difference(want, got); diff != "" {
			different++
			if different <= 10 || os.Getenv("DOUGU_ALL") != "" {
				t.Errorf("%s: %s\n%s", c.seed, diff, show(c))
			}
		}
	}
	require.Zero(t, different, "%d of %d cases differ", different, len(cases))
	t.Logf("%d cases, of which the client refuses %d", len(cases), refused)
	oracle.Compared(t, tool, len(cases))
}

func show(c sshCase) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ssh -G %q  env %q system %v\n", c.args, c.env, c.system)
	for name, text := range c.files {
		fmt.Fprintf(&b, "--- %s\n%q\n%s\n", name, text, text)
	}
	return b.String()
}

// difference names the first thing in which two answers differ.
func difference(want, got sshAnswer) string {
	if strings.HasPrefix(strings.Join(want.errs, ""), "usage:") {
		want.errs, got.errs = nil, nil
	}
	switch {
	case want.status != got.status:
		return fmt.Sprintf("status %d, ours %d\nssh:  %q\nours: %q", want.status, got.status, want.errs, got.errs)
	case strings.Join(want.errs, "\n") != strings.Join(got.errs, "\n"):
		return fmt.Sprintf("stderr\nssh:  %q\nours: %q", want.errs, got.errs)
	}
	a, b := strings.Split(want.out, "\n"), strings.Split(got.out, "\n")
	for i := range max(len(a), len(b)) {
		x, y := "", ""
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			return fmt.Sprintf("line %d\nssh:  %q\nours: %q", i+1, x, y)
		}
	}
	return ""
}
