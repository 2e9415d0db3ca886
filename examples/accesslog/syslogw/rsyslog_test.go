package syslogw_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	mrand "math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/internal/collector"
	"dougu.internal/examples/accesslog/sink"
	"dougu.internal/examples/accesslog/spool"
	"dougu.internal/examples/accesslog/syslogw"
	"dougu.internal/internal/oracle"
)

// certificate makes a certificate for 127.0.0.1 that is its own authority.
func certificate(t *testing.T) (opt collector.Options, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "collector"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	opt = collector.Options{CA: filepath.Join(dir, "cert"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(opt.Cert, cert, 0o600))
	require.NoError(t, os.WriteFile(opt.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(cert)
	return opt, roots
}

// logLine is a line as logfmt writes it: printable ASCII with escapes.
func logLine(r *mrand.Rand, n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "LINE%07d ", n)
	for range r.IntN(200) {
		switch r.IntN(12) {
		case 0:
			b.WriteString(`\"`)
		case 1:
			fmt.Fprintf(&b, `\x%02x`, 128+r.IntN(128))
		case 2:
			b.WriteByte('\t')
		default:
			b.WriteByte(byte(' ' + r.IntN(95)))
		}
	}
	return b.String() + "."
}

// TestRsyslogdUnderstandsEachTransport compares what rsyslogd took for priority, name,
// process, host and text with what was meant.
func TestRsyslogdUnderstandsEachTransport(t *testing.T) {
	opt, roots := certificate(t)
	k := collector.Start(t, opt)
	r := oracle.Rand(t)
	sent := map[string]string{}
	wants := map[string]syslogw.Config{}
	for i, c := range []syslogw.Config{
		{Network: "unix", Addr: k.Unix, Facility: 22},
		{Network: "unix", Addr: k.Unix, Facility: 16, Severity: syslogw.Warning, Ident: "a.b_c-d"},
		{Network: "udp", Addr: k.UDP, Facility: 17, Format: syslogw.RFC3164, Hostname: "web7"},
		{Network: "udp", Addr: k.UDP},
		{Network: "tcp", Addr: k.TCP, Facility: 3, Severity: syslogw.Debug, Hostname: "web1.example"},
		{Network: "tcp", Addr: k.TCP, Facility: 23, Framing: syslogw.LF, Ident: "x@y~z"},
		{Network: "tls", Addr: k.TLS, Facility: 10, TLS: &tls.Config{RootCAs: roots}},
		{Network: "relp", Addr: k.RELP, Facility: 11, Severity: syslogw.Err},
	} {
		if c.Ident == "" {
			c.Ident = "httpd" + strconv.Itoa(i)
		}
		w, err := syslogw.Open(t.Context(), c)
		require.NoError(t, err)
		for n := range oracle.N(40, 2000) {
			line := logLine(r, i*10000+n)
			require.NoError(t, w.WriteLine([]byte(line)))
			key := line[:11]
			sent[key] = line
			wants[key] = c
			if n%20 == 19 && c.Network == "udp" {
				flush(t, w)
				k.Wait(t, len(sent)) // UDP has no flow control
			}
		}
		flush(t, w)
		require.NoError(t, w.Close())
		require.Zero(t, w.Stats().Dropped)
		require.Len(t, k.Wait(t, len(sent)), len(sent), "after %s %s", c.Network, c.Ident)
	}
	for _, m := range k.Wait(t, len(sent)) {
		text := strings.TrimPrefix(m.Text, " ")
		key := text[:min(11, len(text))]
		c, ok := wants[key]
		require.True(t, ok, "%+v", m)
		require.Equal(t, strings.ReplaceAll(sent[key], "\t", "#011"), text)
		facility, severity := c.Facility, c.Severity
		if facility == 0 {
			facility = 1
		}
		if severity == 0 {
			severity = syslogw.Info
		}
		require.Equal(t, strconv.Itoa(int(facility)<<3|int(severity)), m.PRI)
		require.Equal(t, c.Ident, m.App)
		require.Equal(t, strconv.Itoa(os.Getpid()), m.ProcID)
		if c.Hostname != "" {
			require.Equal(t, c.Hostname, m.Host)
		}
		delete(sent, key)
	}
	require.Empty(t, sent, "each line arrived once")
	oracle.Compared(t, k.Found, len(wants))
}

func flush(t *testing.T, w *syslogw.Writer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, w.Flush(ctx))
}

func TestTLSVerifiesTheCollector(t *testing.T) {
	opt, _ := certificate(t)
	k := collector.Start(t, opt)
	w, err := syslogw.Open(t.Context(), syslogw.Config{Network: "tls", Addr: k.TLS, Ident: "httpd", TLS: &tls.Config{RootCAs: x509.NewCertPool()}})
	require.NoError(t, err)
	require.NoError(t, w.WriteLine([]byte("secret")))
	oracle.Eventually(t, 30*time.Second, "the certificate is refused", func() error {
		if err := w.Stats().LastError; err == nil || !strings.Contains(err.Error(), "certificate") {
			return fmt.Errorf("last error: %v", err)
		}
		return nil
	})
	require.NoError(t, w.Close())
	require.Zero(t, w.Stats().Sent)
	require.Empty(t, k.Bytes(t))
}

func TestLongMessageArrivesWhole(t *testing.T) {
	k := collector.Start(t, collector.Options{})
	w, err := syslogw.Open(t.Context(), syslogw.Config{Network: "relp", Addr: k.RELP, Ident: "httpd"})
	require.NoError(t, err)
	require.NoError(t, w.WriteLine(bytes.Repeat([]byte(`\xe6`), 5000)))
	flush(t, w)
	require.NoError(t, w.Close())
	list := k.Wait(t, 1)
	require.Len(t, list, 1)
	require.Regexp(t, `^(\\xe6)+\[\+\d+ bytes\]$`, list[0].Text)
	require.EqualValues(t, 1, w.Stats().Truncated)
}

// TestLossTable sends lines over each transport, over some while the collector is
// killed and started again, and prints what was lost. The zeroes are asserted.
func TestLossTable(t *testing.T) {
	oracle.Slow(t)
	n := oracle.N(20000, 100000)
	k := collector.Start(t, collector.Options{})
	var table strings.Builder
	for i, row := range []struct {
		network, addr string
		kill, safe    bool
	}{
		{"udp", k.UDP, false, false},
		{"unix", k.Unix, false, true},
		{"tcp", k.TCP, false, true},
		{"tcp", k.TCP, true, false},
		{"relp", k.RELP, false, true},
		{"relp", k.RELP, true, true},
	} {
		key := fmt.Sprintf("K%d_", i)
		w, err := syslogw.Open(t.Context(), syslogw.Config{
			Network: row.network, Addr: row.addr, Ident: "httpd", OnFull: sink.Block, QueueMax: 1 << 20, BackoffMax: 200 * time.Millisecond,
		})
		require.NoError(t, err)
		begin := time.Now()
		for j := range n {
			require.NoError(t, w.WriteLine(fmt.Appendf(nil, "%s%07d GET /index.html HTTP/1.1 200 3 %0100d", key, j, 0)))
			if row.kill && j == n/2 {
				k.Kill()
				k.Restart(t)
			}
		}
		flush(t, w)
		took := time.Since(begin)
		s := w.Stats()
		require.NoError(t, w.Close())
		require.EqualValues(t, n, s.Written)
		require.EqualValues(t, n, s.Sent)
		require.Zero(t, s.Dropped)
		different, again := settle(t, k, key, n)
		name := row.network
		if row.kill {
			name += ", collector killed"
		}
		fmt.Fprintf(&table, "%-24s sent %d at %7.0f/s  lost %5.2f %%  twice %d (resent %d)\n",
			name, n, float64(n)/took.Seconds(), 100*float64(n-different)/float64(n), again, s.Resent)
		require.LessOrEqual(t, uint64(again), s.Resent, "what comes twice was counted")
		if row.safe {
			require.Equal(t, n, different, "%s", name)
		}
		if row.network == "relp" {
			require.EqualValues(t, n, s.Acked)
		}
	}
	t.Logf("%d lines a row:\n%s", n, &table)
	oracle.Compared(t, k.Found, 6*n)
}

// settle counts what arrived once no more comes.
func settle(t *testing.T, k *collector.Collector, key string, n int) (different, again int) {
	last := -1
	oracle.Eventually(t, time.Minute, "no more lines come", func() error {
		different, again = k.Arrived(t, key)
		if sum := different + again; different < n && sum != last {
			last = sum
			time.Sleep(300 * time.Millisecond)
			return fmt.Errorf("%d lines so far", sum)
		}
		return nil
	})
	return different, again
}

// TestChild is the process that the next test kills.
func TestChild(t *testing.T) {
	words := strings.Fields(os.Getenv("DOUGU_SYSLOG_CHILD"))
	if len(words) == 0 {
		return // not a child
	}
	addr, dir := words[0], words[1]
	first, err := strconv.Atoi(words[2])
	require.NoError(t, err)
	end, err := strconv.Atoi(words[3])
	require.NoError(t, err)
	w, err := syslogw.Open(t.Context(), syslogw.Config{
		Network: "relp", Addr: addr, Ident: "httpd", Spool: dir, Sync: spool.Durable, BackoffMax: 200 * time.Millisecond,
	})
	require.NoError(t, err)
	// Batches of concurrent lines, as a server has them, share a sync of the disk.
	const lanes = 64
	for at := first; at < end; at += lanes {
		errs := make(chan error, lanes)
		for i := at; i < at+lanes; i++ {
			go func() { errs <- w.WriteLine(fmt.Appendf(nil, "OWN_%07d GET / 200", i)) }()
		}
		for range lanes {
			require.NoError(t, <-errs)
		}
		fmt.Printf("kept %d\n", at+lanes)
	}
	flush(t, w)
	require.NoError(t, w.Close())
	fmt.Println("all delivered")
}

// TestNothingIsLostWhenWeAreKilled kills the sending process again and again. What it
// said it kept must arrive; what it had not said so, it is given again, as a server's
// client would repeat a request.
func TestNothingIsLostWhenWeAreKilled(t *testing.T) {
	k := collector.Start(t, collector.Options{})
	self, err := os.Executable()
	require.NoError(t, err)
	dir := t.TempDir()
	n, kills := oracle.N(12800, 100032), oracle.N(4, 25)
	r := oracle.Rand(t)
	kept, alive := 0, 0
	for round := 0; ; round++ {
		p := oracle.Start(t, oracle.Cmd{
			Path: self, Args: []string{"-test.run=^TestChild$"},
			Env: []string{fmt.Sprintf("DOUGU_SYSLOG_CHILD=%s %s %d %d", k.RELP, dir, kept, n)},
		})
		if round == kills {
			require.NoError(t, p.Wait(), "%s", p.Output())
			require.Contains(t, string(p.Output()), "all delivered")
			break
		}
		enough := kept + 1 + r.IntN(max(1, 2*(n-kept)/(kills-round+1)))
		oracle.Eventually(t, time.Minute, "the child writes", func() error {
			now := lastKept(p.Output())
			select {
			case <-p.Done():
				return nil
			default:
			}
			if now < enough {
				return fmt.Errorf("%d of %d", now, enough)
			}
			return nil
		})
		select {
		case <-p.Done():
		default:
			alive++
		}
		p.Stop() // SIGKILL
		kept = max(kept, lastKept(p.Output()))
	}
	different, again := settle(t, k, "OWN_", n)
	require.Equal(t, n, different)
	require.NotZero(t, alive)
	t.Logf("%d lines, killed %d times while it wrote: 0 lost, %d twice", n, alive, again)
	oracle.Compared(t, k.Found, n)
}

func lastKept(out []byte) (n int) {
	for line := range bytes.Lines(out) {
		if number, ok := bytes.CutPrefix(line, []byte("kept ")); ok && bytes.HasSuffix(number, []byte("\n")) {
			n, _ = strconv.Atoi(string(bytes.TrimSpace(number)))
		}
	}
	return n
}
