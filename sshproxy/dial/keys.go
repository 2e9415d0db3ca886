package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"dougu.internal/sshproxy"
)

// Keys logs in with keys of files and of an agent, and checks host keys against files in
// the form of known_hosts. The zero value uses what each hop's configuration names. Its
// Auth method is a [Dialer.Auth].
type Keys struct {
	// Identity are private key files without a passphrase; nil: the hop's IdentityFile
	// lines, as far as they exist.
	Identity []string
	// KnownHosts are the files; nil: the hop's UserKnownHostsFile and
	// GlobalKnownHostsFile, as far as they exist.
	KnownHosts []string
	// Agent is the socket of an agent; empty: none is asked.
	Agent string
	// Home stands for ~ in the names that a configuration gives.
	Home string
}

// Auth returns the login of one hop. It fails when there is no key to offer or no file
// to check the host by.
func (k *Keys) Auth(ctx context.Context, hop sshproxy.Hop) (*ssh.ClientConfig, error) {
	config, err := k.auth(ctx, hop)
	if err != nil {
		return nil, errs.Errorf("keys for %s: %w", hop.Alias, err)
	}
	return config, nil
}

func (k *Keys) auth(ctx context.Context, hop sshproxy.Hop) (*ssh.ClientConfig, error) {
	callback, err := k.callback(hop)
	if err != nil {
		return nil, err
	}
	signers, err := k.signers(hop)
	if err != nil {
		return nil, err
	}
	methods := []ssh.AuthMethod{}
	if len(signers) > 0 {
		methods = append(methods, ssh.PublicKeys(signers...))
	}
	if k.Agent != "" {
		methods = append(methods, ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { return askAgent(ctx, k.Agent) }))
	}
	if len(methods) == 0 {
		return nil, errors.New("no key to log in with: no IdentityFile exists and no agent is set")
	}
	return &ssh.ClientConfig{User: hop.User, Auth: methods, HostKeyCallback: callback, HostKeyAlgorithms: knownAlgorithms(callback, keyName(hop))}, nil
}

// askAgent lists the agent's keys over a connection of its own, which ends with ctx.
func askAgent(ctx context.Context, socket string) ([]ssh.Signer, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { conn.Close() }) // signing needs it until the login is over
	return agent.NewClient(conn).Signers()
}

func (k *Keys) path(name string) string {
	if rest, ok := strings.CutPrefix(name, "~/"); ok && k.Home != "" {
		return k.Home + "/" + rest
	}
	return name
}

func (k *Keys) signers(hop sshproxy.Hop) (list []ssh.Signer, err error) {
	files := k.Identity
	if files == nil {
		files = hop.Result.All("IdentityFile")
	}
	for _, name := range files {
		text, err := os.ReadFile(k.path(name))
		if err != nil {
			if k.Identity == nil && errors.Is(err, os.ErrNotExist) {
				continue
			}
			return nil, err
		}
		s, err := ssh.ParsePrivateKey(text)
		if err != nil {
			if k.Identity == nil {
				continue // one with a passphrase is for the agent
			}
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func (k *Keys) callback(hop sshproxy.Hop) (ssh.HostKeyCallback, error) {
	files := k.KnownHosts
	if files == nil {
		for _, o := range []string{"UserKnownHostsFile", "GlobalKnownHostsFile"} {
			for name := range strings.FieldsSeq(hop.Result.Get(o)) {
				if _, err := os.Stat(k.path(name)); err == nil {
					files = append(files, k.path(name))
				}
			}
		}
	}
	if len(files) == 0 {
		return nil, errors.New("no known_hosts file to check the host key")
	}
	return knownhosts.New(files...)
}

// knownAlgorithms are the algorithms of the keys that are on file for a host: the server
// is asked for those, not for a key that nobody has seen.
func knownAlgorithms(callback ssh.HostKeyCallback, address string) (list []string) {
	err := callback(address, hopAddr(address), unknownKey{})
	var ke *knownhosts.KeyError
	if !errors.As(err, &ke) {
		return nil
	}
	for _, w := range ke.Want {
		switch t := w.Key.Type(); t {
		case ssh.KeyAlgoRSA:
			list = append(list, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			if !slices.Contains(list, t) {
				list = append(list, t)
			}
		}
	}
	return list
}

// unknownKey is a key that is in no file.
type unknownKey struct{}

// Type is of no algorithm.
func (unknownKey) Type() string { return "unknown" }

// Marshal is empty.
func (unknownKey) Marshal() []byte { return nil }

// Verify accepts nothing.
func (unknownKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }
