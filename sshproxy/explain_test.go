package sshproxy

import (
	"context"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func explained(e Explanation) (list []string) {
	for _, s := range e.Set {
		list = append(list, fmt.Sprintf("set %s pass %d under %q", s, s.Pass, s.Block))
	}
	for _, s := range e.Shadowed {
		list = append(list, fmt.Sprintf("shadowed %s", s))
	}
	for _, s := range e.Blocked {
		list = append(list, fmt.Sprintf("blocked %s: %s", s, s.Why))
	}
	return list
}

func TestExplainNamesTheLineOfEachValue(t *testing.T) {
	r := newChain("User first\nHost web\n  Port 1\nHost h !x\n  Port 2\n  User second\nHost * !h\n  Port 3\nMatch host other user root\n  Port 4\n" +
		"Match final\n  Port 5\n  Compression yes\nHost nothing\n  Include more\nHost h\n  SendEnv A\n  SendEnv B\n  ProxyJump b\n  ProxyCommand none\n")
	r.Files = FS(fstest.MapFS{"cfg": {Data: mustRead(r, "cfg")}, "root/.ssh/more": {Data: []byte("Host h\n Port 6\n")}})
	res, err := r.Resolve(context.Background(), Target{Host: "h", Options: []string{"LogLevel=ERROR"}})
	require.NoError(t, err)
	for _, row := range []struct {
		option, value string
		want          []string
	}{
		{"Port", "2", []string{
			`set cfg:5 pass 1 under "Host h !x"`, "shadowed cfg:12",
			`blocked cfg:3: no pattern matches "h"`, `blocked cfg:8: "h" is excluded by !h`, `blocked cfg:10: host other, and it is "h"`,
			"blocked /root/.ssh/more:2: the Include stands in a block that does not match",
		}},
		{"user", "first", []string{`set cfg:1 pass 1 under ""`, "shadowed cfg:6"}},
		{"Compression", "yes", []string{`set cfg:13 pass 2 under "Match final"`}},
		{"SendEnv", "A", []string{`set cfg:17 pass 1 under "Host h"`, `set cfg:18 pass 1 under "Host h"`}},
		{"ProxyJump", "b", []string{`set cfg:19 pass 1 under "Host h"`, "shadowed cfg:20"}},
		{"LogLevel", "ERROR", []string{`set command-line pass 0 under ""`}},
		{"Ciphers", res.Get("Ciphers"), nil},
	} {
		t.Run(row.option, func(t *testing.T) {
			e, err := res.Explain(row.option)
			require.NoError(t, err)
			require.Equal(t, row.want, explained(e))
			require.Equal(t, row.value, e.Values[0])
			if s, ok := res.Origin(row.option); ok {
				require.Equal(t, e.Set[len(e.Set)-1].String(), s.String())
			} else {
				require.Empty(t, e.Set)
			}
		})
	}
	_, err = res.Explain("Frobnicate")
	require.ErrorContains(t, err, "knows no option")
	all, err := res.ExplainAll()
	require.NoError(t, err)
	require.Equal(t, "User", all[0].Option)
}

func mustRead(r *Resolver, name string) []byte {
	f, err := r.Files.Open(name)
	if err != nil {
		panic(err)
	}
	b := make([]byte, 1<<16)
	n, _ := f.Read(b)
	return b[:n]
}
