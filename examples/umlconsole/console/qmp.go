package console

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// FindQMP asks QEMU over a fresh connection to its QMP socket which of its character
// devices are pseudo-terminals. It reads at most 1 MiB and leaves the connection open.
func FindQMP(ctx context.Context, c net.Conn) ([]Device, error) {
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	list, err := findQMP(c)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("console: QMP: %w", ctx.Err())
	}
	if err != nil {
		return nil, fmt.Errorf("console: QMP: %w", err)
	}
	return list, nil
}

func findQMP(c net.Conn) ([]Device, error) {
	in := json.NewDecoder(io.LimitReader(c, 1<<20))
	var greeting struct {
		QMP *json.RawMessage
	}
	if err := in.Decode(&greeting); err != nil {
		return nil, err
	}
	if greeting.QMP == nil {
		return nil, errors.New("the other end does not greet as QEMU does")
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
		return nil, err
	}
	var list []Device
	for _, d := range chardevs {
		path, ok := strings.CutPrefix(d.Filename, "pty:")
		if !ok {
			continue
		}
		if !isPts(path) {
			return nil, &UntrustedError{d.Label, path[:min(len(path), 64)]}
		}
		list = append(list, Device{Label: d.Label, Path: path})
	}
	return list, nil
}

// execute sends a command and returns its answer; events in between are passed over.
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
			return nil, err
		}
		switch {
		case answer.Error != nil:
			return nil, fmt.Errorf("%s: %s: %s", command, answer.Error.Class, answer.Error.Desc)
		case answer.Return != nil:
			return answer.Return, nil
		}
	}
	return nil, fmt.Errorf("%s: events without an answer", command)
}
