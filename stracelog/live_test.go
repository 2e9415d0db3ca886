package stracelog

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

var straceTool = oracle.Tool{Name: "strace", Package: "strace", Probe: []string{"-V"},
	Version: regexp.MustCompile(`version (\S+)`), AtLeast: "6.1"}

var gccTool = oracle.Tool{Name: "gcc", Package: "gcc"}

// callsProgram builds testdata/calls.c once.
var callsProgram = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dougu-calls-")
	if err != nil {
		return "", err
	}
	out := filepath.Join(dir, "calls")
	msg, err := exec.Command("gcc", "-O1", "-w", "-pthread", "-o", out, "testdata/calls.c").CombinedOutput()
	if err != nil {
		return string(msg), err
	}
	return out, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if builtCalls {
		if p, err := callsProgram(); err == nil {
			os.RemoveAll(filepath.Dir(p))
		}
	}
	os.Exit(code)
}

var builtCalls bool

// calls returns the tools and the program that the live tests trace.
func calls(t testing.TB) (strace oracle.Found, program string) {
	t.Helper()
	strace = straceTool.Need(t)
	gccTool.Need(t)
	builtCalls = true
	program, err := callsProgram()
	require.NoError(t, err, program)
	return strace, program
}

// trace runs strace with the flags on a command and returns its log: the file of -o, or stderr with "stderr" as the
// first flag.
func trace(t testing.TB, s oracle.Found, flags []string, command ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	args := flags
	if flags[0] == "stderr" {
		args = flags[1:]
	} else {
		args = append([]string{"-o", log}, flags...)
	}
	r := oracle.Run(t, oracle.Cmd{Path: s.Path, Args: append(args[:len(args):len(args)], command...), Dir: dir, Timeout: 60 * time.Second})
	if flags[0] == "stderr" {
		return r.Stderr
	}
	b, err := os.ReadFile(log)
	require.NoError(t, err, "%s", r.Stderr)
	return b
}

// flagSets are ways to call strace 6.1, each of which changes how lines look.
var flagSets = []string{
	"-q", "-f", "-f -t", "-f -tt -T", "-f -ttt -T", "-r", "-f -r", "-f -tt -r", "-f -ttt -r --relative-timestamps=ns",
	"-f --absolute-timestamps=format:time,precision:ms -T --syscall-times=s", "-f --absolute-timestamps=format:unix,precision:ns --syscall-times=ns",
	"-f --absolute-timestamps=format:unix,precision:s --syscall-times=ms", "-f -i -n", "-f -i -n -tt", "-f -k", "-f -k -tt -T", "-f -y", "-f -yy -T", "-f -Y",
	"-f -Y -yy -ttt -T", "-f -x", "-f -xx", "-f -xx -s 4096", "-f --strings-in-hex=non-ascii-chars", "-f -X raw", "-f -X verbose", "-f -X verbose -v -yy",
	"-f -s 0", "-f -s 4096 -v", "-f -C", "-f -C -w -U calls,name,time-percent", "-c", "-f -c -w", "-f -qq", "-f -z", "-f -Z", "-f -a 0", "-f -a 100",
	"-f -e read=all -e write=all", "-f -tt -T -e trace=network,poll", "-f -e inject=getppid:retval=42:delay_exit=1000 -T", "-f -e inject=fsync:error=EIO",
	"-f -e raw=all", "-f --decode-pids=comm,pidns", "-f -e status=!unfinished", "-f -e trace=none -e signal=all", "-f -e signal=none",
	"stderr -f", "stderr -f -tt -T", "stderr -f -ttt -Y", "stderr -k", "stderr -f -r -T", "stderr -C -f", "stderr -f -qqq", "stderr -f -yy -s 256",
	"stderr -f -e read=all",
}

// TestLiveEveryFlagSet is part 1 and 2: every line of every flag set is read, and printed back byte for byte.
func TestLiveEveryFlagSet(t *testing.T) {
	oracle.Slow(t)
	s, program := calls(t)
	lines := 0
	for _, flags := range flagSets {
		t.Run(strings.ReplaceAll(flags, " ", "_"), func(t *testing.T) {
			log := trace(t, s, strings.Fields(flags), program)
			require.Greater(t, len(log), 400)
			kinds := map[Kind]int{}
			n := int64(1)
			for _, e := range read(t, log) {
				require.Equal(t, n, e.Line)
				n += int64(e.Lines)
				kinds[e.Kind]++
				if e.Kind == Unknown && strings.HasPrefix(flags, "stderr") && bytes.Contains(e.Raw(), []byte("strace: ")) == false {
					continue // what the program itself wrote to stderr
				}
				require.NotEqual(t, Unknown, e.Kind, "line %d: %v: %s", e.Line, e.Err, e.Raw())
				require.False(t, e.Flags.Has(Damaged), "line %d: %v: %s", e.Line, e.Err, e.Raw())
				if e.Kind == Syscall && e.Flags&(Unfinished|Resumed) == 0 {
					checkArgs(t, e)
				}
			}
			if !strings.Contains(flags, "-c") && !strings.Contains(flags, "none") {
				require.Greater(t, kinds[Syscall], 10)
			}
			lines += int(n - 1)
		})
	}
	oracle.Compared(t, s, lines)
}

// TestLiveExecveOfAThread is part 4: a thread's execve takes over the pid of the leader.
func TestLiveExecveOfAThread(t *testing.T) {
	s, program := calls(t)
	log := trace(t, s, []string{"-f", "-ttt", "-T"}, program, "exec-thread")
	var j Joiner
	pids := map[int]bool{}
	var whole *Call
	superseded := false
	for _, e := range read(t, log) {
		require.NotEqual(t, Unknown, e.Kind, "%s", e.Raw())
		superseded = superseded || e.Kind == Exit && bytes.Contains(e.Text, []byte("superseded"))
		if c := j.Add(e); c != nil {
			pids[c.PID] = true
			if string(c.Name) == "execve" && superseded {
				k := *c
				k.Event = e.Clone()
				k.Args.src = bytes.Clone(c.Args.src)
				whole = &k
			}
		}
	}
	require.True(t, superseded)
	require.NotNil(t, whole)
	require.Zero(t, whole.Flags&(Resumed|Incomplete), "both halves are joined")
	require.Contains(t, string(whole.Args.Raw()), "/bin/true")
	require.EqualValues(t, 0, whole.Ret.Int)
	require.Less(t, whole.First, whole.Last)
	oracle.Compared(t, s, 1)
}
