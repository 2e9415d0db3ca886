package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"dougu.internal/diag"
	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/examples/accesslog/spool"
	"dougu.internal/examples/accesslog/syslogw"
)

// inspect prints the messages that wait in a spool, its damage, and the messages that were set
// aside. It changes nothing but incomplete records at the end, like every process that opens
// a spool.
func inspect(stdout, stderr io.Writer, dir string) int {
	fail := func(err error) int {
		fmt.Fprintf(stderr, "accesslog: %s\n", errtext.Plain(err))
		return statusUsage
	}
	if _, err := os.Stat(dir); err != nil {
		return fail(err) // Open would create it
	}
	s, err := spool.Open(dir, spool.Options{})
	if err != nil {
		return fail(err)
	}
	defer s.Close()
	status := statusGood
	largest := 0
	for {
		r, ok, err := s.Next()
		if err != nil {
			return fail(err)
		}
		if !ok {
			break
		}
		largest = max(largest, len(r.Data))
	}
	fmt.Fprintf(stdout, "%d messages wait; the largest has %d bytes\n", s.Waiting(), largest)
	if torn, skipped := s.Damage(); torn+skipped > 0 {
		fmt.Fprintf(stdout, "%d damaged parts, %d incomplete records: each contained one message or more\n", skipped, torn)
		status = statusLeft
	}
	f, err := os.Open(filepath.Join(dir, syslogw.SetAsideName))
	if errors.Is(err, fs.ErrNotExist) {
		return status
	}
	if err != nil {
		return fail(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		status = statusLeft
		var m syslogw.SetAside
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			fmt.Fprintf(stdout, "set aside: a line that cannot be read: %s\n", errtext.Plain(err))
			continue
		}
		start := diag.Sanitize(m.Message[:min(len(m.Message), 120)])
		fmt.Fprintf(stdout, "set aside at %s: %d bytes: %s: %s\n",
			m.Time.Format(time.RFC3339), m.Size, diag.Sanitize(m.Reason), start)
	}
	if err := lines.Err(); err != nil {
		return fail(err)
	}
	return status
}
