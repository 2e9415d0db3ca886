package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"

	"dougu.internal/internal/jsontext"
)

// FindQMP returns the character devices of QEMU that are pseudo-terminals or unix sockets on which
// QEMU listens, except for its monitors. c must be a new connection to its QMP socket. A
// relative path of a socket starts in the working directory of QEMU: FindQMP completes it where
// the system shows that directory (Linux, for processes of the same user). FindQMP reads at most
// 1 MiB and does not close the connection.
func FindQMP(ctx context.Context, c net.Conn) ([]Device, error) {
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	list, err := findQMP(c)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("console: query QMP: %w", ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("console: query QMP: %w", plainError{err})
	}
	return list, nil
}

func findQMP(c net.Conn) ([]Device, error) {
	in := json.NewDecoder(io.LimitReader(c, 1<<20))
	var greeting struct {
		QMP *json.RawMessage
	}
	if err := in.Decode(&greeting); err != nil {
		return nil, decodeError("greeting", err)
	}
	if greeting.QMP == nil {
		return nil, errors.New("not a QMP server: unexpected greeting")
	}
	if _, err := execute(c, in, "qmp_capabilities"); err != nil {
		return nil, err
	}
	answer, err := execute(c, in, "query-chardev")
	if err != nil {
		return nil, err
	}
	var chardevs []struct{ Label, Filename string }
	if err := json.Unmarshal(answer, &chardevs); err != nil {
		return nil, decodeError("reply to query-chardev", err)
	}
	var list []Device
	dir := ""
	for _, d := range chardevs {
		if path, ok := strings.CutPrefix(d.Filename, "pty:"); ok {
			if !isPts(path) {
				return nil, &UntrustedError{d.Label, path[:min(len(path), 64)]}
			}
			list = append(list, Device{Label: d.Label, Path: path})
			continue
		}
		path, ok := socketPath(d.Filename)
		if !ok || strings.HasPrefix(d.Label, "compat_monitor") {
			continue
		}
		if !filepath.IsAbs(path) {
			if dir == "" {
				dir = workingDir(c)
			}
			path = filepath.Join(dir, path)
		}
		if path == c.RemoteAddr().String() {
			continue // the socket of this conversation
		}
		list = append(list, Device{Label: d.Label, Kind: Unix, Path: path})
	}
	return list, nil
}

// socketPath returns the path in the description of a socket on which QEMU listens, such as
// "disconnected:unix:ser.sock,server=on".
func socketPath(description string) (string, bool) {
	description = strings.TrimPrefix(description, "disconnected:")
	rest, ok := strings.CutPrefix(description, "unix:")
	if !ok {
		return "", false
	}
	path, options := rest, ""
	if i := strings.LastIndex(rest, ",server"); i >= 0 {
		path, options = rest[:i], rest[i+1:]
	}
	listens := options == "server" || strings.HasPrefix(options, "server,") || strings.HasPrefix(options, "server=on")
	return path, listens && path != "" && !strings.Contains(path, "\x00")
}

// decodeError describes an error of package encoding/json or of the connection.
func decodeError(what string, err error) error {
	if e, ok := errors.AsType[net.Error](err); ok {
		return e
	}
	return fmt.Errorf("invalid %s: %s", what, jsontext.Cause(err))
}

// execute sends a command and returns its reply. Events are ignored.
func execute(c net.Conn, in *json.Decoder, command string) (json.RawMessage, error) {
	if _, err := fmt.Fprintf(c, "{\"execute\":%q}\n", command); err != nil {
		return nil, err
	}
	for range 1000 {
		var answer struct {
			Return json.RawMessage
			Error  *struct{ Class, Desc string }
		}
		if err := in.Decode(&answer); err != nil {
			return nil, decodeError("reply to "+command, err)
		}
		switch {
		case answer.Error != nil:
			return nil, fmt.Errorf("%s: %s: %s", command, answer.Error.Class, answer.Error.Desc)
		case answer.Return != nil:
			return answer.Return, nil
		}
	}
	return nil, fmt.Errorf("%s: no reply after 1000 events", command)
}
