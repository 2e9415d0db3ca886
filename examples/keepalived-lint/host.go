package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"dougu.internal/keepalived"
)

// thisMachine adds what can be seen of this machine without running anything: users,
// groups, the files of scripts, the names in its hosts file.
func thisMachine(h *keepalived.Host) {
	h.User = func(name string) bool { _, err := user.Lookup(name); return err == nil }
	h.Group = func(name string) bool { _, err := user.LookupGroup(name); return err == nil }
	h.Script = scriptState
	h.Link = throughLink
	h.Dir = func(path string) bool { info, err := os.Stat(path); return err == nil && info.IsDir() }
	h.CPUs = runtime.NumCPU()
	names := hosts()
	h.Resolve = func(name string) bool {
		// No name server is asked: a name with a dot may well be known to one.
		return names[name] || strings.Contains(name, ".")
	}
}

// scriptState looks at the file of a script as keepalived does before it runs one.
func scriptState(path, owner string) keepalived.ScriptState {
	if !strings.Contains(path, "/") {
		found, err := exec.LookPath(path)
		if err != nil {
			return keepalived.ScriptMissing
		}
		path = found
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return keepalived.ScriptMissing
	}
	info, err := os.Stat(real)
	if err != nil {
		return keepalived.ScriptMissing
	}
	if !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
		return keepalived.ScriptNotExecutable
	}
	if othersCanChange(real) {
		return keepalived.ScriptInsecure
	}
	return keepalived.ScriptSafe
}

// throughLink returns the real path of a script whose directories hold a symbolic link.
func throughLink(path string) (string, bool) {
	dir := filepath.Dir(path)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil || real == filepath.Clean(dir) {
		return "", false
	}
	return filepath.Join(real, filepath.Base(path)), true
}

// hosts returns the names of the hosts file.
func hosts() map[string]bool {
	names := map[string]bool{}
	text, err := os.ReadFile("/etc/hosts")
	if err != nil {
		return names
	}
	for line := range bytes.Lines(text) {
		line, _, _ := bytes.Cut(line, []byte("#"))
		for i, f := range strings.Fields(string(line)) {
			if i > 0 {
				names[f] = true
			}
		}
	}
	return names
}
