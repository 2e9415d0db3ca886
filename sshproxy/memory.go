package sshproxy

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"
)

// Memory serves files from memory. Names are as the resolver asks for them: absolute, or
// as given to Config. The files have no owner, so they pass every check of ownership.
func Memory(files map[string][]byte) FileSystem {
	m := memory{}
	for name, text := range files {
		m[path.Clean(name)] = string(text)
	}
	return m
}

type memory map[string]string

// climbs reports whether each directory that a name leaves again by ".." is there, as
// the system wants it.
func climbs(name string, isDir func(string) bool) bool {
	for i := 0; ; {
		at := strings.Index(name[i:], "/..")
		if at < 0 {
			return true
		}
		i += at
		if rest := name[i+3:]; (rest == "" || rest[0] == '/') && !isDir(path.Clean(name[:i]+"/.")) {
			return false
		}
		i += 3
	}
}

func (m memory) isDir(name string) bool {
	_, err := m.ReadDir(name)
	return err == nil || name == "/" || name == "." || path.Base(name) == ".."
}

// Open opens a file.
func (m memory) Open(name string) (fs.File, error) {
	text, ok := m[path.Clean(name)]
	if !ok || !climbs(name, m.isDir) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &openFile{Reader: strings.NewReader(text), name: path.Base(name)}, nil
}

// ReadDir lists the files whose names begin with that of the directory.
func (m memory) ReadDir(name string) (list []fs.DirEntry, err error) {
	prefix := strings.TrimSuffix(path.Clean(name), "/") + "/"
	if prefix == "./" {
		prefix = ""
	}
	seen := map[string]bool{}
	for _, f := range slices.Sorted(maps.Keys(m)) {
		rest, ok := strings.CutPrefix(f, prefix)
		base, _, deeper := strings.Cut(rest, "/")
		if !ok || base == "" || seen[base] {
			continue
		}
		seen[base] = true
		list = append(list, fs.FileInfoToDirEntry(&openFile{Reader: strings.NewReader(m[f]), name: base, dir: deeper}))
	}
	if list == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	return list, nil
}

// Lstat describes a file or directory.
func (m memory) Lstat(name string) (fs.FileInfo, error) {
	if !climbs(name, m.isDir) {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	if text, ok := m[path.Clean(name)]; ok {
		return &openFile{Reader: strings.NewReader(text), name: path.Base(name)}, nil
	}
	if _, err := m.ReadDir(name); err == nil {
		return &openFile{Reader: strings.NewReader(""), name: path.Base(name), dir: true}, nil
	}
	return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
}

// openFile is a file in memory and what describes it.
type openFile struct {
	*strings.Reader
	name string
	dir  bool
}

// memoryFile opens a parsed file as a regular one without an owner.
func memoryFile(f *File) (fs.File, error) {
	return &openFile{Reader: strings.NewReader(f.src), name: path.Base(f.name)}, nil
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o, nil }
func (o *openFile) Close() error               { return nil }
func (o *openFile) Name() string               { return o.name }
func (o *openFile) ModTime() time.Time         { return time.Time{} }
func (o *openFile) IsDir() bool                { return o.dir }
func (o *openFile) Sys() any                   { return nil }

func (o *openFile) Mode() fs.FileMode {
	if o.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}
