package sshproxy

import (
	"net/netip"
	"os"
	"os/user"
	"runtime"
	"strconv"
	"strings"
)

// Local is what a client knows of the machine and the user it runs for. Everything a
// configuration may depend on is here or in the fields of [Resolver]; resolving looks
// at nothing else.
type Local struct {
	// User is the login name, UID its number, Home the home directory of the
	// password database: what %u, %i, %d and most ~ mean.
	User string
	UID  int
	Home string
	// HomeEnv is $HOME: what ~ means in an Include. Empty: Home.
	HomeEnv string
	// Hostname is the machine's full name: %l, and %L up to its first dot.
	Hostname string
	// Addrs are the addresses of this machine's interfaces, for Match localnetwork.
	Addrs []netip.Addr
	// HomeOf finds the home directory of another user, for ~name. Nil: no one has one.
	HomeOf func(name string) (string, bool)
	// Service finds the TCP port of a service by its name. Nil: ssh is 22, no other.
	Service func(name string) (int, bool)
	// PrivateGroup reports whether a group has no member but the user: Debian's
	// client accepts included files that such a group may write. Nil: none has.
	PrivateGroup func(gid uint32) bool
	// Program is the name under which the client was started, "" for ssh. It stands in
	// the commands that ProxyJump turns into.
	Program string
}

// Self describes the current user and machine. It reads the password database and
// /etc/services, once.
func Self() (Local, error) {
	u, err := user.Current()
	if err != nil {
		return Local{}, errs.Wrap(err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		uid = -1 // not a number on Windows
	}
	host, err := os.Hostname()
	if err != nil {
		return Local{}, errs.Wrap(err)
	}
	services := readServices("/etc/services")
	return Local{
		User: u.Username, UID: uid, Home: u.HomeDir, HomeEnv: os.Getenv("HOME"), Hostname: host,
		HomeOf: func(name string) (string, bool) {
			u, err := user.Lookup(name)
			if err != nil {
				return "", false
			}
			return u.HomeDir, true
		},
		Service: func(name string) (int, bool) {
			port, ok := services[name]
			return port, ok
		},
	}, nil
}

// readServices reads the TCP services of a file in the form of services(5). Without the file,
// ssh takes no name for a port.
func readServices(name string) map[string]int {
	m := map[string]int{}
	text, err := os.ReadFile(name)
	if err != nil {
		if runtime.GOOS == "windows" {
			m["ssh"] = 22 // its file lies elsewhere
		}
		return m
	}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		number, protocol, _ := strings.Cut(fields[1], "/")
		port, err := strconv.Atoi(number)
		if err != nil || protocol != "tcp" {
			continue
		}
		for i, n := range fields {
			if _, taken := m[n]; i != 1 && !taken {
				m[n] = port
			}
		}
	}
	return m
}

func (l *Local) service(name string) (int, bool) {
	if l.Service == nil {
		return 22, name == "ssh"
	}
	return l.Service(name)
}

func (l *Local) defaultPort() int {
	if n, ok := l.service("ssh"); ok {
		return n
	}
	return 22
}

func (l *Local) program() string {
	if l.Program == "" {
		return "ssh"
	}
	return l.Program
}

func (l *Local) homeEnv() string {
	if l.HomeEnv == "" {
		return l.Home
	}
	return l.HomeEnv
}

func (l *Local) shortHostname() string {
	short, _, _ := strings.Cut(l.Hostname, ".")
	return short
}
