package mconsole

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"dougu.internal/internal/jsontext"
)

// A request has magic, version, length and text. A reply has an error number, a flag for further
// packets, length and text. See arch/um/drivers/mconsole.h in the kernel source.
const (
	magic      = 0xcafebabe
	version    = 2
	headSize   = 12
	maxData    = 512
	maxCommand = maxData - 1 // the kernel rejects 512 bytes and more
)

// CommandError describes an invalid command. It was not sent.
type CommandError struct {
	// Command is the command.
	Command string `json:"command,omitzero"`
	// Offset is the position of the error in the command, in bytes from 0.
	Offset int `json:"offset,omitzero"`
	// Msg is the cause.
	Msg string `json:"msg,omitzero"`
}

// MarshalJSON returns the JSON encoding of e. It keeps strings that are not valid UTF-8.
func (e CommandError) MarshalJSON() ([]byte, error) {
	type plain CommandError
	return jsontext.Marshal(plain(e))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *CommandError) UnmarshalJSON(b []byte) error {
	type plain CommandError
	return jsontext.Unmarshal(b, (*plain)(e))
}

// Error returns the command, the column, counted in bytes from 1, and the cause.
func (e *CommandError) Error() string {
	return fmt.Sprintf("mconsole: invalid command %.60q: column %d: %s", e.Command, e.Offset+1, e.Msg)
}

func checkCommand(cmd string) error {
	for i := range len(cmd) {
		switch c := cmd[i]; {
		case c == 0:
			return &CommandError{cmd, i, "unexpected NUL byte"}
		case c < ' ' && c != '\t' || c > '~':
			return &CommandError{cmd, i, "not a printable ASCII character"}
		}
	}
	if len(cmd) > maxCommand {
		return &CommandError{cmd, maxCommand, fmt.Sprintf("too long, want at most %d bytes", maxCommand)}
	}
	return nil
}

func appendRequest(dst []byte, cmd string) []byte {
	dst = binary.NativeEndian.AppendUint32(dst, magic)
	dst = binary.NativeEndian.AppendUint32(dst, version)
	dst = binary.NativeEndian.AppendUint32(dst, uint32(len(cmd)))
	return append(dst, cmd...)
}

// packet is one datagram of a reply.
type packet struct {
	code int32
	more bool
	text []byte // without the NUL that ends it
}

// ErrProtocol is wrapped by errors about malformed replies.
var ErrProtocol = errors.New("mconsole: malformed reply")

func decode(b []byte) (packet, error) {
	if len(b) < headSize {
		return packet{}, fmt.Errorf("%w: %d bytes: %q", ErrProtocol, len(b), b)
	}
	if bytes.HasPrefix(b, []byte("ERR ")) { // the reply to a request of another version has no header
		return packet{}, fmt.Errorf("%w: %.80q", ErrProtocol, b)
	}
	p := packet{code: int32(binary.NativeEndian.Uint32(b)), more: binary.NativeEndian.Uint32(b[4:]) != 0}
	n := binary.NativeEndian.Uint32(b[8:])
	data := b[headSize:]
	if uint64(n) > uint64(len(data)) {
		return packet{}, fmt.Errorf("%w: length is %d, but the packet has %d bytes of text", ErrProtocol, n, len(data))
	}
	p.text = bytes.TrimSuffix(data[:n], []byte{0})
	return p, nil
}

// clean returns a text without its NUL bytes.
func clean(text []byte) string { return strings.ReplaceAll(string(text), "\x00", "") }
