// Command multicast-sync sends files and directories to all hosts that run "multicast-sync recv".
// All hosts switch to the new version at the same moment.
//
//	multicast-sync recv -base /srv                 on each host
//	multicast-sync send -r www                     copy ./www to /srv/www on all hosts
//
// Run multicast-sync -h for all flags.
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
	statusFailed    = 1 // a host failed, was late, evicted or in doubt; a file was not readable; a check found differences
	statusUsage     = 2 // invalid flags, unknown host, or missing path
	statusNoMembers = 3 // no receivers, or too few
)

const usage = `usage: multicast-sync recv -base DIR [-once] [-readonly] [-in-place] [COMMON]
       multicast-sync send [-r] [-v] [-n] [-delete] [-exclude P]... [-exclude-from F] [-t HOST]... PATH...
       multicast-sync send -members | -status

multicast-sync send copies each PATH, which is relative to the working directory or to -C DIR, to
BASE/PATH on all hosts that run recv. Files that a host already has are not sent. All hosts switch to
the new version at the same moment.

COMMON
-group A:P        Multicast group and port (default 224.0.0.108:5000).
-iface NAME       Network interface, also -interface. "lo" works without root privileges.
-ttl N            IP time-to-live of sent packets (default 1: the local network).
-name NAME        Name of this node (default: the host name).
-key FILE         File with the key, 32 bytes in hexadecimal. Others must not be able to read it.
recv
-base DIR         Directory for received files.
-once             Exit with status 0 after the first commit.
-readonly         Reply to transfers without changing anything.
-in-place         Change one file after the other instead of the whole tree at the same moment.
-setuid           Keep the set-user-id and set-group-id bits of files.
-outside-links    Accept symbolic links that lead out of DIR.
send
-r                Include subdirectories.
-C DIR            Directory to which the paths are relative.
-v                Print a line for each changed path of each host; -v -v prints unchanged paths, too.
-n                Dry run: print the changes without making them.
-check            Compare the content of files and print the differences.
-checksum         Find changed files by their content instead of size and time.
-delete           Delete files at the hosts that do not exist here.
-max-delete N     Maximum number of deletions at a host. A host with more refuses the transfer.
-exclude P, -include P, -exclude-from F, -include-from F, -filter RULE
                  Select files by the rules of rsync(1), FILTER RULES: "- P", "+ P", "!", and in
                  files comments that start with # or ;. The first rule that matches decides.
                  Other rules of -filter than exclude, include, merge and clear are refused.
-owner            Set user and group.
-fsync            Flush all data to the disk before the commit.
-t HOST           Send to this host only, by name or address. The flag can be repeated.
-min-members N    Wait for N receivers, up to 5 seconds.
-rate R           Maximum rate in bits per second on the wire, such as 300M or 1G.
-symbol N         Size of the payload of a packet, a multiple of 64 from 512 to 8896.
-fixed            Keep the rate, whatever is lost.
-commit P         When to commit: all (default), reached, or the number of hosts that must be ready.
-slow P           What to do with slow hosts: wait (default), evict:RATE:TIME or later:RATE:TIME, such
                  as later:10M:5s.
-members          List the members: "HOST ADDR (VerV)" lines, then "Total: N members".
-status           Print the status of each node.
-json             Print one object at the end: {"epoch","bytes","sent","repair","elapsed",
                  "hosts":[{"name","addr","state","updated","deleted","skipped",
                  "errors":[{"path","op","text"}],"late","evicted"}],...}

Output of send: "delete HOST:PATH" and "update HOST:PATH" with -v; "(dryrun) [update:PATH]" with -n;
"(dryrun) update HOST:PATH" with -n -v; "HOST: NG PATH" with -check, and "HOST: OK PATH" with -check -v;
"skip   HOST:PATH" and "skipro HOST:PATH" with -v -v. Errors are printed on standard error, as
"error HOST:PATH: OP: TEXT". recv prints "commit EPOCH from NAME: N updated, N deleted".

Exit status: 0 if every host committed or replied; 1 if a host failed, was late or evicted, or is in
doubt, if a file could not be read, or if a check found differences; 2 for invalid flags, unknown
hosts and missing paths; 3 if there are no members, or fewer than -min-members.
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Stdout, os.Stderr, os.Args[1:]))
}

// common contains the flags that send and recv share.
type common struct {
	group, iface, name, key string
	ttl                     int
	stdout, stderr          io.Writer
}

func (c *common) flags(f *flag.FlagSet) {
	f.SetOutput(c.stderr)
	f.Usage = func() { fmt.Fprint(c.stderr, usage) }
	f.StringVar(&c.group, "group", multicast.DefaultGroup.String(), "")
	f.StringVar(&c.iface, "iface", "", "")
	f.StringVar(&c.iface, "interface", "", "")
	f.IntVar(&c.ttl, "ttl", 0, "")
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
	return c.usage("unknown command %q, want recv or send", args[0])
}

func (c *common) usage(format string, args ...any) int {
	fmt.Fprintf(c.stderr, "multicast-sync: "+format+"; run multicast-sync -h for usage\n", args...)
	return statusUsage
}

func (c *common) fail(status int, err error) int {
	fmt.Fprintln(c.stderr, "error:", strings.TrimPrefix(err.Error(), "multicast: "))
	return status
}

// config returns the configuration of the node.
func (c *common) config() (multicast.Config, error) {
	g, err := netip.ParseAddrPort(c.group)
	if err != nil {
		return multicast.Config{}, fmt.Errorf("-group: %w", err)
	}
	m := multicast.Config{Group: g, Interface: c.iface, TTL: c.ttl, Name: c.name}
	if c.key != "" {
		if m.Key, err = readKey(c.key); err != nil {
			return m, err
		}
	}
	return m, m.Validate()
}

// readKey reads 32 bytes in hexadecimal from a file that others cannot read.
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
		return nil, fmt.Errorf("-key: others can read %s (mode %04o); run chmod 600 %s", name, fi.Mode().Perm(), name)
	}
	text, err := io.ReadAll(io.LimitReader(f, 200))
	if err != nil {
		return nil, fmt.Errorf("-key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf(
			"-key: %s does not contain 64 hexadecimal digits; run openssl rand -hex 32 to create a key",
			name,
		)
	}
	return key, nil
}

// parseRate parses 300M, 1.5G, 64k or a number of bits per second.
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
		return 0, fmt.Errorf("invalid rate %q, want 300M, 1G or a number of bits per second", s)
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
		return errors.New("unexpected value")
	}
	*c++
	return nil
}

// show returns a path for output in a line. Names with control characters or invalid UTF-8 are
// quoted like Go strings.
func show(p string) string {
	q := strconv.Quote(p)
	if q[1:len(q)-1] == p || strings.ContainsAny(p, `"\`) && strconv.CanBackquote(strings.ReplaceAll(p, "`", "")) {
		return p
	}
	return q
}
