package stracelog

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"time"
)

// Log is one file of strace -ff -o FILE: FILE.PID.
type Log struct {
	PID int // the number behind the file's name
	R   io.Reader
}

// Merge joins the files of strace -ff in the order of their times, as strace-log-merge does, and gives each event the pid of its file.
// Lines of one time come in the order of the logs; a line without a time, such as a stack frame, stays behind the one
// before it. Line and Off of an event are those in its own file. An event is valid until the next one. An error of one log is an element of the
// sequence, and the other logs go on.
func Merge(logs ...Log) iter.Seq2[*Event, error] {
	return func(yield func(*Event, error) bool) {
		var m []*merging
		for i, l := range logs {
			m = append(m, &merging{pid: l.PID, order: i, r: NewReader(l.R)})
		}
		var queue []*merging
		for _, g := range m {
			if g.next() {
				queue = insert(queue, g)
			}
		}
		for len(queue) > 0 {
			g := queue[0]
			queue = queue[1:]
			for {
				e, err := g.e, g.err
				if e != nil {
					if e.PID == 0 {
						e.PID = g.pid
					}
				}
				if !yield(e, err) {
					return
				}
				if !g.next() {
					break
				}
				if g.err == nil && !g.e.Time.IsZero() {
					queue = insert(queue, g)
					break
				}
			}
		}
	}
}

// merging is one log and its next event.
type merging struct {
	pid, order int
	r          *Reader
	e          *Event
	err        error
	at         time.Duration
	done       bool
}

// next reads an event. It returns false at the end.
func (g *merging) next() bool {
	if g.done {
		return false
	}
	g.e, g.err = g.r.Next()
	if g.err == io.EOF {
		return false
	}
	if g.err != nil {
		g.done = true // deliver the error, then end
		return true
	}
	if !g.e.Time.IsZero() {
		g.at = max(g.e.Time.At, g.at)
	}
	return true
}

// insert puts a log at its place, behind those of the same time that come before it.
func insert(q []*merging, g *merging) []*merging {
	i, _ := slices.BinarySearchFunc(q, g, func(x, y *merging) int {
		return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.order, y.order))
	})
	return slices.Insert(q, i, g)
}

// WriteMerged writes what Merge gives as one log with a pid column, in the form of strace-log-merge. Empty lines are left out, as
// it does.
func WriteMerged(w io.Writer, logs ...Log) error {
	width := 0
	for _, l := range logs {
		width = max(width, len(strconv.Itoa(l.PID)))
	}
	b := bufio.NewWriter(w)
	for e, err := range Merge(logs...) {
		if err != nil {
			return err
		}
		if e.Kind == Empty {
			continue
		}
		fmt.Fprintf(b, "%-*d ", width, e.PID)
		raw := e.Raw()
		if _, err := b.Write(raw); err != nil {
			return errs.Errorf("write the merged log: %w", err)
		}
		if len(raw) == 0 || raw[len(raw)-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	if err := b.Flush(); err != nil {
		return errs.Errorf("write the merged log: %w", err)
	}
	return nil
}
