package console_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/umlconsole/console"
	"dougu.internal/internal/fill"
	"dougu.internal/internal/oracle"
)

func found(r io.Reader) (list []string) {
	for d, err := range console.FindBootLog(r) {
		if err != nil {
			list = append(list, "error: "+err.Error())
			continue
		}
		list = append(list, d.Label+" "+d.Path)
	}
	return list
}

func TestAnnouncementsAreFound(t *testing.T) {
	for _, row := range []struct {
		name, log string
		want      []string
	}{
		{"UML", "Virtual console 1 assigned device '/dev/pts/0'\nSerial line 0 assigned device '/dev/pts/12'\n", []string{"con1 /dev/pts/0", "ssl0 /dev/pts/12"}},
		{"glued to a prompt", "# \x1b[6nVirtual console 1 assigned device '/dev/pts/0'# ", []string{"con1 /dev/pts/0"}},
		{"QEMU", "char device redirected to /dev/pts/3 (label serial0)\nchar device redirected to /dev/pts/4 (label compat_monitor0)\n", []string{"serial0 /dev/pts/3", "compat_monitor0 /dev/pts/4"}},
		{"moved", "Virtual console 1 assigned device '/dev/pts/0'\nVirtual console 1 assigned device '/dev/pts/5'\n", []string{"con1 /dev/pts/0", "con1 /dev/pts/5"}},
		{"a lie", "Virtual console 1 assigned device '/etc/passwd'\nVirtual console 2 assigned device '/dev/pts/1'\n", []string{
			`error: console: invalid path "/etc/passwd" of console "con1", want /dev/pts/N`, "con2 /dev/pts/1"}},
		{"dots", "Serial line 0 assigned device '/dev/pts/../../etc/passwd'", []string{`error: console: invalid path "/dev/pts/../../etc/passwd" of console "ssl0", want /dev/pts/N`}},
		{"leading zero", "Virtual console 1 assigned device '/dev/pts/01'", []string{`error: console: invalid path "/dev/pts/01" of console "con1", want /dev/pts/N`}},
		{"cut", "Virtual console 1 assigned device '/dev/pts/1", nil},
		{"no number", "Virtual console x assigned device '/dev/pts/1'", nil},
		{"over a line end", "Virtual console 1\n assigned device '/dev/pts/1'", nil},
		{"inside itself", "Virtual console Virtual console 1 assigned device '/dev/pts/1'", []string{"con1 /dev/pts/1"}},
		{"long line", strings.Repeat("x", 300000) + "Virtual console 1 assigned device '/dev/pts/1'" + strings.Repeat("y", 300000), []string{"con1 /dev/pts/1"}},
		{"begun and never ended", "Virtual console " + strings.Repeat("9", 100000) + "Serial line 3 assigned device '/dev/pts/1'", []string{"ssl3 /dev/pts/1"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			require.Equal(t, row.want, found(strings.NewReader(row.log)))
			require.Equal(t, row.want, found(iotest.OneByteReader(strings.NewReader(row.log))))
		})
	}
	require.Equal(t, []string{"error: console: read the log: broken"}, found(iotest.ErrReader(errors.New("broken"))))
	for range console.FindBootLog(strings.NewReader(strings.Repeat("Virtual console 1 assigned device '/dev/pts/0'\n", 5))) {
		break // leaves nothing behind
	}
}

// qemu plays QMP with the given answers, one a request.
func qemu(t *testing.T, lines ...string) net.Conn {
	here, there := net.Pipe()
	t.Cleanup(func() { here.Close() })
	go func() {
		defer there.Close()
		buf := make([]byte, 1000)
		for i, line := range lines {
			if _, err := io.WriteString(there, line+"\r\n"); err != nil {
				return
			}
			if i == len(lines)-1 {
				return
			}
			if _, err := there.Read(buf); err != nil {
				return
			}
		}
	}()
	return here
}

const greeting = `{"QMP": {"version": {"qemu": {"micro": 19, "minor": 2, "major": 7}, "package": "Debian"}, "capabilities": ["oob"]}}`

func TestQMPNamesDevices(t *testing.T) {
	list, err := console.FindQMP(t.Context(), qemu(t, greeting, `{"return": {}}`,
		`{"timestamp": {"seconds": 1, "microseconds": 2}, "event": "RESUME"}`+"\n"+
			`{"return": [{"frontend-open": true, "filename": "pty:/dev/pts/0", "label": "serial0"}, {"filename": "null", "label": "x"}]}`))
	require.NoError(t, err)
	require.Equal(t, []console.Device{{Label: "serial0", Path: "/dev/pts/0"}}, list)

	for _, row := range []struct {
		lines []string
		want  string
	}{
		{[]string{"SSH-2.0-x"}, "console: query QMP: invalid greeting: syntax error at byte "},
		{[]string{"{}"}, "not a QMP server: unexpected greeting"},
		{[]string{greeting, `{"error": {"class": "CommandNotFound", "desc": "no"}}`}, "qmp_capabilities: CommandNotFound: no"},
		{[]string{greeting, `{"return": {}}`, `{"return": [{"filename": "pty:/etc/passwd", "label": "s"}]}`}, "want /dev/pts/N"},
		{[]string{greeting, `{"return": {}}`}, "console: query QMP: "}, // ends in the middle
	} {
		_, err := console.FindQMP(t.Context(), qemu(t, row.lines...))
		require.ErrorContains(t, err, row.want)
	}
	here, there := net.Pipe()
	defer there.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = console.FindQMP(ctx, here)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestArgumentListsAreSafe(t *testing.T) {
	d := console.Device{Label: "con1", Path: "/dev/pts/3"}
	args, err := console.ScreenArgs("guest-con1", d)
	require.NoError(t, err)
	require.Equal(t, []string{"screen", "-dmS", "guest-con1", "/dev/pts/3"}, args)
	args, err = console.TmuxArgs("guest", d)
	require.NoError(t, err)
	require.Equal(t, "/dev/pts/3,raw,echo=0", args[len(args)-1])
	for _, name := range []string{"", "-x", "a b", "a:b", "a.b", "a;b", strings.Repeat("x", 65)} {
		_, err := console.ScreenArgs(name, d)
		require.Error(t, err, name)
	}
	_, err = console.TmuxArgs("x", console.Device{Path: "/dev/pts/1,exec=sh"})
	require.ErrorContains(t, err, "want /dev/pts/N")
}

func TestFilterKeepsTextAndDropsCommands(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"plain \x1b[31mred\x1b[0m\r\n\a", "plain \x1b[31mred\x1b[0m\r\n\a"},
		{"日本\x9b", "日本\ufffd"},
		{"a\x1b]52;c;aGk=\ab", "ab"},
		{"a\x1b]0;title\x1b\\b", "ab"},
		{"a\x1bP$qm\x1b\\b\x1b_x\x1b\\c\x1b^x\x1b\\d\x1bXx\x1b\\e", "abcde"},
		{"a\x1b[c\x1b[>c\x1b[6n\x1b[?6n\x1b[21t\x1b[x\x05\x1bZb", "ab"},
		{"\x1b[2J\x1b[1;1H\x1b(B\x1b7\x1b[?25l\x1b[4 q\x1b=", "\x1b[2J\x1b[1;1H\x1b(B\x1b7\x1b[?25l\x1b="},
		{"\x1b]0;t\x1b[31mred", "\x1b[31mred"},
		{"\x1b[1\x1b[32mgreen", "\x1b[32mgreen"},
		{"\x1b[" + strings.Repeat("1;", 100) + "mx", "x"},
		{"\x1b]never ends", ""},
		{"\x1b]0;日本\aok", "ok"},
		{"起動 café “x” 🚀", "起動 café “x” 🚀"},
		{"a\xc2\x9b6nb\xc2\x9d0;t\xc2\x9cc", "abc"},
		{"a\x9b6nb\xe6\x1b]0;x\a\x97c", "a\ufffd6nb\ufffd\ufffdc"},
	} {
		for _, size := range []int{1, 1000} {
			var out bytes.Buffer
			f := console.NewFilter(&out)
			for b := []byte(row.in); len(b) > 0; b = b[min(size, len(b)):] {
				n, err := f.Write(b[:min(size, len(b))])
				require.NoError(t, err)
				require.Equal(t, min(size, len(b)), n)
			}
			require.Equal(t, row.want, out.String(), "%q", row.in)
		}
	}
}

// TestFilterOfAnEightBitTerminal has the sequences that made xterm +u8 answer.
// TestFilterFollowsEscapesAcrossControls has control characters that a terminal executes, or
// ignores, between ESC and the rest of a sequence.
func TestFilterFollowsEscapesAcrossControls(t *testing.T) {
	for in, want := range map[string]string{
		"a\x1b\a[cb":               "a\ab",
		"a\x1b\n[6nb":              "a\nb",
		"a\x1b\x7fZb":              "ab",
		"a\x1b\r]52;c;eA==\x1b\\b": "a\rb",
		"a\x1b\n[1mb":              "a\n\x1b[1mb",
		"a\x1b \x1b[1mb":           "a\x1b[1mb",
	} {
		var out bytes.Buffer
		_, err := console.NewFilter(&out).Write([]byte(in))
		require.NoError(t, err)
		require.Equal(t, want, out.String(), "%q", in)
	}
}

func TestFilterOfAnEightBitTerminal(t *testing.T) {
	for _, row := range []struct{ in, want string }{
		{"a\x9b6nb", "ab"},
		{"a\x9bcb", "ab"},
		{"a\xc2\x9b6nb", "a\xc2b"},
		{"\xe6\x97\x9b6nb", "\xe6\x1bWb"}, // 97 starts a protected area
		{"a\x9d0;title\x9cb", "ab"},
		{"a\x9d0;title\ab", "ab"},
		{"\x9b31mred", "\x1b[31mred"},
		{"caf\xe9", "caf\xe9"},
		{"\x9ab", "b"}, // DECID
	} {
		var out bytes.Buffer
		_, err := console.NewFilter8Bit(&out).Write([]byte(row.in))
		require.NoError(t, err)
		require.Equal(t, row.want, out.String(), "%q", row.in)
	}
}

func TestLocaleNamesTheMode(t *testing.T) {
	for _, row := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{"LANG": "ja_JP.UTF-8"}, true},
		{map[string]string{"LANG": "de_DE.utf8@euro"}, true},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_CTYPE": "en_US.ISO-8859-1"}, false},
		{map[string]string{"LANG": "C", "LC_ALL": "C.UTF-8"}, true},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "", "LC_CTYPE": ""}, true},
		{nil, false},
	} {
		require.Equal(t, row.want, console.UTF8Locale(func(n string) (string, bool) {
			v, ok := row.env[n]
			return v, ok
		}), "%v", row.env)
	}
}

func FuzzFilter(f *testing.F) {
	f.Add([]byte("a\x1b]52;c;x\ab\x1b[31m\x1b[6n"), 3)
	f.Fuzz(func(t *testing.T, in []byte, size int) {
		var once, pieces bytes.Buffer
		console.NewFilter(&once).Write(in)
		size = 1 + int(uint(size)%16)
		p := console.NewFilter(&pieces)
		for b := in; len(b) > 0; b = b[min(size, len(b)):] {
			p.Write(b[:min(size, len(b))])
		}
		require.Equal(t, once.Bytes(), pieces.Bytes())
		for _, bad := range []string{"\x1b]", "\x1bP", "\x1b_", "\x1b^", "\x1bX", "\x1bZ", "\x05", "\x1b[6n", "\x1b[c"} {
			require.NotContains(t, once.String(), bad)
		}
		var again bytes.Buffer
		console.NewFilter(&again).Write(once.Bytes())
		require.Equal(t, once.Bytes(), again.Bytes())
	})
}

func FuzzFindBootLog(f *testing.F) {
	f.Add([]byte("Virtual console 1 assigned device '/dev/pts/0'"), 1)
	f.Add([]byte("char device redirected to /dev/pts/3 (label serial0)"), 5)
	f.Fuzz(func(t *testing.T, log []byte, size int) {
		want := found(bytes.NewReader(log))
		require.Equal(t, want, found(&pieces{log, 1 + int(uint(size)%300)}))
		for _, line := range want {
			if !strings.HasPrefix(line, "error") {
				require.Regexp(t, `^\S* ?.* /dev/pts/\d+$`, fmt.Sprintf("%q", line)[1:len(fmt.Sprintf("%q", line))-1])
			}
		}
	})
}

// pieces reads a few bytes at a time.
type pieces struct {
	b    []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(p.size, len(b))], p.b)
	p.b = p.b[n:]
	return n, nil
}

func TestResultsSurviveJSON(t *testing.T) {
	r := oracle.Rand(t)
	for range 100 {
		for _, p := range []any{new(console.Device), new(console.UntrustedError)} {
			fill.Value(r, p)
			b, err := json.Marshal(p)
			require.NoError(t, err)
			back := reflect.New(reflect.TypeOf(p).Elem()).Interface()
			require.NoError(t, json.Unmarshal(b, back))
			require.Equal(t, p, back)
		}
	}
}
