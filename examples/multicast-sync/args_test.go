package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func parseSend(args ...string) (paths []string, dry bool, to list, rules []string, err error) {
	s := &sender{}
	f := flag.NewFlagSet("send", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.BoolVar(&dry, "n", false, "")
	f.Var(&to, "t", "")
	s.ruleFlags(f)
	paths, err = parseAnywhere(f, args)
	return paths, dry, to, s.rules, err
}

// TestFlagsAreHonouredAnywhere: a flag after a path is a flag; "--" ends them.
func TestFlagsAreHonouredAnywhere(t *testing.T) {
	paths, dry, to, _, err := parseSend("a", "-n", "b", "-t", "h", "--t=--", "--", "-x")
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "-x"}, paths)
	require.True(t, dry)
	require.Equal(t, list{"h", "--"}, to)
	for _, bad := range [][]string{{"a", "-nosuch"}, {"a", "-t"}, {"a", "-n=maybe"}} {
		_, _, _, _, err := parseSend(bad...)
		require.Error(t, err, "%q", bad)
	}
}

// TestRuleFlagsKeepTheirOrder reads rules as rsync does.
func TestRuleFlagsKeepTheirOrder(t *testing.T) {
	name := filepath.Join(t.TempDir(), "rules")
	require.NoError(t, os.WriteFile(name, []byte("; c\r\n# c\n\n- *.log\n+ keep\nplain\n!\n"), 0o600))
	_, _, _, rules, err := parseSend("-include", "a", "-exclude-from", name, "-exclude", "+ b", "-filter", "- c", "-filter", "clear", "-include-from", name)
	require.NoError(t, err)
	require.Equal(t, []string{"+ a", "- *.log", "+ keep", "- plain", "!", "+ b", "- c", "!", "- *.log", "+ keep", "+ plain", "!"}, rules)
	for _, bad := range []string{"", "x", ": .rules", "-s a", "hide a", ". /no/such/file"} {
		_, _, _, _, err := parseSend("-filter", bad)
		require.Error(t, err, bad)
	}
}

// TestAbsolutePathsAreRelativeToADirectory as with rsync and scp.
func TestAbsolutePathsAreRelativeToADirectory(t *testing.T) {
	for _, row := range []struct {
		dir   string // of -C
		paths []string
		want  string // the directory; "" is an error
		rel   []string
	}{
		{"", []string{"/srv/www"}, "/srv", []string{"www"}},
		{"", []string{"/srv/www/", "/srv/b"}, "/srv", []string{"www", "b"}},
		{"/srv", []string{"/srv/www/x", "y"}, "/srv", []string{"www/x", "y"}},
		{"", []string{"/srv/www", "b"}, "", nil},
		{"", []string{"/"}, "", nil},
		{"/srv", []string{"/etc/passwd"}, "", nil},
	} {
		s := &sender{common: common{stderr: &bytes.Buffer{}}, dir: ".", dirSet: row.dir != ""}
		if row.dir != "" {
			s.dir = row.dir
		}
		s.o.Paths = append([]string{}, row.paths...)
		err := s.absolute()
		if row.want == "" {
			require.Error(t, err, "%q", row.paths)
			continue
		}
		require.NoError(t, err, "%q", row.paths)
		require.Equal(t, row.want, s.dir)
		require.Equal(t, row.rel, s.o.Paths)
	}
}
