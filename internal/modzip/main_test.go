package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// archive returns a tar file with these entries. The content of a regular file is its name.
func archive(t *testing.T, entries ...tar.Header) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range entries {
		if h.Typeflag == 0 {
			h.Typeflag, h.Size = tar.TypeReg, int64(len(h.Name))
		}
		h.Mode = 0o644
		require.NoError(t, w.WriteHeader(&h))
		if h.Typeflag == tar.TypeReg {
			_, err := io.WriteString(w, h.Name)
			require.NoError(t, err)
		}
	}
	require.NoError(t, w.Close())
	return &b
}

func TestConvert(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, convert(&out, archive(t, tar.Header{Name: "go.mod"}, tar.Header{Name: "a/", Typeflag: tar.TypeDir}, tar.Header{Name: "a/a.go"}, tar.Header{Name: "b/c/x.go"},
		tar.Header{Name: "b/go.mod"}, tar.Header{Name: "b.go"}, tar.Header{Name: "vendor/v.go"}, tar.Header{Name: "a/vendor.go"}), "m@v0.1.0/"))
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	require.NoError(t, err)
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		require.NoError(t, err)
		text, err := io.ReadAll(r)
		require.NoError(t, err)
		require.Equal(t, f.Name, "m@v0.1.0/"+string(text))
	}
	require.Equal(t, []string{"m@v0.1.0/go.mod", "m@v0.1.0/a/a.go", "m@v0.1.0/b.go", "m@v0.1.0/a/vendor.go"}, names)
}

func TestRefusals(t *testing.T) {
	for _, row := range []struct {
		in   io.Reader
		want string
	}{
		{archive(t, tar.Header{Name: "a.go"}), "no go.mod"},
		{archive(t, tar.Header{Name: "go.mod"}, tar.Header{Name: "l", Linkname: "go.mod", Typeflag: tar.TypeSymlink}), `"l" is not a regular file`},
		{bytes.NewReader(bytes.Repeat([]byte("x"), 1024)), "read the archive"},
		{io.LimitReader(archive(t, tar.Header{Name: "go.mod"}), 514), "read"},
	} {
		require.ErrorContains(t, convert(io.Discard, row.in, "m@v0.1.0/"), row.want)
	}
}
