package readme

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// user is a program of another module.
const user = `package main

import (
	"fmt"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
	"dougu.internal/multicast"
	"dougu.internal/smart"
	"dougu.internal/sshproxy"
	"dougu.internal/stracelog/export"
)

var _ = []any{multicast.Config{}, keepalived.Loader{}, sshproxy.Resolver{}, export.Text}

func main() { fmt.Println(diag.Sanitize("built"), smart.Some(1).OK) }
`

var git = oracle.Tool{Name: "git", Package: "git", Probe: []string{"--version"}}

// needCheckout skips the test where the module is not a checkout, or where the commands of the
// recipes cannot run.
func needCheckout(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the recipes are written for sh")
	}
	git.Need(t)
	if _, err := os.Stat(filepath.Join(root(t), ".git")); err != nil {
		t.Skip("not a checkout: ", err)
	}
	if _, err := command(t, time.Minute, os.Environ(), root(t), "bash", "-c", "true"); err != nil {
		oracle.Missing(t, "bash is missing: install Debian package bash")
	}
}

// newcomer returns the environment of somebody who has Go and an empty module cache. Modules
// that this machine has are taken from its cache, so that the test needs no registry if they
// are all there.
func newcomer(t *testing.T) []string {
	t.Helper()
	out, err := command(t, time.Minute, os.Environ(), root(t), "go", "env", "-json", "GOMODCACHE", "GOPROXY", "GOCACHE", "GOPATH")
	require.NoError(t, err, out)
	var e struct{ GOMODCACHE, GOPROXY, GOCACHE, GOPATH string }
	require.NoError(t, json.Unmarshal([]byte(out), &e))
	env := slices.DeleteFunc(os.Environ(), func(s string) bool {
		name, _, _ := strings.Cut(s, "=")
		return slices.Contains([]string{"GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE", "GO111MODULE", "GOENV"}, name)
	})
	// The go command has verified the modules of the cache already by the go.sum of this
	// module, so that the checksum database is not asked again.
	return append(env, "GOENV=off", "GOWORK=off", "GOTOOLCHAIN=local", "GOSUMDB=off", "GOFLAGS=-modcacherw -buildvcs=false", "GOCACHE="+e.GOCACHE,
		"GOMODCACHE="+t.TempDir(), fmt.Sprintf("GOPROXY=file://%s|%s", filepath.Join(e.GOMODCACHE, "cache", "download"), e.GOPROXY))
}

// notShort skips the tests that compile the module in a place of its own.
func notShort(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("compiles the module again")
	}
}

// commands returns the blocks marked sh of a section of the README file of the module.
func commands(t *testing.T, section string) (list []string) {
	t.Helper()
	for _, d := range documents(t) {
		if d.name != "README.md" {
			continue
		}
		all, err := d.blocks()
		require.NoError(t, err)
		for _, b := range all {
			if b.section == section && b.language == "sh" {
				list = append(list, d.text(b))
			}
		}
	}
	return list
}

// shell runs a block of commands. A module that neither the cache nor a registry has skips the
// test: that is a matter of the machine.
func shell(t *testing.T, env []string, dir, script string) {
	t.Helper()
	out, err := command(t, 5*time.Minute, env, dir, "bash", "-euc", script)
	if err != nil && !strings.Contains(out, "dougu.internal@") {
		for _, s := range []string{"dial tcp", "no such host", "module lookup disabled", "i/o timeout", "proxyconnect tcp"} {
			if strings.Contains(out, s) || errors.Is(err, context.DeadlineExceeded) && strings.Contains(script, "go ") {
				t.Skipf("a module is in no cache, and no registry can be reached:\n%s", out)
			}
		}
	}
	require.NoError(t, err, "%s\n%s", script, out)
}

// scratch makes a module.
func scratch(t *testing.T, env []string) string {
	t.Helper()
	dir := t.TempDir()
	shell(t, env, dir, "go mod init example.org/scratch")
	return dir
}

func writeUser(t *testing.T, dir string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "main.go"), []byte(user), 0o644))
}

func build(t *testing.T, env []string, dir string) {
	t.Helper()
	shell(t, env, dir, "go build -o prog .")
	out, err := command(t, time.Minute, env, dir, filepath.Join(dir, "prog"))
	require.NoError(t, err)
	require.Equal(t, "built true\n", out)
}

func TestImportFromCheckout(t *testing.T) {
	notShort(t)
	needCheckout(t)
	list := commands(t, "Import from a checkout")
	require.Len(t, list, 2, "a replacement, and after the import is written the requirement")
	env := newcomer(t)
	dir := scratch(t, env)
	require.Contains(t, list[0], "=/path/to/dougu\n")
	shell(t, env, dir, strings.ReplaceAll(list[0], "/path/to/dougu", root(t)))
	writeUser(t, dir)
	shell(t, env, dir, list[1])
	build(t, env, dir)
}

func TestImportFromProxy(t *testing.T) {
	notShort(t)
	needCheckout(t)
	list := commands(t, "Import from a module proxy")
	require.Len(t, list, 2, "the release, and the import")
	env := newcomer(t)
	proxy := filepath.Join(t.TempDir(), "proxy")
	for i := range list {
		require.Contains(t, list[i], "/srv/goproxy")
		list[i] = strings.ReplaceAll(list[i], "/srv/goproxy", proxy)
	}
	shell(t, env, root(t), list[0])

	t.Run("get one package", func(t *testing.T) {
		dir := scratch(t, env)
		shell(t, env, dir, list[1])
		require.NoError(
			t,
			os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n\nimport \"dougu.internal/smart\"\n\nfunc main() { println(\"built\", smart.Some(1).OK) }\n"), 0o644),
		)
		build(t, env, dir)
	})
	exports := list[1][:strings.Index(list[1], "go get")]
	t.Run("get the module and tidy", func(t *testing.T) {
		dir := scratch(t, env)
		shell(t, env, dir, exports+"go get dougu.internal@v0.1.0")
		writeUser(t, dir)
		out, err := command(t, time.Minute, append(env, "GOPROXY=off"), dir, "go", "build", ".")
		require.Error(t, err, "the document says that go.sum lacks entries at this point")
		require.Contains(t, out, "missing go.sum entry")
		shell(t, env, dir, exports+"go mod tidy")
		build(t, env, dir)
	})
	t.Run("the newest version", func(t *testing.T) {
		dir := scratch(t, env)
		shell(t, env, root(t), ".ci/release v0.1.1-rc.1 "+proxy)
		shell(t, env, dir, exports+"go get dougu.internal/multicast@latest && go list -m dougu.internal | grep -F v0.1.0")
	})
	t.Run("GOPRIVATE needs GONOPROXY", func(t *testing.T) {
		dir := scratch(t, env)
		shell(
			t,
			append(env, "GOPRIVATE=dougu.internal", "GONOPROXY=none", "GOPROXY=file://"+proxy),
			dir,
			"go mod download dougu.internal@v0.1.0 && go mod edit -require=dougu.internal@v0.1.0",
		)
	})
}

// TestRelease checks what .ci/release writes, on a repository of its own.
func TestRelease(t *testing.T) {
	needCheckout(t)
	env := append(newcomer(t), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=2026-12-01T12:00:00+09:00", "GIT_COMMITTER_DATE=2026-12-01T12:00:00+09:00", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
	repo, proxy := t.TempDir(), t.TempDir()
	files := map[string]string{"go.mod": "module dougu.internal\n\ngo 1.26.0\n", "a/a.go": "package a\n", "b/go.mod": "module dougu.internal/b\n", "b/b.go": "package b\n"}
	for _, name := range []string{".ci/release", "internal/modzip/main.go"} {
		text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
		require.NoError(t, err)
		files[name] = string(text)
	}
	for name, text := range files {
		name = filepath.Join(repo, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), 0o755))
	}
	shell(t, env, repo, "git init -q && git add -A && git commit -qm first")
	require.NoError(t, os.WriteFile(filepath.Join(repo, "uncommitted.go"), []byte("package dougu\n"), 0o644))
	shell(t, env, repo, ".ci/release v0.1.0 "+proxy)

	dir := filepath.Join(proxy, "dougu.internal", "@v")
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return string(text)
	}
	require.Equal(t, "v0.1.0\n", read("list"))
	require.JSONEq(t, `{"Version":"v0.1.0","Time":"2026-12-01T03:00:00Z"}`, read("v0.1.0.info"))
	require.Equal(t, "module dougu.internal\n\ngo 1.26.0\n", read("v0.1.0.mod"))
	z, err := zip.OpenReader(filepath.Join(dir, "v0.1.0.zip"))
	require.NoError(t, err)
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, strings.TrimPrefix(f.Name, "dougu.internal@v0.1.0/"))
	}
	slices.Sort(names)
	require.Equal(t, []string{".ci/release", "a/a.go", "go.mod", "internal/modzip/main.go"}, names)

	// The same commit gives the same bytes, in any time zone.
	first := read("v0.1.0.zip")
	other := t.TempDir()
	shell(t, append(env, "TZ=Asia/Tokyo"), repo, ".ci/release v0.1.0 "+other)
	again, err := os.ReadFile(filepath.Join(other, "dougu.internal", "@v", "v0.1.0.zip"))
	require.NoError(t, err)
	require.Equal(t, first, string(again))

	shell(t, env, repo, ".ci/release v0.1.0 "+proxy+" && .ci/release v0.1.0-rc.1 "+proxy+" && .ci/release v0.10.0 "+proxy+" HEAD && .ci/release v0.2.0 "+proxy)
	require.Equal(t, "v0.1.0-rc.1\nv0.1.0\nv0.2.0\nv0.10.0\n", sortedByVersion(read("list")))

	shell(t, env, repo, "git add -A && git commit -qm second")
	for _, row := range []struct{ args, message string }{
		{"v0.1.0 " + proxy, "other contents"},
		{"0.1.0 " + proxy, "invalid version"},
		{"v0.1 " + proxy, "invalid version"},
		{"v2.0.0 " + proxy, "invalid version"},
		{"v0.01.0 " + proxy, "invalid version"},
		{"v0.3.0+meta " + proxy, "invalid version"},
		{"v0.3.0 " + proxy + " nothing", "unknown commit"},
		{"v0.3.0", "usage:"},
	} {
		out, err := command(t, time.Minute, env, repo, "bash", "-c", ".ci/release "+row.args)
		require.Error(t, err, row.args)
		require.Contains(t, out, row.message, row.args)
	}
	shell(t, env, repo, "ln -s a/a.go link.go && git add -A && git commit -qm third")
	out, err := command(t, time.Minute, env, repo, "bash", "-c", ".ci/release v0.3.0 "+proxy)
	require.Error(t, err)
	require.Contains(t, out, "\"link.go\" is not a regular file")
	require.Equal(t, first, read("v0.1.0.zip"), "a published version does not change")
	require.NoFileExists(t, filepath.Join(dir, "v0.3.0.zip"))
}

// sortedByVersion puts a pre-release before its release, which sort -V does not.
func sortedByVersion(list string) string {
	return strings.Replace(list, "v0.1.0\nv0.1.0-rc.1\n", "v0.1.0-rc.1\nv0.1.0\n", 1)
}

// TestFreshClone follows the README file in a clone, with an empty module cache: its two
// commands in a reduced form, all programs and commands of the documents, and both ways to
// import the module.
func TestFreshClone(t *testing.T) {
	notShort(t)
	needCheckout(t)
	list := commands(t, "Commands")
	require.Equal(t, []string{"go run ./examples/tour\ngo test -short ./...\n"}, list)
	env := newcomer(t)
	dir := filepath.Join(t.TempDir(), "clone")
	shell(t, env, root(t), "git clone -q --no-hardlinks . '"+dir+"'")
	tour, err := command(t, 5*time.Minute, env, dir, "go", "run", "./examples/tour")
	require.NoError(t, err, tour)
	require.Contains(t, tour, "== ipxe\n")
	// go list downloads what the second command needs.
	// -count=1, as a result from the cache would be that of another environment.
	shell(t, env, dir, "go list -deps -test ./... >/dev/null && go test -short -count=1 ./diag ./examples/tour && go test -count=1 -run 'Programs|Commands|Import|Release' ./internal/readme")
	out, err := command(t, time.Minute, env, dir, "git", "status", "--porcelain")
	require.NoError(t, err)
	require.Empty(t, out, "running the documents changes no file")
}
