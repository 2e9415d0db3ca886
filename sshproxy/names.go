package sshproxy

import "dougu.internal/internal/enum"

var (
	styles = enum.Names[Style]{Type: "sshproxy: style", Words: map[Style]string{
		Auto: "auto", JumpStyle: "jump", StdioStyle: "stdio", NetcatStyle: "netcat",
	}}
	vias = enum.Names[Via]{Type: "sshproxy: way to reach a hop", Words: map[Via]string{
		Direct: "direct", Jump: "jump", Command: "command",
	}}
)

// String returns the name that [ParseStyle] reads.
func (s Style) String() string { return styles.String(s) }

// MarshalText returns the text of String. It fails for an invalid style.
func (s Style) MarshalText() ([]byte, error) { return styles.Text(s) }

// UnmarshalText sets the style to the one with the given name.
func (s *Style) UnmarshalText(name []byte) error { return styles.Parse(name, s) }

// String returns "direct", "jump" or "command".
func (v Via) String() string { return vias.String(v) }

// MarshalText returns the text of String. It fails for an invalid value.
func (v Via) MarshalText() ([]byte, error) { return vias.Text(v) }

// UnmarshalText sets the value to the one with the given name.
func (v *Via) UnmarshalText(name []byte) error { return vias.Parse(name, v) }
