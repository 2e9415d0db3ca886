// Command modzip converts the output of git archive into a module zip file.
//
//	git archive --format=tar COMMIT | modzip MODULE@VERSION >VERSION.zip
//
// The file has the form that the go command creates from a repository, so that its checksum
// for go.sum is the same: it contains regular files only, without entries for folders. Times
// and permissions are not stored. Folders that contain a go.mod file are other modules
// and are left out, as are folders named vendor.
package main

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// limit is the size of a module that the go command accepts.
const limit = 500 << 20

func main() {
	if len(os.Args) != 2 || !strings.Contains(os.Args[1], "@") {
		fmt.Fprintln(os.Stderr, "usage: git archive --format=tar COMMIT | modzip MODULE@VERSION >VERSION.zip")
		os.Exit(2)
	}
	w := bufio.NewWriter(os.Stdout)
	err := convert(w, os.Stdin, os.Args[1]+"/")
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "modzip:", err)
		os.Exit(1)
	}
}

// file is a regular file of the archive.
type file struct {
	name string
	text []byte
}

func convert(w io.Writer, r io.Reader, prefix string) error {
	files, err := read(r)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(files, func(f file) bool { return f.name == "go.mod" }) {
		return errors.New("the archive contains no go.mod file in its root")
	}
	z := zip.NewWriter(w)
	for _, f := range files {
		if other(files, f.name) {
			continue
		}
		out, err := z.Create(prefix + f.name)
		if err != nil {
			return err
		}
		if _, err := out.Write(f.text); err != nil {
			return err
		}
	}
	return z.Close()
}

func read(r io.Reader) (files []file, err error) {
	size := int64(0)
	for t := tar.NewReader(r); ; {
		h, err := t.Next()
		switch {
		case err == io.EOF:
			return files, nil
		case err != nil:
			return nil, fmt.Errorf("read the archive: %w", err)
		case h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader:
			continue
		case h.Typeflag != tar.TypeReg:
			return nil, fmt.Errorf("%q is not a regular file", h.Name)
		}
		if size += h.Size; size > limit {
			return nil, fmt.Errorf("the files have more than %d bytes", limit)
		}
		text, err := io.ReadAll(t)
		if err != nil {
			return nil, fmt.Errorf("read %q: %w", h.Name, err)
		}
		files = append(files, file{h.Name, text})
	}
}

// other reports whether a file belongs to another module or is vendored.
func other(files []file, name string) bool {
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if path.Base(dir) == "vendor" || slices.ContainsFunc(files, func(f file) bool { return f.name == dir+"/go.mod" }) {
			return true
		}
	}
	return false
}
