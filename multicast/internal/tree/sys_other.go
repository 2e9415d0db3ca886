//go:build !linux && !darwin

package tree

import (
	"errors"
	"io/fs"
	"os"
	"time"
)

const (
	noFollow    = 0
	canExchange = false
)

func sysInfo(fs.FileInfo) (id inode, links uint64, uid, gid uint32) { return inode{}, 1, 0, 0 }

func setLinkTime(*os.Root, string, time.Time) error { return nil }

// putsFiles reports whether there is putFile.
const putsFiles = false

func putFile(*os.File, string, []byte, uint32, time.Time) error { return errors.ErrUnsupported }

func exchange(*os.Root, string, string, func()) error { return errors.ErrUnsupported }

func setFileTime(f *os.File, mtime time.Time) error { return os.Chtimes(f.Name(), time.Time{}, mtime) }

// Sleep waits.
func Sleep(d time.Duration) { time.Sleep(d) }

func isNotEmpty(error) bool    { return false }
func isCrossDevice(error) bool { return false }
func isFull(error) bool        { return false }

func renameOnto(*os.Root, string, string) error { return errors.ErrUnsupported }

func freeSpace(*os.Root) (bytes, inodes uint64, ok bool) { return 0, 0, false }

func keepOwner(*os.File, *os.File, fs.FileInfo) error { return nil }

func changeTime(fi fs.FileInfo) time.Time { return fi.ModTime() }
