//go:build unix

package sshproxy

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// resolveFile resolves host h with files of the machine.
func resolveFile(t *testing.T, name string) (*Result, error) {
	t.Helper()
	l := localOf(t)
	l.HomeEnv = filepath.Dir(name)
	r := &Resolver{Profile: mustProfile("9.2p1-debian"), Config: name, Local: l}
	return r.Resolve(context.Background(), Target{Host: "h"})
}

func TestIncludesOfEveryBadKindEnd(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	main := func(line string) error {
		_, err := resolveFile(t, put("c", line+"\n"))
		return err
	}
	put("self", "Include "+dir+"/self\n")
	require.ErrorContains(t, main("Include "+dir+"/self"), "Too many recursive configuration includes")
	put("a", "Include "+dir+"/b\n")
	put("b", "Include "+dir+"/a\n")
	require.ErrorContains(t, main("Include "+dir+"/a"), "Too many recursive configuration includes")
	require.NoError(t, main("Include "+dir+"/nothing-* "+dir+"/missing"))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o755))
	require.NoError(t, main("Include "+dir+"/d"), "a directory is an empty file")
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600))
	require.ErrorContains(t, main("Include "+dir+"/fifo"), "not a regular file")
	require.ErrorContains(t, main("Include /dev/zero"), "/dev/zero")
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "dangling")))
	require.ErrorContains(t, main("Include "+dir+"/dangling"), "terminating, 1 bad")
	path := put("open", "Port 1\n")
	require.NoError(t, os.Chmod(path, 0o666))
	require.ErrorContains(t, main("Include "+path), "Bad owner or permissions on "+path)
	for i := range 17 {
		put(fmt.Sprintf("deep%d", i), fmt.Sprintf("Include %s/deep%d\n", dir, i+1))
	}
	put("deep16", "Port 7\n")
	require.ErrorContains(t, main("Include "+dir+"/deep0"), "Too many recursive")
	require.NoError(t, main("Include "+dir+"/deep1"))
	require.NoError(t, main(`Include "`+put("a b", "Port 3\n")+`"`))
}

func TestManyFilesAndLargeOnesAreBounded(t *testing.T) {
	files := map[string][]byte{"c": []byte("Include /i/*\n")}
	for i := range 200 {
		files[fmt.Sprintf("/i/%03d", i)] = []byte("SendEnv A\n")
	}
	r := &Resolver{Config: "c", Files: Memory(files), Limits: Limits{Files: 100}}
	_, err := r.Resolve(context.Background(), Target{Host: "h"})
	require.ErrorContains(t, err, "more than 100 configuration files")
	r = &Resolver{Config: "c", Files: Memory(files)}
	_, err = r.Resolve(context.Background(), Target{Host: "h"})
	require.NoError(t, err)
	r = &Resolver{Config: "c", Files: Memory(map[string][]byte{"c": make([]byte, 2000)}), Limits: Limits{FileBytes: 1000}}
	_, err = r.Resolve(context.Background(), Target{Host: "h"})
	require.ErrorContains(t, err, "larger than 1000 bytes")
}

func TestHostileLinesGetAnAnswer(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("x", 1<<20), "User " + strings.Repeat("a ", 1<<19), "Host " + strings.Repeat("*a", 1<<15), "\x00\x01\x02", "\ufeff", "'", "\"", "Match",
		"User a\rb", "\u00a0User x", strings.Repeat("Match all\n", 10000), "LocalForward " + strings.Repeat("[", 1000),
	} {
		for _, p := range []Profile{OpenSSH(8, 4), Newest()} {
			r := &Resolver{Profile: p, Config: "c", Files: Memory(map[string][]byte{"c": []byte(text)})}
			res, err := r.Resolve(context.Background(), Target{Host: strings.Repeat("a", 1000)})
			if err == nil {
				require.NoError(t, res.WriteG(io.Discard))
			} else {
				require.IsType(t, &ConfigError{}, err)
			}
		}
	}
	pattern := strings.Repeat("a*", 5000) + "b"
	require.False(t, matchPattern(strings.Repeat("a", 5000), pattern), "in time")
	require.False(t, globMatch(strings.Repeat("a", 5000), parseGlob(pattern)))
}

// countedFS remembers what is opened.
type countedFS struct {
	FileSystem
	names []string
}

func (c *countedFS) Open(name string) (fs.File, error) {
	c.names = append(c.names, name)
	return c.FileSystem.Open(name)
}

func TestUntrustedConfigurationRunsAndAsksNothing(t *testing.T) {
	fsys := &countedFS{FileSystem: FS(fstest.MapFS{"c": {Data: []byte("CanonicalizeHostname always\nCanonicalDomains x.example\nMatch exec \"id\"\n Port 1\nIdentityFile /etc/shadow\nUserKnownHostsFile /etc/passwd\nInclude /more\n")}, "more": {}})}
	r := &Resolver{Config: "c", Files: fsys}
	res, err := r.Resolve(context.Background(), Target{Host: "h"})
	require.NoError(t, err)
	require.Equal(t, []string{"c", "/more"}, fsys.names, "nothing else is opened")
	require.Len(t, res.Unanswered(), 2)
}

func TestConnectionHashOfEachVersion(t *testing.T) {
	for _, row := range []struct{ profile, want string }{
		{"9.2p1-debian", "9273eb1b107b8d3884d217ac7b3920adfbbb0511"},
		{"10.5", "86d9d096b473d6ea154ec8e1c7e1a98b992a0c85"},
	} {
		r := &Resolver{Profile: mustProfile(row.profile), Config: "none", Local: Local{User: "bob", Home: "/h", Hostname: "vm"}}
		res, err := r.Resolve(context.Background(), Target{Host: "h", User: "bob", Port: 2222, Jump: "jj", Options: []string{"ControlPath=/x/%C"}})
		require.NoError(t, err)
		require.Equal(t, "/x/"+row.want, res.Get("ControlPath"))
		_, err = hex.DecodeString(row.want)
		require.NoError(t, err)
	}
}

// TestResolveAllocatesLittle holds the cost of a host on a large parsed file.
func TestResolveAllocatesLittle(t *testing.T) {
	var b strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&b, "Host h%d\n HostName 10.0.0.1\n Port %d\n", i, 1+i)
	}
	r := &Resolver{Config: "c", Files: Memory(map[string][]byte{"c": []byte(b.String())})}
	ask := func() {
		res, err := r.Resolve(context.Background(), Target{Host: "h4999"})
		if err != nil || res.Get("Port") != "5000" {
			t.Fatal(res, err)
		}
	}
	ask()
	ask()
	require.LessOrEqual(t, testing.AllocsPerRun(100, ask), 40.0)
}
