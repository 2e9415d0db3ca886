package spool

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// reader reads the records of one segment after another.
type reader struct {
	file    *os.File
	at      Position // the end of the last record that was returned
	buf     []byte   // a part of the file
	from    int64    // the offset of buf[0] in the file
	skipped int
}

func (r *reader) seek(p Position) {
	if p.segment != r.at.segment {
		r.close()
	}
	r.at = p
	r.buf = r.buf[:0]
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
		r.file = nil
	}
}

func (r *reader) takeSkipped() int {
	n := r.skipped
	r.skipped = 0
	return n
}

// chunk is the number of bytes that are read at a time.
const chunk = 256 << 10

// resyncBudget is the limit for the bytes over which checksums are computed during the search
// for the next valid record in a damaged segment. Records after them are lost.
const resyncBudget = 64 << 20

// next returns the next valid record of a segment of the given size. The data is valid until
// the next call.
func (r *reader) next(size int64) ([]byte, bool, error) {
	budget := resyncBudget
	damaged := false
	defer func() {
		if damaged {
			r.skipped++
		}
	}()
	need := recordHead
	for {
		b, err := r.window(size, need)
		if err != nil {
			return nil, false, err
		}
		data, n, v := decode(b)
		switch {
		case v == good:
			r.at.offset += int64(n)
			return data, true, nil
		case v == short && r.at.offset+int64(n) <= size:
			need = n
			continue
		case v == short && !damaged && len(b) == 0:
			return nil, false, nil
		case v == short && len(b) < recordHead:
			// Too little for a record: the end.
			r.at.offset = size
			damaged = true
			return nil, false, nil
		}
		// The record is damaged: continue at the next mark.
		damaged = true
		budget -= recordHead
		if v == bad && len(b) >= recordHead {
			if n := int(binary.LittleEndian.Uint32(b[4:])); n <= MaxRecord {
				budget -= n
			}
		}
		if budget < 0 {
			r.at.offset = size
			return nil, false, nil
		}
		need = recordHead
		if err := r.toMark(size); err != nil {
			return nil, false, err
		}
	}
}

// toMark moves to the next mark after the current position, or to the end.
func (r *reader) toMark(size int64) error {
	var mark [4]byte
	binary.LittleEndian.PutUint32(mark[:], recordMark)
	r.at.offset++
	for r.at.offset < size {
		b, err := r.window(size, len(mark))
		if err != nil {
			return err
		}
		if i := bytes.Index(b, mark[:]); i >= 0 {
			r.at.offset += int64(i)
			return nil
		}
		r.at.offset += max(1, int64(len(b)-len(mark)+1))
	}
	r.at.offset = size
	return nil
}

// window returns the bytes after the current position. If the segment has them, there are at
// least need bytes.
func (r *reader) window(size int64, need int) ([]byte, error) {
	skip := r.at.offset - r.from
	if len(r.buf) > 0 && skip >= 0 && skip+int64(need) <= int64(len(r.buf)) {
		return r.buf[skip:], nil
	}
	n := min(size-r.at.offset, int64(max(need, chunk)))
	if n <= 0 {
		return nil, nil
	}
	if int64(cap(r.buf)) < n {
		r.buf = make([]byte, n)
	}
	r.buf, r.from = r.buf[:n], r.at.offset
	got, err := r.file.ReadAt(r.buf, r.from)
	if err != nil && !errors.Is(err, io.EOF) {
		r.buf = r.buf[:0]
		return nil, err
	}
	r.buf = r.buf[:got]
	return r.buf, nil
}
