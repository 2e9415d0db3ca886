package mconsole

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
)

// A request is magic, version, length and text, a reply is an error number, a flag that
// more packets follow, a length and text; arch/um/drivers/mconsole.h of the kernel.
const (
	magic      = 0xcafebabe
	version    = 2
	headSize   = 12
	maxData    = 512
	maxCommand = maxData - 1 // the kernel refuses 512 bytes and more
)

// CommandError is a command that was refused before it was sent.
type CommandError struct {
	// Command as it was given.
	Command string
	// Offset counts the bytes before the place.
	Offset int
	// Msg says what is wrong there.
	Msg string
}

// Error names the command and the column, which counts bytes from 1.
func (e *CommandError) Error() string {
	return fmt.Sprintf("mconsole: command %.60q, column %d: %s", e.Command, e.Offset+1, e.Msg)
}

func checkCommand(cmd string) error {
	for i := range len(cmd) {
		switch c := cmd[i]; {
		case c == 0:
			return &CommandError{cmd, i, "a NUL byte, where the kernel would stop reading"}
		case c < ' ' && c != '\t' || c > '~':
			return &CommandError{cmd, i, "not a printable ASCII character"}
		}
	}
	if len(cmd) > maxCommand {
		return &CommandError{cmd, maxCommand, fmt.Sprintf("the kernel takes at most %d bytes", maxCommand)}
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

// ErrProtocol is wrapped by each error about a reply that is none.
var ErrProtocol = errors.New("not an answer of a management console")

func decode(b []byte) (packet, error) {
	if len(b) < headSize {
		return packet{}, fmt.Errorf("%w: %d bytes, %q", ErrProtocol, len(b), b)
	}
	if bytes.HasPrefix(b, []byte("ERR ")) { // to a request of another version, without a head
		return packet{}, fmt.Errorf("%w: %.80q", ErrProtocol, b)
	}
	p := packet{code: int32(binary.NativeEndian.Uint32(b)), more: binary.NativeEndian.Uint32(b[4:]) != 0}
	n := binary.NativeEndian.Uint32(b[8:])
	data := b[headSize:]
	if uint64(n) > uint64(len(data)) {
		return packet{}, fmt.Errorf("%w: a length of %d in a packet with %d bytes of text", ErrProtocol, n, len(data))
	}
	p.text = bytes.TrimSuffix(data[:n], []byte{0})
	return p, nil
}

// clean takes the NUL bytes out of a text.
func clean(text []byte) string { return strings.ReplaceAll(string(text), "\x00", "") }
