package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"dougu.internal/stracelog"
	"dougu.internal/stracelog/export"
	"dougu.internal/stracelog/live"
)

// source is the log to report about.
type source struct {
	name   string
	reader *stracelog.Reader
	close  func() error
}

// run writes one report.
func run(ctx context.Context, o *options) error {
	if (o.pid > 0 || o.follow) && o.limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.limit)
		defer cancel()
	}
	src, err := o.open(ctx)
	if err != nil {
		return err
	}
	out, done, err := o.output()
	if err != nil {
		return errors.Join(err, src.close())
	}
	err = o.report(ctx, src, out)
	return errors.Join(err, src.close(), done())
}

func (o *options) open(ctx context.Context) (*source, error) {
	none := func() error { return nil }
	switch {
	case o.sample:
		return &source{"sample", stracelog.NewBytesReader(sample), none}, nil
	case o.pid > 0:
		t, err := live.Attach(ctx, o.pid, live.Options{})
		if err != nil {
			return nil, err
		}
		return &source{"process " + strconv.Itoa(o.pid), t.Reader(), t.Close}, nil
	case o.file == "" || o.file == "-":
		r, err := o.unpack(o.stdin)
		return &source{"standard input", stracelog.NewReader(r), none}, err
	}
	f, err := os.Open(o.file)
	if err != nil {
		return nil, err
	}
	if st, err := f.Stat(); err == nil && st.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a directory", o.file)
	}
	if o.follow {
		return &source{o.file, stracelog.NewReader(live.Follow(ctx, f)), f.Close}, nil
	}
	r, err := o.unpack(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", o.file, err)
	}
	return &source{o.file, stracelog.NewReader(r), f.Close}, nil
}

// unpack decompresses a log that is compressed with gzip. For the format copy it returns
// the input as it is.
func (o *options) unpack(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 1<<16)
	if magic, _ := b.Peek(2); !bytes.Equal(magic, []byte{0x1f, 0x8b}) || o.format == "copy" {
		return b, nil
	}
	return gzip.NewReader(b)
}

// output opens the file of option -o. The caller must call done to close it.
func (o *options) output() (w io.Writer, done func() error, err error) {
	if o.out == "" || o.out == "-" {
		return o.stdout, func() error { return nil }, nil
	}
	f, err := os.Create(o.out)
	if err != nil {
		return nil, nil, err
	}
	o.toTTY = false
	return f, f.Close, nil
}

func (o *options) report(ctx context.Context, src *source, out io.Writer) error {
	if o.format == "copy" {
		return o.copy(src, out)
	}
	var opts []stracelog.AnalyzeOption
	if o.data {
		opts = append(opts, stracelog.Data())
	}
	text := o.text()
	if o.follow {
		opts = append(opts, stracelog.OnRequest(func(q *stracelog.Request) {
			_ = export.TextRequest(out, q, text) // the same error is returned at the end of the report
		}))
	}
	var chrome *export.Chrome
	if o.format == "perfetto" {
		chrome = export.NewChrome(out)
		opts = append(opts, stracelog.OnCall(chrome.Call), stracelog.OnRequest(chrome.Request))
	}
	rep, err := stracelog.AnalyzeReader(src.reader, opts...)
	if err != nil {
		err = fmt.Errorf("%s: %w", src.name, err)
	}
	if e := o.checkInput(ctx, src, rep); e != nil {
		return errors.Join(err, e)
	}
	switch o.format {
	case "json":
		return errors.Join(err, writeJSON(out, rep, o.n))
	case "html":
		return errors.Join(err, export.HTML(out, rep, o.n))
	case "pprof":
		return errors.Join(err, export.Pprof(out, rep))
	case "perfetto":
		return errors.Join(err, chrome.Close())
	}
	if o.follow {
		text.Max = -1
	}
	return errors.Join(err, export.Text(out, rep, text))
}

// checkInput returns an error if the input was not written by strace.
func (o *options) checkInput(ctx context.Context, src *source, rep *stracelog.Report) error {
	if rep.Format.PerfTrace && len(rep.Syscalls) == 0 {
		return fmt.Errorf("%s: this is the output of perf trace, not of strace", src.name)
	}
	if len(rep.Syscalls) > 0 || len(rep.Tables) > 0 || rep.Other > 0 {
		return nil
	}
	if o.pid > 0 {
		if ctx.Err() != nil {
			return fmt.Errorf("%s made no call in this time", src.name)
		}
		return fmt.Errorf("%s ended without a call", src.name)
	}
	if len(rep.Findings) > 0 {
		f := rep.Findings[0]
		return fmt.Errorf("%s:%d: no line of strace in the input (%s)", src.name, f.Range.Start.Line, f.Message)
	}
	return fmt.Errorf("%s: no line of strace in the input", src.name)
}

// copy writes the bytes of all events.
func (o *options) copy(src *source, out io.Writer) error {
	w := bufio.NewWriterSize(out, 1<<18)
	known := false
	for e, err := range src.reader.Events() {
		if err != nil {
			return errors.Join(fmt.Errorf("%s: %w", src.name, err), w.Flush())
		}
		known = known || e.Kind != stracelog.Unknown && e.Kind != stracelog.Empty
		if _, err := w.Write(e.Raw()); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil || known {
		return err
	}
	return fmt.Errorf("%s: copied, but there is no line of strace in it", src.name)
}

// text returns the options for a report as text.
func (o *options) text() export.TextOptions {
	color := o.color == "always" || o.color == "auto" && o.toTTY && !o.noColor
	return export.TextOptions{Width: o.columns, Max: o.n, Color: color, Unicode: o.toTTY}
}

// columns returns the width of the terminal in the variable COLUMNS, or 0.
func columns() int {
	n, err := strconv.Atoi(os.Getenv("COLUMNS"))
	if err != nil || n < 0 || n > 1000 {
		return 0
	}
	return n
}
