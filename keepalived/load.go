package keepalived

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"dougu.internal/diag"
	"dougu.internal/internal/jsontext"
)

// The limits of a [Loader] that names none.
const (
	DefaultMaxFiles = 10_000
	DefaultMaxLines = 4_000_000
	DefaultMaxBytes = 1 << 30
	maxDepth        = 64        // includes within includes
	maxSteps        = 10_000    // substitutions within one line
	maxMade         = 300_000   // lines that repetitions and definitions make
	maxRoom         = 128 << 20 // bytes for what expansion makes
	maxMoved        = 16 << 20  // bytes that substitution moves, besides eight for each that is read
)

// Loader reads configurations as keepalived does: comments, conditions, variables,
// repetitions, includes. The zero Loader includes nothing. A Loader is a value; it
// may be used by many goroutines when its FS may.
type Loader struct {
	// FS holds the main file and what it includes; nothing outside of it is read.
	// A nil FS refuses every include.
	FS fs.FS
	// Root is the path that the root of FS has on the host: "/" for a file system that is a
	// copy of the host's, or the directory that FS holds, such as /etc/keepalived. An absolute
	// include is read from FS if it lies below Root. If empty, absolute includes are not read.
	Root string
	// Show turns the name of a file in FS into the one that findings give; nil: the
	// name itself.
	Show func(name string) string
	// Profile is the build whose way of reading lines is used. If zero, [Newest] is used.
	Profile Profile
	// ConfigID is what @id lines are compared with: the option -i, or the name of
	// the node up to its first dot. Empty: no id, so that "@id" never holds and
	// "@^id" always does.
	ConfigID string
	// Env holds the variables of ${_ENV NAME}; the environment of the process is
	// never read.
	Env map[string]string
	// Dir is the text of ${_PWD}; empty means "/etc/keepalived".
	Dir string
	// Seed makes ${_RANDOM} repeatable.
	Seed uint64
	// MaxFiles, MaxLines and MaxBytes bound the files read, the logical lines made
	// and the bytes read or made by substitution. 0 means the default.
	MaxFiles, MaxLines int
	MaxBytes           int64
}

// Config is a configuration as keepalived reads it: logical lines with the place of
// every word. It is read-only, and safe for use by many goroutines.
type Config struct {
	// Name is the main file.
	Name string

	sources []source
	extras  []extra
	// lines are what the parent process reads, children what the other processes
	// read from its copy; they are the same slice unless comments are taken away
	// twice.
	lines, children []line
	// store is what was found while reading.
	store
	// defs are all definitions, for what is never used or used too early.
	defs []defUse
	// ids are the config ids that lines ask for, and whether one of them held.
	ids     []idUse
	profile Profile
	loader  Loader
	// tooMuch reports that a limit ended the reading.
	tooMuch bool
	// unread lists the includes that keepalived would read and the Loader did not.
	unread []Unread
	// work counts the steps of reading.
	work int
}

// Unread is an include that was not read, although keepalived would read it.
type Unread struct {
	// Pattern is the text of the include: a path with wildcards.
	Pattern string `json:"pattern"`
	// Range is the place of the include.
	Range diag.Range `json:"range"`
}

// MarshalJSON returns the JSON encoding. Bytes of strings that are not valid UTF-8 are
// escaped, and [Unread.UnmarshalJSON] restores them.
func (u Unread) MarshalJSON() ([]byte, error) {
	type plain Unread
	return jsontext.Marshal(plain(u))
}

// UnmarshalJSON reads the encoding that [Unread.MarshalJSON] returns.
func (u *Unread) UnmarshalJSON(b []byte) error {
	type plain Unread
	return jsontext.Unmarshal(b, (*plain)(u))
}

// Complete reports whether everything was read that keepalived would read: no limit of the
// Loader ended the reading, and no include was left out. See [Config.Unread].
func (c *Config) Complete() bool { return !c.tooMuch && len(c.unread) == 0 }

// Unread returns the includes that were not read, because they are outside of the file
// system of the Loader or because reading failed.
func (c *Config) Unread() []Unread { return slices.Clone(c.unread) }

type defUse struct {
	name string
	at   span
	line span // the whole line of the definition
	used bool
}

type idUse struct {
	id    string
	at    span
	holds bool
}

// Load reads the named file of l.FS and all that it includes. The error is that of
// the main file when it cannot be read; all else is recorded in the Config, as
// findings of [Lint].
func (l Loader) Load(name string) (*Config, error) {
	if l.FS == nil {
		return nil, errors.New("keepalived: a Loader without FS cannot read files")
	}
	src, err := l.readFile(name, l.maxBytes())
	if err != nil {
		return nil, fmt.Errorf("keepalived: %w", err)
	}
	return l.parse(name, src), nil
}

// Parse reads a configuration that the caller holds in memory. Includes are read
// from l.FS as they are for a file of that name; without FS they are refused. The
// caller must not change src afterwards.
func (l Loader) Parse(name string, src []byte) *Config { return l.parse(name, src) }

func (l Loader) maxFiles() int {
	if l.MaxFiles > 0 {
		return l.MaxFiles
	}
	return DefaultMaxFiles
}

func (l Loader) maxLines() int {
	if l.MaxLines > 0 {
		return l.MaxLines
	}
	return DefaultMaxLines
}

func (l Loader) maxBytes() int64 {
	if l.MaxBytes > 0 {
		return l.MaxBytes
	}
	return DefaultMaxBytes
}

// readFile reads a regular file of at most limit bytes. Devices and FIFOs are not
// opened.
func (l Loader) readFile(name string, limit int64) ([]byte, error) {
	info, err := fs.Stat(l.FS, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	if info.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than the limit of %d", name, info.Size(), limit)
	}
	f, err := l.FS.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data := make([]byte, 0, info.Size()+1)
	for {
		n, err := f.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return nil, err
		}
		if int64(len(data)) > limit {
			return nil, fmt.Errorf("%s has more bytes than the limit of %d", name, limit)
		}
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
	}
}

func (l Loader) parse(name string, src []byte) *Config {
	c := &Config{Name: name, profile: l.Profile, loader: l}
	r := newReader(c, l)
	r.open(name, src, path.Dir(name), 0)
	r.run()
	c.lines = r.out
	c.children = c.lines
	if r.again && !r.stopped {
		// The parent process hands a copy without comments to the others. Reading is
		// deterministic, so that the sources of a second reading are the same.
		scratch := &Config{Name: name, loader: l}
		rec := newReader(scratch, l)
		rec.recording = true
		rec.open(name, src, path.Dir(name), 0)
		rec.run()
		second := newReader(c, l)
		second.second = true
		second.push(&input{copied: append([]buffer{}, rec.copied...)})
		second.out = make([]line, 0, len(c.lines))
		second.run()
		c.children = second.out
	}
	c.checkBytes()
	c.settle()
	return c
}

// addSource records a file and returns its index.
func (c *Config) addSource(name string, data []byte) int32 {
	text := string(data)
	shown := name
	if c.loader.Show != nil {
		shown = c.loader.Show(name)
	}
	c.sources = append(c.sources, source{name: shown, path: name, text: text, included: nowhere, lines: sync.OnceValue(func() *diag.Lines { return diag.NewLines(data) })})
	s := &c.sources[len(c.sources)-1]
	s.comments = findIgnores(text)
	return int32(len(c.sources) - 1)
}

// findIgnores finds the comments "lint:ignore KA001 KA002 ...".
func findIgnores(text string) []comment {
	const mark = "lint:ignore"
	var out []comment
	line, counted := 1, 0
	for at := 0; ; {
		i := strings.Index(text[at:], mark)
		if i < 0 {
			return out
		}
		from := at + i
		at = from + len(mark)
		begin := strings.LastIndexByte(text[:from], '\n') + 1
		end := len(text)
		if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
			end = at + n
		}
		hash := strings.IndexAny(text[begin:from], "#!")
		if hash < 0 {
			continue
		}
		line += strings.Count(text[counted:begin], "\n")
		counted = begin
		c := comment{line: line, from: from, to: end, alone: strings.TrimLeft(text[begin:begin+hash], " \t") == ""}
		for _, f := range strings.FieldsFunc(text[at:end], func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\r' }) {
			if !strings.HasPrefix(f, "KA") {
				break // a reason may follow
			}
			c.rules = append(c.rules, f)
		}
		out = append(out, c)
		at = end
	}
}

// Files returns the names of the files that were read, the main file first; a file
// that was included twice is named twice.
func (c *Config) Files() []string {
	var out []string
	for i := range c.sources {
		out = append(out, c.sources[i].name)
	}
	return out
}

// Source returns the bytes of a file that was read, or nil.
func (c *Config) Source(name string) []byte {
	for i := range c.sources {
		if c.sources[i].name == name {
			return []byte(c.sources[i].text)
		}
	}
	return nil
}
