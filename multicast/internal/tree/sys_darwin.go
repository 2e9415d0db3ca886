package tree

import (
	"errors"
	"os"
	"time"
)

const utimeOmit = -2

func timespec(t time.Time) (sec, nsec int64) { return t.Unix(), int64(t.Nanosecond()) }

const canExchange = false

func exchange(*os.Root, string, string) error { return errors.ErrUnsupported }

func setFileTime(f *os.File, mtime time.Time) error { return os.Chtimes(f.Name(), time.Time{}, mtime) }
