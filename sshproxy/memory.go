package sshproxy

import (
	"io/fs"
	"path"
	"strings"
	"time"
)

// memoryFile opens a parsed file as a regular one without an owner.
func memoryFile(f *File) (fs.File, error) {
	return &openFile{Reader: strings.NewReader(f.src), f: f}, nil
}

type openFile struct {
	*strings.Reader
	f *File
}

func (o *openFile) Stat() (fs.FileInfo, error) { return o, nil }
func (o *openFile) Close() error               { return nil }
func (o *openFile) Name() string               { return path.Base(o.f.name) }
func (o *openFile) Mode() fs.FileMode          { return 0o600 }
func (o *openFile) ModTime() time.Time         { return time.Time{} }
func (o *openFile) IsDir() bool                { return false }
func (o *openFile) Sys() any                   { return nil }
