package keepalived

import (
	"flag"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
)

var update = flag.Bool("update", false, "write the fixed examples of the rules anew")

func (x example) options() Options {
	h := testHost()
	h.Script = func(path, user string) ScriptState {
		if path == x.insecure {
			return ScriptInsecure
		}
		return localScript(path, user)
	}
	if x.network.IsValid() {
		h.Interfaces["eth0"] = Interface{Addresses: []netip.Addr{x.network.Addr()}, Prefixes: []netip.Prefix{x.network.Masked()}}
	}
	h.Link = func(path string) (string, bool) {
		if rest, ok := strings.CutPrefix(path, "/bin/"); ok {
			return "/usr/bin/" + rest, true
		}
		return "", false
	}
	return Options{Profile: x.profile(), Host: h}
}

func (x example) profile() Profile {
	v := x.version
	if v == (Version{}) {
		v = Version{2, 2, 7}
	}
	return Profile{version: v}
}

func (x example) load(name, text string) *Config {
	return Loader{Profile: x.profile(), ConfigID: x.config, FS: onlyFile{name, text}}.Parse(name, []byte(text))
}

// lint is what is found in a text, and in that of the second node with it.
func (x example) lint(text, second string) diag.List {
	if second == "" {
		return lintOf(x.load("example.conf", text), x.options())
	}
	return lintClusterOf([]Node{
		{Name: "a", Config: x.load("a.conf", text), Addr: netip.MustParseAddr("192.168.200.2")},
		{Name: "b", Config: x.load("b.conf", second), Addr: netip.MustParseAddr("192.168.200.3")},
	}, x.options())
}

func has(list diag.List, id string) *diag.Finding {
	for i := range list {
		if list[i].Rule == id {
			return &list[i]
		}
	}
	return nil
}

func show(list diag.List) string {
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintln(&b, d)
	}
	return b.String()
}

// TestRulesHaveExamples: each rule finds something in its bad example and nothing in
// the good one; its first fix makes the finding go away, brings no new error, and gives
// the recorded text.
func TestRulesHaveExamples(t *testing.T) {
	examples, err := parseExamples()
	require.NoError(t, err)
	seen := map[string]bool{}
	fixed := map[string][2]string{}
	for _, x := range examples {
		seen[x.id] = true
		t.Run(x.id, func(t *testing.T) {
			r := ruleOf(x.id)
			require.NotEmpty(t, r.ID)
			bad, good := x.lint(x.texts["bad"], x.texts["bad b"]), x.lint(x.texts["good"], x.texts["good b"])
			d := has(bad, x.id)
			require.NotNil(t, d, "bad: %s", show(bad))
			require.Nil(t, has(good, x.id), "good: %s", show(good))
			require.True(t, d.Range.Start.IsValid() || x.id == "KA209", "%s", d)
			require.Zero(t, good.Count(diag.Error), "good: %s", show(good))
			if r.Judged == Objects {
				ok, _ := verdictOf(x.load("example.conf", x.texts["bad"]), x.options())
				require.False(t, ok)
			}
			if x.texts["good b"] == "" {
				ok, why := verdictOf(x.load("example.conf", x.texts["good"]), x.options())
				require.True(t, ok, "%s", show(why))
			}
			if len(d.Fixes) == 0 {
				require.Empty(t, x.texts["fixed"])
				return
			}
			for _, f := range d.Fixes {
				a, err := diag.Apply([]byte(x.texts["bad"]), name(x, "a"), f.Edits)
				require.NoError(t, err)
				b, err := diag.Apply([]byte(x.texts["bad b"]), "b.conf", f.Edits)
				require.NoError(t, err)
				again := x.lint(string(a), string(b))
				require.Less(t, count2(again, x.id), count2(bad, x.id), "after the fix:\n%s\n%s%s", show(again), a, b)
				require.LessOrEqual(t, again.Count(diag.Error), bad.Count(diag.Error), "after the fix:\n%s\n%s", show(again), a)
				if fixed[x.id] == [2]string{} {
					fixed[x.id] = [2]string{string(a), string(b)}
				}
			}
			if !*update {
				require.Equal(t, x.texts["fixed"], fixed[x.id][0])
				require.Equal(t, x.texts["fixed b"], fixed[x.id][1])
			}
		})
	}
	for _, r := range RuleInfos() {
		require.True(t, seen[r.ID], "%s has no example", r.ID)
		require.NotEmpty(t, r.Bad)
		require.NotEmpty(t, r.Good)
	}
	require.GreaterOrEqual(t, len(seen), 150)
	if *update {
		writeFixed(t, fixed)
	}
}

func count2(list diag.List, id string) int {
	n := 0
	for _, d := range list {
		if d.Rule == id {
			n++
		}
	}
	return n
}

func name(x example, node string) string {
	if x.texts["bad b"] != "" {
		return node + ".conf"
	}
	return "example.conf"
}

// writeFixed puts the fixed texts into the files of examples.
func writeFixed(t *testing.T, fixed map[string][2]string) {
	dir, err := os.ReadDir("testdata/rules")
	require.NoError(t, err)
	signs := strings.NewReplacer("\ufeff", "%BOM", "\u00a0", "%NBSP", "\x00", "%NUL", strings.Repeat("long ", 220), "%LONG")
	for _, f := range dir {
		text, err := os.ReadFile("testdata/rules/" + f.Name())
		require.NoError(t, err)
		var b strings.Builder
		for i, part := range strings.Split(string(text), "\n=== ") {
			if i > 0 {
				b.WriteString("\n=== ")
			}
			if n := strings.Index(part, "\n--- fixed"); n >= 0 {
				part = part[:n]
			}
			part = strings.TrimRight(part, "\n")
			b.WriteString(part)
			id, _, _ := strings.Cut(strings.TrimPrefix(part, "=== "), "\n")
			id, _, _ = strings.Cut(id, " ")
			if x := fixed[id]; x[0] != "" {
				b.WriteString("\n--- fixed\n" + strings.TrimRight(signs.Replace(x[0]), "\n"))
				if x[1] != "" {
					b.WriteString("\n--- fixed b\n" + strings.TrimRight(signs.Replace(x[1]), "\n"))
				}
			}
			b.WriteString("\n")
		}
		require.NoError(t, os.WriteFile("testdata/rules/"+f.Name(), []byte(b.String()), 0o644))
	}
}

// TestRulesHavePages: each rule says why it matters and what to do, and no page is of a
// rule that does not exist.
func TestRulesHavePages(t *testing.T) {
	pages, err := parsePages(pagesText)
	require.NoError(t, err)
	require.Len(t, pages, len(RuleInfos()))
	for _, r := range RuleInfos() {
		require.NotEmpty(t, r.Matters, r.ID)
		require.NotEmpty(t, r.Remedy, r.ID)
		require.NotEmpty(t, r.Summary, r.ID)
	}
}
