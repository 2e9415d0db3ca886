package readme

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// patterns are phrases that the section "English" of CONTRIBUTING.md excludes.
var patterns = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\b(is|are) (what|how|where|who|whose)\b`),
	regexp.MustCompile(`(?i)\b(tells?|told|knows?|knew|hears?|heard|says nothing)\b`),
	regexp.MustCompile(`(?i)\b(nil|empty|0): `),
	regexp.MustCompile(`(?i)\b(it|that|which|this) (is|are) no [a-z]`),
	regexp.MustCompile(`(?i)\b(stands?|behind|begins?|began|begun|at once|by itself|by themselves|of its own|gravest|least|greatest|promises?)\b`),
	regexp.MustCompile(`(?i)\b(judges?|judged|verdicts?|(go|goes|went) on)\b`),
}

// TestProse searches the documents for phrases that readers have to translate. Code is left out.
func TestProse(t *testing.T) {
	docs := documents(t)
	for _, name := range []string{"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "internal/bench/README.md", "internal/bench/LONGRUN.md"} {
		text, err := os.ReadFile(filepath.Join(root(t), filepath.FromSlash(name)))
		require.NoError(t, err)
		docs = append(docs, &document{name: name, lines: split(string(text))})
	}
	for _, d := range docs {
		for i, line := range d.prose(t) {
			line = codeSpan.ReplaceAllString(line, "")
			for _, p := range patterns {
				if m := p.FindString(line); m != "" {
					t.Errorf("%s:%d: %q", d.name, i+1, m)
				}
			}
		}
	}
}

// TestWorkflow holds the Go release of go.mod and the one of the workflow together.
func TestWorkflow(t *testing.T) {
	mod, err := os.ReadFile(filepath.Join(root(t), "go.mod"))
	require.NoError(t, err)
	oldest := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(mod)
	require.NotNil(t, oldest)
	text, err := os.ReadFile(filepath.Join(root(t), ".github", "workflows", "ci.yml"))
	require.NoError(t, err)
	for _, s := range []string{"golang:" + string(oldest[1]) + "-bookworm", "golang:1-bookworm", ".ci/gate", "go test -short ./...", "-shuffle=on"} {
		require.Contains(t, string(text), s)
	}
	require.NotContains(t, string(text), "sudo")
}

// TestChangelog checks that each version has a date and that its parts have the usual names.
func TestChangelog(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "CHANGELOG.md"))
	require.NoError(t, err)
	version := regexp.MustCompile(`^## ([0-9]+\.[0-9]+\.[0-9]+ - 20[0-9]{2}-[0-9]{2}-[0-9]{2}|Unreleased)$`)
	part := regexp.MustCompile(`^### (Added|Changed|Deprecated|Removed|Fixed|Security)$`)
	versions := 0
	for i, line := range split(string(text)) {
		switch {
		case strings.HasPrefix(line, "### "):
			require.Regexp(t, part, line, "CHANGELOG.md:%d", i+1)
		case strings.HasPrefix(line, "## "):
			require.Regexp(t, version, line, "CHANGELOG.md:%d", i+1)
			versions++
		}
	}
	require.Positive(t, versions)
}
