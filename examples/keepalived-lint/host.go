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

// thisMachine sets the functions of h to ones that inspect this machine: its users, groups,
// scripts and hosts file. They run no program.
func thisMachine(h *keepalived.Host) {
	h.User = func(name string) bool { _, err := user.Lookup(name); return err == nil }
	h.Group = func(name string) bool { _, err := user.LookupGroup(name); return err == nil }
	h.Script = scriptState
	h.Link = throughLink
	h.Dir = func(path string) bool { info, err := os.Stat(path); return err == nil && info.IsDir() }
	h.CPUs = runtime.NumCPU()
	names := hosts()
	h.Resolve = func(name string) bool {
		// A name server is not queried, but it may have a name with a dot.
		return names[name] || strings.Contains(name, ".")
	}
}

// scriptState inspects the file of a script like keepalived does before it runs the script.
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

// throughLink returns the real path of a script and reports whether its directory contains a
// symbolic link.
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
