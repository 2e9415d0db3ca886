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
)

var (
	// ErrLocked: another process uses the directory.
	ErrLocked = errors.New("another process uses this spool")
	// ErrFull: the record would take the spool over its greatest size.
	ErrFull = errors.New("the spool has reached its greatest size")
	// ErrClosed is returned after Close.
	ErrClosed = errors.New("the spool is closed")
)

// Sync says when Append returns.
type Sync uint8

const (
	// Written: when the system has the record. It survives the end of the process, not
	// of the machine. The zero value.
	Written Sync = iota
	// Durable: when the disk has it. Concurrent appends share one fsync(2).
	Durable
)

// Options of a spool. The zero value is usable.
type Options struct {
	// SegmentSize is the size in bytes at which a new file is begun; 0 is 8 MiB.
	SegmentSize int64
	// Max bounds the bytes on disk; 0 is 1 GiB.
	Max int64
	// Sync says when Append returns.
	Sync Sync
}

// Spool is an open directory of records. Its methods are safe for many goroutines;
// reading makes sense from one.
type Spool struct {
	dir  string
	opt  Options
	lock *os.File

	syncing sync.Mutex // held around fsync; taken before mu
	synced  uint64     // records known to be on disk; guarded by syncing

	mu       sync.Mutex
	closed   bool
	segments []segment // oldest first; the last one is written
	out      *os.File
	written  uint64 // records appended by this process
	total    int64  // bytes on disk
	buf      []byte // for encoding

	ack     *ackFile
	acked   Position
	waiting int // records behind acked
	read    int // of those, records handed out and not acknowledged
	in      reader

	torn, skipped int
}

type segment struct {
	id   uint64
	size int64
}

// Open takes the directory, makes it when it is missing, and finds what an earlier
// process left in it. It fails with [ErrLocked] when another process has it, and with
// the file's name when a file is not a spool of this version.
func Open(dir string, opt Options) (*Spool, error) {
	if opt.SegmentSize <= 0 {
		opt.SegmentSize = 8 << 20
	}
	if opt.Max <= 0 {
		opt.Max = 1 << 30
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	locked, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("spool %s: %w", dir, err)
	}
	s := &Spool{dir: dir, opt: opt, lock: locked}
	if err := s.recover(); err != nil {
		s.release()
		return nil, fmt.Errorf("spool %s: %w", dir, err)
	}
	return s, nil
}

// recover finds the segments, the acknowledged place, and what waits behind it.
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
		// Numbers go on behind every number ever used, so that an old place of
		// acknowledgement never covers new records.
		return s.begin(s.acked.segment + 1)
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

// check reads the head of a segment; a last segment that was torn is cut.
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
		// The process died between making the file and writing its head.
		if _, err := f.WriteAt([]byte(segmentMagic), 0); err != nil {
			return err
		}
		return s.resize(f, g, int64(len(magic)))
	}
	if string(magic[:]) != segmentMagic {
		return fmt.Errorf("%s is not a segment of this version (it begins with %q): move it away", filepath.Base(f.Name()), magic[:])
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

// goodEnd returns the end of the last good record of a file.
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

// count reads all that waits.
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

// begin starts a new segment.
func (s *Spool) begin(id uint64) error {
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

// Append stores a record. It returns nil once the record is as safe as Options.Sync
// asks; [ErrFull], or the error of the disk, says that it is not stored.
func (s *Spool) Append(data []byte) error {
	if len(data) > MaxRecord {
		return fmt.Errorf("spool: a record of %d bytes; at most %d can be kept", len(data), MaxRecord)
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
	if s.total+size > s.opt.Max {
		return 0, ErrFull
	}
	g := &s.segments[len(s.segments)-1]
	if g.size+size > s.opt.SegmentSize && g.size > int64(len(segmentMagic)) {
		if err := s.begin(g.id + 1); err != nil {
			return 0, fmt.Errorf("spool: %w", err)
		}
		g = &s.segments[len(s.segments)-1]
	}
	if n, err := s.out.WriteAt(s.buf, g.size); err != nil {
		if n > 0 {
			// What is left there would be read as a torn record, and the next write
			// goes over it.
			err = errors.Join(err, s.out.Truncate(g.size))
		}
		return 0, fmt.Errorf("spool: %w", err)
	}
	g.size += size
	s.total += size
	s.waiting++
	s.written++
	return s.written, nil
}

// syncUpTo returns when the n-th record is on disk.
func (s *Spool) syncUpTo(n uint64) error {
	s.syncing.Lock()
	defer s.syncing.Unlock()
	if s.synced >= n {
		return nil
	}
	s.mu.Lock()
	f, written := s.out, s.written
	s.mu.Unlock()
	// A file that was closed meanwhile was synced before.
	if err := f.Sync(); err != nil && !errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("spool: %w", err)
	}
	s.synced = written
	return nil
}

// Record is one record and the place behind it, for Ack.
type Record struct {
	// Data may be kept; nobody writes into it again.
	Data []byte
	// End is the place behind the record.
	End Position
}

// Next returns the next record that was not handed out yet, and false when there is
// none. It never waits.
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

// advance reads over the end of a segment into the next one.
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
				return nil, false, fmt.Errorf("spool: %w", err)
			}
			s.in.file = f
		}
		data, ok, err := s.in.next(s.segments[i].size)
		s.skipped += s.in.takeSkipped()
		if err != nil {
			return nil, false, fmt.Errorf("spool: %w", err)
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

// Ack says that n records, the last of which ends at p, have arrived. Places must not
// go back. Files that hold nothing else are removed.
func (s *Spool) Ack(p Position, n int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if p.less(s.acked) || n > s.read {
		return fmt.Errorf("spool: %d records were acknowledged, %d are out", n, s.read)
	}
	if err := s.ack.write(p); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.acked = p
	s.waiting -= n
	s.read -= n
	s.dropAcked()
	return nil
}

// dropAcked removes the files before the acknowledged place.
func (s *Spool) dropAcked() {
	for len(s.segments) > 1 && s.segments[0].id < s.acked.segment {
		if err := os.Remove(s.name(s.segments[0].id)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return // tried again with the next acknowledgement
		}
		s.total -= s.segments[0].size
		s.segments = s.segments[1:]
	}
}

// Rewind makes Next begin again at the first record that is not acknowledged, and
// returns how many will be handed out again.
func (s *Spool) Rewind() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.read
	s.read = 0
	s.in.seek(s.acked)
	return n
}

// Waiting returns how many records are not acknowledged.
func (s *Spool) Waiting() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// Damage returns how often a torn end was cut off, and how many damaged stretches
// were passed over.
func (s *Spool) Damage() (torn, skipped int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.torn, s.skipped
}

// Close releases the directory. What is not acknowledged stays in it.
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
	return err
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
