package tree

import (
	"encoding/binary"
	"errors"

	"dougu.internal/multicast/internal/ranges"
)

// Results is what a receiver did, or would do, path by path.
type Results struct {
	Updated ranges.Set // indexes of entries of the manifest
	Skipped ranges.Set // not changed
	Differs ranges.Set // of a check
	Deleted []string   // children before their directory
	Errors  []PathError
	More    uint64 // deletions and errors that were left out
}

// PathError is what went wrong with one path at a receiver.
type PathError struct{ Path, Op, Text string }

func (r *Results) update(i int) { r.Updated.Add(ranges.Range{Start: uint64(i), End: uint64(i) + 1}) }
func (r *Results) skip(i int)   { r.Skipped.Add(ranges.Range{Start: uint64(i), End: uint64(i) + 1}) }
func (r *Results) differ(i int) { r.Differs.Add(ranges.Range{Start: uint64(i), End: uint64(i) + 1}) }

func (r *Results) fail(path, op string, err error) {
	text := unwrapPath(err).Error()
	r.Errors = append(r.Errors, PathError{path, op, text[:min(len(text), 300)]})
}

// resultLimit bounds the bytes of deletions and errors.
const resultLimit = 3 << 20

// Append adds the bytes of the results. What is more than 3 MiB is counted only.
func (r *Results) Append(b []byte) []byte {
	b = r.Updated.Append(b)
	b = r.Skipped.Append(b)
	b = r.Differs.Append(b)
	size, deleted, failed := 0, 0, 0
	for _, p := range r.Deleted {
		if size += len(p) + 8; size > resultLimit {
			break
		}
		deleted++
	}
	for _, e := range r.Errors {
		if size += len(e.Path) + len(e.Op) + len(e.Text) + 16; size > resultLimit {
			break
		}
		failed++
	}
	str := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	b = binary.AppendUvarint(b, uint64(deleted))
	for _, p := range r.Deleted[:deleted] {
		str(p)
	}
	b = binary.AppendUvarint(b, uint64(failed))
	for _, e := range r.Errors[:failed] {
		str(e.Path)
		str(e.Op)
		str(e.Text)
	}
	return binary.AppendUvarint(b, r.More+uint64(len(r.Deleted)-deleted)+uint64(len(r.Errors)-failed))
}

// ParseResults reads results that speak of a manifest with n entries.
func ParseResults(b []byte, n int) (*Results, error) {
	r := &Results{}
	var err error
	for _, s := range []*ranges.Set{&r.Updated, &r.Skipped, &r.Differs} {
		if *s, b, err = ranges.Parse(b, uint64(n)); err != nil {
			return nil, err
		}
	}
	d := &decoder{b: b}
	for k := d.uvarint(); k > 0 && d.err == nil; k-- {
		r.Deleted = append(r.Deleted, string(d.take(d.uvarint())))
	}
	for k := d.uvarint(); k > 0 && d.err == nil; k-- {
		r.Errors = append(r.Errors, PathError{string(d.take(d.uvarint())), string(d.take(d.uvarint())), string(d.take(d.uvarint()))})
	}
	r.More = d.uvarint()
	if d.err == nil && d.off != len(b) {
		d.fail(errors.New("unexpected data at the end"))
	}
	if d.err != nil {
		return nil, &DecodeError{d.off, d.err}
	}
	return r, nil
}
