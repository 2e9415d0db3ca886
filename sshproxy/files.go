package sshproxy

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
)

// FileSystem is where configuration files are read from. Names are absolute paths, or
// relative ones as the caller gave them.
type FileSystem interface {
	// Open opens a file for reading. It must not wait for a FIFO's other end.
	Open(name string) (fs.File, error)
	// ReadDir lists a directory.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Lstat describes a name without following a link at its end.
	Lstat(name string) (fs.FileInfo, error)
}

// FS serves the files of an [fs.FS] under the root: "/etc/ssh/ssh_config" is read from
// "etc/ssh/ssh_config". Files without an owner, as embedded ones are, pass every check
// of ownership.
func FS(fsys fs.FS) FileSystem { return rooted{fsys} }

type rooted struct{ fs.FS }

func clean(name string) string {
	name = strings.TrimPrefix(path.Clean("/"+name), "/")
	if name == "" {
		return "."
	}
	return name
}

func (r rooted) isDir(name string) bool {
	info, err := fs.Stat(r.FS, clean(name))
	return err == nil && info.IsDir()
}

func (r rooted) Open(name string) (fs.File, error) {
	if !climbs(name, r.isDir) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return r.FS.Open(clean(name))
}
func (r rooted) ReadDir(name string) ([]fs.DirEntry, error) { return fs.ReadDir(r.FS, clean(name)) }
func (r rooted) Lstat(name string) (fs.FileInfo, error) {
	if !climbs(name, r.isDir) {
		return nil, &fs.PathError{Op: "lstat", Path: name, Err: fs.ErrNotExist}
	}
	return fs.Stat(r.FS, clean(name))
}

// osFiles is the real file system.
type osFiles struct{}

func (osFiles) Open(name string) (fs.File, error) {
	return os.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
}
func (osFiles) ReadDir(name string) ([]fs.DirEntry, error) { return os.ReadDir(name) }
func (osFiles) Lstat(name string) (fs.FileInfo, error)     { return os.Lstat(name) }

// Limits bound what one resolution reads. Zero fields take the defaults.
type Limits struct {
	// FileBytes bounds one file, 64 MiB by default; Files the number of files read
	// for one target, 10,000 by default. The client itself has neither bound.
	FileBytes, Files int
}

func (l Limits) fileBytes() int64 {
	if l.FileBytes == 0 {
		return 64 << 20
	}
	return int64(l.FileBytes)
}

func (l Limits) files() int {
	if l.Files == 0 {
		return 10000
	}
	return l.Files
}

// loaded is a file that was read once.
type loaded struct {
	prog  *program
	info  fs.FileInfo
	err   error // it can't be opened
	limit error // it is refused: too large, or not a regular file
}

// load reads and compiles a file, once a resolver.
func (r *Resolver) load(name string) *loaded {
	c := r.store()
	c.mu.Lock()
	defer c.mu.Unlock()
	l, ok := c.files[name]
	if !ok {
		l = r.open(name)
		c.files[name] = l
	}
	return l
}

func (r *Resolver) open(name string) *loaded {
	f, err := r.files().Open(name)
	if err != nil {
		return &loaded{err: err}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return &loaded{err: err}
	}
	l := &loaded{info: info}
	var text []byte
	switch mode := info.Mode(); {
	case mode.IsDir() || name == os.DevNull:
		// Reading a directory fails at its first line: the client takes it as empty.
	case !mode.IsRegular():
		l.limit = errs.Errorf("%s is not a regular file: ssh would wait for it", name)
		return l
	default:
		limit := r.Limits.fileBytes()
		text, err = io.ReadAll(io.LimitReader(f, limit+1))
		if int64(len(text)) > limit {
			l.limit = errs.Errorf("%s is larger than %d bytes", name, limit)
			return l
		}
		if err != nil {
			text = nil
		}
	}
	l.prog = compile(Parse(name, text), r.Profile.build(), name, r.Local.service)
	return l
}

// notFound reports whether a file can't be opened because it does not exist.
func notFound(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// systemError is the text of the system's error, without what Go puts around it.
func systemError(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "No such file or directory"
	case errors.Is(err, fs.ErrPermission):
		return "Permission denied"
	}
	return err.Error()
}
