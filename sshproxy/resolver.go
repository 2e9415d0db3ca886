package sshproxy

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// Resolver answers what a client would do for a target. Its fields must not change
// after the first call. It reads each file once and keeps it, so that a resolver gives
// one consistent view; make a new one to see files that changed. It is safe for use by
// several goroutines.
//
// Resolving reads the configuration files and nothing else: it starts no process
// unless Exec is set, asks no name server unless Lookup is set, and follows no path
// but those of the files and their Include lines.
type Resolver struct {
	// Profile is the OpenSSH client to emulate. If zero, [Newest] is used.
	Profile Profile
	// Config is the file of ssh's -F: it stands in place of the user's and the
	// system's. "none" reads no file. Empty: UserConfig, then SystemConfig.
	Config string
	// UserConfig is by default ~/.ssh/config, SystemConfig /etc/ssh/ssh_config. A file
	// that does not exist is passed over, as is "none".
	UserConfig, SystemConfig string
	// Local is the machine and the user; see [Self].
	Local Local
	// Env finds environment variables. Nil: none is set.
	Env func(name string) (value string, ok bool)
	// Files is where files are read. Nil: the file system of the machine, with the
	// client's checks of owner and mode.
	Files FileSystem
	// Exec runs the command of a Match exec in the user's shell and reports whether it
	// ended with 0. Nil: no command is run, the attribute counts as not matched, and
	// [Result.Unanswered] names it.
	Exec func(ctx context.Context, command string) (bool, error)
	// Lookup asks the name service for a host, for CanonicalizeHostname and
	// CanonicalizePermittedCNAMEs. The network is "ip", "ip4" or "ip6", by AddressFamily:
	// a host without an address of that family is not found. It returns the canonical name. Nil: no name is
	// looked up, none is found, and [Result.Unanswered] names those that were wanted.
	Lookup func(ctx context.Context, network, host string) (canonical string, err error)
	// Exists reports whether a path exists: a client warns when ForwardAgent names a
	// socket that does not, and gives up with ExitOnForwardFailure. Nil: it is not
	// looked at, and taken to exist.
	Exists func(path string) bool
	// Limits bound what is read.
	Limits Limits

	once  sync.Once
	cache *cache
}

// cache holds the files that were read, for a resolver and those that follow a chain
// into other files.
type cache struct {
	mu    sync.Mutex
	files map[string]*loaded
}

func (r *Resolver) store() *cache {
	r.once.Do(func() {
		if r.cache == nil {
			r.cache = &cache{files: map[string]*loaded{}}
		}
	})
	return r.cache
}

// with returns a resolver that differs in its -F only and shares what was read.
func (r *Resolver) with(config string) *Resolver {
	if config == r.Config {
		return r
	}
	return &Resolver{
		Profile: r.Profile, Config: config, UserConfig: r.UserConfig, SystemConfig: r.SystemConfig, Local: r.Local, Env: r.Env,
		Files: r.Files, Exec: r.Exec, Lookup: r.Lookup, Exists: r.Exists, Limits: r.Limits, cache: r.store(),
	}
}

func (r *Resolver) files() FileSystem {
	if r.Files == nil {
		return osFiles{}
	}
	return r.Files
}

func (r *Resolver) env(name string) (string, bool) {
	if r.Env == nil {
		return "", false
	}
	return r.Env(name)
}

// Warm reads the file of Config, or the user's and the system's, ahead of the first
// target. Files that they include are read when a target needs them. It fails when a file
// that is there can't be read.
func (r *Resolver) Warm() error {
	names := []string{r.Config}
	if r.Config == "" {
		names = []string{r.userConfig(), r.systemConfig()}
	}
	for _, name := range names {
		if equalFold(name, "none") {
			continue
		}
		l := r.load(name)
		if l.limit != nil {
			return errs.Errorf("%w", l.limit)
		}
		if l.err != nil && (r.Config != "" || !notFound(l.err)) {
			return errs.Wrap(l.err)
		}
	}
	return nil
}

func (r *Resolver) userConfig() string {
	if r.UserConfig == "" {
		return r.Local.Home + "/.ssh/config"
	}
	return r.UserConfig
}

func (r *Resolver) systemConfig() string {
	if r.SystemConfig == "" {
		return "/etc/ssh/ssh_config"
	}
	return r.SystemConfig
}

// Target is what a command line can say. The zero User, Port and Jump are not given.
type Target struct {
	// Host is the name as typed. [ParseTarget] takes user@host and ssh:// apart.
	Host string `json:"host,omitzero"`
	// User is of -l or user@, Port of -p or the URI, Jump of -J.
	User string `json:"user,omitzero"`
	Jump string `json:"jump,omitzero"`
	Port int    `json:"port,omitzero"`
	// Options are the values of -o, each "Key=value", in order. They come before the
	// other fields.
	Options []string `json:"options,omitzero"`
	// Command is the remote command, for Match command and Match sessiontype. The kind of
	// session is otherwise that of the option SessionType.
	Command string `json:"command,omitzero"`

	flags []flagValue // of ParseCommandLine, in the order of the command line
}

// flagValue is one flag of a command line.
type flagValue struct {
	flag  byte
	value string
}

// ConfigError is what ends a resolution: a client would exit with status 255.
type ConfigError struct {
	// Messages are the lines that the client prints on stderr, in order, each without
	// its line end.
	Messages []string `json:"messages,omitzero"`
}

// Error returns the client's messages, one a line.
func (e *ConfigError) Error() string { return "sshproxy: " + strings.Join(e.Messages, "\n") }

// Resolve answers as `ssh -G` does. The error is a [*ConfigError] when the client would
// refuse the configuration or the target, else of the context or of Exec.
func (r *Resolver) Resolve(ctx context.Context, t Target) (*Result, error) {
	st := state{r: r, p: r.Profile.build(), ctx: ctx, original: t.Host, command: t.Command}
	return st.resolve(t)
}

// slot is the value of an option and where it came from.
type slot struct {
	val  string
	from origin
	set  bool
}

// origin is a place that set a value.
type origin struct {
	prog *program
	stmt int32
	pass uint8 // 1 or 2; 0 for the command line
}

type item struct {
	val  string
	user bool
	from origin
}

// state is one resolution under way.
type state struct {
	r   *Resolver
	p   *build
	ctx context.Context

	slots  [opCount]slot
	lists  [opCount][]string // of options whose first line wins as a whole
	items  [opCount][]item   // of options that accumulate
	jump   *jump
	fields struct { // of forwards, beside their items
		local, remote []forward
	}

	original  string // the host as typed
	command   string // the remote command
	host      string // the host at this time
	final     bool
	wantFinal bool
	onLine    bool // the user is of the command line
	files     int
	asked     map[string]bool // commands of Match exec, with their answers

	messages   []string
	unanswered []string
	dead       bool  // the client has given up
	err        error // of ours, not of the client
	level      verbosity
	noDefault  []op // algorithm lists that the client has lost
	trace      *trace
}

// verbosity is how much of what the client says reaches stderr.
type verbosity uint8

const (
	sayAll verbosity = iota
	sayFatal
	saySilence
)

// verbosityOf reads a LogLevel. The zero value, for none, says all.
func verbosityOf(level string) verbosity {
	switch level {
	case "SILENT", "QUIET":
		return saySilence
	case "FATAL":
		return sayFatal
	}
	return sayAll
}

// say records messages of the client.
func (st *state) say(messages ...string) {
	if st.level == sayAll {
		st.record(messages...)
	}
}

func (st *state) record(messages ...string) {
	for _, m := range messages {
		st.messages = append(st.messages, vis(cut(m, 1023)))
	}
}

// die records the message with which the client gives up. It returns false, for its
// callers to return.
func (st *state) die(format string, args ...any) bool {
	if !st.dead && st.level <= sayFatal {
		st.record(fmt.Sprintf(format, args...))
	}
	st.dead = true
	return false
}

// broken ends the resolution by an error of our own.
func (st *state) broken(err error) bool {
	st.dead = true
	if st.err == nil {
		st.err = err
	}
	return false
}

func (st *state) failure() error {
	if st.err != nil {
		return errs.Wrap(st.err)
	}
	return &ConfigError{Messages: st.messages}
}

func (st *state) resolve(t Target) (*Result, error) {
	if !st.commandLine(t) || !st.validate() {
		return nil, st.failure()
	}
	st.host = st.original
	if !st.pass() || !st.settleHost() {
		return nil, st.failure()
	}
	if st.wantFinal {
		st.slots[opHostname].val, st.slots[opHostname].set = st.host, true
		st.final = true
		if !st.pass() {
			return nil, st.failure()
		}
	}
	res := &Result{target: t, state: st}
	if !st.finish(res) {
		return nil, st.failure()
	}
	res.messages, res.unanswered = st.messages, st.unanswered
	return res, nil
}

// pass reads all files once.
func (st *state) pass() bool {
	r := st.r
	if r.Config != "" {
		if equalFold(r.Config, "none") {
			return true
		}
		switch how := st.read(r.Config, true, false, true, 0); how {
		case fileMissing, fileUnreadable:
			return st.die("Can't open user config file %s: %s", cut(r.Config, 100), systemError(r.load(r.Config).err))
		default:
			return !st.dead
		}
	}
	user, system := r.userConfig(), r.systemConfig()
	if user != "none" {
		st.read(user, true, true, true, 0)
	}
	if !st.dead && system != "none" {
		st.read(system, false, false, true, 0)
	}
	return !st.dead
}

// passNumber is 1 or 2.
func (st *state) passNumber() uint8 {
	if st.final {
		return 2
	}
	return 1
}

type fileStatus uint8

const (
	fileRead fileStatus = iota
	fileMissing
	fileUnreadable
)

// read runs a file. active is false for a file under a block that did not match.
func (st *state) read(path string, user, check, active bool, depth int) fileStatus {
	const maxDepth = 16
	if depth > maxDepth {
		st.die("Too many recursive configuration includes")
		return fileRead
	}
	if err := st.ctx.Err(); err != nil {
		st.broken(err)
		return fileRead
	}
	if st.files++; st.files > st.r.Limits.files() {
		st.broken(errs.Errorf("more than %d configuration files are read for one target", st.r.Limits.files()))
		return fileRead
	}
	l := st.r.load(path)
	switch {
	case l.limit != nil:
		st.broken(errs.Errorf("%w", l.limit))
		return fileRead
	case l.err != nil && notFound(l.err):
		return fileMissing
	case l.err != nil:
		return fileUnreadable
	}
	if check && !st.trusted(l) {
		st.die("Bad owner or permissions on %s", path)
		return fileRead
	}
	bad := st.run(l.prog, user, active, depth)
	if !st.dead && bad > 0 {
		st.die("%s: terminating, %d bad configuration options", path, bad)
	}
	return fileRead
}

// trusted applies the client's rule on who may own and write a file.
func (st *state) trusted(l *loaded) bool {
	uid, gid, ok := owner(l.info)
	if !ok {
		return true
	}
	mode := l.info.Mode().Perm()
	local := &st.r.Local
	if uid != 0 && int(uid) != local.UID || mode&0o002 != 0 {
		return false
	}
	if mode&0o020 == 0 {
		return true
	}
	return st.p.debian && local.PrivateGroup != nil && local.PrivateGroup(gid)
}

// run executes a file and returns the number of its bad lines.
func (st *state) run(c *program, user, active bool, depth int) (bad int) {
	x := execution{state: st, c: c, user: user, never: !active, depth: depth}
	if st.trace == nil && active {
		if list, ok := c.candidates(st.nameForHost()); ok {
			for _, b := range list {
				if !x.block(int(b)) {
					return x.bad
				}
			}
			return x.bad
		}
	}
	for b := range c.blocks {
		if !x.block(b) {
			return x.bad
		}
	}
	return x.bad
}

// nameForHost is what Host lines are compared with: the name as typed, and in the
// second pass the name that it stands for.
func (st *state) nameForHost() string { return st.host }

// user is the remote user so far.
func (st *state) user() string {
	if s := &st.slots[opUser]; s.set {
		return s.val
	}
	return st.r.Local.User
}

func (st *state) portText() string {
	if s := &st.slots[opPort]; s.set {
		return s.val
	}
	return strconv.Itoa(st.r.Local.defaultPort())
}
