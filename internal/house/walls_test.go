package house

import (
	"fmt"
	"go/ast"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// packages are the six that never import one another.
var packages = []string{"ipxe", "keepalived", "multicast", "smart", "sshproxy", "stracelog"}

// wall says what the files of a directory may import. An allowed import is a path,
// a path with "/..." for it and all below, "std" for the standard library, or
// "module" for any package of this module. A path that begins with "!" is
// forbidden, whatever else allows it.
type wall struct {
	dir   string // "a/b", or "a/..." for it and all below, or "..." for any
	allow string
	why   string
}

// walls are read from the top; the first one that matches a directory decides.
// Every directory may also import what lies below its own top directory.
var walls = []wall{
	{".", "", "the root is documentation"},
	{"diag", "std !os !net !os/exec !unsafe", "a vocabulary reads nothing"},
	{"ipxe/...", "std dougu.internal/diag !os/exec !unsafe", "parsers and judges stand on the standard library"},
	{"keepalived/...", "std dougu.internal/diag !os/exec !unsafe !net", "parsers and judges stand on the standard library"},
	{"multicast/internal/udp/...", "std golang.org/x/net/ipv4 golang.org/x/sys/unix !os/exec", "sockets"},
	{"multicast/internal/fec/...", "std github.com/klauspost/reedsolomon !os/exec !net !os", "Reed-Solomon codes"},
	{"multicast/...", "std golang.org/x/net/ipv4 golang.org/x/sys/unix !os/exec", "an embeddable transport"},
	{"smart/device/...", "std dougu.internal/diag golang.org/x/sys/unix !os/exec !net", "devices are read by system calls"},
	{"smart/...", "std dougu.internal/diag !dougu.internal/smart/device !os/exec !net !os !unsafe", "data is decoded by the standard library"},
	{"sshproxy/dial/...", "std golang.org/x/crypto/ssh/... golang.org/x/sys/unix golang.org/x/net/proxy", "the dialer speaks SSH"},
	{"sshproxy/...", "std dougu.internal/diag !os/exec !unsafe !net", "resolving executes nothing and asks nobody"},
	{"stracelog/export/...", "std dougu.internal/diag github.com/google/pprof/profile !os/exec !net !unsafe", "profiles are encoded by their own library"},
	{"stracelog/live/...", "std dougu.internal/diag !net !unsafe", "starts strace"},
	{"stracelog/...", "std dougu.internal/diag !os/exec !net !unsafe", "parsers and judges stand on the standard library"},
	{"examples/...", "std module golang.org/x/crypto/ssh/... golang.org/x/net/... golang.org/x/sys/unix golang.org/x/term", "examples stand on top"},
	{"internal/...", "std", "what two packages need"},
}

// shared lists the packages that every package of the module may import.
var shared = []string{module + "/internal/enum", module + "/internal/errtext", module + "/internal/jsontext"}

// testImports are allowed in test files, beside what the directory itself may
// import. A test may start processes and open sockets.
var testImports = []string{
	"std", "github.com/stretchr/testify/require", module + "/diag",
	module + "/internal/oracle", module + "/internal/fill",
	"golang.org/x/sys/unix", "golang.org/x/net/ipv4",
}

func TestWallsHold(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	for _, s := range list {
		i := slices.IndexFunc(walls, func(w wall) bool { return covers(w.dir, s.dir) })
		if i < 0 {
			findings = append(findings, s.name+": no wall speaks of this directory: add one to the table")
			continue
		}
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if !allowed(walls[i], s, name) {
				findings = append(findings, fmt.Sprintf("%s: %s may not import %s (%s)", s.place(fset, spec.Pos()), s.dir, name, walls[i].why))
			}
		}
	}
	report(t, findings)
}

func TestWallsForbid(t *testing.T) {
	for _, row := range []struct {
		dir, imported string
		test, want    bool
	}{
		{"ipxe", "dougu.internal/smart", false, false},
		{"ipxe", "dougu.internal/smart", true, false},
		{"ipxe/sim", "dougu.internal/ipxe", false, true},
		{"ipxe", "dougu.internal/diag", false, true},
		{"ipxe", "os/exec", false, false},
		{"ipxe", "os/exec", true, true},
		{"keepalived", "dougu.internal/internal/oracle", false, false},
		{"keepalived", "dougu.internal/internal/oracle", true, true},
		{"stracelog", "github.com/stretchr/testify/require", false, false},
		{"stracelog", "github.com/stretchr/testify/require", true, true},
		{"smart", "dougu.internal/diag", false, true},
		{"stracelog/live", "dougu.internal/diag", false, true},
		{"diag", "dougu.internal/internal/enum", false, true},
		{"multicast/internal/engine", "dougu.internal/internal/jsontext", false, true},
		{"diag", "dougu.internal/internal/oracle", false, false},
		{".", "dougu.internal/internal/enum", false, false},
		{"stracelog", "C", false, false},
		{"stracelog", "net/netip", false, true},
		{"stracelog", "net", false, false},
		{"examples/tour", "dougu.internal/smart", false, true},
		{".", "fmt", false, false},
	} {
		i := slices.IndexFunc(walls, func(w wall) bool { return covers(w.dir, row.dir) })
		require.GreaterOrEqual(t, i, 0)
		require.Equal(t, row.want, allowed(walls[i], source{dir: row.dir, test: row.test}, row.imported), "%+v", row)
	}
}

// allowed reports whether a file may import a package.
func allowed(w wall, s source, name string) bool {
	top, _, _ := strings.Cut(s.dir, "/")
	if !strings.HasPrefix(s.dir, "examples/") {
		for _, p := range packages {
			if p != top && covers(module+"/"+p+"/...", name) {
				return false
			}
		}
	}
	if top != "." && slices.Contains(shared, name) {
		return true
	}
	if top != "." && covers(module+"/"+top+"/...", name) {
		return true
	}
	if s.test {
		return slices.ContainsFunc(append(strings.Fields(w.allow), testImports...), func(p string) bool { return matches(p, name) })
	}
	ok := false
	for p := range strings.FieldsSeq(w.allow) {
		if bad, not := strings.CutPrefix(p, "!"); not {
			if covers(bad, name) {
				return false
			}
			continue
		}
		ok = ok || matches(p, name)
	}
	return ok
}

func matches(pattern, name string) bool {
	inModule := covers(module+"/...", name)
	switch pattern {
	case "std":
		first, _, _ := strings.Cut(name, "/")
		return !inModule && !strings.Contains(first, ".") && name != "C"
	case "module":
		return inModule
	}
	return covers(pattern, name)
}

func covers(pattern, name string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == below || strings.HasPrefix(name, below+"/")
	}
	return pattern == name
}

// engines get time and randomness as arguments: these directories call nothing
// that reads a clock, waits, or draws from the process's own generator, and
// import neither net nor os. The rest of a package that decides by time is held to
// it as well, file by file.
var engines = []string{
	"diag", "ipxe/sim/...", "keepalived/...", "multicast/internal/engine/...", "multicast/internal/wire/...",
	"multicast/internal/ranges/...", "multicast/internal/fec/...", "multicast/mcsim/...", "sshproxy",
}

// filesApart are files of an engine's directory that touch the file system for
// their caller.
var filesApart = []string{"sshproxy"}

// clock names what engines do not call.
var clock = map[string][]string{
	"time":         {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
	"math/rand":    {"Int", "Intn", "Int63", "Float64", "Perm", "Shuffle", "Read", "Uint32", "Uint64"},
	"math/rand/v2": {"Int", "IntN", "N", "Uint64", "Uint32", "Float64", "Perm", "Shuffle"},
	"crypto/rand":  {"Read", "Reader", "Int", "Text"},
}

func TestEnginesReadNoClock(t *testing.T) {
	fset, list := sources(t)
	var findings []string
	for _, s := range list {
		if s.test || !slices.ContainsFunc(engines, func(p string) bool { return covers(p, s.dir) }) {
			continue
		}
		called := map[string][]string{}
		for _, spec := range s.file.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			if (name == "net" || name == "os" || name == "syscall") && !slices.Contains(filesApart, s.dir) {
				findings = append(findings, fmt.Sprintf("%s: an engine may not import %s", s.place(fset, spec.Pos()), name))
			}
			if names, ok := clock[name]; ok {
				called[local(spec, name)] = names
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(called[x.Name], sel.Sel.Name) {
				findings = append(findings, fmt.Sprintf("%s: an engine may not use %s.%s: take it as an argument",
					s.place(fset, sel.Pos()), x.Name, sel.Sel.Name))
			}
			return true
		})
	}
	report(t, findings)
}

// local is the name under which a file knows an import.
func local(spec *ast.ImportSpec, name string) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	parts := strings.Split(name, "/")
	if last := parts[len(parts)-1]; last != "v2" {
		return last
	}
	return parts[len(parts)-2]
}
