package dial

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"dougu.internal/sshproxy"
)

// hostLine is a line of a known_hosts file.
type hostLine struct {
	marker string // "", "@cert-authority" or "@revoked"
	hosts  []string
	known  knownhosts.KnownKey
}

// hostText is a file of host keys.
type hostText struct {
	name string
	text []byte
}

// hostKeys checks the host key of one hop as ssh does.
type hostKeys struct {
	name     string // what the files call the host: host, [host]:port, or its alias
	bare     string // the name without a port, "" if it has an alias or the usual port
	lines    []hostLine
	ordering []hostLine        // lines that KnownHostsCommand printed before the connection
	command  string            // KnownHostsCommand
	revoked  map[string]string // keys of RevokedHostKeys by their encoding, with the file
	strict   string
	addTo    string // the file that a new key is added to
	hash     bool
	texts    []hostText
	checkIP  bool // the address must not have another key
	host     string
	port     string
	trust    bool // a server on the loopback interface needs no check
	rsaBits  int
	caSigs   []string
	explicit bool // HostKeyAlgorithms is set
	changed  *bool
	notes    []string
}

// hostNames returns the names that known_hosts has for a hop.
func hostNames(hop sshproxy.Hop, alias string) (name, bare string) {
	if alias != "" {
		return strings.ToLower(alias), ""
	}
	host := strings.ToLower(hop.Host)
	if hop.Port == "22" {
		return host, ""
	}
	return "[" + host + "]:" + hop.Port, host
}

func (k *Keys) hostKeys(ctx context.Context, hop sshproxy.Hop, s *settings, commands bool) (*hostKeys, error) {
	h := &hostKeys{strict: s.one("StrictHostKeyChecking"), hash: s.one("HashKnownHosts") == "yes", revoked: map[string]string{}, changed: new(bool)}
	h.name, h.bare = hostNames(hop, s.one("HostKeyAlias"))
	// Behind a proxy, the address of the connection is not that of the host.
	byAddress := hop.Via == sshproxy.Direct && s.one("HostKeyAlias") == ""
	h.checkIP, h.host, h.port = byAddress && s.one("CheckHostIP") == "yes" && h.strict != "false", hop.Host, hop.Port
	h.trust = byAddress && s.one("NoHostAuthenticationForLocalhost") == "yes" && (loopback(hop.Host) || hop.Host == "localhost")
	h.rsaBits = atoi(s.one("RequiredRSASize"))
	h.caSigs, _ = s.names("CASignatureAlgorithms")
	_, place := s.names("HostKeyAlgorithms")
	h.explicit = place != ""
	files, user := k.KnownHosts, s.all("UserKnownHostsFile")
	if files == nil {
		files = append(slices.Clone(user), s.all("GlobalKnownHostsFile")...)
		if len(user) > 0 {
			h.addTo = user[0]
		}
	}
	revoked := s.all("RevokedHostKeys")
	command := s.one("KnownHostsCommand")
	if s.err != nil {
		return nil, s.err
	}
	for _, name := range files {
		text, err := readHosts(name)
		switch {
		case err == nil:
			h.read(name, text)
			h.texts = append(h.texts, hostText{name, text})
		case k.KnownHosts != nil || !absent(err):
			return nil, err
		default:
			h.notes = append(h.notes, err.Error())
		}
	}
	for _, name := range revoked {
		if err := h.revoke(name); err != nil {
			return nil, fmt.Errorf("RevokedHostKeys: %w", err)
		}
	}
	if command != "" {
		if !commands {
			return nil, errors.New("KnownHostsCommand is not run: AllowCommand is not set")
		}
		text, err := knownHostsCommand(ctx, hop, h.name, "ORDER", nil)
		if err != nil {
			return nil, fmt.Errorf("KnownHostsCommand: %w", err)
		}
		ordered := *h
		ordered.read("KnownHostsCommand", text)
		h.ordering, h.command = ordered.lines, command
	}
	return h, nil
}

// checkWithCommand asks the KnownHostsCommand about the key before it checks the key.
func (h *hostKeys) checkWithCommand(ctx context.Context, hop sshproxy.Hop) ssh.HostKeyCallback {
	return func(address string, remote net.Addr, key ssh.PublicKey) error {
		text, err := knownHostsCommand(ctx, hop, h.name, "HOSTNAME", key)
		if err != nil {
			return fmt.Errorf("KnownHostsCommand: %w", err)
		}
		asked := *h
		asked.lines = slices.Clone(h.lines)
		asked.read("KnownHostsCommand", text)
		return asked.check(address, remote, key)
	}
}

// readHosts reads a file of host keys. The null device is an empty file.
func readHosts(name string) ([]byte, error) {
	if name == os.DevNull {
		return nil, nil
	}
	text, _, err := readFile(name, hostsLimit)
	return text, err
}

// read adds the lines that are about the host. ssh ignores lines that it cannot parse.
func (h *hostKeys) read(file string, text []byte) {
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		l := hostLine{known: knownhosts.KnownKey{Filename: file, Line: number}}
		fields := bytes.Fields(line)
		if fields[0][0] == '@' {
			l.marker, fields = string(fields[0]), fields[1:]
			if l.marker != "@cert-authority" && l.marker != "@revoked" {
				continue
			}
		}
		if len(fields) < 3 {
			continue
		}
		l.hosts = strings.Split(string(fields[0]), ",")
		if !h.about(l.hosts) {
			continue
		}
		if l.known.Key = parseKey(fields[1:]); l.known.Key != nil {
			h.lines = append(h.lines, l)
		}
	}
}

// parseKey reads a type and a key in base64. It returns nil if they are not a public key.
func parseKey(fields [][]byte) ssh.PublicKey {
	if len(fields) < 2 {
		return nil
	}
	blob, err := base64.StdEncoding.DecodeString(string(fields[1]))
	if err != nil {
		return nil
	}
	key, err := ssh.ParsePublicKey(blob)
	if err != nil || key.Type() != string(fields[0]) {
		return nil
	}
	return key
}

func (h *hostKeys) about(patterns []string) bool {
	return matchHosts(patterns, h.name) || h.bare != "" && matchHosts(patterns, h.bare)
}

// matchHosts applies the patterns of a known_hosts line: * and ?, !, and hashed names.
func matchHosts(patterns []string, name string) bool {
	found := false
	for _, p := range patterns {
		if hashed, ok := strings.CutPrefix(p, "|1|"); ok {
			salt, sum, _ := strings.Cut(hashed, "|")
			key, err := base64.StdEncoding.DecodeString(salt)
			if err != nil {
				continue
			}
			mac := hmac.New(sha1.New, key)
			mac.Write([]byte(name))
			if base64.StdEncoding.EncodeToString(mac.Sum(nil)) == sum {
				found = true
			}
			continue
		}
		p, not := strings.CutPrefix(p, "!")
		if wildcard(strings.ToLower(p), name) {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// wildcard matches * and ?. Brackets are part of names.
func wildcard(pattern, name string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(name) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == name[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}

// revoke reads a file of RevokedHostKeys, which lists public keys. If it cannot be read,
// or has a line that is not a public key, no host key can be accepted.
func (h *hostKeys) revoke(name string) error {
	text, err := readHosts(name)
	if err != nil {
		return err
	}
	if bytes.HasPrefix(text, []byte("SSHKRL\n\x00")) {
		return fmt.Errorf("%s is a key revocation list, which is not supported; list public keys instead", name)
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		key := parseKey(bytes.Fields(line))
		if key == nil {
			return fmt.Errorf("%s:%d: the line is not a public key", name, number)
		}
		h.revoked[string(plainKey(key).Marshal())] = name
	}
	return nil
}

// plainKey returns the key that a certificate is for, or the key itself.
func plainKey(key ssh.PublicKey) ssh.PublicKey {
	if c, ok := key.(*ssh.Certificate); ok {
		return c.Key
	}
	return key
}

func equal(a, b ssh.PublicKey) bool { return bytes.Equal(a.Marshal(), b.Marshal()) }

// check is a [ssh.HostKeyCallback].
func (h *hostKeys) check(_ string, remote net.Addr, key ssh.PublicKey) error {
	cert, isCert := key.(*ssh.Certificate)
	keys := []ssh.PublicKey{plainKey(key)}
	if isCert {
		keys = append(keys, cert.SignatureKey)
	}
	for _, k := range keys {
		if file, ok := h.revoked[string(k.Marshal())]; ok {
			return fmt.Errorf("host key %s is revoked by RevokedHostKeys, file %s", ssh.FingerprintSHA256(k), file)
		}
		for _, l := range h.lines {
			if l.marker == "@revoked" && equal(plainKey(l.known.Key), k) {
				return &knownhosts.RevokedError{Revoked: l.known}
			}
		}
		if bits := rsaSize(k); bits > 0 && bits < h.rsaBits {
			return fmt.Errorf("host key of %d bits is shorter than RequiredRSASize %d", bits, h.rsaBits)
		}
	}
	if h.trust && onLoopback(remote) {
		return nil
	}
	var failed error
	if isCert && h.authority(cert) {
		if failed = h.checkCertificate(cert); failed == nil {
			return nil
		}
	}
	// The key of a certificate that is not accepted is checked as a plain key.
	known, others := h.find(h.name, keys[0])
	if !known && len(others) == 0 && h.bare != "" {
		known, _ = h.find(h.bare, keys[0])
	}
	if known {
		return h.checkAddress(remote, keys[0])
	}
	switch h.strict {
	case "false":
		if len(others) > 0 {
			*h.changed = true
			return nil
		}
		h.add(keys[0])
		return nil
	case "accept-new":
		if len(others) == 0 {
			h.add(keys[0])
			return nil
		}
	}
	if failed != nil {
		return failed
	}
	return &knownhosts.KeyError{Want: others}
}

// find reports whether a plain key is on file for a name. If it is not, find returns the
// other plain keys of the name. For ssh, any of them means that the key has changed,
// whatever its type.
func (h *hostKeys) find(name string, key ssh.PublicKey) (known bool, others []knownhosts.KnownKey) {
	for _, l := range h.lines {
		switch {
		case l.marker != "" || !matchHosts(l.hosts, name):
		case equal(l.known.Key, key):
			return true, nil
		default:
			others = append(others, l.known)
		}
	}
	return false, others
}

// onLoopback reports whether a server is on the loopback interface.
func onLoopback(remote net.Addr) bool {
	tcp, ok := remote.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// checkAddress is CheckHostIP: it fails if the files have other keys for the address. The
// addresses of the loopback interface are not checked.
func (h *hostKeys) checkAddress(remote net.Addr, key ssh.PublicKey) error {
	tcp, ok := remote.(*net.TCPAddr)
	if !h.checkIP || !ok || onLoopback(remote) {
		return nil
	}
	ip := tcp.AddrPort().Addr().Unmap().String()
	if ip == h.host {
		return nil
	}
	address := hostKeys{}
	address.name, _ = hostNames(sshproxy.Hop{Host: ip, Port: h.port}, "")
	for _, t := range h.texts {
		address.read(t.name, t.text)
	}
	if known, others := address.find(address.name, key); !known && len(others) > 0 {
		return fmt.Errorf("CheckHostIP: %s has another host key: %w", tcp.IP, &knownhosts.KeyError{Want: others})
	}
	return nil
}

func rsaSize(key ssh.PublicKey) int {
	if c, ok := key.(ssh.CryptoPublicKey); ok {
		if r, ok := c.CryptoPublicKey().(*rsa.PublicKey); ok {
			return r.N.BitLen()
		}
	}
	return 0
}

// authority reports whether the certificate is signed by an authority for the host.
func (h *hostKeys) authority(cert *ssh.Certificate) bool {
	return slices.ContainsFunc(h.lines, func(l hostLine) bool {
		return l.marker == "@cert-authority" && equal(l.known.Key, cert.SignatureKey)
	})
}

// checkCertificate checks everything of a certificate but its authority.
func (h *hostKeys) checkCertificate(cert *ssh.Certificate) error {
	name := h.name
	if h.bare != "" {
		name = h.bare
	}
	if cert.CertType != ssh.HostCert {
		return errors.New("certificate of the host is not a host certificate")
	}
	if len(h.caSigs) > 0 && !slices.Contains(h.caSigs, cert.Signature.Format) {
		return fmt.Errorf("certificate is signed with %s, which CASignatureAlgorithms does not list", cert.Signature.Format)
	}
	checker := ssh.CertChecker{}
	if len(cert.ValidPrincipals) == 0 {
		return errors.New("certificate lists no host name")
	}
	principal := name
	for _, p := range cert.ValidPrincipals { // names in a host certificate can have wildcards
		if wildcard(p, name) {
			principal = p
		}
	}
	return checker.CheckCert(principal, cert)
}

// add appends a key to the first known_hosts file of the user. Like ssh, it continues if
// the file cannot be written.
func (h *hostKeys) add(key ssh.PublicKey) {
	// A later key exchange of the connection must find the key.
	h.lines = append(h.lines, hostLine{hosts: []string{h.name}, known: knownhosts.KnownKey{Key: key, Filename: h.addTo}})
	if h.addTo == "" || h.addTo == os.DevNull {
		return
	}
	name := h.name
	if h.hash {
		name = knownhosts.HashHostname(h.name)
	}
	line := name + " " + strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + "\n"
	if err := os.MkdirAll(filepath.Dir(h.addTo), 0o700); err != nil {
		h.notes = append(h.notes, err.Error())
		return
	}
	f, err := os.OpenFile(h.addTo, os.O_RDWR|os.O_APPEND|os.O_CREATE|nonBlocking, 0o600)
	if err != nil {
		h.notes = append(h.notes, err.Error())
		return
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		h.notes = append(h.notes, h.addTo+" is not a regular file")
		return
	} else if n := info.Size(); n > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, n-1); err == nil && last[0] != '\n' {
			line = "\n" + line
		}
	}
	if _, err := f.WriteString(line); err != nil {
		h.notes = append(h.notes, err.Error())
	}
}

// order moves the algorithms of known keys to the front, as ssh does if HostKeyAlgorithms
// is not set: certificates if the host has an authority, then the types on file.
func (h *hostKeys) order(list []string) []string {
	if h.explicit {
		return list
	}
	var first, last []string
	for _, a := range list {
		if h.wanted(a) {
			first = append(first, a)
		} else {
			last = append(last, a)
		}
	}
	return append(first, last...)
}

func (h *hostKeys) wanted(algorithm string) bool {
	cert := strings.Contains(algorithm, "-cert-v01@")
	lines := h.lines
	if h.command != "" {
		lines = h.ordering
	}
	return slices.ContainsFunc(lines, func(l hostLine) bool {
		switch l.marker {
		case "@cert-authority":
			return cert
		case "":
			t := l.known.Key.Type()
			return !cert && (t == algorithm || t == ssh.KeyAlgoRSA && strings.HasPrefix(algorithm, "rsa-sha2-"))
		}
		return false
	})
}
