//go:build unix

package dial

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dougu.internal/sshproxy"
)

// server is an sshd in this process: it forwards connections and answers exec with the
// command's name.
type server struct {
	name   string
	port   string
	key    ssh.Signer
	client ssh.PublicKey
	l      net.Listener
	mu     sync.Mutex
	fault  string // what goes wrong next
	conns  map[net.Conn]bool
	wg     sync.WaitGroup
}

// lab is a set of servers with keys and known_hosts.
type lab struct {
	dir     string
	signer  ssh.Signer
	keyFile string
	known   string
	servers map[string]*server
}

func newKey(t testing.TB) (ssh.Signer, []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	s, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	block, err := ssh.MarshalPrivateKey(private, "")
	require.NoError(t, err)
	return s, pem.EncodeToMemory(block)
}

func newLab(t testing.TB, names ...string) *lab {
	t.Helper()
	b := &lab{dir: t.TempDir(), servers: map[string]*server{}}
	var text []byte
	b.signer, text = newKey(t)
	b.keyFile, b.known = filepath.Join(b.dir, "id"), filepath.Join(b.dir, "known_hosts")
	require.NoError(t, os.WriteFile(b.keyFile, text, 0o600))
	var known strings.Builder
	for _, n := range names {
		s := &server{name: n, client: b.signer.PublicKey(), conns: map[net.Conn]bool{}}
		s.key, _ = newKey(t)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		s.l = l
		_, s.port, err = net.SplitHostPort(l.Addr().String())
		require.NoError(t, err)
		known.WriteString(knownhosts.Line([]string{"[127.0.0.1]:" + s.port}, s.key.PublicKey()) + "\n")
		b.servers[n] = s
		s.wg.Go(s.serve)
		t.Cleanup(s.stop)
	}
	require.NoError(t, os.WriteFile(b.known, []byte(known.String()), 0o600))
	return b
}

func (s *server) stop() {
	s.l.Close()
	s.mu.Lock()
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

func (s *server) inject(fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func (s *server) trouble() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func (s *server) serve() {
	for {
		c, err := s.l.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.wg.Go(func() {
			s.handle(c)
			c.Close()
			s.mu.Lock()
			delete(s.conns, c)
			s.mu.Unlock()
		})
	}
}

func (s *server) handle(c net.Conn) {
	fault := s.trouble()
	switch fault {
	case "silent":
		io.Copy(io.Discard, c)
		return
	case "close":
		return
	case "garbage":
		fmt.Fprint(c, strings.Repeat("not SSH at all\r\n", 2000))
		return
	case "half":
		fmt.Fprint(c, "SSH-2.0-half\r\n")
		return
	}
	config := &ssh.ServerConfig{PublicKeyCallback: func(_ ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
		if fault == "auth" || string(k.Marshal()) != string(s.client.Marshal()) {
			return nil, fmt.Errorf("no")
		}
		return nil, nil
	}}
	key := s.key
	if fault == "key" {
		_, private, _ := ed25519.GenerateKey(rand.Reader)
		key, _ = ssh.NewSignerFromKey(private)
	}
	config.AddHostKey(key)
	conn, channels, requests, err := ssh.NewServerConn(c, config)
	if err != nil {
		return
	}
	defer conn.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { ssh.DiscardRequests(requests) })
	for nc := range channels {
		switch {
		case nc.ChannelType() == "session":
			wg.Go(func() { session(nc) })
		case fault == "forbid":
			nc.Reject(ssh.Prohibited, "administratively prohibited")
		default:
			wg.Go(func() { forward(nc, fault) })
		}
	}
}

func session(nc ssh.NewChannel) {
	ch, requests, err := nc.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	for r := range requests {
		if r.Type != "exec" {
			r.Reply(false, nil)
			continue
		}
		r.Reply(true, nil)
		fmt.Fprintf(ch, "ran %s", r.Payload[4:])
		ch.SendRequest("exit-status", false, []byte{0, 0, 0, 0})
		return
	}
}

func forward(nc ssh.NewChannel, fault string) {
	var to struct {
		Host     string
		Port     uint32
		From     string
		FromPort uint32
	}
	if err := ssh.Unmarshal(nc.ExtraData(), &to); err != nil {
		nc.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	out, err := net.Dial("tcp", net.JoinHostPort(to.Host, fmt.Sprint(to.Port)))
	if err != nil {
		nc.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	ch, requests, err := nc.Accept()
	if err != nil {
		out.Close()
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() { ssh.DiscardRequests(requests) })
	if fault == "cut" {
		ch.Close()
		out.Close()
		wg.Wait()
		return
	}
	wg.Go(func() { io.Copy(out, ch); out.(*net.TCPConn).CloseWrite() })
	io.Copy(ch, out)
	ch.Close()
	out.Close()
	wg.Wait()
}

// dialer resolves a configuration in which each server is a host of its name.
func (b *lab) dialer(t testing.TB, extra string) *Dialer {
	t.Helper()
	var text strings.Builder
	text.WriteString(extra)
	for n, s := range b.servers {
		fmt.Fprintf(&text, "\nHost %s\n  HostName 127.0.0.1\n  Port %s\n", n, s.port)
	}
	fmt.Fprintf(&text, "Host *\n  User me\n  IdentityFile %s\n  UserKnownHostsFile %s\n  GlobalKnownHostsFile none\n", b.keyFile, b.known)
	name := filepath.Join(b.dir, "config")
	require.NoError(t, os.WriteFile(name, []byte(text.String()), 0o600))
	return &Dialer{Resolver: &sshproxy.Resolver{Config: name, Local: sshproxy.Local{User: "me", Home: b.dir, Hostname: "here"}}}
}

func pemBytes(b *pem.Block) []byte { return pem.EncodeToMemory(b) }

func newRand() io.Reader { return rand.Reader }
