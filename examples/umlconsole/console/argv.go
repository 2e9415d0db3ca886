package console

import "fmt"

// ScreenArgs returns the argument list that opens a console as a window of a detached
// GNU screen session of that name. It refuses a name or a device that screen would
// read as something else.
func ScreenArgs(name string, d Device) ([]string, error) {
	if err := checkArgs(name, d); err != nil {
		return nil, err
	}
	return []string{"screen", "-dmS", name, d.Path}, nil
}

// TmuxArgs returns the argument list that opens a console in a detached tmux session of
// that name. tmux opens no terminals: socat(1) relays. It refuses what ScreenArgs
// refuses.
func TmuxArgs(name string, d Device) ([]string, error) {
	if err := checkArgs(name, d); err != nil {
		return nil, err
	}
	return []string{"tmux", "new-session", "-d", "-s", name, "socat", "-,raw,echo=0", d.Path + ",raw,echo=0"}, nil
}

func checkArgs(name string, d Device) error {
	if !isPts(d.Path) {
		return &UntrustedError{d.Label, d.Path[:min(len(d.Path), 64)]}
	}
	if name == "" || len(name) > 64 {
		return fmt.Errorf("console: a session's name has 1 to 64 characters, not %d", len(name))
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
		if !letter && (c != '-' || i == 0) {
			return fmt.Errorf("console: session name %q: byte %d (%q) is not a letter, a digit, _ or an inner -", name, i+1, c)
		}
	}
	return nil
}
