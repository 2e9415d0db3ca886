package guest

import (
	"bytes"
	"compress/gzip"
	"fmt"
)

// entry is a file of an initramfs.
type entry struct {
	name string
	mode uint32
	data []byte
}

// The kinds of a file in its mode.
const (
	modeDir  = 0o040755
	modeFile = 0o100755
	modeLink = 0o120777
)

// archive returns the entries in the newc form of cpio, compressed.
func archive(entries []entry) ([]byte, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	for i, e := range append(entries, entry{name: "TRAILER!!!"}) {
		head := fmt.Appendf(nil, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\x00",
			i+1, e.mode, 0, 0, 1, 0, len(e.data), 0, 0, 0, 0, len(e.name)+1, 0, e.name)
		for len(head)%4 != 0 {
			head = append(head, 0)
		}
		z.Write(head)
		z.Write(e.data)
		z.Write(make([]byte, (4-len(e.data)%4)%4))
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
