package smart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// maxInput bounds what [Parse] reads.
const maxInput = 64 << 20

// Parse reads SMART data in any form and recognizes the form: text or JSON of smartctl or
// nvme-cli, a transcript of smartctl -r ataioctl,2, a state file or attribute log of smartd,
// a system log with messages of smartd, or raw pages. JSON documents may be in arrays and
// between other text. Parse returns one snapshot for each drive, and for an attribute log
// one for each record. Raw pages are decoded without a drive database.
//
// The error is [ErrNoData], [ErrScan] or a syntax error. Snapshots that were read before it
// are returned as well.
func Parse(r io.Reader) ([]*Snapshot, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, errs.Errorf("reading SMART evidence: %w", err)
	}
	if len(b) > maxInput {
		return nil, errs.Errorf("the input is larger than %d bytes", maxInput)
	}
	return ParseBytes(b, nil)
}

// ParseBytes is like [Parse] for data in memory. The drive database is used for raw pages
// and transcripts, and may be nil. The snapshots do not alias b.
func ParseBytes(b []byte, db *DriveDB) ([]*Snapshot, error) {
	head := bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	switch {
	case len(head) == 0:
		return nil, ErrNoData
	case len(b)%sector == 0 && bytes.IndexByte(b, 0) >= 0 && head[0] != '{' && !bytes.Contains(b, []byte("DATA START")):
		return parsePages(b, db)
	case bytes.Contains(b, []byte(replayMark)):
		if list, err := parseReplay(b, db); err == nil {
			return list, nil
		}
	case isState(head):
		s, err := ParseState(b)
		if err != nil {
			return nil, err
		}
		return []*Snapshot{s}, nil
	case isAttrLog(head):
		return ParseAttrLog(b)
	case isSyslog(b):
		return ParseSyslog(b)
	}
	b = unwrap(b)
	head = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	list, err := parseDocuments(head)
	if len(list) > 0 || errors.Is(err, ErrScan) || len(head) > 0 &&
		(head[0] == '{' || head[0] == '[' && looksJSON(head)) {
		return list, err
	}
	return parseText(b)
}

// looksJSON distinguishes an array from a shell prompt in brackets.
func looksJSON(b []byte) bool {
	b = bytes.TrimSpace(b[1:])
	return len(b) > 0 && (b[0] == '{' || b[0] == ']' || b[0] == '[')
}

// maxEffort limits the work for text around documents: bytes that may be read for each
// byte of the input.
const maxEffort = 8

// parseDocuments finds JSON documents in a text: one or several, in arrays or in other
// documents, with other text around them. The error is that of the first document that
// is cut or broken if there is no other text before it, or [ErrScan] or [ErrNoData].
func parseDocuments(b []byte) (list []*Snapshot, err error) {
	effort := maxEffort*len(b) + 1<<16
	scans, line, counted := 0, 1, 0
	for at := 0; at < len(b) && effort > 0; {
		i := bytes.IndexByte(b[at:], '{')
		if i < 0 {
			break
		}
		at += i
		if rest := bytes.TrimLeft(b[at+1:min(len(b), at+64)], " \t\r\n"); len(rest) > 0 && rest[0] != '"' &&
			rest[0] != '}' {
			if at == 0 {
				err = firstError(b, err)
			}
			at++
			continue
		}
		var raw json.RawMessage
		d := json.NewDecoder(bytes.NewReader(b[at:]))
		if bad := d.Decode(&raw); bad != nil {
			effort -= int(d.InputOffset()) + len(b)/64
			if errors.Is(bad, io.ErrUnexpectedEOF) {
				effort -= len(b) - at
			}
			if err == nil && (at == 0 || documentStart(b[at:])) {
				err = firstError(b[at:], nil)
			}
			at++
			continue
		}
		effort -= len(raw)
		s, bad := ParseJSON(raw)
		switch {
		case errors.Is(bad, ErrScan):
			scans++
		case errors.Is(bad, ErrNoData): // perhaps a document is inside
			at++
			continue
		case bad != nil:
			return list, bad
		default:
			if len(list) >= maxDrives {
				return list, errs.Errorf("more than %d drives in one input", maxDrives)
			}
			line += bytes.Count(b[counted:at], []byte("\n"))
			counted = at
			s.Source.Line = line
			list = append(list, s)
		}
		at += int(d.InputOffset())
	}
	switch {
	case err != nil:
		return list, err
	case len(list) > 0:
		return list, nil
	case scans > 0:
		return nil, ErrScan
	}
	return nil, ErrNoData
}

// documentStart reports whether a document that is cut is one of smartctl or nvme-cli.
func documentStart(b []byte) bool {
	b = b[:min(len(b), 400)]
	for _, key := range []string{`"smartctl"`, `"json_format_version"`, `"critical_warning"`} {
		if bytes.Contains(b, []byte(key)) {
			return true
		}
	}
	return false
}

// firstError returns the error of the document at the start of b.
func firstError(b []byte, err error) error {
	if err != nil {
		return err
	}
	var raw json.RawMessage
	bad := json.NewDecoder(bytes.NewReader(b)).Decode(&raw)
	switch {
	case bad == nil:
		return nil
	case errors.Is(bad, io.ErrUnexpectedEOF), errors.Is(bad, io.EOF):
		return errs.Errorf("JSON: the document is cut after %d bytes", len(b))
	}
	return jsonError(b, bad)
}

// parsePages takes raw pages without names: sectors of an ATA drive are told apart by
// their content, else 512 bytes are an NVMe health log. What was assumed is a
// warning.
func parsePages(b []byte, db *DriveDB) ([]*Snapshot, error) {
	s := &Snapshot{}
	var p ATAPages
	for rest := b; len(rest) >= sector; rest = rest[sector:] {
		page := rest[:sector]
		switch {
		case sum8(page) != 0 || allBytes(page, 0):
		case p.Identify == nil && page[510] == 0xa5:
			p.Identify = page
		case p.Values == nil && isValues(page):
			p.Values = page
		case p.Thresholds == nil && p.Values != nil && page[2] == p.Values[2]:
			p.Thresholds = page
		}
	}
	if p.Values != nil || p.Identify != nil {
		err := DecodeATA(s, p, db)
		s.warn(Warning{Msg: "assumed: pages of an ATA drive, by their checksums"})
		return []*Snapshot{s}, err
	}
	if len(b) == 512 && b[3] <= 100 && allBytes(b[232:], 0) {
		s.NVMe = &NVMeHealth{}
		if err := DecodeNVMe(s.NVMe, b); err != nil {
			return nil, err
		}
		s.Source.Format, s.Device.Protocol = FormatPages, "NVMe"
		s.warn(Warning{Msg: "assumed: NVMe log 02h, by its size and its reserved bytes"})
		s.conclude()
		return []*Snapshot{s}, nil
	}
	return nil, ErrNoData
}

// isValues reports whether a sector with a good checksum is READ DATA: normalised
// values and flags are plausible.
func isValues(b []byte) bool {
	n, likely := 0, 0
	for i := range attributeSlots {
		row := b[2+12*i:]
		if row[0] == 0 {
			continue
		}
		n++
		if row[2] == 0 && row[3] > 0 && row[4] > 0 {
			likely++
		}
	}
	return n > 0 && likely*4 >= n*3
}
