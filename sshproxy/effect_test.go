package sshproxy

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValuesAreListsWithPlaces(t *testing.T) {
	const text = `Host h
  UserKnownHostsFile "~/known of x" /k/%h ${DIR}/k
  GlobalKnownHostsFile "/g lobal" ~/g
  IdentityFile ~/.ssh/%r@%h
  IdentityFile ${DIR}/key%%
  CertificateFile "/c ert-%u"
  IdentityAgent $SOCK
  Ciphers aes128-ctr
Host none
  IdentityFile none
  UserKnownHostsFile none
  IdentityAgent none
Host env
  IdentityAgent SSH_AUTH_SOCK
Host unset
  IdentityAgent $UNSET
Host path
  IdentityAgent ~/%n.sock
Host bad
  IdentityAgent $1x
  IdentityFile %Q
  CertificateFile ${UNSET}/x
`
	env := map[string]string{"DIR": "/d", "SOCK": "/run/s", "SSH_AUTH_SOCK": "/run/a"}
	r := &Resolver{
		Config: "cfg", Files: Memory(map[string][]byte{"cfg": []byte(text)}), Local: Local{User: "me", Home: "/home/me"},
		Env: func(n string) (string, bool) { v, ok := env[n]; return v, ok },
	}
	for _, row := range []struct {
		host, option string
		want         []Value
		fails        string
	}{
		{host: "h", option: "userknownhostsfile", want: []Value{{"/home/me/known of x", "cfg:2"}, {"/k/h", "cfg:2"}, {"/d/k", "cfg:2"}}},
		{host: "h", option: "GlobalKnownHostsFile", want: []Value{{"/g lobal", "cfg:3"}, {"/home/me/g", "cfg:3"}}},
		{host: "h", option: "IdentityFile", want: []Value{{"/home/me/.ssh/me@h", "cfg:4"}, {"/d/key%", "cfg:5"}}},
		{host: "h", option: "CertificateFile", want: []Value{{"/c ert-me", "cfg:6"}}},
		{host: "h", option: "IdentityAgent", want: []Value{{"/run/s", "cfg:7"}}},
		{host: "h", option: "Ciphers", want: []Value{{"aes128-ctr", "cfg:8"}}},
		{host: "h", option: "BindAddress"},
		{host: "h", option: "NoSuchOption"},
		{host: "h", option: "RevokedHostKeys"},
		{host: "none", option: "IdentityFile", want: []Value{}},
		{host: "none", option: "UserKnownHostsFile"},
		{host: "none", option: "IdentityAgent"},
		{host: "env", option: "IdentityAgent", want: []Value{{"/run/a", "cfg:14"}}},
		{host: "other", option: "IdentityAgent", want: []Value{{"/run/a", ""}}},
		{host: "other", option: "UserKnownHostsFile", want: []Value{{"/home/me/.ssh/known_hosts", ""}, {"/home/me/.ssh/known_hosts2", ""}}},
		{host: "unset", option: "IdentityAgent"},
		{host: "path", option: "IdentityAgent", want: []Value{{"/home/me/path.sock", "cfg:18"}}},
		{host: "bad", option: "IdentityAgent", fails: "Invalid IdentityAgent"},
		{host: "bad", option: "IdentityFile", fails: "unknown key %Q"},
		{host: "bad", option: "CertificateFile", fails: "has no value"},
	} {
		t.Run(row.host+" "+row.option, func(t *testing.T) {
			res, err := r.Resolve(t.Context(), Target{Host: row.host})
			require.NoError(t, err)
			got, err := res.Values(row.option)
			if row.fails != "" {
				require.ErrorContains(t, err, row.fails)
				return
			}
			require.NoError(t, err)
			if len(row.want) == 0 {
				require.Empty(t, got)
				return
			}
			require.Equal(t, row.want, got)
		})
	}
	_, err := new(Result).Values("Port")
	require.ErrorContains(t, err, "read from JSON")
}
