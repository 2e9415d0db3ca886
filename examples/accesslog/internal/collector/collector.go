// Package collector runs rsyslogd for tests. The daemon listens on loopback addresses, keeps its
// files in a directory of the test, and writes the parts of each message as JSON.
package collector

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"dougu.internal/internal/oracle"
)

// Rsyslogd is the program that collectors run.
var Rsyslogd = oracle.Tool{
	Name: "rsyslogd", Package: "rsyslog", Probe: []string{"-v"},
	Version: regexp.MustCompile(`rsyslogd\s+([0-9.]+)`), AtLeast: "8.2",
}

// modules lists the plugins that are in separate Debian packages.
var modules = []struct{ file, pkg string }{{"imrelp.so", "rsyslog-relp"}, {"lmnsd_gtls.so", "rsyslog-gnutls"}}

// Options configures a [Collector].
type Options struct {
	// MemoryQueue uses rsyslogd's default queue between input and output. Without it, a RELP
	// reply means that the line is in the file.
	MemoryQueue bool
	// CA, Cert and Key are the paths of PEM files for the input with TLS. If empty, the
	// collector does not listen with TLS.
	CA, Cert, Key string
}

// Collector is a running rsyslogd.
type Collector struct {
	// Found is the program.
	Found oracle.Found
	// UDP, TCP, TLS and RELP are loopback addresses. Unix is the path of a datagram socket.
	UDP, TCP, TLS, RELP, Unix string

	dir  string
	proc *oracle.Process
}

// Message contains the parts of a message that rsyslogd received.
type Message struct {
	Timestamp string `json:"ts"`
	PRI       string `json:"pri"`
	Facility  string `json:"fac"`
	Severity  string `json:"sev"`
	Host      string `json:"host"`
	Tag       string `json:"tag"`
	App       string `json:"app"`
	ProcID    string `json:"procid"`
	MsgID     string `json:"msgid"`
	Data      string `json:"sd"`
	Text      string `json:"msg"`
	Input     string `json:"in"`
}

// Start starts a collector. It is killed at the end of the test.
func Start(tb testing.TB, opt Options) *Collector {
	tb.Helper()
	c := &Collector{Found: Rsyslogd.Need(tb), dir: tb.TempDir()}
	for _, m := range modules {
		found, err := filepath.Glob("/usr/lib/*/rsyslog/" + m.file)
		if err != nil || len(found) == 0 {
			oracle.Missing(tb, "rsyslogd has no "+m.file+": install Debian package "+m.pkg)
		}
	}
	ip := address(opt)
	c.UDP, c.TCP, c.TLS, c.RELP = free(tb, ip), free(tb, ip), free(tb, ip), free(tb, ip)
	c.Unix = filepath.Join(c.dir, "log.sock")
	if len(c.Unix) > 100 {
		tb.Fatalf("the path of the socket is too long: %s", c.Unix)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "conf"), []byte(c.config(opt)), 0o600); err != nil {
		tb.Fatal(err)
	}
	c.Restart(tb)
	return c
}

// address returns a random loopback address, so that the ports of collectors that run at the same
// time do not collide. The certificates of the tests are valid for 127.0.0.1 only.
func address(opt Options) string {
	if opt.Cert != "" || runtime.GOOS != "linux" {
		return "127.0.0.1"
	}
	return fmt.Sprintf("127.%d.%d.%d", 1+rand.IntN(250), rand.IntN(256), 1+rand.IntN(250))
}

func free(tb testing.TB, ip string) string {
	tb.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (c *Collector) config(opt Options) string {
	at := func(addr string) string {
		host, port, _ := net.SplitHostPort(addr)
		return fmt.Sprintf("address=%q port=%q", host, port)
	}
	queue := ` queue.type="Direct"`
	if opt.MemoryQueue {
		queue = ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "global(workDirectory=%q maxMessageSize=\"64k\")\n", c.dir)
	b.WriteString("module(load=\"imudp\")\nmodule(load=\"imrelp\")\nmodule(load=\"imuxsock\" SysSock.Use=\"off\")\n")
	if opt.Cert != "" {
		fmt.Fprintf(
			&b,
			"global(defaultNetstreamDriverCAFile=%q defaultNetstreamDriverCertFile=%q defaultNetstreamDriverKeyFile=%q)\n",
			opt.CA,
			opt.Cert,
			opt.Key,
		)
	}
	b.WriteString("module(load=\"imtcp\")\n")
	b.WriteString(
		"template(name=\"j\" type=\"list\" option.jsonf=\"on\") {\n property(outname=\"ts\" name=\"timereported\" dateFormat=\"rfc3339\" format=\"jsonf\")\n",
	)
	for _, p := range [][2]string{
		{"pri", "pri"}, {"fac", "syslogfacility-text"}, {"sev", "syslogseverity-text"}, {"host", "hostname"}, {"tag", "syslogtag"},
		{"app", "app-name"}, {"procid", "procid"}, {"msgid", "msgid"}, {"sd", "structured-data"}, {"msg", "msg"}, {"in", "inputname"},
	} {
		fmt.Fprintf(&b, " property(outname=%q name=%q format=\"jsonf\")\n", p[0], p[1])
	}
	fmt.Fprintf(
		&b,
		"}\nruleset(name=\"r\"%s) { action(type=\"omfile\" file=%q template=\"j\" flushOnTXEnd=\"on\") }\n",
		queue,
		c.out(),
	)
	fmt.Fprintf(&b, "input(type=\"imudp\" %s ruleset=\"r\")\n", at(c.UDP))
	fmt.Fprintf(&b, "input(type=\"imtcp\" %s ruleset=\"r\")\n", at(c.TCP))
	if opt.Cert != "" {
		fmt.Fprintf(
			&b,
			"input(type=\"imtcp\" %s ruleset=\"r\" streamdriver.name=\"gtls\" streamdriver.mode=\"1\" streamdriver.authmode=\"anon\")\n",
			at(c.TLS),
		)
	}
	fmt.Fprintf(&b, "input(type=\"imrelp\" %s ruleset=\"r\")\n", at(c.RELP))
	fmt.Fprintf(
		&b,
		"input(type=\"imuxsock\" Socket=%q CreatePath=\"on\" ruleset=\"r\" UsePIDFromSystem=\"off\" RateLimit.Interval=\"0\")\n",
		c.Unix,
	)
	return b.String()
}

func (c *Collector) out() string { return filepath.Join(c.dir, "out.json") }

// Restart starts rsyslogd again and waits until it accepts connections.
func (c *Collector) Restart(tb testing.TB) {
	tb.Helper()
	os.Remove(filepath.Join(c.dir, "pid"))
	c.proc = oracle.Start(tb, oracle.Cmd{
		Path: c.Found.Path, Dir: c.dir,
		Args: []string{"-n", "-f", filepath.Join(c.dir, "conf"), "-i", filepath.Join(c.dir, "pid")},
	})
	oracle.Eventually(tb, time.Minute, "rsyslogd takes connections", func() error {
		select {
		case <-c.proc.Done():
			tb.Fatalf("rsyslogd ended: %s", c.proc.Output())
		default:
		}
		for _, addr := range []string{c.TCP, c.RELP} {
			conn, err := net.Dial("tcp", addr)
			if err != nil {
				return err
			}
			conn.Close()
		}
		_, err := os.Stat(c.Unix)
		return err
	})
}

// Kill sends SIGKILL to rsyslogd and waits for its end.
func (c *Collector) Kill() { c.proc.Stop() }

// Bytes returns the output of rsyslogd.
func (c *Collector) Bytes(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile(c.out())
	if err != nil && !os.IsNotExist(err) {
		tb.Fatal(err)
	}
	return b[:bytes.LastIndexByte(b, '\n')+1]
}

// Wait waits for n messages and returns all received ones.
func (c *Collector) Wait(tb testing.TB, n int) []Message {
	tb.Helper()
	var text []byte
	oracle.Eventually(tb, time.Minute, "messages arrive", func() error {
		text = c.Bytes(tb)
		if got := bytes.Count(text, []byte("\n")); got < n {
			return fmt.Errorf("%d of %d; rsyslogd says %q", got, n, c.proc.Output())
		}
		return nil
	})
	var list []Message
	for line := range bytes.Lines(text) {
		var m Message
		if err := json.Unmarshal(line, &m); err != nil {
			tb.Fatalf("rsyslogd wrote %q: %v", line, err)
		}
		list = append(list, m)
	}
	return list
}

// Arrived returns how many different numbers of 7 digits follow a key in all messages, and how
// many of them occur more than once.
func (c *Collector) Arrived(tb testing.TB, key string) (different, again int) {
	tb.Helper()
	seen := map[string]bool{}
	for line := range bytes.Lines(c.Bytes(tb)) {
		if i := bytes.Index(line, []byte(key)); i >= 0 && len(line) >= i+len(key)+7 {
			number := string(line[i+len(key):][:7])
			if seen[number] {
				again++
			}
			seen[number] = true
		}
	}
	return len(seen), again
}
