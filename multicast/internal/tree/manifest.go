package tree

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"dougu.internal/multicast/internal/ranges"
)

// Kind is what an entry is.
type Kind uint8

// The kinds. Devices, FIFOs and sockets are not sent.
const (
	File Kind = iota + 1
	Dir
	Symlink
	Hardlink // to an earlier entry of the manifest
)

// String names it.
func (k Kind) String() string {
	if k == 0 || k > Hardlink {
		return "unknown"
	}
	return [...]string{"", "file", "directory", "symlink", "hard link"}[k]
}

// Entry is one name of a tree.
type Entry struct {
	Path   string // relative, with slashes; bytes, not always UTF-8
	Kind   Kind
	Mode   uint16 // permission bits, and setuid 04000, setgid 02000, sticky 01000
	Size   uint64
	Sec    int64 // modification time
	Nsec   uint32
	UID    uint32 // with FlagOwner
	GID    uint32
	Target string // of a symlink
	Link   int    // of a hard link: the index of its entry
	Digest [32]byte
	Start  uint64 // where its content begins in the tree's content
}

// Flags of a manifest.
const (
	FlagOwner  = 1 << iota // user and group are named
	FlagDigest             // files have digests
)

// Manifest is the metadata of everything that is to be at the receivers.
type Manifest struct {
	Flags   uint8
	Roots   []string // what was named to be sent; "." is the whole directory
	Exclude []string
	Entries []Entry
	Total   uint64 // bytes of content: all files end to end
}

// Limits of names.
const (
	MaxElement = 255
	MaxPath    = 4096
	MaxEntries = 4 << 20
)

// Compare orders paths element by element, so that a directory comes right before
// what is in it.
func Compare(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] == b[i] {
			continue
		}
		x, y := int(a[i]), int(b[i])
		if x == '/' {
			x = -1
		}
		if y == '/' {
			y = -1
		}
		return cmp.Compare(x, y)
	}
	return cmp.Compare(len(a), len(b))
}

// CheckPath returns why a name can't be used, or nil.
func CheckPath(p string) error {
	if p == "" || len(p) > MaxPath {
		return fmt.Errorf("invalid path %.40q: has %d bytes, want 1 to %d", p, len(p), MaxPath)
	}
	if strings.IndexByte(p, 0) >= 0 {
		return fmt.Errorf("invalid path %.40q: contains a zero byte", p)
	}
	for e := range strings.SplitSeq(p, "/") {
		switch {
		case e == "" || e == "." || e == "..":
			return fmt.Errorf("invalid path %.40q: contains the element %q", p, e)
		case len(e) > MaxElement:
			return fmt.Errorf("invalid path %.40q: an element has %d bytes, want at most %d", p, len(e), MaxElement)
		}
	}
	return nil
}

// Layout gives every file its place in the content. It is called by Decode and by
// Scan.
func (m *Manifest) layout() error {
	var at uint64
	for i := range m.Entries {
		e := &m.Entries[i]
		e.Start = at
		if e.Kind == File {
			if e.Size > 1<<40-at {
				return errors.New("the content is larger than 1 TiB")
			}
			at += e.Size
		}
	}
	m.Total = at
	return nil
}

// Range is where an entry's content is in the tree's content.
func (e *Entry) Range() ranges.Range {
	if e.Kind != File {
		return ranges.Range{Start: e.Start, End: e.Start}
	}
	return ranges.Range{Start: e.Start, End: e.Start + e.Size}
}

// At returns the index of the file that holds position at of the content.
func (m *Manifest) At(at uint64) int {
	i, _ := slices.BinarySearchFunc(m.Entries, at, func(e Entry, at uint64) int {
		if e.Range().End <= at {
			return -1
		}
		return 1
	})
	return i
}

// Find returns the index of a path, or -1.
func (m *Manifest) Find(p string) int {
	i, ok := slices.BinarySearchFunc(m.Entries, p, func(e Entry, p string) int { return Compare(e.Path, p) })
	if !ok {
		return -1
	}
	return i
}

var manifestMagic = []byte("MCM1")

// Append adds the manifest's bytes.
func (m *Manifest) Append(b []byte) []byte {
	b = append(append(b, manifestMagic...), m.Flags)
	for _, list := range [][]string{m.Roots, m.Exclude} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(list)))
		for _, s := range list {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
		}
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(m.Entries)))
	last := ""
	for i := range m.Entries {
		b = m.appendEntry(b, &m.Entries[i], last)
		last = m.Entries[i].Path
	}
	return b
}

func (m *Manifest) appendEntry(b []byte, e *Entry, last string) []byte {
	shared := 0
	for shared < min(len(last), len(e.Path)) && last[shared] == e.Path[shared] {
		shared++
	}
	rest := e.Path[shared:]
	b = binary.AppendUvarint(b, uint64(shared))
	b = append(binary.AppendUvarint(b, uint64(len(rest))), rest...)
	b = binary.BigEndian.AppendUint16(append(b, byte(e.Kind)), e.Mode)
	b = binary.AppendUvarint(b, e.Size)
	b = binary.AppendVarint(b, e.Sec)
	b = binary.AppendUvarint(b, uint64(e.Nsec))
	if m.Flags&FlagOwner != 0 {
		b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(e.UID)), uint64(e.GID))
	}
	switch e.Kind {
	case Symlink:
		b = append(binary.AppendUvarint(b, uint64(len(e.Target))), e.Target...)
	case Hardlink:
		b = binary.AppendUvarint(b, uint64(e.Link))
	case File:
		if m.Flags&FlagDigest != 0 {
			b = append(b, e.Digest[:]...)
		}
	}
	return b
}

// DecodeError says where a manifest stops making sense.
type DecodeError struct {
	Offset int
	Err    error
}

// Error tells what and where.
func (e *DecodeError) Error() string { return fmt.Sprintf("manifest, byte %d: %v", e.Offset, e.Err) }

// Unwrap returns the cause.
func (e *DecodeError) Unwrap() error { return e.Err }

type decoder struct {
	b   []byte
	off int
	err error
}

var errShort = errors.New("unexpected end of data")

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

func (d *decoder) take(n uint64) []byte {
	if d.err != nil || n > uint64(len(d.b)-d.off) {
		d.fail(errShort)
		return nil
	}
	p := d.b[d.off : d.off+int(n)]
	d.off += int(n)
	return p
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b[d.off:])
	if d.err != nil || n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.off += n
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b[d.off:])
	if d.err != nil || n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.off += n
	return v
}

func (d *decoder) u16() uint16 {
	if p := d.take(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

func (d *decoder) strings(limit int) (list []string) {
	n := int(d.u16())
	for range n {
		if d.err != nil {
			return nil
		}
		s := string(d.take(uint64(d.u16())))
		if len(s) > limit {
			d.fail(errors.New("a name is too long"))
		}
		list = append(list, s)
	}
	return list
}

// Decode reads a manifest and checks it: sorted, unique and clean names below the
// roots, parents that are directories, sizes that add up.
func Decode(b []byte) (*Manifest, error) {
	d := &decoder{b: b}
	m := &Manifest{}
	m.decode(d)
	if d.err == nil && d.off != len(b) {
		d.fail(errors.New("unexpected data at the end"))
	}
	if d.err == nil {
		d.fail(m.layout())
	}
	if d.err != nil {
		return nil, &DecodeError{d.off, d.err}
	}
	return m, nil
}

func (m *Manifest) decode(d *decoder) {
	if string(d.take(4)) != string(manifestMagic) {
		d.fail(errors.New("not a manifest of this version"))
		return
	}
	if p := d.take(1); p != nil {
		m.Flags = p[0]
	}
	if m.Flags&^(FlagOwner|FlagDigest) != 0 {
		d.fail(errors.New("unknown flags"))
	}
	m.Roots, m.Exclude = d.strings(MaxPath), d.strings(MaxPath)
	for _, r := range m.Roots {
		if r != "." {
			if err := CheckPath(r); err != nil {
				d.fail(err)
			}
		}
	}
	p := d.take(4)
	if d.err != nil {
		return
	}
	// An entry has at least 9 bytes.
	n := binary.BigEndian.Uint32(p)
	if n > MaxEntries || int(n) > (len(d.b)-d.off)/9+1 {
		d.fail(errShort)
		return
	}
	m.Entries = make([]Entry, 0, n)
	var parents []string // directories that hold the entry at hand
	last := ""
	for range n {
		e := m.decodeEntry(d, last)
		if d.err != nil {
			return
		}
		for len(parents) > 0 && !strings.HasPrefix(e.Path, parents[len(parents)-1]+"/") {
			parents = parents[:len(parents)-1]
		}
		if err := m.checkPlace(&e, last, parents); err != nil {
			d.fail(err)
			return
		}
		if e.Kind == Dir {
			parents = append(parents, e.Path)
		}
		m.Entries = append(m.Entries, e)
		last = e.Path
	}
}

func (m *Manifest) checkPlace(e *Entry, last string, parents []string) error {
	if last != "" && Compare(last, e.Path) >= 0 {
		return fmt.Errorf("%.40q comes after %.40q: not sorted, or twice", e.Path, last)
	}
	if slices.Contains(m.Roots, e.Path) {
		if len(parents) > 0 && parents[len(parents)-1] != path.Dir(e.Path) {
			return fmt.Errorf("%.40q: a root within another", e.Path)
		}
		return nil
	}
	if dir := path.Dir(e.Path); dir == "." {
		if !slices.Contains(m.Roots, ".") {
			return fmt.Errorf("%.40q is below no root", e.Path)
		}
	} else if len(parents) == 0 || parents[len(parents)-1] != dir {
		return fmt.Errorf("%.40q: its directory is not named before it", e.Path)
	}
	return nil
}

func (m *Manifest) decodeEntry(d *decoder, last string) (e Entry) {
	shared := d.uvarint()
	rest := d.take(d.uvarint())
	if shared > uint64(len(last)) {
		d.fail(errors.New("a prefix is longer than the name before"))
		return e
	}
	e.Path = last[:shared] + string(rest)
	if d.err == nil {
		d.fail(CheckPath(e.Path))
	}
	if p := d.take(1); p != nil {
		e.Kind = Kind(p[0])
	}
	e.Mode = d.u16()
	e.Size, e.Sec = d.uvarint(), d.varint()
	nsec := d.uvarint()
	e.Nsec = uint32(nsec)
	if m.Flags&FlagOwner != 0 {
		e.UID, e.GID = uint32(d.uvarint()), uint32(d.uvarint())
	}
	switch {
	case e.Kind == 0 || e.Kind > Hardlink:
		d.fail(errors.New("unknown kind"))
	case e.Mode > 07777:
		d.fail(errors.New("mode out of range"))
	case nsec >= 1e9:
		d.fail(errors.New("nanoseconds out of range"))
	case e.Kind != File && e.Size != 0:
		d.fail(errors.New("only files have a size"))
	}
	switch e.Kind {
	case Symlink:
		e.Target = string(d.take(d.uvarint()))
		if d.err == nil && (e.Target == "" || len(e.Target) > MaxPath || strings.IndexByte(e.Target, 0) >= 0) {
			d.fail(errors.New("a link's target is empty, too long or holds a zero byte"))
		}
	case Hardlink:
		i := d.uvarint()
		if d.err == nil && (i >= uint64(len(m.Entries)) || m.Entries[i].Kind != File) {
			d.fail(errors.New("a hard link is to an earlier file"))
			return e
		}
		e.Link = int(i)
	case File:
		if m.Flags&FlagDigest != 0 {
			copy(e.Digest[:], d.take(32))
		}
	}
	return e
}

// Seal is the digest of each file that was sent, in the order of the manifest.
type Seal struct {
	Index  uint32 // of the entry
	Status uint8  // SealGood, SealChanged
	Sum    [32]byte
}

// Statuses of a Seal.
const (
	SealGood    uint8 = iota
	SealChanged       // the file changed while it was read, or could not be read: it is not good
)

const sealSize = 37

// AppendSeals adds the bytes of the seals.
func AppendSeals(b []byte, list []Seal) []byte {
	for i := range list {
		b = binary.BigEndian.AppendUint32(b, list[i].Index)
		b = append(append(b, list[i].Status), list[i].Sum[:]...)
	}
	return b
}

// ParseSeals reads seals of a manifest with n entries: in order, each once.
func ParseSeals(b []byte, n int) ([]Seal, error) {
	if len(b)%sealSize != 0 {
		return nil, errors.New("seal: a length that does not fit")
	}
	list := make([]Seal, len(b)/sealSize)
	for i := range list {
		p := b[i*sealSize:]
		list[i] = Seal{Index: binary.BigEndian.Uint32(p), Status: p[4], Sum: [32]byte(p[5:37])}
		if int64(list[i].Index) >= int64(n) || i > 0 && list[i].Index <= list[i-1].Index || list[i].Status > SealChanged {
			return nil, fmt.Errorf("seal: entry %d is out of order or out of range", i)
		}
	}
	return list, nil
}

// Root is the digest of a whole tree: of its manifest and of its seals.
func Root(manifest [32]byte, seals []byte) [32]byte {
	h := sha256.New()
	h.Write([]byte("dougu-mc1 root"))
	h.Write(manifest[:])
	h.Write(seals)
	return [32]byte(h.Sum(nil))
}

// mtime is an entry's modification time.
func (e *Entry) mtime() time.Time { return time.Unix(e.Sec, int64(e.Nsec)) }
