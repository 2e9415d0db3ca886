package oracle

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Unshare is the tool that gives a program namespaces of its own.
var Unshare = Tool{Name: "unshare", Package: "util-linux"}

// Namespaces returns the words to put before a command so that it runs in private
// network, mount and process namespaces, which end with it: loopback there is down
// until the command raises it. Other users than root get a user namespace as well.
// When this machine does not allow namespaces the test is skipped, or fails when
// REQUIRE_TOOLS=1.
func Namespaces(tb testing.TB) []string {
	tb.Helper()
	words := []string{Unshare.Need(tb).Path, "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"}
	if os.Getuid() != 0 {
		words = append(words, "--user", "--map-root-user")
	}
	r, err := run(Cmd{Path: words[0], Args: append(words[1:len(words):len(words)], "true"), Dir: tb.TempDir(), Timeout: 20 * time.Second})
	if err != nil || r.ExitCode != 0 || r.TimedOut {
		Missing(tb, "this machine does not let the test make namespaces: "+strings.TrimSpace(strings.ToValidUTF8(string(r.Stderr), "?")))
	}
	return words
}
