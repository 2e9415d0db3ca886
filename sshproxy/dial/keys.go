package dial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"dougu.internal/sshproxy"
)

// Keys logs in with the keys, certificates and agent that the configuration of a hop
// names, in the order of ssh, and checks host keys as ssh does. The zero value is ready to
// use. Its Auth method is a [Dialer.Auth].
type Keys struct {
	// Identity lists private key files. If nil, the IdentityFile values of the hop are
	// used.
	Identity []string
	// KnownHosts lists files of host keys. If nil, UserKnownHostsFile and
	// GlobalKnownHostsFile of the hop are used.
	KnownHosts []string
	// Agent is the socket of an agent. If empty, it is the IdentityAgent of the hop, or
	// the SSH_AUTH_SOCK of the resolver's environment.
	Agent string
	// AllowCommand permits KnownHostsCommand to start a process. If it is not set, a hop
	// with that option fails.
	AllowCommand bool

	// The callbacks ask for secrets. A nil callback means that the method, or a key file
	// with a passphrase, is not used. None is called if BatchMode is set.

	// Passphrase returns the passphrase of a key file. It is called if the server accepts
	// the key.
	Passphrase func(ctx context.Context, hop sshproxy.Hop, file string) ([]byte, error)
	// Password returns the password of the user of the hop.
	Password func(ctx context.Context, hop sshproxy.Hop) (string, error)
	// Challenge answers the questions of keyboard-interactive authentication.
	Challenge func(ctx context.Context, hop sshproxy.Hop, name, instruction string, questions []string, echos []bool) ([]string, error)
}

// Auth returns the login of a hop. It fails if an option of the configuration cannot be
// obeyed, or if neither a key nor a callback is available for the login.
func (k *Keys) Auth(ctx context.Context, hop sshproxy.Hop) (*ssh.ClientConfig, error) {
	config, err := k.auth(ctx, hop)
	if err != nil {
		return nil, errs.Errorf("keys for %s: %w", hop.Alias, err)
	}
	return config, nil
}

func (k *Keys) auth(ctx context.Context, hop sshproxy.Hop) (*ssh.ClientConfig, error) {
	s := &settings{res: hop.Result}
	h, err := k.hostKeys(ctx, hop, s, k.AllowCommand)
	if err != nil {
		return nil, err
	}
	config := &ssh.ClientConfig{User: hop.User}
	if err := negotiation(config, hop); err != nil {
		return nil, err
	}
	config.HostKeyAlgorithms = h.order(config.HostKeyAlgorithms)
	config.HostKeyCallback = h.check
	if len(h.command) > 0 {
		config.HostKeyCallback = h.checkWithCommand(ctx, hop)
	}
	p := &publicKeys{keys: k, ctx: ctx, hop: hop}
	if config.Auth, err = k.methods(p, s, h); err != nil {
		return nil, err
	}
	return config, s.err
}

// methods returns the methods of PreferredAuthentications that can be used.
func (k *Keys) methods(p *publicKeys, s *settings, h *hostKeys) ([]ssh.AuthMethod, error) {
	order := strings.Split(s.one("PreferredAuthentications"), ",")
	if order[0] == "" {
		order = []string{"publickey", "keyboard-interactive", "password"}
	}
	batch, prompts := s.one("BatchMode") == "yes", atoi(s.one("NumberOfPasswordPrompts"))
	var list []ssh.AuthMethod
	var why []string
	for _, name := range order {
		switch name {
		case "publickey":
			switch s.one("PubkeyAuthentication") {
			case "false", "no":
				why = append(why, "PubkeyAuthentication is no")
				continue
			}
			if batch {
				p.silent = true
			}
			usable, err := p.prepare(s)
			if err != nil {
				return nil, err
			}
			if usable {
				list = append(list, ssh.PublicKeysCallback(p.signers))
			}
		case "password":
			if k.Password != nil && !batch && prompts > 0 && s.one("PasswordAuthentication") != "no" {
				list = append(list, ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
					if *h.changed {
						return "", errors.New("no password is sent: the host key has changed")
					}
					return k.Password(p.ctx, p.hop)
				}), prompts))
			}
		case "keyboard-interactive":
			if k.Challenge != nil && !batch && prompts > 0 && s.one("KbdInteractiveAuthentication") != "no" {
				list = append(list, ssh.RetryableAuthMethod(ssh.KeyboardInteractive(func(name, instruction string, questions []string, echos []bool) ([]string, error) {
					if *h.changed {
						return nil, errors.New("no answer is sent: the host key has changed")
					}
					return k.Challenge(p.ctx, p.hop, name, instruction, questions, echos)
				}), prompts))
			}
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	if len(list) == 0 {
		why = append(why, p.notes...)
		if !slices.Contains(order, "publickey") {
			why = append(why, "PreferredAuthentications does not list publickey")
		}
		if len(why) == 0 {
			why = append(why, "no IdentityFile and no agent")
		}
		return nil, fmt.Errorf("no key to log in with: %s", strings.Join(why, "; "))
	}
	return list, nil
}

// publicKeys collects the keys of files and of the agent.
type publicKeys struct {
	keys     *Keys
	ctx      context.Context
	hop      sshproxy.Hop
	silent   bool // no passphrase is asked for
	files    []identity
	socket   string
	only     bool
	accepted []string
	rsaBits  int
	notes    []string // files that are not used, and why
}

// identity is a key or certificate of a file.
type identity struct {
	file   string
	public ssh.PublicKey
	signer ssh.Signer // nil if only the public half is known
}

// prepare reads the files. It reports whether there can be a key.
func (p *publicKeys) prepare(s *settings) (bool, error) {
	names, explicit := p.keys.Identity, p.keys.Identity != nil
	values, err := p.hop.Result.Values("IdentityFile")
	if err != nil && !explicit {
		return false, err
	}
	certificates := s.all("CertificateFile")
	if !explicit {
		for _, v := range values {
			names = append(names, v.Text)
		}
	}
	p.accepted, _ = s.names("PubkeyAcceptedAlgorithms")
	p.rsaBits = atoi(s.one("RequiredRSASize"))
	p.only = s.one("IdentitiesOnly") == "yes"
	if p.socket = p.keys.Agent; p.socket == "" {
		p.socket = s.one("IdentityAgent")
	}
	if s.err != nil {
		return false, s.err
	}
	for _, name := range names {
		id, err := p.load(name)
		if err != nil {
			if explicit && !errors.Is(err, errSkipped) {
				return false, err
			}
			if isDefault := len(values) > 0 && values[0].Place == ""; !isDefault || !errors.Is(err, os.ErrNotExist) {
				p.notes = append(p.notes, err.Error())
			}
			continue
		}
		p.files = append(p.files, id)
		if len(certificates) == 0 {
			p.certificate(name+"-cert.pub", false)
		}
	}
	for _, name := range certificates {
		p.certificate(name, true)
	}
	return p.socket != "" || slices.ContainsFunc(p.files, func(id identity) bool { return id.signer != nil }), nil
}

// errSkipped is wrapped by errors about key files that ssh does not use.
var errSkipped = errors.New("not used")

// load reads a private key and its public half. If only the public half can be read, the
// agent may have the private one.
func (p *publicKeys) load(name string) (identity, error) {
	id := identity{file: name}
	if text, _, err := readFile(name+".pub", keyLimit); err == nil {
		id.public, _, _, _, _ = ssh.ParseAuthorizedKey(text)
	}
	text, info, err := readFile(name, keyLimit)
	switch {
	case err != nil && id.public != nil && absent(err):
		return id, nil
	case err != nil:
		return id, err
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey(text); err == nil {
		id.public = key
		return id, nil
	}
	if open(info) {
		err := fmt.Errorf("%s: mode %04o lets others read the private key: %w", name, info.Mode().Perm(), errSkipped)
		p.notes = append(p.notes, err.Error())
		if id.public != nil {
			return id, nil
		}
		return id, fmt.Errorf("%s: %w", name, errSkipped)
	}
	signer, err := ssh.ParsePrivateKey(text)
	var missing *ssh.PassphraseMissingError
	switch {
	case err == nil:
		id.public, id.signer = signer.PublicKey(), signer
		return id, nil
	case !errors.As(err, &missing):
		return id, fmt.Errorf("%s: %w", name, err)
	}
	if missing.PublicKey != nil {
		id.public = missing.PublicKey
	}
	if p.keys.Passphrase != nil && !p.silent && id.public != nil {
		id.signer = &lockedSigner{p: p, id: id, text: text}
		return id, nil
	}
	p.notes = append(p.notes, name+": the key has a passphrase")
	if id.public != nil {
		return id, nil
	}
	return id, fmt.Errorf("%s: the key has a passphrase: %w", name, errSkipped)
}

// certificate adds a user certificate. The private key belongs to one of the files or to
// the agent.
func (p *publicKeys) certificate(name string, named bool) {
	text, _, err := readFile(name, keyLimit)
	if err != nil {
		if named || !errors.Is(err, os.ErrNotExist) {
			p.notes = append(p.notes, err.Error())
		}
		return
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(text)
	cert, ok := key.(*ssh.Certificate)
	if err != nil || !ok || cert.CertType != ssh.UserCert {
		p.notes = append(p.notes, name+" is not a user certificate")
		return
	}
	p.files = append(p.files, identity{file: name, public: cert})
}

// signers returns the keys in the order of ssh: keys of files that the agent has, other
// keys of the agent, and the rest of the files.
func (p *publicKeys) signers() ([]ssh.Signer, error) {
	var held []ssh.Signer
	if p.socket != "" {
		var err error
		if held, err = askAgent(p.ctx, p.socket); err != nil {
			if p.ctx.Err() != nil {
				return nil, fmt.Errorf("agent %s: %w", p.socket, err)
			}
			p.notes = append(p.notes, fmt.Sprintf("agent %s: %v", p.socket, err))
		}
	}
	used := make([]bool, len(p.files))
	var list, others []ssh.Signer
	for _, s := range held {
		i := slices.IndexFunc(p.files, func(id identity) bool { return equal(id.public, s.PublicKey()) })
		switch {
		case i >= 0 && !used[i]:
			used[i] = true
			list = append(list, s)
		case i < 0 && !p.only:
			others = append(others, s)
		}
	}
	list = append(list, others...)
	for i, id := range p.files {
		if used[i] {
			continue
		}
		signer := id.signer
		if cert, ok := id.public.(*ssh.Certificate); ok && signer == nil {
			signer = p.private(cert, held)
		}
		if signer != nil {
			list = append(list, signer)
		}
	}
	allowed := list[:0]
	for _, s := range list {
		if s := p.restrict(s); s != nil {
			allowed = append(allowed, s)
		}
	}
	if len(allowed) == 0 && len(p.notes) > 0 {
		return nil, fmt.Errorf("no key to log in with: %s", strings.Join(p.notes, "; "))
	}
	return allowed, nil
}

// private returns a signer for a certificate.
func (p *publicKeys) private(cert *ssh.Certificate, held []ssh.Signer) ssh.Signer {
	candidates := slices.Clone(held)
	for _, id := range p.files {
		if id.signer != nil {
			candidates = append(candidates, id.signer)
		}
	}
	for _, c := range candidates {
		if equal(c.PublicKey(), cert.Key) {
			if s, err := ssh.NewCertSigner(cert, c); err == nil {
				return s
			}
		}
	}
	return nil
}

// restrict limits a signer to PubkeyAcceptedAlgorithms. It returns nil if none is left, or
// if the key is shorter than RequiredRSASize.
func (p *publicKeys) restrict(s ssh.Signer) ssh.Signer {
	key := s.PublicKey()
	plain, suffix := key, ""
	if c, ok := key.(*ssh.Certificate); ok {
		plain, suffix = c.Key, "-cert-v01@openssh.com"
	}
	if bits := rsaSize(plain); bits > 0 && bits < p.rsaBits {
		p.notes = append(p.notes, fmt.Sprintf("key of %d bits is shorter than RequiredRSASize %d", bits, p.rsaBits))
		return nil
	}
	if len(p.accepted) == 0 {
		return s
	}
	if plain.Type() != ssh.KeyAlgoRSA {
		if !slices.Contains(p.accepted, key.Type()) {
			p.notes = append(p.notes, "PubkeyAcceptedAlgorithms does not list "+key.Type())
			return nil
		}
		return s
	}
	var names []string
	for _, a := range []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA} {
		if slices.Contains(p.accepted, a+suffix) {
			names = append(names, a)
		}
	}
	as, ok := s.(ssh.AlgorithmSigner)
	if !ok && slices.Contains(names, ssh.KeyAlgoRSA) {
		return s
	}
	if len(names) == 0 || !ok {
		p.notes = append(p.notes, "PubkeyAcceptedAlgorithms lists no algorithm for "+key.Type())
		return nil
	}
	limited, err := ssh.NewSignerWithAlgorithms(as, names)
	if err != nil {
		p.notes = append(p.notes, err.Error())
		return nil
	}
	return limited
}

// lockedSigner asks for the passphrase of a key when the key is needed.
type lockedSigner struct {
	p    *publicKeys
	id   identity
	text []byte
}

// PublicKey returns the public half.
func (l *lockedSigner) PublicKey() ssh.PublicKey { return l.id.public }

// Sign asks for the passphrase and signs.
func (l *lockedSigner) Sign(r io.Reader, data []byte) (*ssh.Signature, error) {
	return l.SignWithAlgorithm(r, data, "")
}

// SignWithAlgorithm asks for the passphrase and signs.
func (l *lockedSigner) SignWithAlgorithm(r io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	secret, err := l.p.keys.Passphrase(l.p.ctx, l.p.hop, l.id.file)
	if err != nil {
		return nil, fmt.Errorf("passphrase of %s: %w", l.id.file, err)
	}
	signer, err := ssh.ParsePrivateKeyWithPassphrase(l.text, secret)
	clear(secret)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.id.file, err)
	}
	if as, ok := signer.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return as.SignWithAlgorithm(r, data, algorithm)
	}
	return signer.Sign(r, data)
}

// askAgent lists the keys of an agent over a connection that ends with ctx.
func askAgent(ctx context.Context, socket string) ([]ssh.Signer, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() }) // signing needs it until the login is over
	return agent.NewClient(conn).Signers()
}

// commandLimit is the maximum output of a KnownHostsCommand.
const commandLimit = 1 << 20

// knownHostsCommand runs a KnownHostsCommand and returns its output.
func knownHostsCommand(ctx context.Context, hop sshproxy.Hop, name, reason string, key ssh.PublicKey) ([]byte, error) {
	tokens := map[byte]string{'H': name, 'I': reason, 't': "NONE", 'f': "NONE", 'K': "NONE"}
	if key != nil {
		blob := bytes.TrimSpace(ssh.MarshalAuthorizedKey(key))
		_, encoded, _ := strings.Cut(string(blob), " ")
		tokens['t'], tokens['f'], tokens['K'] = key.Type(), ssh.FingerprintSHA256(key), encoded
	}
	words, err := hop.Result.Arguments("KnownHostsCommand", tokens)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 || !filepath.IsAbs(words[0]) {
		return nil, errors.New("the path of the command is not absolute")
	}
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	out := &limitedBuffer{}
	cmd.Stdout = out
	cmd.WaitDelay = time.Second // a child of the command may keep the pipe open
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w", words[0], err)
	}
	return out.b.Bytes(), nil
}

// limitedBuffer fails a command that writes too much.
type limitedBuffer struct{ b bytes.Buffer }

// Write appends to the buffer.
func (l *limitedBuffer) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > commandLimit {
		return 0, fmt.Errorf("output is larger than %d bytes", commandLimit)
	}
	return l.b.Write(p)
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
