package sim

import (
	"bytes"
	"compress/flate"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"io"
	"strings"
)

const (
	gzipHeader = 10
	gzipFooter = 8
)

// isGzip reports whether iPXE takes a file for one that gzip has packed.
func isGzip(b []byte) bool {
	return len(b) >= gzipHeader+gzipFooter && b[0] == 0x1f && b[1] == 0x8b
}

// unpack extracts what gzip has packed. As in iPXE, neither checksum nor length count.
func (r *runner) unpack(b []byte) ([]byte, Status) {
	flags := b[3]
	b = b[gzipHeader : len(b)-gzipFooter]
	if flags&4 != 0 { // extra field
		if len(b) < 2 || len(b)-2 < int(b[0])|int(b[1])<<8 {
			return nil, einvalGzip
		}
		b = b[2+(int(b[0])|int(b[1])<<8):]
	}
	for _, bit := range []byte{8, 16} { // name, comment
		if flags&bit == 0 {
			continue
		}
		n := bytes.IndexByte(b, 0)
		if n < 0 {
			return nil, einvalGzip
		}
		b = b[n+1:]
	}
	if flags&2 != 0 { // header's own checksum
		if len(b) < 2 {
			return nil, einvalGzip
		}
		b = b[2:]
	}
	room := max(r.opts.MaxBytes-r.bytes, 0)
	out, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(b)), int64(room)+1))
	switch {
	case !r.charge(len(out)):
		return nil, OK
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, einvalZlib
	case err != nil:
		return nil, einvalDeflate
	}
	return out, OK
}

// extract makes an image of what another one holds.
func (r *runner) extract(i *image, name field) (*image, Status) {
	if i.typ != imageGzip {
		return nil, enotsupArchive
	}
	x := r.newImage()
	*x = image{name: i.name, uri: i.uri}
	if name.is {
		x.name = name.text
	} else if at := strings.LastIndexByte(x.name, '.'); at >= 0 {
		x.name = x.name[:at]
	}
	var status Status
	if x.data, status = r.unpack(i.data); status != OK || r.fatal != nil {
		return nil, status
	}
	r.adopt(x)
	return x, OK
}

// imgextract unpacks an image.
func imgextract(r *runner, c *call) Status {
	i, status := r.acquire(c.rest[0], c.timeout, c.quiet)
	if status != OK || r.fatal != nil {
		return status
	}
	if _, status = r.extract(i, c.label); status != OK && r.fatal == nil {
		r.print("Could not extract image: ", r.message(status), "\n")
	}
	if !c.keep {
		r.unregister(i)
	}
	return status
}

// digest prints or stores the digest of images.
func digest(r *runner, c *call) Status {
	for _, name := range c.rest {
		i, status := r.acquire(name, 0, false)
		if status != OK || r.fatal != nil {
			return status
		}
		sum := digestOf(c.name, i.data)
		if !c.target.is {
			r.print(hex.EncodeToString(sum), "  ", i.name, "\n")
			continue
		}
		b, s, status := r.parseName(c.target.text, true)
		if status != OK {
			return status
		}
		if s.typ == nil {
			s.typ = typeHexRaw
		}
		if status = r.keep(b, &s, r.store(b, &s, sum)); status != OK {
			return status
		}
	}
	return OK
}

func digestOf(command string, data []byte) []byte {
	switch command {
	case "md5sum":
		d := md5.Sum(data)
		return d[:]
	case "sha1sum":
		d := sha1.Sum(data)
		return d[:]
	case "sha224sum":
		d := sha256.Sum224(data)
		return d[:]
	case "sha256sum":
		d := sha256.Sum256(data)
		return d[:]
	case "sha384sum":
		d := sha512.Sum384(data)
		return d[:]
	}
	d := sha512.Sum512(data)
	return d[:]
}
