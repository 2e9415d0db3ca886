package dial

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

const (
	// keyLimit is the maximum size of a key or certificate file.
	keyLimit = 1 << 20
	// hostsLimit is the maximum size of a file of host keys.
	hostsLimit = 64 << 20
)

// readFile reads a regular file of limited size. It does not wait for the other end of a
// FIFO.
func readFile(name string, limit int64) ([]byte, fs.FileInfo, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|nonBlocking, 0)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("%s is not a regular file", name)
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, nil, err
	}
	if int64(len(text)) > limit {
		return nil, nil, fmt.Errorf("%s is larger than %d bytes", name, limit)
	}
	return text, info, nil
}

// absent reports whether a file does not exist or must not be read, which ssh ignores.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}
