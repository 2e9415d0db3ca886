package sshproxy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestLintReadsTheIncludeTree: what ssh refuses is found in the file and line that ssh names.
func TestLintReadsTheIncludeTree(t *testing.T) {
	for _, row := range []struct{ name, text, included, want string }{
		{"bad line", "Include /x/more\nHost *\n  Port 22\n", "Host b\n  Port 99999\n", "/x/more:2:1: error: the client refuses a line of an included file: Bad port '99999'. [SP205]"},
		{"unknown keyword", "Include /x/more\n", "Host b\n  Nonsense 1\n", "/x/more:2:1: error"},
		{"first IgnoreUnknown wins", "Include /x/more\nIgnoreUnknown UseKeychain\nHost *\n  UseKeychain yes\n", "IgnoreUnknown Foo\n", "cfg:4:3: error"},
		{"good", "Include /x/more\nHost *\n  Port 22\n", "Host b\n  Port 9\n", ""},
		{"port of a service", "Port ssh\nInclude /x/more\n", "Host b\n  Port ssh\n", ""},
		{"ignored", "IgnoreUnknown UseKeychain\nInclude /x/more\n", "UseKeychain yes\n", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := &Resolver{
				Profile: mustProfile("9.2p1-debian"), Local: Local{User: "root", Home: "/root", Hostname: "vm"},
				Files: Memory(map[string][]byte{"/x/more": []byte(row.included)}),
			}
			list, err := Lint(t.Context(), LintInput{Files: []*File{Parse("cfg", []byte(row.text))}}, LintOptions{Resolver: r})
			require.NoError(t, err)
			var lines []string
			for _, f := range list {
				if f.Rule == "SP205" {
					lines = append(lines, f.String())
				}
			}
			if row.want == "" {
				require.Empty(t, lines)
				return
			}
			require.Len(t, lines, 1, "%v", list)
			require.True(t, strings.HasPrefix(lines[0], row.want), lines[0])
		})
	}
}
