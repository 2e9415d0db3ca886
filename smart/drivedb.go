package smart

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
)

// DriveDB is a drive database in the format of smartmontools (drivedb.h). It is safe for
// concurrent use by multiple goroutines. A nil *DriveDB contains no drives.
type DriveDB struct {
	// Version is the text of the VERSION entry. It is empty if the file has none.
	Version string
	// Entries are the drives, in the order of the file, without the VERSION and
	// DEFAULT entries.
	Entries []DriveEntry
	// Warnings name the entries that could not be used.
	Warnings []Warning

	defaults *presetTable
	last     atomic.Pointer[lookup]
}

// DriveEntry is one entry of the database.
type DriveEntry struct {
	// Family is the name of the drives. The names of USB bridges start with "USB:".
	Family string `json:"family,omitzero"`
	// Model and Firmware are POSIX extended regular expressions for the whole
	// string. An empty Firmware matches all.
	Model    string `json:"model,omitzero"`
	Firmware string `json:"firmware,omitzero"`
	// Warning is the message for the owners of such a drive.
	Warning string `json:"warning,omitzero"`
	// Presets are the options -v, -F and -d.
	Presets string `json:"presets,omitzero"`
	// Line is the line of the entry in the file.
	Line int `json:"line"`

	match *matcher
}

// USB reports whether the entry is about a USB bridge and not about a drive.
func (e *DriveEntry) USB() bool { return strings.HasPrefix(e.Family, "USB:") }

// The limits of a drive database. The one of smartmontools 7.3 has 235 kB and 740
// entries.
const (
	maxDBSize    = 16 << 20
	maxDBEntries = 20000
	maxDBString  = 32 << 10
	// The largest expression of smartmontools has 2 kB, all of them together 110 kB.
	maxExpression  = 16 << 10
	maxExpressions = 1 << 20
)

// LoadDriveDB reads a drivedb.h. An entry that cannot be used is left out with a warning
// that contains its line. So are entries whose expressions would expand to a large size.
// The error means that the file is too large or contains no entry.
func LoadDriveDB(r io.Reader) (*DriveDB, error) {
	src, err := io.ReadAll(io.LimitReader(r, maxDBSize+1))
	if err != nil {
		return nil, errs.Errorf("drive database: %w", err)
	}
	if len(src) > maxDBSize {
		return nil, errs.Errorf("drive database: larger than %d bytes", maxDBSize)
	}
	p := dbParser{src: src, line: 1, db: &DriveDB{}}
	p.file()
	db := p.db
	if p.large > 0 {
		p.warn(p.largeLine,
			"%d entries are left out, this is the first: their expressions are too large (limits: %d for one, %d "+
				"for all)", p.large, maxExpression, maxExpressions)
	}
	if db.defaults == nil {
		db.defaults = builtinPresets
	}
	if len(db.Entries) == 0 && db.Version == "" && !p.hasDefault {
		return nil,
			errs.New("drive database: no entry { \"family\", \"model\", \"firmware\", \"warning\", \"presets\" } in it")
	}
	return db, nil
}

// dbParser reads the C subset of the file: comments, braces, commas and strings.
type dbParser struct {
	src        []byte
	at, line   int
	db         *DriveDB
	hasDefault bool
	size       int // of all expressions
	large      int // expressions that were refused
	largeLine  int
}

func (p *dbParser) warn(line int, format string, args ...any) {
	if len(p.db.Warnings) < maxWarnings {
		p.db.Warnings = append(p.db.Warnings, Warning{Line: line, Offset: p.at, Msg: fmt.Sprintf(format, args...)})
	}
}

// next returns the next token: one of { } , or '"' for a string, whose value is
// returned as well; 0 at the end.
func (p *dbParser) next() (byte, string) {
	for p.at < len(p.src) {
		c := p.src[p.at]
		rest := p.src[p.at:]
		switch {
		case c == '\n':
			p.line++
			p.at++
		case c == ' ' || c == '\t' || c == '\r':
			p.at++
		case bytes.HasPrefix(rest, []byte("//")):
			p.skipTo(rest, "\n", 0)
		case bytes.HasPrefix(rest, []byte("/*")):
			p.skipTo(rest, "*/", 2)
		case c == '"':
			return '"', p.str()
		default:
			p.at++
			return c, ""
		}
	}
	return 0, ""
}

func (p *dbParser) skipTo(rest []byte, mark string, over int) {
	i := bytes.Index(rest, []byte(mark))
	if i < 0 {
		i = len(rest) - over
	}
	p.line += bytes.Count(rest[:i+over], []byte("\n"))
	p.at += i + over
}

// str reads the string at the position. The escapes are \\ \" and \n.
func (p *dbParser) str() string {
	p.at++
	start := p.at
	var b []byte
	for p.at < len(p.src) {
		switch c := p.src[p.at]; c {
		case '"':
			s := p.src[start:p.at]
			p.at++
			if b != nil {
				return string(append(b, s...))
			}
			return string(s)
		case '\n':
			p.warn(p.line, "a string ends with the line, not with a quote")
			return string(append(b, p.src[start:p.at]...))
		case '\\':
			b = append(b, p.src[start:p.at]...)
			p.at++
			if p.at == len(p.src) {
				return string(b)
			}
			switch e := p.src[p.at]; e {
			case 'n':
				b = append(b, '\n')
			default:
				b = append(b, e)
			}
			p.at++
			start = p.at
		default:
			p.at++
		}
	}
	p.warn(p.line, "a string ends with the file, not with a quote")
	return string(append(b, p.src[start:]...))
}

func (p *dbParser) file() {
	for {
		tok, _ := p.next()
		switch tok {
		case 0:
			return
		case ',', '}', ';':
		case '{':
			if !p.entry() {
				return
			}
		default:
			p.warn(p.line, "an entry begins with {, not with %q", tok)
			if !p.resync() {
				return
			}
		}
	}
}

// resync skips to the end of what can't be read; false at the end of the file.
func (p *dbParser) resync() bool {
	for {
		switch tok, _ := p.next(); tok {
		case 0:
			return false
		case '}':
			return true
		}
	}
}

// entry reads an entry behind its brace.
func (p *dbParser) entry() bool {
	var f [5]string
	line, n, joined := p.line, 0, false
	for {
		tok, s := p.next()
		switch {
		case tok == '"' && n < len(f):
			if joined {
				f[n] += s
			} else {
				f[n], joined = s, true
			}
			if len(f[n]) > maxDBString {
				p.warn(line, "a string of the entry is longer than %d bytes", maxDBString)
				return p.resync()
			}
		case tok == ',' && joined:
			n, joined = n+1, false
		case tok == '}' && (n == 4 && joined || n == 5 && !joined):
			return p.add(line, f)
		case tok == '}':
			p.warn(line, "the entry does not have five strings and is left out")
			return true
		case tok == 0:
			p.warn(line, "the entry does not end")
			return false
		default:
			p.warn(line, "the entry holds %q where a string is due, and is left out", tok)
			return p.resync()
		}
	}
}

func (p *dbParser) add(line int, f [5]string) bool {
	switch {
	case strings.HasPrefix(f[0], "VERSION:"):
		p.db.Version = f[0]
		return true
	case f[0] == "DEFAULT" && f[1] == "-":
		p.hasDefault = true
		t := *builtinUnnamed
		if err := t.options(f[4], true); err != nil {
			p.warn(line, "DEFAULT: %s", errs.Trim(err))
		}
		p.db.defaults = &t
		return true
	case len(p.db.Entries) == maxDBEntries:
		p.warn(line, "more than %d entries; the rest is left out", maxDBEntries)
		return false
	}
	e := DriveEntry{Family: f[0], Model: f[1], Firmware: f[2], Warning: f[3], Presets: f[4], Line: line}
	if !e.USB() {
		if err := new(presetTable).options(e.Presets, false); err != nil {
			p.warn(line, "%s: %s; the entry is left out", e.Family, errs.Trim(err))
			return true
		}
	}
	if !e.USB() {
		n := expressionSize(e.Model) + expressionSize(e.Firmware)
		if n > maxExpression || p.size+n > maxExpressions {
			if p.large++; p.large == 1 {
				p.largeLine = line
			}
			return true
		}
		p.size += n
	}
	e.match = newMatcher(e.Model, e.Firmware)
	p.db.Entries = append(p.db.Entries, e)
	return true
}
