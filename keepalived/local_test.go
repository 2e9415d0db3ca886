package keepalived

import (
	"io/fs"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing/fstest"
)

func mustAddrs(s ...string) []netip.Addr {
	var out []netip.Addr
	for _, a := range s {
		out = append(out, netip.MustParseAddr(a))
	}
	return out
}

// localScript looks at a script of this machine, as root would run it.
func localScript(path, user string) ScriptState {
	if !strings.Contains(path, "/") {
		p, err := exec.LookPath(path)
		if err != nil {
			return ScriptMissing
		}
		path = p
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return ScriptMissing
	}
	info, err := os.Stat(real)
	if err != nil {
		return ScriptMissing
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return ScriptNotExecutable
	}
	return ScriptSafe
}

// localLink returns the real path of a script of this machine whose directories hold a
// symbolic link.
func localLink(path string) (string, bool) {
	dir := filepath.Dir(path)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || real == filepath.Clean(dir) {
		return "", false
	}
	return filepath.Join(real, filepath.Base(path)), true
}

// onlyFile is a file system with one file.
type onlyFile struct{ name, text string }

// Open implements [fs.FS].
func (f onlyFile) Open(name string) (fs.File, error) {
	return fstest.MapFS{f.name: {Data: []byte(f.text), Mode: 0o644}}.Open(name)
}
