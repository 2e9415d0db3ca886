package mconsole

import (
	"errors"
	"os"
	"path/filepath"
)

// Guest is a directory that a guest made.
type Guest struct {
	// Name is the guest's umid; Dir its directory, which holds the socket mconsole.
	Name, Dir string
	// Pid is what the pid file says, 0 when it says nothing.
	Pid int
	// Alive reports whether somebody listens on the socket; Running whether a process
	// of that number exists, which may be another one by now.
	Alive, Running bool
}

// Socket returns the path of the guest's management console.
func (g Guest) Socket() string { return filepath.Join(g.Dir, "mconsole") }

// List returns the guests below the directories, sorted by directory and name;
// without any, below ~/.uml. A directory that is missing holds no guest.
func List(dirs ...string) ([]Guest, error) {
	if len(dirs) == 0 {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
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
			return list, err
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
