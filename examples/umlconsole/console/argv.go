package console

import "fmt"

// ScreenArgs returns the argument list of a command that opens a console in a detached session of
// GNU screen. It returns an error if screen would misinterpret the name of the session or the
// device.
func ScreenArgs(name string, d Device) ([]string, error) {
	if err := checkArgs(name, d); err != nil {
		return nil, err
	}
	return []string{"screen", "-dmS", name, d.Path}, nil
}

// TmuxArgs returns the argument list of a command that opens a console in a detached session of
// tmux, which uses socat(1) to read the console. The errors are those of [ScreenArgs].
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
		return fmt.Errorf("console: invalid session name of %d bytes, want 1 to 64", len(name))
	}
	for i := range len(name) {
		c := name[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
		if !letter && (c != '-' || i == 0) {
			return fmt.Errorf("console: invalid session name %q: byte %d is %q, want letters, digits, _ or -", name, i+1, c)
		}
	}
	return nil
}
