package sshproxy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

func TestDocumentComesBackByteForByte(t *testing.T) {
	for _, text := range []string{
		"", "\n", "Host", "Host a\r\n\tPort 22 # x\r\n", "\ufeffUser x", "User \"unclosed\n'\n", "a\x00b\nUser x\x00y\n", "\f\n=\n\"\"\n",
		strings.Repeat("x", 1<<20), "Host a\n\n\n  User  =  b  \n# end",
	} {
		f := Parse("f", []byte(text))
		require.Equal(t, text, string(f.Bytes()))
		end := 0
		for b := range f.Blocks() {
			require.Equal(t, end, b.Range.Start.Offset, "blocks cover the file")
			end = b.Range.End.Offset
			for _, o := range b.Options {
				require.Equal(t, o.Value, text[o.ValueRange.Start.Offset:o.ValueRange.End.Offset])
			}
		}
		require.Equal(t, len(text), end)
	}
}

func TestSetTouchesOneLineOnly(t *testing.T) {
	const text = "# mine\r\nUser root\r\n\r\nHost  a\r\n\tPort=22\r\n\tIdentityFile ~/x   \r\n# tail\r\nHost b c\r\n  Port 1"
	for _, row := range []struct{ host, option, value, want string }{
		{"a", "port", "2222", strings.Replace(text, "Port=22\r", "Port=2222\r", 1)},
		{"a", "User", "me", strings.Replace(text, "~/x   \r\n", "~/x   \r\n\tUser me\r\n", 1)},
		{"a", "IdentityFile", `"~/a b"`, strings.Replace(text, "~/x", `"~/a b"`, 1)},
		{"", "User", "x", strings.Replace(text, "User root", "User x", 1)},
		{"", "Compression", "yes", strings.Replace(text, "User root\r\n", "User root\r\nCompression yes\r\n", 1)},
		{"b", "Port", "3", text + "\r\n\r\nHost b\r\n    Port 3\r\n"},
		{"a", "ProxyCommand", "nc %h %p # kept", strings.Replace(text, "~/x   \r\n", "~/x   \r\n\tProxyCommand nc %h %p # kept\r\n", 1)},
	} {
		f := Parse("f", []byte(text))
		require.NoError(t, f.Set(row.host, row.option, row.value))
		require.Equal(t, row.want, string(f.Bytes()), "%+v", row)
	}
	f := Parse("f", nil)
	require.NoError(t, f.Set("h", "Port", "1"))
	require.NoError(t, f.Set("h", "User", "u"))
	require.Equal(t, "Host h\n    Port 1\n    User u\n", string(f.Bytes()))
	require.NoError(t, f.Delete("h", "port"))
	require.Equal(t, "Host h\n    User u\n", string(f.Bytes()))
	require.ErrorContains(t, f.Delete("h", "port"), "no port under Host h")
	require.NoError(t, f.Delete("h", "User"))
	require.Equal(t, "Host h\n", string(f.Bytes()))
}

func TestEditsRefuseWhatWouldInject(t *testing.T) {
	f := Parse("f", []byte("Host h\n Port 1\n"))
	for _, row := range [][3]string{
		{"h", "Port", "1\nProxyCommand id"}, {"h", "Port", "1\rx"}, {"h", "ProxyCommand", "echo it's"}, {"h", "User", ""}, {"h", "User", "  "},
		{"h", "Frobnicate", "x"}, {"h", "Port 1\nUser", "x"}, {"h", "Host", "x"}, {"h", "Match", "all"}, {"new\nhost", "Port", "1"}, {"h", "User", "#x"}, {"h", "User", "a\x00b"},
	} {
		require.Error(t, f.Set(row[0], row[1], row[2]), "%q", row)
	}
	_, err := f.AddHost("a", "")
	require.Error(t, err)
	_, err = f.AddHost()
	require.Error(t, err)
	require.Equal(t, "Host h\n Port 1\n", string(f.Bytes()))
	b, err := f.AddHost("a b", "*.x")
	require.NoError(t, err)
	require.Equal(t, `"a b" *.x`, b.Criteria)
}

func TestManagedRegionKeepsTheRest(t *testing.T) {
	f := Parse("f", []byte("User x"))
	m, err := f.Managed("dougu")
	require.NoError(t, err)
	require.NoError(t, m.Replace("Host a\n  Port 1"))
	require.Equal(t, "User x\n# begin dougu\nHost a\n  Port 1\n# end dougu\n", string(f.Bytes()))
	require.NoError(t, m.Replace("Host b\n"))
	text, ok, err := m.Text()
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "Host b\n", text)
	require.Error(t, m.Replace("# end dougu\n"))
	require.NoError(t, m.Remove())
	require.NoError(t, m.Remove())
	require.Equal(t, "User x\n", string(f.Bytes()))
	_, err = f.Managed("a b")
	require.Error(t, err)
	for _, broken := range []string{"# end x\n", "# begin x\n", "# begin x\n# begin x\n# end x\n"} {
		m, err := Parse("f", []byte(broken)).Managed("x")
		require.NoError(t, err)
		require.Error(t, m.Replace("Host a\n"), "%q", broken)
	}
}

func TestWriteFileReplacesWithModeAndRefusesLinks(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "config")
	require.NoError(t, WriteFile(name, []byte("a"), WriteOptions{}))
	info, err := os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	require.NoError(t, os.Chmod(name, 0o640))
	require.NoError(t, WriteFile(name, []byte("b"), WriteOptions{}))
	info, err = os.Stat(name)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode())

	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink("config", link))
	require.ErrorContains(t, WriteFile(link, []byte("c"), WriteOptions{}), "symbolic link")
	require.NoError(t, WriteFile(link, []byte("c"), WriteOptions{FollowSymlink: true}))
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Equal(t, "c", string(text))
	require.Error(t, WriteFile(dir, nil, WriteOptions{}))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 2, "no temporary file is left")
}

func TestCheckNamesLinesAsSSHDoes(t *testing.T) {
	f := Parse("c", []byte("Frob x\nIgnoreUnknown y*\nYes 1\nPort 0\nHost a \"\"\nMatch host\nUser a b\n"))
	var got []string
	for _, e := range f.Check(mustProfile("9.2p1-debian")) {
		got = append(got, e.Text)
	}
	require.Equal(t, []string{
		"c: line 1: Bad configuration option: frob", "c line 4: Bad port '0'.", "c line 5: keyword host empty argument",
		"Missing Match criteria for host", "c line 6: Bad Match condition", "c line 7: keyword user extra arguments at end of line",
	}, got)
}

// FuzzDocument holds the round trip, and that an edit of one value changes that line
// alone.
func FuzzDocument(f *testing.F) {
	for _, s := range []string{"Host a\n Port 1\n", "\"User\" x\r\n", "Us\"er\" x", "User = = \x00", "# begin x\n# end x\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		doc := Parse("f", src)
		if !bytes.Equal(doc.Bytes(), src) {
			t.Fatalf("%q came back as %q", src, doc.Bytes())
		}
		end := 0
		for b := range doc.Blocks() {
			if b.Range.Start.Offset != end {
				t.Fatalf("block at %d, not %d", b.Range.Start.Offset, end)
			}
			end = b.Range.End.Offset
		}
		if end != len(src) {
			t.Fatalf("blocks end at %d of %d", end, len(src))
		}
		doc.Check(Newest())
		before := strings.SplitAfter(string(src), "\n")
		if err := doc.Set("a", "Port", "77"); err != nil {
			t.Fatal(err)
		}
		after := strings.SplitAfter(string(doc.Bytes()), "\n")
		if len(before) == len(after) {
			changed := 0
			for i := range before {
				if before[i] != after[i] {
					changed++
				}
			}
			if changed > 1 {
				t.Fatalf("%d lines changed: %q became %q", changed, src, doc.Bytes())
			}
		}
	})
}

// TestSetIsReadByTheClient gives edited files to the real client.
func TestSetIsReadByTheClient(t *testing.T) {
	tool := sshTool.Need(t)
	dir := t.TempDir()
	f := Parse("c", []byte("Host other\n  Port 1\n"))
	require.NoError(t, f.Set("h", "HostName", `"real.example"`))
	require.NoError(t, f.Set("h", "ProxyCommand", `nc -x "a b" %h %p`))
	require.NoError(t, f.Set("h", "HostName", "other.example"))
	require.NoError(t, WriteFile(filepath.Join(dir, "c"), f.Bytes(), WriteOptions{}))
	r := oracle.Run(t, oracle.Cmd{Path: tool.Path, Args: []string{"-G", "-F", "c", "h"}, Dir: dir})
	require.Zero(t, r.ExitCode)
	require.Contains(t, string(r.Stdout), "\nhostname other.example\n")
	require.Contains(t, string(r.Stdout), "\nproxycommand nc -x \"a b\" %h %p\n")
	oracle.Compared(t, tool, 1)
}
