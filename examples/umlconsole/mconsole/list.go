package mconsole

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"dougu.internal/internal/jsontext"
)

// Guest describes the directory of one User Mode Linux guest.
type Guest struct {
	// Name is the umid of the guest.
	Name string `json:"name,omitzero"`
	// Dir is the directory of the guest, which contains the socket of its management console.
	Dir string `json:"dir,omitzero"`
	// Pid is the process number in the pid file, or 0 if the file is missing or invalid.
	Pid int `json:"pid,omitzero"`
	// Alive is true if a process listens on the socket.
	Alive bool `json:"alive,omitzero"`
	// Running is true if a process with the number Pid exists. It may be another process if
	// the guest has ended.
	Running bool `json:"running,omitzero"`
}

// MarshalJSON returns the JSON encoding of g. It keeps strings that are not valid UTF-8.
func (g Guest) MarshalJSON() ([]byte, error) {
	type plain Guest
	return jsontext.Marshal(plain(g))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (g *Guest) UnmarshalJSON(b []byte) error {
	type plain Guest
	return jsontext.Unmarshal(b, (*plain)(g))
}

// Socket returns the path of the socket for [Dial].
func (g Guest) Socket() string { return filepath.Join(g.Dir, "mconsole") }

// List returns the guests in the given directories, sorted by directory and name. Without
// arguments it uses ~/.uml. Directories that do not exist are ignored.
func List(dirs ...string) ([]Guest, error) {
	if len(dirs) == 0 {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, fmt.Errorf("mconsole: find the home directory: %w", err)
		}
		dirs = []string{filepath.Join(home, ".uml")}
	}
	var list []Guest
	for _, dir := range dirs {
		entries, err := os.ReadDir(dir)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return list, fmt.Errorf("mconsole: list guests: %w", err)
		}
		for _, e := range entries {
			g := Guest{Name: e.Name(), Dir: filepath.Join(dir, e.Name())}
			info, err := os.Lstat(g.Socket())
			if err != nil || info.Mode().Type() != os.ModeSocket {
				continue
			}
			g.Pid, _ = readPid(filepath.Join(g.Dir, "pid"))
			g.Running = g.Pid > 0 && alive(g.Pid)
			_, err = Dial(g.Socket())
			g.Alive = err == nil
			list = append(list, g)
		}
	}
	return list, nil
}
