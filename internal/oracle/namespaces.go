package oracle

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Unshare is the program that runs another one in new namespaces.
var Unshare = Tool{Name: "unshare", Package: "util-linux"}

// Namespaces returns arguments that, put before a command, run it in private network,
// mount and process namespaces. The loopback interface is down in them until the
// command enables it. For users other than root, a user namespace is added. If the
// machine does not permit namespaces, the test is skipped, or fails if REQUIRE_TOOLS=1
// is set.
func Namespaces(tb testing.TB) []string {
	tb.Helper()
	words := []string{Unshare.Need(tb).Path, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Getuid() != 0 {
		words = append(words, "--user", "--map-root-user")
	}
	r, err := run(
		Cmd{
			Path:    words[0],
			Args:    append(words[1:len(words):len(words)], "true"),
			Dir:     tb.TempDir(),
			Timeout: 20 * time.Second,
		},
	)
	if err != nil || r.ExitCode != 0 || r.TimedOut {
		Missing(
			tb,
			"this machine does not let the test make namespaces: "+strings.TrimSpace(
				strings.ToValidUTF8(string(r.Stderr), "?"),
			),
		)
	}
	return words
}
