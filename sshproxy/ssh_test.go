package sshproxy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// sshTool is the installed client. DOUGU_SSH names another one, such as a build of
// another version.
var sshTool = oracle.Tool{
	Name: sshName(), Package: "openssh-client", Probe: []string{"-V"}, Version: regexp.MustCompile(`OpenSSH_(\S+( Debian-\S+)?)`),
}

func sshName() string {
	if name := os.Getenv("DOUGU_SSH"); name != "" {
		return name
	}
	return "ssh"
}

// sshCase is one question to a client: files below the case's directory, the arguments
// of the command line, variables of the environment.
type sshCase struct {
	files  map[string]string // relative to the directory
	args   []string          // after ssh -G
	env    []string
	system bool // without -F: the user's and the system's file are case files
	seed   string
}

// config is the case's main file.
const config = "c"

type sshAnswer struct {
	status int
	out    string
	errs   []string
}

// batch asks the client all cases in one private network and mount namespace, where no
// name service can be reached and the files of the machine may be replaced.
func batch(t *testing.T, tool oracle.Found, cases []sshCase) []sshAnswer {
	t.Helper()
	words := oracle.Namespaces(t)
	dir := t.TempDir()
	require.NoError(t, os.Chmod(dir, 0o755))
	home := localOf(t).Home
	var script bytes.Buffer
	script.WriteString("set -u\n")
	// The name service knows what /etc/hosts says and nothing else.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "nsswitch"), []byte("passwd: files\ngroup: files\nhosts: files\nservices: files\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "hosts"), []byte(hostsFile), 0o644))
	fmt.Fprintf(&script, "mount --bind %s/nsswitch /etc/nsswitch.conf; mount --bind %s/hosts /etc/hosts\n", dir, dir)
	fmt.Fprintf(&script, "mount -t tmpfs none /etc/ssh; mkdir -p -m 700 %s/.ssh; mount -t tmpfs -o mode=700 none %s/.ssh\n", home, home)
	for i, c := range cases {
		d := filepath.Join(dir, fmt.Sprint(i))
		require.NoError(t, os.Mkdir(d, 0o755))
		for name, text := range c.files {
			path := filepath.Join(d, name)
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(strings.ReplaceAll(text, "@DIR", d)), 0o600))
		}
		fmt.Fprintf(&script, "cd %s; ", d)
		if c.system {
			fmt.Fprintf(&script, "cp -r user/. %s/.ssh/; cp -r system/. /etc/ssh/; ", home)
		}
		fmt.Fprintf(&script, "env -i PATH=/usr/bin:/bin SHELL=/bin/sh HOME=%s/home", d)
		for _, e := range c.env {
			fmt.Fprintf(&script, " %s", shellWord(strings.ReplaceAll(e, "@DIR", d)))
		}
		fmt.Fprintf(&script, " timeout 20 %s -G", strings.Join(append(asCaller(), shellWord(tool.Path)), " "))
		for _, a := range c.args {
			fmt.Fprintf(&script, " %s", shellWord(strings.ReplaceAll(a, "@DIR", d)))
		}
		script.WriteString(" >out 2>err </dev/null; echo $? >rc\n")
		if c.system {
			fmt.Fprintf(&script, "rm -rf %s/.ssh/* /etc/ssh/*\n", home)
		}
	}
	file := filepath.Join(dir, "script")
	require.NoError(t, os.WriteFile(file, script.Bytes(), 0o755))
	r := oracle.Run(t, oracle.Cmd{Path: words[0], Args: append(words[1:len(words):len(words)], "sh", file), Dir: dir, Timeout: 30 * time.Minute})
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	require.Empty(t, string(r.Stderr))
	answers := make([]sshAnswer, len(cases))
	for i := range cases {
		d := filepath.Join(dir, fmt.Sprint(i))
		read := func(name string) string {
			text, err := os.ReadFile(filepath.Join(d, name))
			require.NoError(t, err)
			return string(text)
		}
		a := &answers[i]
		_, err := fmt.Sscan(read("rc"), &a.status)
		require.NoError(t, err)
		a.out = strings.ReplaceAll(read("out"), d, "@DIR")
		a.errs = errorLines(strings.ReplaceAll(read("err"), d, "@DIR"))
	}
	return answers
}

// asCaller returns the words that give a command in a namespace the user that runs the
// test: there an ordinary user is root, which ssh reads other files and rules for.
func asCaller() []string {
	if os.Geteuid() == 0 {
		return nil
	}
	return []string{"unshare", "--user", fmt.Sprintf("--map-user=%d", os.Geteuid()), fmt.Sprintf("--map-group=%d", os.Getegid())}
}

const hostsFile = `127.0.0.1 localhost
127.0.0.2 web.corp.example alias.corp.example
127.0.0.3 db.corp.example db
127.0.0.4 plain
127.0.0.5 web.corp.example. web.other.example.
127.0.0.6 DB.Corp.Example db.corp.example.
127.0.0.7 bad..name h.corp.example.
127.0.0.8 real.example internal.corp.example.
fd00::9 six.corp.example
`

// noise are lines on stderr that are not of the configuration: of the shell that runs a
// Match exec, of a debug level, of how to call the client.
var noise = []string{"Pseudo-terminal will not be allocated", "/bin/sh: ", "debug1: ", "debug2: ", "debug3: ", "OpenSSH_", "usage: ssh", "           ", "       ssh [-Q"}

func errorLines(text string) (list []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" || slices.ContainsFunc(noise, func(p string) bool { return strings.HasPrefix(line, p) }) {
			continue
		}
		list = append(list, line)
	}
	return list
}

func shellWord(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func localOf(t *testing.T) Local {
	t.Helper()
	l, err := Self()
	require.NoError(t, err)
	return l
}

// lookupHosts answers as /etc/hosts of the private namespace does.
func lookupHosts(_ context.Context, network, name string) (string, error) {
	for line := range strings.Lines(hostsFile) {
		if six := strings.Contains(line, "::"); network == "ip6" && !six || network == "ip4" && six {
			continue
		}
		fields := strings.Fields(line) // the resolver compares whole names, a dot at the end too
		if slices.Contains(fields[1:], name) {
			return fields[1], nil
		}
	}
	return "", errors.New("no such host")
}

// caseFiles serves the files of a case to our resolver: what stands for the directory
// in texts and arguments is kept as it is.
func caseFiles(home string, c sshCase) FileSystem {
	m := fstest.MapFS{}
	put := func(name, text string) {
		text = strings.ReplaceAll(text, "@DIR", "/@DIR")
		m[strings.TrimPrefix(name, "/")] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
	}
	for name, text := range c.files {
		put(name, text)
		put("@DIR/"+name, text)
		if c.system {
			if rest, ok := strings.CutPrefix(name, "user/"); ok {
				put(home+"/.ssh/"+rest, text)
			}
			if rest, ok := strings.CutPrefix(name, "system/"); ok {
				put("/etc/ssh/"+rest, text)
			}
		}
	}
	return FS(m)
}

// ours answers a case as batch does. dir is where the case's files are.
func ours(t *testing.T, p Profile, c sshCase, i int) sshAnswer {
	t.Helper()
	return oursAs(t, p, c, i, localOf(t))
}

// oursAs answers for a user and machine.
func oursAs(t *testing.T, p Profile, c sshCase, i int, local Local) sshAnswer {
	t.Helper()
	fsys := caseFiles(local.Home, c)
	local.HomeEnv = "/@DIR/home"
	env := map[string]string{"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": "/@DIR/home"}
	for _, e := range c.env {
		name, value, _ := strings.Cut(e, "=")
		env[name] = strings.ReplaceAll(value, "@DIR", "/@DIR")
	}
	r := &Resolver{
		Profile: p, Local: local, Files: fsys, Lookup: lookupHosts,
		Exists: func(name string) bool { return name == config },
		Env:    func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		Exec: func(_ context.Context, command string) (bool, error) {
			cmd := exec.Command("/bin/sh", "-c", command)
			cmd.Env = []string{"PATH=/usr/bin:/bin", "SHELL=/bin/sh"}
			err := cmd.Run()
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				return false, nil
			}
			return err == nil, err
		},
	}
	args := slices.Clone(c.args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "@DIR", "/@DIR")
	}
	cl, err := ParseCommandLine(args)
	if err != nil {
		return sshAnswer{status: 255, errs: []string{"usage: " + err.Error()}}
	}
	r.Config = cl.Config
	res, err := r.Resolve(context.Background(), cl.Target)
	if err != nil {
		var ce *ConfigError
		require.ErrorAs(t, err, &ce, "case %d (%s)", i, c.seed)
		return sshAnswer{status: 255, errs: short(ce.Messages)}
	}
	var b bytes.Buffer
	require.NoError(t, res.WriteG(&b))
	require.Empty(t, res.Unanswered())
	return sshAnswer{status: 0, out: strings.ReplaceAll(b.String(), "/@DIR", "@DIR"), errs: short(res.Messages())}
}

// short writes the directory of a case as batch does.
func short(list []string) []string {
	for i := range list {
		list[i] = strings.ReplaceAll(list[i], "/@DIR", "@DIR")
	}
	return list
}
