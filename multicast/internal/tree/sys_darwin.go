package tree

import (
	"errors"
	"os"
	"time"
)

const utimeOmit = -2

func timespec(t time.Time) (sec, nsec int64) { return t.Unix(), int64(t.Nanosecond()) }

const canExchange = false

// putsFiles reports whether there is putFile.
const putsFiles = false

func putFile(*os.File, string, []byte, uint32, time.Time) error { return errors.ErrUnsupported }

func exchange(*os.Root, string, string, func()) error { return errors.ErrUnsupported }

func setFileTime(f *os.File, mtime time.Time) error { return os.Chtimes(f.Name(), time.Time{}, mtime) }

// Sleep waits.
func Sleep(d time.Duration) { time.Sleep(d) }
