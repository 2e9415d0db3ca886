package stracelog

import (
	"bytes"
	"strings"
	"time"
)

// what is what a call means for a request.
type what struct {
	kind    callKind
	name    string
	class   Class
	peer    Peer
	verb    string
	payload []byte // decoded; belongs to the analysis
	fd      int
	d       *desc
	n       int64 // result when it is a plain number, else -1
	trip    bool  // it ends a round trip
	unsure  bool  // strace names a wait that it does not know
}

// what says where the time of a call counts. Descriptors that the call makes or ends are the business of after.
func (a *analysis) what(t *thread, c *Call, kind callKind) what {
	w := what{kind: kind, name: a.intern(c.Name), class: ClassOther, fd: -1, n: -1}
	if c.Ret.Kind == RetInt && len(c.Ret.Errno) == 0 {
		w.n = c.Ret.Int
	}
	_ = c.Args.Parse(&a.tree) // what can be read of damaged arguments is enough
	switch kind {
	case kAccept, kListen:
		w.class = ClassIdle
		a.descriptor(t, &w, a.tree.At(0))
	case kConnect:
		a.connect(t, c, &w)
	case kRead, kWrite, kReadMsg, kWriteMsg:
		a.transfer(t, c, &w)
	case kSendfile, kShutdown, kSockopt, kClose, kFDFile, kFcntl, kDup:
		a.descriptor(t, &w, a.tree.At(0))
		w.class, w.peer = classOf(t, w.d)
		switch {
		case kind == kFDFile:
			w.class = ClassFile
		case kind == kFcntl && bytes.Contains(c.Args.Raw(), []byte("LKW")):
			w.class = ClassLock
		case kind == kSockopt && w.d != nil && w.d.connecting && bytes.Contains(c.Args.Raw(), []byte("SO_ERROR")):
			w.d.connecting = false
			w.class = connectClass(w.d)
		}
	case kOpen, kPath:
		w.class = ClassFile
	case kPoll, kSelect, kEpoll:
		a.wait(t, c, &w)
	case kSleep:
		w.class = ClassSleep
	case kLock:
		w.class = ClassLock
	case kFutex:
		if bytes.Contains(c.Args.Raw(), []byte("FUTEX_WAIT")) || bytes.Contains(c.Args.Raw(), []byte("FUTEX_LOCK")) || w.name != "futex" {
			w.class = ClassLock
		}
	case kChild:
		w.class = ClassChild
	case kRestart:
		a.restarted(t, c, &w)
	}
	return w
}

// descriptor finds what is known of the descriptor in v.
func (a *analysis) descriptor(t *thread, w *what, v Value) {
	fd, an, ok := v.FD()
	if !ok || fd < 0 {
		return
	}
	w.fd, w.d = fd, t.files.m[fd]
	if an == nil {
		return
	}
	if w.d == nil {
		w.d = &desc{}
		a.set(t.files, fd, w.d)
	}
	if w.d.kind == descUnknown || w.d.kind == descSocket && w.d.peer.Port == 0 {
		w.d.annotate(an)
	}
}

// classOf says where time spent on a descriptor counts.
func classOf(t *thread, d *desc) (Class, Peer) {
	if d == nil {
		return ClassOther, Peer{}
	}
	switch d.kind {
	case descClient:
		return ClassClient, Peer{}
	case descListen:
		return ClassIdle, Peer{}
	case descFile:
		return ClassFile, Peer{}
	case descPipe:
		if t.forked {
			return ClassChild, Peer{}
		}
	case descSocket:
		switch {
		case d.peer.Proto == ProtoDNS:
			return ClassDNS, d.peer
		case d.peer.Known():
			return ClassPeer, d.peer
		}
	}
	return ClassOther, Peer{}
}

func connectClass(d *desc) Class {
	if d.peer.Proto == ProtoDNS {
		return ClassDNS
	}
	return ClassConnect
}

func (a *analysis) connect(t *thread, c *Call, w *what) {
	a.descriptor(t, w, a.tree.At(0))
	p, ok := sockaddr(c.Args.Raw())
	if !ok || w.fd < 0 {
		return
	}
	d := w.d
	if d == nil || d.kind == descClient || d.kind == descListen {
		d = &desc{kind: descSocket}
		a.set(t.files, w.fd, d)
		w.d = d
	}
	d.kind, d.conn = descSocket, nil
	if p.Net == "tcp" && d.dgram {
		p.Net = "udp"
	}
	p.Addr = a.intern([]byte(p.Addr))
	p.Proto = portProto[p.Port]
	if p.Net == "unix" {
		p.Proto = pathProto(p.Addr)
	}
	if a.classifier != nil {
		if x := a.classifier.Classify(p, nil); x != ProtoUnknown {
			p.Proto = x
		}
	}
	d.peer, d.spoken, d.wrote, d.owner = p, false, false, t.current
	d.connecting = string(c.Ret.Errno) == "EINPROGRESS" || string(c.Ret.Errno) == "EAGAIN"
	w.class, w.peer = connectClass(d), p
}

// pathProto knows the sockets that servers make by default.
func pathProto(path string) Proto {
	switch {
	case strings.Contains(path, "mysqld") || strings.Contains(path, "mysql.sock"):
		return ProtoMySQL
	case strings.Contains(path, ".s.PGSQL."):
		return ProtoPostgreSQL
	case strings.Contains(path, "nscd/") || strings.Contains(path, "resolve/io.systemd.Resolve"):
		return ProtoDNS
	case strings.Contains(path, "memcached"):
		return ProtoMemcached
	case strings.Contains(path, "redis"):
		return ProtoRedis
	case strings.Contains(path, "fpm"):
		return ProtoFastCGI
	}
	return ProtoUnknown
}

// transfer reads payload and learns from it.
func (a *analysis) transfer(t *thread, c *Call, w *what) {
	a.descriptor(t, w, a.tree.At(0))
	out := w.kind == kWrite || w.kind == kWriteMsg
	w.payload = a.firstString(w.kind)
	if w.n == 0 {
		w.payload = nil
	}
	if w.d == nil && w.fd >= 0 && w.n > 0 && len(w.payload) > 0 {
		a.guess(t, w, out)
	}
	d := w.d
	if d != nil && d.kind == descSocket {
		if d.dgram || !d.peer.Known() { // sendto names the peer itself
			if p, ok := sockaddr(c.Args.Raw()); ok && p.Port != 0 && d.peer.Port == 0 {
				p.Net, p.Proto = "udp", portProto[p.Port]
				d.peer, d.dgram = p, true
			}
		}
		if w.n > 0 && len(w.payload) > 0 {
			a.speak(d, w)
		}
		if w.n > 0 {
			w.trip = d.wrote && !out
			d.wrote = out
			if out {
				d.owner = t.current
			}
		}
		d.connecting = d.connecting && w.n < 0
	}
	w.class, w.peer = classOf(t, d)
	if d != nil && d.kind == descClient && w.n > 0 && len(w.payload) > 0 {
		_, w.verb = Recognize(w.payload)
	}
}

// speak takes the protocol of a peer from payload.
func (a *analysis) speak(d *desc, w *what) {
	proto, verb := Recognize(w.payload)
	if a.classifier != nil && !d.spoken {
		if x := a.classifier.Classify(d.peer, w.payload); x != ProtoUnknown {
			d.peer.Proto, d.spoken = x, true
		}
	}
	switch {
	case d.peer.Proto == ProtoDNS:
		if name, whole, ok := DNSName(w.payload); ok {
			if !whole {
				name += "..."
			}
			w.verb = a.intern([]byte(name))
		}
		return
	case proto == ProtoUnknown:
		return
	case !d.spoken:
		d.peer.Proto, d.spoken = proto, true
	}
	if proto == d.peer.Proto {
		w.verb = a.intern([]byte(verb))
	}
}

// guess says what a descriptor is that was open before the trace began: one on which a request for HTTP or FastCGI arrives is
// a client's, one on which a known protocol is spoken otherwise is a peer's.
func (a *analysis) guess(t *thread, w *what, out bool) {
	proto, verb := Recognize(w.payload)
	if proto == ProtoUnknown {
		return
	}
	d := &desc{kind: descSocket, peer: Peer{Proto: proto}, spoken: true}
	if !out && asks(proto, verb) {
		d = &desc{kind: descClient, conn: &conn{refs: 1, proto: proto}}
	}
	if w.name == "write" && proto != ProtoHTTP || w.name == "writev" || proto == ProtoTLS {
		return // a file may hold anything
	}
	a.set(t.files, w.fd, d)
	w.d = d
}

// asks reports whether a message is a client's request.
func asks(p Proto, verb string) bool {
	switch p {
	case ProtoHTTP:
		return verb != "HTTP"
	case ProtoFastCGI:
		return verb == "BEGIN_REQUEST"
	case ProtoTLS:
		return verb == "data"
	}
	return false
}

// firstString decodes the payload of a transfer: its second argument, or the first string of its vector.
func (a *analysis) firstString(k callKind) []byte {
	v := a.tree.At(1)
	if k == kReadMsg || k == kWriteMsg {
		v = firstString(v, 6)
	}
	if v.Kind() != ValueString {
		if v.Kind() == ValueInvalid || k == kRead || k == kWrite {
			return nil
		}
	}
	var err error
	a.buf, _, err = v.Bytes(a.buf[:0])
	if err != nil || len(a.buf) == 0 {
		return nil
	}
	return a.buf
}

// firstString finds the first iov_base, or another string, in a value.
func firstString(v Value, depth int) Value {
	if v.Kind() == ValueString {
		return v
	}
	if depth == 0 {
		return Value{}
	}
	for c := range v.Children() {
		if string(c.Name()) == "msg_name" {
			continue
		}
		if s := firstString(c, depth-1); s.Kind() == ValueString {
			return s
		}
	}
	return Value{}
}

// wait classifies poll, select and epoll_wait by the descriptor that became ready, or by the first one that is waited for.
func (a *analysis) wait(t *thread, c *Call, w *what) {
	w.class = ClassIdle
	ready, first := a.waited(c, w.kind)
	if first < 0 && ready < 0 && w.kind != kEpoll {
		w.class = ClassSleep // no descriptor at all
		return
	}
	if w.kind == kEpoll {
		t.loop = true
	}
	fd := ready
	if fd < 0 || t.files.m[fd] == nil {
		if fd = first; ready >= 0 && t.files.m[fd] == nil {
			fd = ready
		}
	}
	w.fd, w.d = fd, t.files.m[fd]
	if w.d == nil {
		w.fd = -1
		if q := t.current; q != nil && q.waiting != nil && !q.parked {
			w.class, w.peer = classOf(t, q.waiting)
			w.unsure = true
		} else if len(t.active) > 0 && w.kind != kEpoll {
			w.class = ClassOther
		}
		return
	}
	w.class, w.peer = classOf(t, w.d)
	if w.d.connecting {
		w.class = connectClass(w.d)
		if string(c.Name) != "poll" && w.n > 0 {
			w.d.connecting = false
		}
	}
}

// waited returns the descriptor that became ready and the first one that was waited for; -1 for none.
func (a *analysis) waited(c *Call, kind callKind) (ready, first int) {
	ready, first = -1, -1
	aux := c.Ret.Aux()
	_ = Args{aux}.Parse(&a.aux)
	switch kind {
	case kPoll:
		for v := range a.tree.At(0).Children() {
			if fd, _, ok := v.Field("fd").FD(); ok {
				first = fd
				break
			}
		}
		for v := range a.aux.At(0).Children() {
			if fd, _, ok := v.Field("fd").FD(); ok {
				ready = fd
				break
			}
		}
	case kSelect:
		for i := 1; i <= 3 && first < 0; i++ {
			first = firstFD(a.tree.At(i))
		}
		if i := bytes.IndexByte(aux, '['); i >= 0 {
			_ = Args{aux[i:]}.Parse(&a.aux)
			ready = firstFD(a.aux.At(0))
		}
	case kEpoll:
		for v := range a.tree.At(1).Children() {
			data := v.Field("data")
			x, ok := data.Field("u64").Int()
			if !ok {
				x, ok = data.Int()
			}
			if ok && x >= 0 && x < 1<<20 {
				ready = int(x)
			}
			break
		}
	}
	return ready, first
}

func firstFD(set Value) int {
	for v := range set.Children() {
		if fd, _, ok := v.FD(); ok {
			return fd
		}
	}
	return -1
}

// restarted classifies restart_syscall. On attaching strace does not know what was interrupted and says read: its word is taken
// only when the log shows that call.
func (a *analysis) restarted(t *thread, c *Call, w *what) {
	name, ok := between(c.Args.Raw(), "resuming interrupted ", " ...")
	if ok && t.name == string(name) && t.class != "" {
		w.class, w.peer = t.class, t.peer
		return
	}
	w.class, w.unsure = ClassUnknown, true
}

// longest bound of an absorbed pause, see blocks.
const (
	absorbGap   = time.Millisecond
	absorbOther = 200 * time.Microsecond
)
