package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// lossy is a transport that drops one of twenty datagrams.
type lossy struct {
	multicast.Transport
	lost *atomic.Int64
}

// Open connects a node to the wrapped transport.
func (l lossy) Open(ctx context.Context, c multicast.Config) (multicast.PacketConn, error) {
	conn, err := l.Transport.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &lossyConn{PacketConn: conn, lost: l.lost, rng: mathrand.New(mathrand.NewPCG(1, uint64(len(c.Name))))}, nil
}

type lossyConn struct {
	multicast.PacketConn
	lost *atomic.Int64
	mu   sync.Mutex
	rng  *mathrand.Rand
}

// Write sends nineteen of twenty datagrams. No receiver gets the others.
func (c *lossyConn) Write(to netip.AddrPort, b []byte, size int) error {
	for len(b) > 0 {
		one := b[:min(size, len(b))]
		b = b[len(one):]
		c.mu.Lock()
		drop := c.rng.IntN(20) == 0
		c.mu.Unlock()
		if drop {
			c.lost.Add(1)
			continue
		}
		if err := c.PacketConn.Write(to, one, len(one)); err != nil {
			return err
		}
	}
	return nil
}

// place is a network with a group and a key that no other process uses.
type place struct {
	network multicast.Transport
	iface   string
	group   netip.AddrPort
	key     []byte
}

// newPlace draws a group, a port and a key, so that several tours can run on one host.
func newPlace(network multicast.Transport) (place, error) {
	p := place{network: network, iface: loopback(), key: make([]byte, 32)}
	rand.Read(p.key)
	var b [3]byte
	rand.Read(b[:])
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return p, err
	}
	defer c.Close()
	// 239.192.0.0/14 is the scope of an organization (RFC 2365).
	p.group = netip.AddrPortFrom(
		netip.AddrFrom4([4]byte{239, 192 | b[0]&3, b[1], b[2]}),
		c.LocalAddr().(*net.UDPAddr).AddrPort().Port(),
	)
	return p, nil
}

// attempts is the number of groups that are tried on the loopback interface.
const attempts = 3

// noMulticast is printed before the section if it runs without sockets.
const noMulticast = "(The loopback interface of this machine does not carry multicast: the network below is in memory.)"

// tourMulticast sends a directory to three nodes, over a network that loses every
// twentieth packet, and shows that all of them switch to it.
func tourMulticast(w io.Writer) error {
	dir, err := os.MkdirTemp("", "tour-multicast-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for i := range attempts {
		p, err := newPlace(multicast.UDP())
		if err != nil {
			break
		}
		var b bytes.Buffer
		err = multicastStory(&b, filepath.Join(dir, strconv.Itoa(i)), p)
		if err == nil {
			_, err = w.Write(b.Bytes())
			return err
		}
		if errors.Is(err, errSilent) {
			break // as in some containers
		}
	}
	if _, err := fmt.Fprintln(w, noMulticast); err != nil {
		return err
	}
	p := place{network: mcsim.NewSwitch(1), group: netip.MustParseAddrPort("239.192.0.1:5000"), key: make([]byte, 32)}
	return multicastStory(w, filepath.Join(dir, "memory"), p)
}

// errSilent means that the nodes do not receive each other's packets.
var errSilent = errors.New("the nodes do not find each other")

// files are the two versions of the directory.
var files = []map[string]string{
	{"www/index.html": "version 1\n", "www/css/site.css": "body { color: black }\n", "www/old.html": "leaving\n"},
	{
		"www/index.html":   "version 2\n",
		"www/css/site.css": "body { color: black }\n",
		"www/new/logo.png": strings.Repeat("\x89PNG\x00", 200000),
	},
}

func multicastStory(w io.Writer, dir string, p place) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var lost atomic.Int64
	config := func(name string) multicast.Config {
		return multicast.Config{
			Group: p.group, Interface: p.iface, Name: name, Key: p.key,
			Transport: lossy{p.network, &lost}, Rate: multicast.Rate{Bits: 200e6},
		}
	}
	sender, err := multicast.Join(ctx, config("deploy"))
	if err != nil {
		return err
	}
	defer sender.Close()
	hosts := map[string]string{}
	var list []*multicast.Receiver
	for i := range 3 {
		name := fmt.Sprintf("web%d", i+1)
		base := filepath.Join(dir, name)
		if err := os.MkdirAll(base, 0o755); err != nil {
			return err
		}
		node, err := multicast.Join(ctx, config(name))
		if err != nil {
			return err
		}
		defer node.Close()
		r, err := node.Receive(base, multicast.ReceiveOptions{})
		if err != nil {
			return err
		}
		hosts[name], list = base, append(list, r)
	}
	wait, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	if err := sender.Wait(wait, 3); err != nil {
		return errors.Join(errSilent, err)
	}
	fmt.Fprintln(
		w,
		"Three web servers receive a directory. The sender has no list of them, and the network loses every twentieth",
	)
	fmt.Fprintln(w, "packet. Two versions are sent, each of them once for all servers:")
	for v := range files {
		src := filepath.Join(dir, fmt.Sprintf("v%d", v+1))
		if err := writeFiles(src, files[v]); err != nil {
			return err
		}
		report, err := sender.Send(
			ctx,
			src,
			multicast.SendOptions{Paths: []string{"www"}, Recursive: true, Delete: true, MinMembers: 3},
		)
		if err != nil {
			return err
		}
		for _, r := range list {
			if _, err := r.Next(ctx); err != nil {
				return err
			}
		}
		if err := printReport(w, report, hosts); err != nil {
			return err
		}
	}
	if lost.Load() == 0 {
		return errors.New("no packet was lost, although the network drops every twentieth")
	}
	fmt.Fprintln(
		w,
		"No server showed a mixture of both versions: each one exchanged the whole directory at a moment set by the sender.",
	)
	return nil
}

func loopback() string {
	if _, err := os.Stat("/sys/class/net/lo"); err == nil {
		return "lo"
	}
	return ""
}

func writeFiles(dir string, list map[string]string) error {
	for name, text := range list {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
			return err
		}
		// A file that is the same in both versions has the same time, so it is not sent again.
		if err := os.Chtimes(p, time.Time{}, time.Unix(1226000000+int64(crc32.ChecksumIEEE([]byte(text))%1000), 0)); err != nil {
			return err
		}
	}
	return nil
}

// printReport prints what each host did, and what it shows now.
func printReport(w io.Writer, r *multicast.Report, hosts map[string]string) error {
	fmt.Fprintf(w, "transfer %d: %d bytes of content were not on every server\n", r.Epoch, r.Bytes)
	for _, h := range r.Hosts {
		dir, ok := hosts[h.Name]
		if !ok {
			return fmt.Errorf("the report contains a host that does not belong to the tour: %q", h.Name)
		}
		text, err := os.ReadFile(filepath.Join(dir, "www", "index.html"))
		if err != nil {
			return err
		}
		deleted := ""
		if len(h.Deleted) > 0 {
			deleted = ", deleted " + strings.Join(h.Deleted, " ")
		}
		var updated []string
		for _, p := range h.Updated {
			if strings.Contains(filepath.Base(p), ".") {
				updated = append(updated, p)
			}
		}
		fmt.Fprintf(
			w,
			"  %s %s, shows %q; updated %s%s\n",
			h.Name,
			h.State,
			strings.TrimSpace(string(text)),
			strings.Join(updated, " "),
			deleted,
		)
	}
	return nil
}
