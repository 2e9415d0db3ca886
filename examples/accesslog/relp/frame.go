package relp

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// A frame is TXNR SP COMMAND SP LEN [SP DATA] LF. The blank before the data is present only if
// there is data.
const (
	maxTXNR    = 999999999 // the next number is 1
	maxCommand = 32
	// maxResponse is the maximum size of the data in a frame from a server.
	maxResponse = 64 << 10
)

// ErrProtocol is wrapped by errors about malformed or unexpected frames.
var ErrProtocol = errors.New("relp: protocol error")

// invalid returns an error that wraps ErrProtocol.
func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrProtocol, fmt.Sprintf(format, args...))
}

type frame struct {
	txnr    uint32
	command string
	data    []byte
}

func appendFrame(dst []byte, txnr uint32, command string, data []byte) []byte {
	dst = strconv.AppendUint(dst, uint64(txnr), 10)
	dst = append(dst, ' ')
	dst = append(dst, command...)
	dst = append(dst, ' ')
	dst = strconv.AppendInt(dst, int64(len(data)), 10)
	if len(data) > 0 {
		dst = append(dst, ' ')
		dst = append(dst, data...)
	}
	return append(dst, '\n')
}

// readFrame reads one frame from a server.
func readFrame(r *bufio.Reader) (frame, error) {
	var f frame
	n, end, err := number(r, "transaction number", maxTXNR)
	if err != nil {
		return f, err
	}
	f.txnr = uint32(n)
	if end != ' ' {
		return f, invalid("missing command after transaction number %d", n)
	}
	var command [maxCommand]byte
	for i := 0; ; i++ {
		c, err := r.ReadByte()
		if err != nil {
			return f, unexpected(err)
		}
		if c == ' ' {
			f.command = string(command[:i])
			break
		}
		if i == maxCommand || !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return f, invalid("invalid byte %#x in a command", c)
		}
		command[i] = c
	}
	size, end, err := number(r, "length", maxResponse)
	if err != nil {
		return f, unexpected(err)
	}
	if end == ' ' {
		f.data = make([]byte, size)
		if _, err := io.ReadFull(r, f.data); err != nil {
			return f, unexpected(err)
		}
		if end, err = r.ReadByte(); err != nil {
			return f, unexpected(err)
		}
	} else if size > 0 {
		return f, invalid("missing data after length %d", size)
	}
	if end != '\n' {
		return f, invalid("unexpected byte %#x at the end of a frame", end)
	}
	return f, nil
}

// number reads a number and the byte after it.
func number(r *bufio.Reader, what string, most int) (n int, end byte, err error) {
	for digits := 0; ; digits++ {
		c, err := r.ReadByte()
		switch {
		case err != nil && digits > 0:
			return 0, 0, unexpected(err)
		case err != nil:
			return 0, 0, err
		case c >= '0' && c <= '9':
			if n = n*10 + int(c-'0'); n > most {
				return 0, 0, invalid("%s exceeds %d", what, most)
			}
		case digits == 0 || c != ' ' && c != '\n':
			return 0, 0, invalid("invalid byte %#x in a %s", c, what)
		default:
			return n, c, nil
		}
	}
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// status parses the data of a rsp frame: three digits, a text, and further lines.
func status(data []byte) (code int, text string, lines [][]byte) {
	first, rest, _ := bytes.Cut(data, []byte("\n"))
	number, message, _ := bytes.Cut(first, []byte(" "))
	code, err := strconv.Atoi(string(number))
	if err != nil || len(number) != 3 {
		return 0, strconv.Quote(string(first[:min(len(first), 80)])), nil
	}
	if len(rest) > 0 {
		lines = bytes.Split(rest, []byte("\n"))
	}
	return code, strconv.Quote(string(message[:min(len(message), 200)])), lines
}
