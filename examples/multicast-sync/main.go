// Command multicast-sync sends files and directories to every host that runs its
// other half, and makes all of them show the new tree at once.
//
//	multicast-sync recv -base /srv                 on each host
//	multicast-sync send -r www                     ./www arrives as /srv/www everywhere
//
// See multicast-sync -h.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"dougu.internal/multicast"
)

// The exit statuses.
const (
	statusGood      = 0
	statusFailed    = 1 // a host failed, was late, evicted or in doubt; a file could not be read; a check differs
	statusUsage     = 2 // wrong use, an unknown host, a path that does not exist
	statusNoMembers = 3 // no receiver, or too few
)

const usage = `usage: multicast-sync recv -base DIR [-once] [-readonly] [-in-place] [COMMON]
       multicast-sync send [-r] [-v] [-n] [-delete] [-exclude P]... [-exclude-from F] [-t HOST]... PATH...
       multicast-sync send -members | -status

Sends each PATH, relative to the working directory (or -C DIR), to every host that runs recv:
it arrives as BASE/PATH. Files that are there already are not sent. All hosts switch at once.

COMMON
-group A:P        the group (default 224.0.0.108:5000)   -iface NAME  the interface ("lo" works without root)
-name NAME        of this node (default: the host's)     -key FILE    32 bytes in hex, readable by nobody else
recv
-base DIR         where it arrives
-once             ends after the first commit, with status 0
-readonly         answers, and changes and deletes nothing
-in-place         changes file by file instead of the whole tree at once
-outside-links    takes symlinks that lead out of DIR
send
-r                directories with all below them        -C DIR       paths are relative to it
-v                a line for each path of each host; twice: also what was left as it was
-n                a dry run: tells, and changes nothing  -check       compares content: HOST: NG PATH
-delete           what is not here goes there            -max-delete N  refuses more deletions at a host
-exclude P        as rsync has it; can be repeated       -exclude-from F  patterns, one a line, # comments
-t HOST           only to that host; can be repeated     -min-members N  waits for N receivers, at most 5 s
-rate R           bits a second on the wire: 300M, 1G    -fixed       keeps that rate, whatever is lost
-checksum         compares content, not size and time    -owner       user and group too
-commit P         all (default), reached, or a number of hosts that must be ready
-slow P           wait (default), evict:RATE:TIME or later:RATE:TIME, such as later:10M:5s
-members          HOST ADDR (VerV) a line, then Total: N members
-status           what each node is doing
-json             one object at the end: {"epoch","bytes","sent","repair","elapsed","hosts":[{"name","addr",
                  "state","updated","deleted","skipped","errors":[{"path","op","text"}],"late","evicted"}],...}

Lines of send: "delete HOST:PATH", then "update HOST:PATH" with -v; "(dryrun) [update:PATH]" with -n,
"(dryrun) update HOST:PATH" with -n -v; "HOST: NG PATH" and with -v "HOST: OK PATH" with -check; with -v
twice "skip   HOST:PATH" and "skipro HOST:PATH". Errors go to standard error: "error HOST:PATH: OP: TEXT".
recv prints "commit EPOCH from NAME: N updated, N deleted".

Exit status: 0 every host committed (or answered); 1 a host failed, was late, evicted or is in doubt, a
file could not be read, or a check differs; 2 wrong use, unknown host, missing PATH; 3 no members, or
fewer than -min-members.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Stdout, os.Stderr, os.Args[1:]))
}

// common are the flags of both halves.
type common struct {
	group, iface, name, key string
	stdout, stderr          io.Writer
}

func (c *common) flags(f *flag.FlagSet) {
	f.SetOutput(c.stderr)
	f.Usage = func() { fmt.Fprint(c.stderr, usage) }
	f.StringVar(&c.group, "group", multicast.DefaultGroup.String(), "")
	f.StringVar(&c.iface, "iface", "", "")
	f.StringVar(&c.name, "name", "", "")
	f.StringVar(&c.key, "key", "", "")
}

func run(ctx context.Context, stdout, stderr io.Writer, args []string) int {
	c := common{stdout: stdout, stderr: stderr}
	if len(args) == 0 {
		fmt.Fprint(stderr, usage)
		return statusUsage
	}
	switch args[0] {
	case "recv":
		return c.recv(ctx, args[1:])
	case "send":
		return c.send(ctx, args[1:])
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stderr, usage)
		return statusGood
	}
	return c.usage("%q is neither recv nor send", args[0])
}

func (c *common) usage(format string, args ...any) int {
	fmt.Fprintf(c.stderr, "multicast-sync: "+format+"; see multicast-sync -h\n", args...)
	return statusUsage
}

func (c *common) fail(status int, err error) int {
	fmt.Fprintln(c.stderr, "error:", strings.TrimPrefix(err.Error(), "multicast: "))
	return status
}

// config makes the configuration of the node.
func (c *common) config() (multicast.Config, error) {
	g, err := netip.ParseAddrPort(c.group)
	if err != nil {
		return multicast.Config{}, fmt.Errorf("-group: %w", err)
	}
	m := multicast.Config{Group: g, Interface: c.iface, Name: c.name}
	if c.key != "" {
		if m.Key, err = readKey(c.key); err != nil {
			return m, err
		}
	}
	return m, m.Validate()
}

// readKey reads 32 bytes in hex from a file that nobody else may read.
func readKey(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	if fi.Mode().Perm()&0o077 != 0 && fi.Mode().IsRegular() && os.PathSeparator == '/' {
		return nil, fmt.Errorf("-key: %s may be read by others (mode %04o): chmod 600 it", name, fi.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(f, 200))
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("-key: %s does not hold 64 hex digits: make one with  openssl rand -hex 32", name)
	}
	return key, nil
}

// parseRate reads 300M, 1.5G, 64k or a number of bits a second.
func parseRate(s string) (uint64, error) {
	unit := 1.0
	if s != "" {
		switch s[len(s)-1] {
		case 'k', 'K':
			unit = 1e3
		case 'm', 'M':
			unit = 1e6
		case 'g', 'G':
			unit = 1e9
		}
	}
	text := s
	if unit != 1 {
		text = s[:len(s)-1]
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || v < 0 || v*unit > 1e13 {
		return 0, fmt.Errorf("%q is no rate: write 300M, 1G or a number of bits a second", s)
	}
	return uint64(v * unit), nil
}

// list is a flag that can be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

// count is a flag that counts how often it is given.
type count int

func (c *count) String() string   { return strconv.Itoa(int(*c)) }
func (c *count) IsBoolFlag() bool { return true }
func (c *count) Set(s string) error {
	if s != "true" {
		return errors.New("it has no value")
	}
	*c++
	return nil
}

// show makes a path fit a line: names with control bytes, or that are no UTF-8, are
// written as Go writes strings.
func show(p string) string {
	q := strconv.Quote(p)
	if q[1:len(q)-1] == p || strings.ContainsAny(p, `"\`) && strconv.CanBackquote(strings.ReplaceAll(p, "`", "")) {
		return p
	}
	return q
}
