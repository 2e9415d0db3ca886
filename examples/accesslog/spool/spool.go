package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"dougu.internal/examples/accesslog/internal/errtext"
	"dougu.internal/internal/enum"
)

var (
	// ErrLocked is returned by Open if another process uses the directory.
	ErrLocked = errors.New("spool: directory is in use by another process")
	// ErrFull is returned if a record would exceed the maximum size of the spool.
	ErrFull = errors.New("spool: maximum size reached")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("spool: spool is closed")
)

// Sync selects when Append returns.
type Sync uint8

// The choices for Append.
const (
	// Written returns when the operating system has the record. The record survives the end
	// of the process, but not a power failure. It is the zero value.
	Written Sync = iota
	// Durable returns when the record is on the disk. Concurrent calls share one fsync(2).
	Durable
)

var syncNames = enum.Names[Sync]{Type: "spool: sync mode", Words: map[Sync]string{Written: "written", Durable: "durable"}}

// String returns "written" or "durable".
func (s Sync) String() string { return syncNames.String(s) }

// MarshalText returns the name of the choice. It fails if s is not a valid choice.
func (s Sync) MarshalText() ([]byte, error) { return syncNames.Text(s) }

// UnmarshalText reads the name of a choice.
func (s *Sync) UnmarshalText(text []byte) error { return syncNames.Parse(text, s) }

// Options configures a [Spool]. The zero value is usable.
type Options struct {
	// SegmentSize is the size in bytes at which a new file is started. If zero, 8 MiB is
	// used, or a quarter of Max if that is less.
	SegmentSize int64 `json:"segmentSize,omitzero"`
	// Max is the maximum size of the spool in bytes. If zero, 1 GiB is used.
	Max int64 `json:"max,omitzero"`
	// Sync selects when Append returns.
	Sync Sync `json:"sync,omitzero"`
}

// Spool is an open spool. Its methods are safe for concurrent use by multiple goroutines. Only
// one goroutine should read.
type Spool struct {
	dir  string
	opt  Options
	lock *os.File

	syncing sync.Mutex // held around fsync; taken before mu
	synced  uint64     // records known to be on disk; guarded by syncing

	mu       sync.Mutex
	closed   bool
	segments []segment // oldest first; records are appended to the last one
	out      *os.File
	written  uint64 // records appended by this process
	total    int64  // bytes on disk
	buf      []byte // for encoding

	ack     *ackFile
	acked   Position
	waiting int // records that are not acknowledged
	read    int // the part of them that Next has returned
	in      reader
	seen    Position // the farthest position that was read; damage before it is counted

	torn, skipped int
}

type segment struct {
	id   uint64
	size int64
}

// Open opens the spool in dir and recovers its records. It creates dir if it does not exist.
// It returns [ErrLocked] if another process uses the spool, and an error with the name of the
// file if a file was not written by this version. The caller must close the spool.
func Open(dir string, opt Options) (*Spool, error) {
	if opt.Max <= 0 {
		opt.Max = 1 << 30
	}
	if opt.SegmentSize <= 0 {
		opt.SegmentSize = min(8<<20, max(1, opt.Max/4))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, errtext.Wrap("spool", "create the directory", err)
	}
	locked, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, errtext.Wrap("spool", "open spool "+dir, err)
	}
	s := &Spool{dir: dir, opt: opt, lock: locked}
	if err := s.recover(); err != nil {
		s.release()
		return nil, errtext.Wrap("spool", "open spool "+dir, err)
	}
	return s, nil
}

// recover finds the segments, the position of the last acknowledgement, and the records after
// it.
func (s *Spool) recover() error {
	var err error
	if s.ack, s.acked, err = openAck(filepath.Join(s.dir, "acked")); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		hex, ok := strings.CutSuffix(e.Name(), ".seg")
		if !ok || len(hex) != 16 {
			continue
		}
		id, err := strconv.ParseUint(hex, 16, 64)
		if err != nil {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		s.segments = append(s.segments, segment{id, info.Size()})
		s.total += info.Size()
	}
	slices.SortFunc(s.segments, func(a, b segment) int { return cmp.Compare(a.id, b.id) })
	for i := range s.segments {
		if err := s.check(i); err != nil {
			return err
		}
	}
	if len(s.segments) == 0 || s.acked.segment > s.segments[len(s.segments)-1].id {
		// A segment number is never used again, so that an old acknowledgement does not cover
		// new records.
		return s.create(s.acked.segment + 1)
	}
	s.dropAcked()
	if first := (Position{s.segments[0].id, int64(len(segmentMagic))}); s.acked.less(first) {
		s.acked = first
	}
	last := &s.segments[len(s.segments)-1]
	s.out, err = os.OpenFile(s.name(last.id), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	if s.acked.segment == last.id && s.acked.offset > last.size {
		s.acked.offset = last.size
	}
	s.in.seek(s.acked)
	if s.waiting, err = s.count(); err != nil {
		return err
	}
	s.in.seek(s.acked)
	return nil
}

// check reads the header of a segment. It removes an incomplete record from the last one.
func (s *Spool) check(i int) error {
	g := &s.segments[i]
	last := i == len(s.segments)-1
	f, err := os.OpenFile(s.name(g.id), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var magic [len(segmentMagic)]byte
	if n, err := f.ReadAt(magic[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	} else if n < len(magic) {
		// The process ended after it had created the file and before it wrote the header.
		if _, err := f.WriteAt([]byte(segmentMagic), 0); err != nil {
			return err
		}
		return s.resize(f, g, int64(len(magic)))
	}
	if string(magic[:]) != segmentMagic {
		return fmt.Errorf(
			"%s is not a segment of this version (the header is %q): remove the file",
			filepath.Base(f.Name()),
			magic[:],
		)
	}
	if !last {
		return nil
	}
	end, err := goodEnd(f, g.size)
	if err != nil {
		return err
	}
	if end < g.size {
		s.torn++
		return s.resize(f, g, end)
	}
	return nil
}

func (s *Spool) resize(f *os.File, g *segment, size int64) error {
	s.total += size - g.size
	g.size = size
	return f.Truncate(size)
}

// goodEnd returns the end of the last valid record of a file.
func goodEnd(f *os.File, size int64) (int64, error) {
	r := reader{file: f, at: Position{offset: int64(len(segmentMagic))}}
	end := r.at.offset
	for {
		_, ok, err := r.next(size)
		if err != nil {
			return 0, err
		}
		if !ok {
			return end, nil
		}
		end = r.at.offset
	}
}

// count returns the number of records after the current position.
func (s *Spool) count() (n int, err error) {
	for {
		_, ok, err := s.advance()
		if err != nil || !ok {
			return n, err
		}
		n++
	}
}

func (s *Spool) name(id uint64) string { return filepath.Join(s.dir, fmt.Sprintf("%016x.seg", id)) }

// create creates a segment.
func (s *Spool) create(id uint64) error {
	f, err := os.OpenFile(s.name(id), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write([]byte(segmentMagic)); err != nil {
		f.Close()
		os.Remove(f.Name())
		return err
	}
	if s.opt.Sync == Durable {
		if err := syncDir(s.dir); err != nil {
			f.Close()
			os.Remove(f.Name())
			return err
		}
	}
	if s.out != nil {
		if s.opt.Sync == Durable {
			if err := s.out.Sync(); err != nil {
				f.Close()
				os.Remove(f.Name())
				return err
			}
		}
		s.out.Close()
	}
	s.out = f
	s.segments = append(s.segments, segment{id, int64(len(segmentMagic))})
	s.total += int64(len(segmentMagic))
	if len(s.segments) == 1 {
		s.acked = Position{id, int64(len(segmentMagic))}
		s.in.seek(s.acked)
	}
	return nil
}

func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Append stores a record. Options.Sync selects when it returns. If it returns an error, such as
// [ErrFull], the record is not stored.
func (s *Spool) Append(data []byte) error {
	if len(data) > MaxRecord {
		return fmt.Errorf("spool: invalid record size %d, want at most %d bytes", len(data), MaxRecord)
	}
	n, err := s.append(data)
	if err != nil || s.opt.Sync != Durable {
		return err
	}
	return s.syncUpTo(n)
}

func (s *Spool) append(data []byte) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, ErrClosed
	}
	s.buf = appendRecord(s.buf[:0], data)
	size := int64(len(s.buf))
	g := &s.segments[len(s.segments)-1]
	if s.total+size > s.opt.Max && s.waiting == 0 && g.size > int64(len(segmentMagic)) {
		if err := s.restart(g.id + 1); err != nil {
			return 0, errtext.Wrap("spool", "", err)
		}
		g = &s.segments[len(s.segments)-1]
	}
	if s.total+size > s.opt.Max {
		return 0, ErrFull
	}
	if g.size+size > s.opt.SegmentSize && g.size > int64(len(segmentMagic)) {
		if err := s.create(g.id + 1); err != nil {
			return 0, errtext.Wrap("spool", "", err)
		}
		g = &s.segments[len(s.segments)-1]
	}
	if n, err := s.out.WriteAt(s.buf, g.size); err != nil {
		if n > 0 {
			// Remove the incomplete record. Otherwise a reader would find it there until the
			// next record overwrites it.
			err = errors.Join(err, s.out.Truncate(g.size))
		}
		return 0, errtext.Wrap("spool", "", err)
	}
	g.size += size
	s.total += size
	s.waiting++
	s.written++
	return s.written, nil
}

// restart creates a segment and removes all others. No record must be waiting.
func (s *Spool) restart(id uint64) error {
	if err := s.create(id); err != nil {
		return err
	}
	s.acked = Position{id, int64(len(segmentMagic))}
	s.in.seek(s.acked)
	s.dropAcked()
	return nil
}

// syncUpTo returns when the n-th record of this process is on the disk.
func (s *Spool) syncUpTo(n uint64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.synced >= n {
		return nil
	}
	s.mu.Lock()
	f, written := s.out, s.written
	s.mu.Unlock()
	// A file that has been closed in the meantime was synced before.
	if err := f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		return errtext.Wrap("spool", "", err)
	}
	s.synced = written
	return nil
}

// Record is a record of a spool.
type Record struct {
	// Data is the content of the record. The caller owns it.
	Data []byte `json:"data,omitzero"`
	// End is the position after the record, for [Spool.Ack].
	End Position `json:"end,omitzero"`
}

// Next returns the next record, and false if there is none. It does not wait.
func (s *Spool) Next() (Record, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Record{}, false, ErrClosed
	}
	data, ok, err := s.advance()
	if err != nil || !ok {
		return Record{}, false, err
	}
	s.read++
	return Record{append([]byte(nil), data...), s.in.at}, true, nil
}

// advance returns the next record. At the end of a segment it continues with the next one.
func (s *Spool) advance() ([]byte, bool, error) {
	for {
		i := slices.IndexFunc(s.segments, func(g segment) bool { return g.id >= s.in.at.segment })
		if i < 0 {
			return nil, false, nil
		}
		if s.segments[i].id != s.in.at.segment {
			s.in.seek(Position{s.segments[i].id, int64(len(segmentMagic))})
		}
		if s.in.file == nil {
			f, err := os.Open(s.name(s.in.at.segment))
			if err != nil {
				return nil, false, errtext.Wrap("spool", "", err)
			}
			s.in.file = f
		}
		data, ok, err := s.in.next(s.segments[i].size)
		if n := s.in.takeSkipped(); s.seen.less(s.in.at) {
			s.skipped += n
			s.seen = s.in.at
		}
		if err != nil {
			return nil, false, errtext.Wrap("spool", "", err)
		}
		if ok {
			return data, true, nil
		}
		if i == len(s.segments)-1 {
			return nil, false, nil
		}
		s.in.seek(Position{s.segments[i+1].id, int64(len(segmentMagic))})
	}
}

// Ack acknowledges n records. The last of them ends at p. Positions must not decrease. Segment
// files without other records are removed.
func (s *Spool) Ack(p Position, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if p.less(s.acked) || n > s.read {
		return fmt.Errorf("spool: cannot acknowledge %d records up to %v: %d are unacknowledged", n, p, s.read)
	}
	if err := s.ack.write(p); err != nil {
		return errtext.Wrap("spool", "", err)
	}
	s.acked = p
	s.waiting -= n
	s.read -= n
	s.dropAcked()
	return nil
}

// dropAcked removes the segments before the position of the last acknowledgement.
func (s *Spool) dropAcked() {
	for len(s.segments) > 1 && s.segments[0].id < s.acked.segment {
		if err := os.Remove(s.name(s.segments[0].id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return // the next acknowledgement tries again
		}
		s.total -= s.segments[0].size
		s.segments = s.segments[1:]
	}
}

// Rewind makes Next continue with the first record that is not acknowledged. It returns the
// number of records that Next returns again.
func (s *Spool) Rewind() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.read
	s.read = 0
	s.in.seek(s.acked)
	return n
}

// Waiting returns the number of records that are not acknowledged.
func (s *Spool) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// Damage returns the number of incomplete records that were removed from the end of the spool,
// and the number of damaged parts that were skipped.
func (s *Spool) Damage() (torn, skipped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.torn, s.skipped
}

// Close closes the spool. Records that are not acknowledged stay in the directory.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	var err error
	if s.out != nil {
		err = s.out.Sync()
	}
	s.release()
	return errtext.Wrap("spool", "close spool "+s.dir, err)
}

func (s *Spool) release() {
	s.in.close()
	for _, f := range []*os.File{s.out, s.lock} {
		if f != nil {
			f.Close()
		}
	}
	if s.ack != nil {
		s.ack.f.Close()
	}
}
