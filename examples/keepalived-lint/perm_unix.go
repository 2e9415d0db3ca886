//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// othersCanChange reports whether a user other than root can change a file or one of its
// parent directories.
func othersCanChange(path string) bool {
	for {
		info, err := os.Lstat(path)
		if err != nil {
			return false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		sticky := info.IsDir() && info.Mode()&os.ModeSticky != 0
		if st.Uid != 0 ||
			!sticky && info.Mode()&os.ModeSymlink == 0 && (st.Gid != 0 && info.Mode()&0o020 != 0 || info.Mode()&0o002 != 0) {
			return true
		}
		up := filepath.Dir(path)
		if up == path {
			return false
		}
		path = up
	}
}
