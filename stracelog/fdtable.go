package stracelog

import (
	"bytes"
	"net/netip"
	"strings"
)

// descKind says what a descriptor is.
type descKind uint8

const (
	descUnknown descKind = iota
	descSocket           // a socket that is not more than that yet, or connected to a peer
	descListen
	descClient // accepted
	descFile
	descPipe
	descEvent // epoll, eventfd, timerfd, inotify
)

// desc is what is known of a descriptor. Copies made by dup share it; fork copies it.
type desc struct {
	kind       descKind
	dgram      bool
	cloexec    bool
	connecting bool
	wrote      bool // the last transfer was towards the peer: the next one back ends a round trip
	spoken     bool // payload has named the protocol
	peer       Peer
	conn       *conn    // of a client
	owner      *request // which request used a peer last
}

// conn is an accepted connection, which several processes may hold.
type conn struct {
	refs  int
	req   *request
	proto Proto
	peer  Peer
}

// files is the table of descriptors of a process, shared by its threads.
type files struct {
	m    map[int]*desc
	refs int // threads that share it
}

// The bounds of what an analysis remembers. A log that hides exits and closes cannot make it grow past them.
const (
	maxFDs     = 1 << 16 // of one table
	maxDescs   = 1 << 18 // of all tables
	maxThreads = 1 << 17
)

func (a *analysis) set(f *files, fd int, d *desc) {
	if fd < 0 {
		return
	}
	if _, old := f.m[fd]; !old {
		if len(f.m) >= maxFDs || a.descs >= maxDescs {
			return
		}
		a.descs++
	}
	if f.m == nil {
		f.m = map[int]*desc{}
	}
	f.m[fd] = d
}

func (a *analysis) unset(f *files, fd int) {
	if _, ok := f.m[fd]; ok {
		delete(f.m, fd)
		a.descs--
	}
}

// fork returns a copy of the table.
func (a *analysis) fork(f *files) *files {
	n := &files{refs: 1}
	for fd, d := range f.m {
		c := *d
		if c.conn != nil {
			c.conn.refs++
		}
		a.set(n, fd, &c)
	}
	return n
}

// adopt gives a child that was seen before its parent's clone returned what the parent had.
func (a *analysis) adopt(child, parent *files) {
	for fd, d := range parent.m {
		if child.m[fd] == nil {
			c := *d
			if c.conn != nil {
				c.conn.refs++
			}
			a.set(child, fd, &c)
		}
	}
}

func (a *analysis) exec(f *files) {
	for fd, d := range f.m {
		if d.cloexec {
			a.unset(f, fd)
		}
	}
}

func (a *analysis) forget(f *files) {
	a.descs -= len(f.m)
	f.m = nil
}

// annotate fills a descriptor from what -y and -yy say of it: a path, or TCP:[127.0.0.1:80->127.0.0.1:38738].
func (d *desc) annotate(an []byte) {
	kind, rest, ok := bytes.Cut(an, []byte(":["))
	if !ok || bytes.IndexByte(kind, '/') >= 0 {
		if bytes.HasPrefix(an, []byte("/")) && d.kind == descUnknown {
			d.kind = descFile
		}
		return
	}
	rest = bytes.TrimSuffix(rest, []byte("]"))
	switch k := string(kind); k {
	case "pipe":
		d.kind = descPipe
	case "anon_inode":
		if d.kind == descUnknown {
			d.kind = descEvent
		}
	case "TCP", "TCPv6", "UDP", "UDPv6":
		d.dgram = strings.HasPrefix(k, "UDP")
		if d.kind == descUnknown {
			d.kind = descSocket
		}
		d.inet(rest)
	case "UNIX", "UNIX-STREAM", "UNIX-DGRAM", "UNIX-SEQPACKET":
		if d.kind == descUnknown {
			d.kind = descSocket
		}
		if d.peer.Net == "" {
			d.peer.Net = "unix"
		}
		if i := bytes.IndexByte(rest, '"'); i >= 0 && d.peer.Addr == "" {
			if e := quoteEnd(rest, i, len(rest)); e > 0 && i >= 1 {
				path, _, _ := Unquote(nil, rest[i:e])
				d.peer.Addr = string(path)
			}
		}
	case "socket":
		if d.kind == descUnknown {
			d.kind = descSocket
		}
	}
}

// inet reads "local->remote". The side whose port is a service's tells a client from a peer when accept or connect were not seen.
func (d *desc) inet(rest []byte) {
	l, r, both := strings.Cut(string(rest), "->")
	local, err := netip.ParseAddrPort(l)
	if err != nil {
		return
	}
	if !both {
		if d.kind == descSocket && !d.dgram && d.peer == (Peer{}) && local.Port() != 0 && serverPort(local.Port()) {
			d.kind = descListen
		}
		return
	}
	remote, err := netip.ParseAddrPort(r)
	if err != nil || d.kind != descSocket || d.peer.Port != 0 {
		return
	}
	if serverPort(local.Port()) && !serverPort(remote.Port()) && !d.dgram {
		d.kind = descClient
		d.conn = &conn{refs: 1, peer: Peer{Net: "tcp", Addr: remote.Addr().String(), Port: int(remote.Port())}}
		return
	}
	d.peer = Peer{Net: "tcp", Addr: remote.Addr().String(), Port: int(remote.Port()), Proto: portProto[int(remote.Port())]}
	if d.dgram {
		d.peer.Net = "udp"
	}
}

// serverPort reports whether a port is one that servers listen on rather than one that the kernel chose.
func serverPort(p uint16) bool { return p < 1024 || portProto[int(p)] != "" || p >= 8000 && p < 10000 }
