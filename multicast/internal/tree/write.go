package tree

import (
	"bytes"
	"fmt"
	"io"
	"os"

	"dougu.internal/multicast/internal/ranges"
)

// Open takes the layout of the content.
func (s *Stage) Open(layout ranges.Set, symbol int) {
	s.layout, s.symbol = ranges.NewMap(layout), symbol
}

// logEvery is how many blocks go into one entry of the log of what is held.
const logEvery = 4

// Write stores a block of the content. Only what is needed here is written. The memory
// of data is the caller's again when done is called: at the end, or when a later block
// is written, or by Close; never twice.
func (s *Stage) Write(number uint32, data []byte, done func()) error {
	b := &lent{busy: true, size: len(data), done: done}
	err := s.writeBlock(number, data, b)
	s.full = s.full || isFull(err)
	b.busy = false
	b.free()
	return err
}

func (s *Stage) writeBlock(number uint32, data []byte, lent *lent) error {
	per := uint64(s.symbol) * blockSymbols
	r := ranges.Range{Start: uint64(number) * per, End: uint64(number+1) * per}
	var done ranges.Set
	err := s.layout.Pieces(r, func(at uint64, p ranges.Range) error {
		b := data[at-r.Start:]
		for i := s.manifest.At(p.Start); p.Start < p.End; i++ {
			fr := s.manifest.Entries[i].Range()
			n := min(p.End, fr.End) - p.Start
			if fr.Len() == 0 || n == 0 {
				continue
			}
			if piece := (ranges.Range{Start: p.Start, End: p.Start + n}); s.plan.actions[i] == content && !s.held.Covers(piece) {
				s.hash.feed(i, fr, piece, b[:n], s.missing[i], lent)
				if err := s.writeFile(i, b[:n], piece); err != nil {
					return fmt.Errorf("%s: %w", s.manifest.Entries[i].Path, unwrapPath(err))
				}
				done = append(done, piece)
			}
			b, p.Start = b[n:], p.Start+n
		}
		return nil
	})
	if err != nil {
		return err
	}
	set := ranges.Of(done)
	if len(set) == 0 {
		return nil
	}
	s.log = set.Append(s.log)
	if s.logged++; s.logged >= logEvery {
		return s.flushLog()
	}
	return nil
}

func (s *Stage) flushLog() error {
	s.logged = 0
	if len(s.log) == 0 {
		return nil
	}
	_, err := s.have.Write(s.log)
	s.log = s.log[:0]
	return err
}

// writeFile writes a piece of a file; a file that has all its bytes is finished.
func (s *Stage) writeFile(i int, b []byte, piece ranges.Range) error {
	e := &s.manifest.Entries[i]
	if putsFiles && piece == e.Range() && s.files[i] == nil && !s.o.Fsync && !s.o.Owner && !hasHole(b) {
		// All of it is here.
		d, name, err := s.out.handle(e.Path)
		if err == nil {
			err = putFile(d, name, b, uint32(s.o.wantMode(e)), e.mtime())
		}
		if err == nil {
			s.held.Add(piece)
			s.missing[i] = 0
		}
		return err
	}
	f, err := s.file(i)
	if err != nil {
		return err
	}
	if err := writeSparse(f, b, int64(piece.Start-e.Start)); err != nil {
		return err
	}
	before := ranges.Set{piece}.Minus(s.held).Len()
	s.held.Add(piece)
	s.missing[i] -= min(before, s.missing[i])
	if s.missing[i] == 0 {
		return s.finishFile(i)
	}
	return nil
}

// openFiles is how many staged files are open at once.
const openFiles = 16

func (s *Stage) file(i int) (*os.File, error) {
	if f := s.files[i]; f != nil {
		return f, nil
	}
	e := &s.manifest.Entries[i]
	d, name, err := s.out.at(e.Path)
	if err != nil {
		return nil, err
	}
	f, err := d.OpenFile(name, os.O_CREATE|os.O_RDWR|noFollow, 0o600)
	if err != nil {
		return nil, err
	}
	if e.Size > 64<<10 {
		// Its size is set first, so that holes stay holes and a full disk shows.
		if err := f.Truncate(int64(e.Size)); err != nil {
			f.Close()
			return nil, err
		}
	}
	for len(s.order) >= openFiles {
		if err := s.closeFile(s.order[0]); err != nil {
			f.Close()
			return nil, err
		}
	}
	s.files[i] = f
	s.order = append(s.order, i)
	return f, nil
}

func (s *Stage) closeFile(i int) error {
	f := s.files[i]
	delete(s.files, i)
	for j, k := range s.order {
		if k == i {
			s.order = append(s.order[:j], s.order[j+1:]...)
			break
		}
	}
	if f == nil {
		return nil
	}
	return f.Close()
}

// finishFile gives a staged file its size, mode, owner and time.
func (s *Stage) finishFile(i int) error {
	f, err := s.file(i)
	if err != nil {
		return err
	}
	e := &s.manifest.Entries[i]
	// The digest is made while the file may still be read.
	if s.hash.sums[i], err = s.hash.sum(s, i); err != nil {
		return err
	}
	if e.Size <= 64<<10 {
		if fi, err := f.Stat(); err != nil {
			return err
		} else if uint64(fi.Size()) != e.Size {
			if err := f.Truncate(int64(e.Size)); err != nil {
				return err
			}
		}
	}
	if s.o.Owner && s.manifest.Flags&FlagOwner != 0 {
		if err := f.Chown(int(e.UID), int(e.GID)); err != nil {
			return err
		}
	}
	if mode := s.o.wantMode(e); mode != 0o600 {
		if err := f.Chmod(fileMode(mode)); err != nil {
			return err
		}
	}
	if err := setFileTime(f, e.mtime()); err != nil {
		return err
	}
	if s.o.Fsync {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	return s.closeFile(i)
}

var zeros [4096]byte

// hasHole reports whether a file has a page of zeros.
func hasHole(b []byte) bool {
	for ; len(b) >= len(zeros); b = b[len(zeros):] {
		if b[0] == 0 && bytes.Equal(b[:len(zeros)], zeros[:]) {
			return true
		}
	}
	return false
}

// writeSparse leaves out pages of zeros: the file has its size already, or gets it at
// its end.
func writeSparse(f *os.File, b []byte, at int64) error {
	if at%4096 == 0 && len(b) < 4096 || bytes.IndexByte(b, 0) < 0 {
		_, err := f.WriteAt(b, at)
		return err
	}
	start := 0 // of what is to be written
	for i := 0; i < len(b); {
		page := min(len(b), i+4096-int((at+int64(i))%4096))
		if page-i == 4096 && bytes.Equal(b[i:page], zeros[:]) {
			if start < i {
				if _, err := f.WriteAt(b[start:i], at+int64(start)); err != nil {
					return err
				}
			}
			start = page
		}
		i = page
	}
	if start < len(b) {
		_, err := f.WriteAt(b[start:], at+int64(start))
		return err
	}
	return nil
}

// read reads staged bytes of a file.
func (s *Stage) read(i int, b []byte, at int64) error {
	f := s.files[i]
	if f == nil {
		d, name, err := s.out.at(s.manifest.Entries[i].Path)
		if err == nil {
			f, err = openFile(d, name)
		}
		if err != nil {
			return err
		}
		defer f.Close()
	}
	_, err := f.ReadAt(b, at)
	if err == io.EOF {
		err = errShort
	}
	return err
}
