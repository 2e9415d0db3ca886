package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"time"

	"dougu.internal/stracelog"
)

//go:embed testdata/stracelog.strace
var straceLog []byte

// tourStracelog finds the cause of one slow request to a web server.
func tourStracelog(w io.Writer) error {
	report, err := stracelog.AnalyzeReader(stracelog.NewBytesReader(straceLog))
	if err != nil {
		return err
	}
	if len(report.Requests) != 1 {
		return fmt.Errorf("testdata/stracelog.strace: found %d requests, want 1", len(report.Requests))
	}
	q := report.Requests[0]
	b := q.Bottleneck
	fmt.Fprintln(
		w,
		"A web page is slow. Is the database the cause? One process of Apache was traced:\nstrace -p PID -tt -T -e trace=network,poll",
	)
	for e, err := range stracelog.NewReader(bytes.NewReader(straceLog)).Events() {
		if err != nil {
			return err
		}
		switch {
		case e.Line == q.First,
			e.Line == b.From,
			e.Line == b.To,
			e.Line == b.To+7,
			e.Kind == stracelog.Unknown,
			e.Line == q.Last:
			fmt.Fprintf(w, "%4d  %s\n", e.Line, clip(bytes.TrimRight(e.Raw(), "\n")))
		}
	}
	fmt.Fprintln(w, strings.Replace(b.Text, ": ", ":\n", 1))
	fmt.Fprintf(w, "Confidence: %s. To find the cause:\n", b.Confidence)
	for _, a := range b.Advice {
		fmt.Fprintf(w, "  - %s\n", a)
	}
	for _, s := range q.Segments {
		if s.Class == stracelog.ClassUnknown {
			fmt.Fprintf(
				w,
				"Lines %d to %d: %.3f ms are unknown, because lines of the log are missing.\n",
				s.From,
				s.To,
				s.Dur.Seconds()*1e3,
			)
		}
	}
	fmt.Fprintln(w, "Time by class and peer:")
	for _, p := range report.Peers {
		if p.Total < time.Millisecond/10 {
			continue
		}
		name := string(p.Class)
		if p.Peer.Known() {
			name += ", " + p.Peer.String()
		}
		fmt.Fprintf(w, "  %9.3f ms  %s\n", p.Total.Seconds()*1e3, name)
	}
	return sameBytes(w)
}

// sameBytes prints the log from its events and compares the result, damaged lines included.
func sameBytes(w io.Writer) error {
	var back []byte
	for e, err := range stracelog.NewBytesReader(straceLog).Events() {
		if err != nil {
			return err
		}
		back = e.AppendTo(back)
	}
	if !bytes.Equal(back, straceLog) {
		return fmt.Errorf("the events do not reproduce the log")
	}
	fmt.Fprintf(w, "The events of the log reproduce it byte for byte: %d bytes.\n", len(back))
	return nil
}

// clip shortens a line of the log to the width of a terminal.
func clip(line []byte) []byte {
	if len(line) > 130 {
		return append(line[:116:116], " ... "...)
	}
	return line
}
