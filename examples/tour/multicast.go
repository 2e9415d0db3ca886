package main

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// lossy is a transport that drops some of what reaches a node.
type lossy struct {
	multicast.Transport
	lost *atomic.Int64
}

func (l lossy) Open(ctx context.Context, c multicast.Config) (multicast.PacketConn, error) {
	conn, err := l.Transport.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	return &lossyConn{PacketConn: conn, lost: l.lost, rng: rand.New(rand.NewPCG(1, uint64(len(c.Name))))}, nil
}

type lossyConn struct {
	multicast.PacketConn
	lost *atomic.Int64
	mu   sync.Mutex
	rng  *rand.Rand
}

// Write sends nineteen of twenty datagrams: what is lost is lost for all.
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

// tourMulticast sends a tree to three nodes, over a network that loses every twentieth
// packet, and shows that all three switch.
func tourMulticast(w io.Writer) error {
	dir, err := os.MkdirTemp("", "tour-multicast-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	err = multicastStory(w, dir, multicast.UDP())
	if errors.Is(err, errNoNetwork) {
		// No loopback multicast here, as in some containers: said, and shown in memory.
		fmt.Fprintln(w, "(this machine passes no multicast on its loopback interface: the network below is in memory)")
		err = multicastStory(w, filepath.Join(dir, "again"), mcsim.NewSwitch(1))
	}
	return err
}

var errNoNetwork = errors.New("no multicast on this machine")

// files are the two versions of the tree.
var files = []map[string]string{
	{"www/index.html": "version 1\n", "www/css/site.css": "body { color: black }\n", "www/old.html": "leaving\n"},
	{"www/index.html": "version 2\n", "www/css/site.css": "body { color: black }\n", "www/new/logo.png": strings.Repeat("\x89PNG\x00", 200000)},
}

func multicastStory(w io.Writer, dir string, network multicast.Transport) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var lost atomic.Int64
	config := func(name string) multicast.Config {
		return multicast.Config{Group: netip.MustParseAddrPort("239.192.0.77:5077"), Interface: loopback(), Name: name, Key: []byte(strings.Repeat("8 bytes.", 4)),
			Transport: lossy{network, &lost}, Rate: multicast.Rate{Bits: 200e6}}
	}
	sender, err := multicast.Join(ctx, config("deploy"))
	if err != nil {
		return errors.Join(errNoNetwork, err)
	}
	defer sender.Close()
	var hosts []string
	var list []*multicast.Receiver
	for i := range 3 {
		name := fmt.Sprintf("web%d", i+1)
		base := filepath.Join(dir, name)
		if err := os.MkdirAll(base, 0o755); err != nil {
			return err
		}
		node, err := multicast.Join(ctx, config(name))
		if err != nil {
			return errors.Join(errNoNetwork, err)
		}
		defer node.Close()
		r, err := node.Receive(base, multicast.ReceiveOptions{})
		if err != nil {
			return err
		}
		hosts, list = append(hosts, base), append(list, r)
	}
	wait, stop := context.WithTimeout(ctx, 5*time.Second)
	defer stop()
	if err := sender.Wait(wait, 3); err != nil {
		return errors.Join(errNoNetwork, err)
	}
	fmt.Fprintln(w, "Three web servers, no list of them anywhere, and a network that loses every twentieth packet. One send each:")
	for v := range files {
		src := filepath.Join(dir, fmt.Sprintf("v%d", v+1))
		if err := writeFiles(src, files[v]); err != nil {
			return err
		}
		report, err := sender.Send(ctx, src, multicast.SendOptions{Paths: []string{"www"}, Recursive: true, Delete: true, MinMembers: 3})
		if err != nil {
			return err
		}
		for _, r := range list {
			if _, err := r.Next(ctx); err != nil {
				return err
			}
		}
		if err := tellReport(w, report, hosts); err != nil {
			return err
		}
	}
	if lost.Load() == 0 {
		return errors.New("no packet was lost: the story is not true")
	}
	fmt.Fprintln(w, "No host ever showed a mixture: each directory was exchanged as a whole, at one instant that the sender named.")
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
		// The same file in both versions has the same time: it is not sent again.
		if err := os.Chtimes(p, time.Time{}, time.Unix(1226000000+int64(crc32.ChecksumIEEE([]byte(text))%1000), 0)); err != nil {
			return err
		}
	}
	return nil
}

func tellReport(w io.Writer, r *multicast.Report, hosts []string) error {
	fmt.Fprintf(w, "epoch %d: %d bytes of content were needed by at least one host\n", r.Epoch, r.Bytes)
	for i, h := range r.Hosts {
		text, err := os.ReadFile(filepath.Join(hosts[i], "www", "index.html"))
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
		fmt.Fprintf(w, "  %s %s, shows %q; updated %s%s\n", h.Name, h.State, strings.TrimSpace(string(text)), strings.Join(updated, " "), deleted)
	}
	return nil
}
