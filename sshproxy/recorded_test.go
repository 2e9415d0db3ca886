package sshproxy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// recordedCase is a question to a client that is not installed here, and its answer.
type recordedCase struct {
	Seed   string            `json:"seed"`
	Files  map[string]string `json:"files"`
	Args   []string          `json:"args"`
	Env    []string          `json:"env,omitempty"`
	System bool              `json:"system,omitempty"`
	Status int               `json:"status"`
	Errors []string          `json:"errors,omitempty"`
	// Lines are those of -G that differ from the client's defaults.
	Lines []string `json:"lines,omitempty"`
}

// unlike keeps the lines of -G that are not defaults.
func unlike(p Profile, out string) (list []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		key, value, _ := strings.Cut(line, " ")
		o := p.build().keyword[lower(key)]
		if o == opUserKnownHostsFile || !slices.Contains(p.build().defaults[o], value) {
			list = append(list, line)
		}
	}
	return list
}

// recordedHome is the home directory of the user who recorded.
const recordedHome = "/root"

// TestRecordedClientsAgree replays what other clients answered.
func TestRecordedClientsAgree(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "recorded", "*.jsonl"))
	require.NoError(t, err)
	require.Len(t, names, 3)
	local := localOf(t)
	if local.Home != recordedHome || local.User != "root" {
		t.Logf("recorded as root: home and user are taken from the record")
	}
	for _, name := range names {
		p := mustProfile(strings.TrimSuffix(filepath.Base(name), ".jsonl"))
		f, err := os.Open(name)
		require.NoError(t, err)
		defer f.Close()
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		n := 0
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "#") {
				continue
			}
			var c recordedCase
			require.NoError(t, json.Unmarshal(lines.Bytes(), &c))
			got := oursAs(t, p, sshCase{files: c.Files, args: c.Args, env: c.Env, system: c.System, seed: c.Seed}, n, recordedLocal())
			n++
			if strings.Join(c.Errors, "\n") != strings.Join(got.errs, "\n") && !strings.HasPrefix(strings.Join(got.errs, ""), "usage:") {
				t.Errorf("%s, %s: stderr\nrecorded %q\nours     %q", name, c.Seed, c.Errors, got.errs)
			}
			require.Equal(t, c.Status, got.status, c.Seed)
			require.Equal(t, c.Lines, unlike(p, got.out), "%s, %s", name, c.Seed)
		}
		require.NoError(t, lines.Err())
		require.GreaterOrEqual(t, n, 100)
	}
}

func recordedLocal() Local {
	return Local{
		User: "root", Home: recordedHome, Hostname: "vm",
		Service: func(name string) (int, bool) {
			n, ok := map[string]int{"ssh": 22, "http": 80}[name]
			return n, ok
		},
	}
}

// TestRecordAnswers is no test but writes such a record: DOUGU_RECORD names the folder,
// DOUGU_SSH the client.
func TestRecordAnswers(t *testing.T) {
	dir := os.Getenv("DOUGU_RECORD")
	if dir == "" {
		return // nothing is to be recorded
	}
	tool := sshTool.Need(t)
	p := profileOf(t, tool)
	seeds := oracle.Rand(t)
	var cases []sshCase
	for len(cases) < 120 {
		seed := seeds.Uint64()
		c := newGenerator(rand.New(rand.NewPCG(seed, 1)), p).oneCase()
		c.seed = fmt.Sprintf("seed %d", seed)
		if text, _ := json.Marshal(c.files); len(text) < 2500 {
			cases = append(cases, c)
		}
	}
	answers := batch(t, tool, cases)
	var b strings.Builder
	fmt.Fprintf(&b, "# OpenSSH_%s on host vm as root, home /root, each case: ssh -G ARGS </dev/null in a clean environment; /etc/hosts as in ssh_test.go\n", tool.Version)
	for i, c := range cases {
		a := answers[i]
		text, err := json.Marshal(recordedCase{c.seed, c.files, c.args, c.env, c.system, a.status, a.errs, unlike(p, a.out)})
		require.NoError(t, err)
		b.Write(text)
		b.WriteByte('\n')
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, p.String()+".jsonl"), []byte(b.String()), 0o644))
}
