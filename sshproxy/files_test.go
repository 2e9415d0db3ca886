package sshproxy

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// TestDotsClimbOutOfDirectoriesThatAreThere: an Include of d/home/../inc reads nothing
// where d/home is missing, as the client's does.
func TestDotsClimbOutOfDirectoriesThatAreThere(t *testing.T) {
	for _, fsys := range []FileSystem{
		Memory(map[string][]byte{"/d/inc": []byte("Port 1\n"), "/d/a/x": nil}),
		FS(fstest.MapFS{"d/inc": {Data: []byte("Port 1\n")}, "d/a/x": {}}),
	} {
		for _, row := range []struct {
			name string
			ok   bool
		}{
			{"/d/inc", true}, {"/d/a/../inc", true}, {"/d/home/../inc", false}, {"/d/a/x/../../inc", false},
			{"/../d/inc", true}, {"/d/a/../../d/a/../inc", true}, {"/d/..inc", false},
		} {
			_, err := fsys.Lstat(row.name)
			if row.ok {
				require.NoError(t, err, row.name)
				f, err := fsys.Open(row.name)
				require.NoError(t, err, row.name)
				require.NoError(t, f.Close())
			} else {
				require.ErrorIs(t, err, fs.ErrNotExist, row.name)
			}
		}
	}
}
