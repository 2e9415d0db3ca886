//go:build unix

package dial

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"dougu.internal/sshproxy"
)

func TestEveryOptionHasATreatment(t *testing.T) {
	require.Equal(t, sshproxy.Options(), slices.Sorted(maps.Keys(treatments)))
	for name, how := range treatments {
		require.Contains(t, []treatment{obeyed, unused, caller, apart}, how, name)
	}
}

// login dials with the keys that a configuration names and nothing else.
func (b *lab) login(t testing.TB, text string, change func(*Keys)) error {
	t.Helper()
	s := b.servers["internal"]
	text = "Host internal\n  Port " + s.port + "\n" + text + "\n  HostName 127.0.0.1\n  AddressFamily inet\n"
	text += "  GlobalKnownHostsFile /dev/null\n"
	if !strings.Contains(text, "UserKnownHostsFile") {
		text += "  UserKnownHostsFile \"" + b.known + "\"\n"
	}
	if !strings.Contains(text, "IdentityFile") {
		text += "  IdentityFile \"" + b.keyFile + "\"\n"
	}
	keys := &Keys{}
	if change != nil {
		change(keys)
	}
	d := &Dialer{
		Resolver: &sshproxy.Resolver{
			Config: "cfg", Files: sshproxy.Memory(map[string][]byte{"cfg": []byte(text)}), Local: sshproxy.Local{User: "me", Home: b.dir},
			Env: func(n string) (string, bool) { return b.dir, n == "DIR" },
		},
		Auth: keys.Auth, HopTimeout: 5 * time.Second,
	}
	c, err := d.Client(within(t, 20*time.Second), "internal")
	if err == nil {
		require.NoError(t, c.Close())
		c.Wait()
	}
	return err
}

// serveAgent is an agent in this process.
func serveAgent(t testing.TB, name string, keys ...any) {
	t.Helper()
	ring := agent.NewKeyring()
	for _, k := range keys {
		require.NoError(t, ring.Add(agent.AddedKey{PrivateKey: k}))
	}
	l, err := net.Listen("unix", name)
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				agent.ServeAgent(ring, c)
			}()
		}
	}()
}

func TestLoginsObeyTheConfiguration(t *testing.T) {
	b := newLab(t, "internal")
	dir := b.dir
	write := func(name string, mode os.FileMode, text []byte) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, mode))
	}
	good, err := os.ReadFile(b.keyFile)
	require.NoError(t, err)
	private, err := ssh.ParseRawPrivateKey(good)
	require.NoError(t, err)
	strangerSigner, stranger := newKey(t)
	strangerKey, err := ssh.ParseRawPrivateKey(stranger)
	require.NoError(t, err)
	serveAgent(t, dir+"/agent", strangerKey, private)
	serveAgent(t, dir+"/empty")
	write("bad", 0o600, stranger)
	write("shared", 0o644, good)
	require.NoError(t, os.Chmod(dir+"/shared", 0o644))
	write("me.key", 0o600, good)
	write("half.pub", 0o644, ssh.MarshalAuthorizedKey(b.signer.PublicKey()))
	write("other.pub", 0o644, ssh.MarshalAuthorizedKey(strangerSigner.PublicKey()))
	host := b.servers["internal"].key.PublicKey()
	write("revoked", 0o644, ssh.MarshalAuthorizedKey(host))
	write("harmless", 0o644, ssh.MarshalAuthorizedKey(strangerSigner.PublicKey()))
	write("krl", 0o644, []byte("SSHKRL\n\x00more"))
	port := b.servers["internal"].port
	line := func(name string, k ssh.PublicKey) []byte { return []byte(knownhosts.Line([]string{name}, k) + "\n") }
	write("known hosts", 0o644, line("[127.0.0.1]:"+port, host))
	write("alias", 0o644, line("an.alias", host))
	write("noport", 0o644, line("127.0.0.1", host))
	write("changed", 0o644, line("[127.0.0.1]:"+port, strangerSigner.PublicKey()))
	write("hashed", 0o644, line(knownhosts.HashHostname("[127.0.0.1]:"+port), host))
	write("marked", 0o644, append([]byte("@revoked * "), ssh.MarshalAuthorizedKey(host)...))
	write("negated", 0o644, line("*,!127.0.0.1,![127.0.0.1]:"+port, host))
	write("bad line", 0o644, append([]byte("garbage\n[127.0.0.1]:"+port+" ssh-ed25519 AAAA\n\xff\n"), line("[127.0.0.1]:"+port, host)...))
	write("nothing", 0o644, nil)
	write("changed with the port", 0o644, append(line("[127.0.0.1]:"+port, strangerSigner.PublicKey()), line("127.0.0.1", host)...))
	_, ec := newECDSA(t)
	write("other type", 0o644, line("[127.0.0.1]:"+port, ec))
	cert := &ssh.Certificate{Key: host, CertType: ssh.HostCert, ValidPrincipals: []string{"h"}, ValidBefore: ssh.CertTimeInfinity}
	require.NoError(t, cert.SignCert(newRand(), strangerSigner))
	write("marked certificate", 0o644, append(append([]byte("@revoked * "), ssh.MarshalAuthorizedKey(cert)...), line("[127.0.0.1]:"+port, host)...))
	write("bad list", 0o644, append([]byte("garbage\n"), ssh.MarshalAuthorizedKey(strangerSigner.PublicKey())...))
	write("list with options", 0o644, append([]byte(`from="a" `), ssh.MarshalAuthorizedKey(strangerSigner.PublicKey())...))
	require.NoError(t, syscall.Mkfifo(dir+"/fifo", 0o600))

	for _, row := range []struct{ name, config, want string }{
		{"default", "", ""},
		{"key of the agent after a file", "IdentityFile bad\nIdentityAgent agent", ""},
		{"tokens", "IdentityFile %u.key", ""},
		{"variable", "IdentityFile ${DIR}/me.key", ""},
		{"home", "IdentityFile ~/me.key", ""},
		{"no agent", "IdentityFile none\nIdentityAgent none", "no key to log in with"},
		{"agent alone", "IdentityFile none\nIdentityAgent agent", ""},
		{"agent that is not there", "IdentityFile none\nIdentityAgent gone", "gone"},
		{"empty agent", "IdentityFile none\nIdentityAgent empty", "unable to authenticate"},
		{"public half", "IdentityFile half.pub\nIdentitiesOnly yes\nIdentityAgent agent", ""},
		{"public half without its suffix", "IdentityFile half\nIdentitiesOnly yes\nIdentityAgent agent", ""},
		{"another public half", "IdentityFile other.pub\nIdentitiesOnly yes\nIdentityAgent agent", "unable to authenticate"},
		{"mode", "IdentityFile shared", "shared"},
		{"no such file", "IdentityFile gone", "gone"},
		{"FIFO", "IdentityFile fifo", "fifo is not a regular file"},
		{"device", "IdentityFile /dev/zero", "/dev/zero is not a regular file"},
		{"FIFO of host keys", "UserKnownHostsFile fifo", "fifo is not a regular file"},
		{"name with a blank", `UserKnownHostsFile "known hosts"`, ""},
		{"hashed", "UserKnownHostsFile hashed", ""},
		{"bad lines", `UserKnownHostsFile "bad line"`, ""},
		{"known without the port", "UserKnownHostsFile noport", ""},
		{"alias", "UserKnownHostsFile alias\nHostKeyAlias An.Alias", ""},
		{"alias of another", "UserKnownHostsFile \"known hosts\"\nHostKeyAlias an.alias", "key is unknown"},
		{"changed", "UserKnownHostsFile changed", "key mismatch"},
		{"changed, accept-new", "UserKnownHostsFile changed\nStrictHostKeyChecking accept-new", "key mismatch"},
		{"changed, no", "UserKnownHostsFile changed\nStrictHostKeyChecking no", ""},
		{"unknown", "UserKnownHostsFile nothing", "key is unknown"},
		{"unknown, ask", "UserKnownHostsFile nothing\nStrictHostKeyChecking ask", "key is unknown"},
		{"unknown, loopback", "UserKnownHostsFile nothing\nNoHostAuthenticationForLocalhost yes", ""},
		{"unknown, loopback by name", "HostName localhost\nUserKnownHostsFile nothing\nNoHostAuthenticationForLocalhost yes", ""},
		{"unknown, loopback, alias", "UserKnownHostsFile nothing\nNoHostAuthenticationForLocalhost yes\nHostKeyAlias a", "key is unknown"},
		{"changed with the port, known without", "UserKnownHostsFile \"changed with the port\"", "key mismatch"},
		{"another type", "UserKnownHostsFile \"other type\"", "key mismatch"},
		{"another type, accept-new", "UserKnownHostsFile \"other type\"\nStrictHostKeyChecking accept-new", "key mismatch"},
		{"revoked line with a certificate", "UserKnownHostsFile \"marked certificate\"", "revoked"},
		{"RevokedHostKeys, bad line", "RevokedHostKeys \"bad list\"", "bad list:1: the line is not a public key"},
		{"RevokedHostKeys, options", "RevokedHostKeys \"list with options\"", "list with options:1: the line is not a public key"},
		{"negated", "UserKnownHostsFile negated", "key is unknown"},
		{"revoked line", "UserKnownHostsFile marked", "revoked"},
		{"revoked line, no checking", "UserKnownHostsFile marked\nStrictHostKeyChecking no", "revoked"},
		{"RevokedHostKeys", "RevokedHostKeys revoked", "RevokedHostKeys"},
		{"RevokedHostKeys of another", "RevokedHostKeys harmless", ""},
		{"RevokedHostKeys, missing", "RevokedHostKeys gone", "RevokedHostKeys"},
		{"RevokedHostKeys, list", "RevokedHostKeys krl", "not supported"},
		{"RevokedHostKeys, none", "RevokedHostKeys none", ""},
		{"HostKeyAlgorithms", "HostKeyAlgorithms rsa-sha2-512", "host key"},
		{"HostKeyAlgorithms, unsupported", "HostKeyAlgorithms webauthn-sk-ecdsa-sha2-nistp256@openssh.com", "HostKeyAlgorithms (cfg:"},
		{"KexAlgorithms", "KexAlgorithms diffie-hellman-group14-sha256", ""},
		{"KexAlgorithms, unsupported", "KexAlgorithms sntrup761x25519-sha512", "KexAlgorithms (cfg:"},
		{"KexAlgorithms that the server lacks", "KexAlgorithms diffie-hellman-group1-sha1", "key exchange"},
		{"Ciphers", "Ciphers aes256-ctr", ""},
		{"Ciphers that the server lacks", "Ciphers 3des-cbc", "client to server"},
		{"MACs that need no cipher", "MACs umac-64@openssh.com", ""},
		{"MACs, unsupported", "MACs umac-64@openssh.com\nCiphers aes256-ctr", "MACs (cfg:"},
		{"PubkeyAcceptedAlgorithms", "PubkeyAcceptedAlgorithms ecdsa-sha2-nistp256", "PubkeyAcceptedAlgorithms"},
		{"PubkeyAuthentication", "PubkeyAuthentication no", "PubkeyAuthentication"},
		{"PreferredAuthentications", "PreferredAuthentications password", "PreferredAuthentications"},
		{"BindAddress", "BindAddress 127.0.0.1", ""},
		{"BindAddress of another machine", "BindAddress 192.0.2.77", "BindAddress 192.0.2.77"},
		{"BindInterface", "BindInterface lo", ""},
		{"BindInterface that is not there", "BindInterface gone0", "BindInterface gone0"},
		{"KnownHostsCommand", "KnownHostsCommand /bin/echo", "KnownHostsCommand is not run"},
	} {
		t.Run(row.name, func(t *testing.T) {
			config := row.config
			for _, o := range []string{"IdentityFile", "UserKnownHostsFile", "RevokedHostKeys", "IdentityAgent"} {
				config = inDir(config, o, dir)
			}
			err := b.login(t, config, nil)
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
		})
	}

	t.Run("accept-new adds the key", func(t *testing.T) {
		for _, hash := range []string{"yes", "no"} {
			name := filepath.Join(dir, "new", hash)
			config := "StrictHostKeyChecking accept-new\nHashKnownHosts " + hash + "\nUserKnownHostsFile " + name
			require.NoError(t, b.login(t, config, nil))
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			require.Equal(t, hash == "yes", strings.HasPrefix(string(text), "|1|"))
			require.NoError(t, b.login(t, "UserKnownHostsFile "+name, nil), "the key is known")
		}
	})
	t.Run("KnownHostsCommand", func(t *testing.T) {
		script := filepath.Join(dir, "command")
		write("command", 0o700, []byte("#!/bin/sh\n[ \"$1\" = '[127.0.0.1]:"+port+"' ] && cat '"+dir+"/known hosts'\n"))
		config := "UserKnownHostsFile none\nKnownHostsCommand " + script + " %H %t"
		allow := func(k *Keys) { k.AllowCommand = true }
		require.NoError(t, b.login(t, config, allow))
		write("command", 0o700, []byte("#!/bin/sh\nexit 3\n"))
		require.ErrorContains(t, b.login(t, config, allow), "exit status 3")
		require.ErrorContains(t, b.login(t, "KnownHostsCommand echo", allow), "not absolute")
		write("command", 0o700, []byte("#!/bin/sh\nsleep 3 &\n"))
		require.ErrorContains(t, b.login(t, config, allow), "WaitDelay")
	})
	t.Run("passphrase", func(t *testing.T) {
		block, err := ssh.MarshalPrivateKeyWithPassphrase(private, "", []byte("secret"))
		require.NoError(t, err)
		write("locked", 0o600, pemBytes(block))
		config := "IdentityFile " + dir + "/locked"
		require.ErrorContains(t, b.login(t, config, nil), "has a passphrase")
		asked := 0
		ask := func(k *Keys) {
			k.Passphrase = func(_ context.Context, hop sshproxy.Hop, file string) ([]byte, error) {
				asked++
				require.Equal(t, "internal", hop.Alias)
				require.Equal(t, dir+"/locked", file)
				return []byte("secret"), nil
			}
		}
		require.NoError(t, b.login(t, config, ask))
		require.Equal(t, 1, asked)
		require.ErrorContains(t, b.login(t, config+"\nBatchMode yes", ask), "has a passphrase")
		require.Equal(t, 1, asked)
		refuse := func(k *Keys) {
			k.Passphrase = func(context.Context, sshproxy.Hop, string) ([]byte, error) { return nil, errors.New("nobody there") }
		}
		require.ErrorContains(t, b.login(t, config, refuse), "nobody there")
	})
}

// inDir puts the folder before the relative names of an option.
func inDir(config, option, dir string) string {
	lines := strings.Split(config, "\n")
	for i, l := range lines {
		name, ok := strings.CutPrefix(l, option+" ")
		name = strings.Trim(name, `"`)
		if ok && name != "none" && name[0] != '/' && name[0] != '~' && name[0] != '$' {
			lines[i] = option + ` "` + dir + "/" + name + `"`
		}
	}
	return strings.Join(lines, "\n")
}

func TestHostCertificates(t *testing.T) {
	b := newLab(t, "internal")
	s := b.servers["internal"]
	authority, _ := newKey(t)
	plain := s.key
	port := s.port
	for _, row := range []struct {
		name   string
		change func(*ssh.Certificate)
		known  string
		want   string
	}{
		{"signed", func(*ssh.Certificate) {}, "@cert-authority *", ""},
		{"name with a port", func(*ssh.Certificate) {}, "@cert-authority [127.0.0.1]:" + port, ""},
		{"authority of another host", func(*ssh.Certificate) {}, "@cert-authority elsewhere", "key is unknown"},
		{"revoked authority", func(*ssh.Certificate) {}, "@revoked *", "revoked"},
		{"another name", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"elsewhere"} }, "@cert-authority *", "principal"},
		{"user certificate", func(c *ssh.Certificate) { c.CertType = ssh.UserCert }, "@cert-authority *", "not a host certificate"},
		{"name with a bracket", func(c *ssh.Certificate) { c.ValidPrincipals = []string{"[1]27.0.0.1"} }, "@cert-authority *", "principal"},
		{"expired", func(c *ssh.Certificate) { c.ValidBefore = 1 }, "@cert-authority *", "expired"},
	} {
		t.Run(row.name, func(t *testing.T) {
			cert := &ssh.Certificate{Key: plain.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"127.0.0.1"}, ValidBefore: ssh.CertTimeInfinity}
			row.change(cert)
			require.NoError(t, cert.SignCert(newRand(), authority))
			signer, err := ssh.NewCertSigner(cert, plain)
			require.NoError(t, err)
			s.mu.Lock()
			s.key = signer
			s.mu.Unlock()
			known := filepath.Join(t.TempDir(), "known")
			require.NoError(t, os.WriteFile(known, append([]byte(row.known+" "), ssh.MarshalAuthorizedKey(authority.PublicKey())...), 0o600))
			err = b.login(t, "UserKnownHostsFile "+known, nil)
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
		})
	}
}

// newECDSA returns a key of another type than those of newKey.
func newECDSA(t testing.TB) (ssh.Signer, ssh.PublicKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), newRand())
	require.NoError(t, err)
	s, err := ssh.NewSignerFromKey(private)
	require.NoError(t, err)
	return s, s.PublicKey()
}

// hopOf returns the only hop of a configuration.
func hopOf(t testing.TB, config string) sshproxy.Hop {
	t.Helper()
	r := &sshproxy.Resolver{
		Config: "cfg", Files: sshproxy.Memory(map[string][]byte{"cfg": []byte("GlobalKnownHostsFile /dev/null\nIdentityFile none\n" + config)}),
		Local: sshproxy.Local{User: "me", Home: t.TempDir()},
	}
	chain, err := r.Chain(t.Context(), sshproxy.Target{Host: "h"})
	require.NoError(t, err)
	require.Len(t, chain.Hops, 1)
	return chain.Hops[0]
}

func TestAddressOfTheConnection(t *testing.T) {
	signer, _ := newKey(t)
	other, _ := newKey(t)
	_, ec := newECDSA(t)
	known := filepath.Join(t.TempDir(), "known")
	text := knownhosts.Line([]string{"name"}, signer.PublicKey()) + "\n" + knownhosts.Line([]string{"192.0.2.1", "127.0.0.1"}, other.PublicKey()) +
		"\n" + knownhosts.Line([]string{"192.0.2.2"}, ec) + "\n"
	require.NoError(t, os.WriteFile(known, []byte(text), 0o600))
	for _, row := range []struct {
		name, config string
		via          sshproxy.Via
		remote, want string
	}{
		{"another key", "HostName name\nCheckHostIP yes", sshproxy.Direct, "192.0.2.1", "CheckHostIP"},
		{"another type", "HostName name\nCheckHostIP yes", sshproxy.Direct, "192.0.2.2", "CheckHostIP"},
		{"another key, accept-new", "HostName name\nCheckHostIP yes\nStrictHostKeyChecking accept-new", sshproxy.Direct, "192.0.2.1", "CheckHostIP"},
		{"another key, yes", "HostName name\nCheckHostIP yes\nStrictHostKeyChecking yes", sshproxy.Direct, "192.0.2.1", "CheckHostIP"},
		{"another key, no checking", "HostName name\nCheckHostIP yes\nStrictHostKeyChecking no", sshproxy.Direct, "192.0.2.1", ""},
		{"not on file", "HostName name\nCheckHostIP yes", sshproxy.Direct, "192.0.2.3", ""},
		{"loopback", "HostName name\nCheckHostIP yes", sshproxy.Direct, "127.0.0.1", ""},
		{"of a proxy", "HostName name\nCheckHostIP yes", sshproxy.Command, "192.0.2.1", ""},
		{"not checked", "HostName name\nCheckHostIP no", sshproxy.Direct, "192.0.2.1", ""},
		{"trusted", "HostName 127.0.0.2\nNoHostAuthenticationForLocalhost yes", sshproxy.Direct, "127.0.0.2", ""},
		{"trusted behind a command", "HostName 127.0.0.2\nNoHostAuthenticationForLocalhost yes", sshproxy.Command, "127.0.0.1", "key is unknown"},
		{"trusted behind a jump host", "HostName 127.0.0.2\nNoHostAuthenticationForLocalhost yes", sshproxy.Jump, "127.0.0.1", "key is unknown"},
		{"another machine", "HostName localhost\nNoHostAuthenticationForLocalhost yes", sshproxy.Direct, "192.0.2.9", "key is unknown"},
	} {
		t.Run(row.name, func(t *testing.T) {
			hop := hopOf(t, row.config+"\nUserKnownHostsFile "+known)
			hop.Via = row.via
			h, err := (&Keys{}).hostKeys(t.Context(), hop, &settings{res: hop.Result}, false)
			require.NoError(t, err)
			err = h.check("", &net.TCPAddr{IP: net.ParseIP(row.remote), Port: 22}, signer.PublicKey())
			if row.want == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestChangedKeys(t *testing.T) {
	signer, _ := newKey(t)
	other, _ := newKey(t)
	_, ec := newECDSA(t)
	known := filepath.Join(t.TempDir(), "known")
	keys := func(config string) *hostKeys {
		hop := hopOf(t, config+"\nUserKnownHostsFile "+known)
		h, err := (&Keys{}).hostKeys(t.Context(), hop, &settings{res: hop.Result}, false)
		require.NoError(t, err)
		return h
	}
	h := keys("StrictHostKeyChecking accept-new")
	require.NoError(t, h.check("", nil, signer.PublicKey()))
	require.NoError(t, h.check("", nil, signer.PublicKey()), "a later key exchange")
	require.ErrorContains(t, h.check("", nil, other.PublicKey()), "key mismatch")
	text, err := os.ReadFile(known)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(text), "\n"))

	// A key of another type is a changed key, so that no password is sent.
	h = keys("StrictHostKeyChecking no")
	require.NoError(t, h.check("", nil, ec))
	require.True(t, *h.changed)
	after, err := os.ReadFile(known)
	require.NoError(t, err)
	require.Equal(t, text, after)
}

func TestKeyOfARefusedCertificate(t *testing.T) {
	authority, _ := newKey(t)
	signer, _ := newKey(t)
	cert := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.HostCert, ValidPrincipals: []string{"h"}, ValidBefore: 1}
	require.NoError(t, cert.SignCert(newRand(), authority))
	known := filepath.Join(t.TempDir(), "known")
	text := "@cert-authority h " + string(ssh.MarshalAuthorizedKey(authority.PublicKey()))
	for _, plain := range []string{"", knownhosts.Line([]string{"h"}, signer.PublicKey()) + "\n"} {
		require.NoError(t, os.WriteFile(known, []byte(text+plain), 0o600))
		hop := hopOf(t, "UserKnownHostsFile "+known)
		h, err := (&Keys{}).hostKeys(t.Context(), hop, &settings{res: hop.Result}, false)
		require.NoError(t, err)
		if err = h.check("", nil, cert); plain == "" {
			require.ErrorContains(t, err, "expired")
		} else {
			require.NoError(t, err)
		}
	}
}

func TestNumberOfPasswordPrompts(t *testing.T) {
	keys := &Keys{
		Password: func(context.Context, sshproxy.Hop) (string, error) { return "secret", nil },
		Challenge: func(context.Context, sshproxy.Hop, string, string, []string, []bool) ([]string, error) {
			return nil, nil
		},
	}
	_, err := keys.Auth(t.Context(), hopOf(t, "NumberOfPasswordPrompts 0"))
	require.ErrorContains(t, err, "no key to log in with")
	for _, config := range []string{"", "NumberOfPasswordPrompts 1"} {
		c, err := keys.Auth(t.Context(), hopOf(t, config))
		require.NoError(t, err)
		require.Len(t, c.Auth, 2)
	}
}
