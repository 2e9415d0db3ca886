package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func command(args ...string) (out, errs string, status int) {
	var o, e bytes.Buffer
	status = run(strings.NewReader(""), &o, &e, args)
	return o.String(), e.String(), status
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

const story = "global_defs\n{\n    notification_email\n    {\n        a@x\n    }\n    notification_email_from b@x\n    smtp_server 127.0.0.1\n}\n"

func instance(state, priority, more string) string {
	return "vrrp_script check {\n    script \"/usr/bin/true\"\n    weight -20\n}\n" +
		"vrrp_instance V1 {\n    state " + state + "\n    interface eth0\n    virtual_router_id 51\n    priority " + priority +
		"\n" + more + "    virtual_ipaddress {\n        10.0.0.1/24\n    }\n    track_script {\n        check\n    }\n}\n"
}

func TestStoryIsFoundAndFixed(t *testing.T) {
	f := write(t, "keepalived.conf", story)
	out, _, status := command("-version", "1.1.13", f)
	require.Equal(t, 1, status)
	require.Contains(t, out, "keepalived.conf:4:5: error:")
	out, _, status = command("-version", "1.1.13", "-mail", f)
	require.Equal(t, "{\na@x\n", out)
	require.Zero(t, status)
	_, _, status = command("-version", "1.1.13", "-fix", f)
	require.Zero(t, status)
	out, _, _ = command("-version", "1.1.13", "-mail", f)
	require.Equal(t, "a@x\n", out)
	out, _, status = command("-version", "2.2.7", "-verdict", f)
	require.Equal(t, "ok "+f+"\n", out)
	require.Zero(t, status)
}

func TestFixReadsAbsoluteIncludes(t *testing.T) {
	for _, rooted := range []bool{false, true} {
		dir := t.TempDir()
		include, args := dir, []string{"-fix"}
		if rooted {
			include, args = "", []string{"-root", dir, "-fix"}
		}
		main := filepath.Join(dir, "main.conf")
		require.NoError(t, os.WriteFile(main, []byte("include "+include+"/more.conf\n"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "more.conf"), []byte(story), 0o600))
		out, errs, status := command(append(args, main)...)
		require.Empty(t, errs)
		require.Empty(t, out, "rooted %v", rooted)
		require.Zero(t, status)
	}
}

func TestVerdictPrintsOneLineAFile(t *testing.T) {
	good, bad := write(t, "good.conf", story), write(t, "bad\nname.conf", "foo\n")
	out, errs, status := command("-version", "2.2.7", "-interfaces", "eth0", "-verdict", good, bad)
	require.Empty(t, errs)
	require.Equal(t, 1, status)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	require.Len(t, lines, 2)
	require.Equal(t, "ok "+good, lines[0])
	require.True(t, strings.HasPrefix(lines[1], "notok "))
	_, errs, status = command("-verdict", filepath.Join(t.TempDir(), "absent"))
	require.NotEmpty(t, errs)
	require.Equal(t, 2, status)
}

func TestJSONHasStableShape(t *testing.T) {
	out, _, status := command("-format", "json", write(t, "a.conf", instance("MASTER", "300", "")))
	require.Equal(t, 1, status)
	type place struct{ Line, Column, Offset int }
	type finding struct {
		Rule, Severity, File, Message string
		Start, End                    place
		Fixes                         []struct{ Edits []json.RawMessage }
	}
	var list []finding
	found := false
	require.NoError(t, json.Unmarshal([]byte(out), &list))
	for _, d := range list {
		if d.Rule == "KA043" {
			require.Equal(t, "error", d.Severity)
			require.Equal(t, 9, d.Start.Line)
			require.Equal(t, d.Start.Offset+3, d.End.Offset)
			found = true
		}
	}
	require.True(t, found, out)
	require.True(t, slices.ContainsFunc(list, func(d finding) bool { return len(d.Fixes) > 0 }), out)
}

func TestSARIFNamesTheRules(t *testing.T) {
	out, _, _ := command("-format", "sarif", write(t, "a.conf", instance("MASTER", "300", "")))
	require.True(t, json.Valid([]byte(out)))
	require.Contains(t, out, `"version": "2.1.0"`)
	require.Contains(t, out, "KA043")
}

func TestRulesAreListedAndExplained(t *testing.T) {
	out, _, status := command("-rules")
	require.Zero(t, status)
	require.GreaterOrEqual(t, strings.Count(out, "\n"), 150)
	out, _, status = command("-explain", "KA016")
	require.Zero(t, status)
	require.Contains(t, out, "KA016")
	_, errs, status := command("-explain", "KA999")
	require.Equal(t, 2, status)
	require.NotEmpty(t, errs)
}

func TestElectionIsAnswered(t *testing.T) {
	a, b := write(t, "a.conf", instance("MASTER", "150", "")), write(t, "b.conf", instance("BACKUP", "100", ""))
	args := []string{"-cluster", "-elect", "A:check=fail;A:stop", "A=" + a + "@10.0.0.2", "B=" + b + "@10.0.0.3"}
	out, errs, status := command(args...)
	require.Empty(t, errs)
	require.Zero(t, status)
	require.Contains(t, out, "start V1 master=A A=150[10.0.0.1/24] B=100[]")
	require.Contains(t, out, "master=B")
	require.Contains(t, out, "-51")
	out, _, _ = command(append([]string{"-format", "json"}, args...)...)
	var phases []struct {
		Instances []struct {
			Masters []string
			Nodes   []struct{ Priority int }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &phases))
	require.Len(t, phases, 3)
	require.Equal(t, []string{"A"}, phases[1].Instances[0].Masters)
	require.Equal(t, 130, phases[1].Instances[0].Nodes[0].Priority)
	require.Equal(t, []string{"B"}, phases[2].Instances[0].Masters)
}

func TestFormatIsInPlace(t *testing.T) {
	f := write(t, "a.conf", "global_defs {\nrouter_id a # here\n}\n")
	_, _, status := command("-fmt", f)
	require.Zero(t, status)
	got, err := os.ReadFile(f)
	require.NoError(t, err)
	require.Equal(t, "global_defs {\n    router_id a # here\n}\n", string(got))
}

func TestSecretsStayInTheFile(t *testing.T) {
	f := write(t, "a.conf", instance("MASTER", "150", "    authentication {\n        auth_type PASS\n        auth_pass Hunter2Xyz more\n    }\n"))
	for _, args := range [][]string{{f}, {"-format", "json", f}, {"-format", "sarif", f}, {"-fix", "-diff", f}} {
		out, errs, _ := command(args...)
		require.NotContains(t, out+errs, "Hunter2")
	}
}

func TestUsageErrors(t *testing.T) {
	for _, args := range [][]string{{}, {"-version", "x", "f"}, {"-format", "yaml", "f"}, {"-nosuch"}, {"-cluster", "-elect", "x", "A=/dev/null"}} {
		_, errs, status := command(args...)
		require.Equal(t, 2, status, "%q", args)
		require.NotEmpty(t, errs)
	}
}

// TestNoOutputShowsASecret: a password, its keyword misspelled or not, in every form of
// output.
func TestNoOutputShowsASecret(t *testing.T) {
	const secret = "Hunter2Xy"
	for _, keyword := range []string{"auth_pass", "auth_passs", "authpass", "auth-pass", "password", "foo"} {
		text := "$PW=" + secret + "\n" + instance(
			"MASTR",
			"300",
			"    authentication {\n        auth_type PASS\n        "+keyword+" "+secret+"\n        "+keyword+" $PW\n    }\n    nopreempt off\n",
		) + "}\n"
		f := write(t, "keepalived.conf", text)
		for _, args := range [][]string{{f}, {"-format", "json", f}, {"-format", "sarif", f},
			{"-fix", "-diff", f}, {"-fmt", "-diff", f}, {"-fmt", f}, {"-verdict", f}, {"-mail", f},
			{"-version", "1.1.13", f}, {"-cluster", "a=" + f, "b=" + f}, {"-cluster", "-elect", "a:stop", "a=" + f, "b=" + f}, {"-explain", "KA080"}, {"-fix", f}} {
			out, errs, _ := command(args...)
			for line := range strings.Lines(out + errs) {
				require.NotContains(t, line, secret[:6], "%s %v", keyword, args)
			}
		}
		after, err := os.ReadFile(f)
		require.NoError(t, err)
		require.Contains(t, string(after), secret, "a fix keeps it")
	}
}

// TestEveryRuleIsExplained in prose.
func TestEveryRuleIsExplained(t *testing.T) {
	out, _, _ := command("-rules")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.GreaterOrEqual(t, len(lines), 150)
	for _, line := range lines {
		page, _, status := command("-explain", line[:5])
		require.Zero(t, status)
		for _, part := range []string{"What it means: ", "Why it matters: ", "What to do: "} {
			_, rest, ok := strings.Cut(page, part)
			require.True(t, ok, line)
			first, _, _ := strings.Cut(rest, "\n")
			require.Greater(t, len(strings.Fields(first)), 1, "%s %s", line, part)
		}
	}
}
