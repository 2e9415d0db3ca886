package sshproxy

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestParseProfileReadsEveryVersion: what ssh -V prints on various systems, and the facts
// that it identifies.
func TestParseProfileReadsEveryVersion(t *testing.T) {
	for _, row := range []struct {
		version, name  string
		debian, gssapi bool
		has, lacks     []feature
	}{
		{"OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026", "9.2p1-debian-2+deb12u10", true, true, []feature{shellNames, controlNames, jumpRules, commaHosts}, []feature{userTokens}},
		{"OpenSSH_9.2p1 Debian-2+deb12u9, OpenSSL 3.0.19 27 Jan 2026", "9.2p1-debian-2+deb12u9", true, true, []feature{shellNames, controlNames}, []feature{jumpRules, commaHosts}},
		{"OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3.0.19 27 Jan 2026", "9.2p1-debian-2+deb12u7", true, true, []feature{shellNames}, []feature{controlNames, jumpRules}},
		{"OpenSSH_9.2p1 Debian-2, OpenSSL 3.0.8", "9.2p1-debian-2", true, true, nil, []feature{shellNames}},
		{"9.2p1-debian", "9.2p1-debian", true, true, []feature{jumpRules}, nil},
		{"OpenSSH_9.2p1 Raspbian-2+deb12u3, OpenSSL 3.0.13", "9.2p1-raspbian-2+deb12u3", true, true, []feature{shellNames}, []feature{controlNames}},
		{"OpenSSH_10.0p2 Debian-7+deb13u4, OpenSSL 3.5.9 29 Sep 2026", "10.0p2-debian-7+deb13u4", true, true, []feature{controlNames, jumpRules, userTokens, userVerbatim, serviceNames}, []feature{userBackslash, emptyListFails}},
		{"OpenSSH_10.0p2 Debian-7+deb13u2, OpenSSL 3.5.9 29 Sep 2026", "10.0p2-debian-7+deb13u2", true, true, []feature{controlNames}, []feature{jumpRules, serviceNames}},
		{"OpenSSH_8.4p1 Debian-5+deb11u3, OpenSSL 1.1.1w", "8.4p1-debian-5+deb11u3", true, true, []feature{emptyListFails}, []feature{controlNames, jumpRules}},
		{"OpenSSH_10.6p1 Debian-1, OpenSSL 3.6.5 29 Sep 2026", "10.6p1-debian-1", true, false, []feature{userBackslash, emptyListFails, keepAliveStates}, nil},
		{"OpenSSH_10.6p1 Debian-gssapi-1, OpenSSL 3.6.5 29 Sep 2026", "10.6p1-debian-gssapi-1", true, true, []feature{userBackslash}, nil},
		{"OpenSSH_10.4p1 Debian-4, OpenSSL 3.6.5", "10.4p1-debian-4", true, true, nil, nil},
		{"OpenSSH_10.4p1 Debian-5, OpenSSL 3.6.5", "10.4p1-debian-5", true, false, nil, nil},
		{"OpenSSH_9.6p1 Ubuntu-3ubuntu13.14, OpenSSL 3.0.13 30 Jan 2024", "9.6p1-ubuntu-3ubuntu13.14", true, true, []feature{shellNames}, []feature{jumpRules}},
		{"OpenSSH_for_Windows_8.1p1, LibreSSL 3.0.1", "8.1p1-windows", false, false, nil, []feature{shellNames}},
		{"OpenSSH_for_Windows_9.5p1, LibreSSL 3.8.2", "9.5p1-windows", false, false, nil, []feature{shellNames}},
		{"OpenSSH_9.9p2, LibreSSL 3.3.6", "9.9p2", false, false, []feature{shellNames}, nil},
		{"9.8p1-apple", "9.8p1-apple", false, false, []feature{shellNames}, nil},
		{"OpenSSH_8.7p1, OpenSSL 3.0.7 1 Nov 2022\n", "8.7p1", false, false, nil, []feature{shellNames}},
		{"OpenSSH_9.2p1 Debian-" + strings.Repeat("9", 1000), "9.2p1-debian", true, true, nil, nil},
		{"OpenSSH_9.2p1 Debian-\x1b[2J, OpenSSL", "9.2p1-debian", true, true, nil, nil},
	} {
		t.Run(row.version[:min(len(row.version), 40)], func(t *testing.T) {
			p, err := ParseProfile(row.version)
			require.NoError(t, err)
			require.Equal(t, row.name, p.String())
			q, err := ParseProfile(p.String())
			require.NoError(t, err)
			require.Equal(t, p, q)
			b := p.build()
			require.Equal(t, row.debian, b.debian)
			require.Equal(t, row.gssapi, b.gssapi)
			for _, f := range row.has {
				require.True(t, b.has(f), features[f].name)
			}
			for _, f := range row.lacks {
				require.False(t, b.has(f), features[f].name)
			}
		})
	}
	for f, d := range features {
		require.NotEmpty(t, d.name)
		require.NotZero(t, d.since, f)
	}
}

// TestRecordsComeBack: the profile of each record prints the record.
func TestRecordsComeBack(t *testing.T) {
	names, err := filepath.Glob("profiles/*.txt")
	require.NoError(t, err)
	require.Len(t, names, len(releases))
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(name)
			require.NoError(t, err)
			head, _, _ := strings.Cut(strings.TrimPrefix(string(text), "# "), "\n")
			p, err := ParseProfile(head)
			require.NoError(t, err)
			r := &Resolver{Profile: p, Config: "none", Local: Local{User: "me", Home: "/home/me"}}
			res, err := r.Resolve(t.Context(), Target{Host: "h"})
			require.NoError(t, err)
			var b bytes.Buffer
			require.NoError(t, res.WriteG(&b))
			var want []string
			for line := range strings.Lines(string(text)) {
				if key, _, _ := strings.Cut(line, " "); line[0] != '#' && line[0] != '@' && key != "host" && key != "user" && key != "hostname" {
					want = append(want, line)
				}
			}
			var got []string
			for line := range strings.Lines(b.String()) {
				if key, _, _ := strings.Cut(line, " "); key != "host" && key != "user" && key != "hostname" {
					if key == "userknownhostsfile" {
						line = strings.ReplaceAll(line, "/home/me/", "~/")
					}
					got = append(got, line)
				}
			}
			require.Equal(t, want, got)
		})
	}
}

// TestRevisionsDecide: the answers of four packages of Debian.
func TestRevisionsDecide(t *testing.T) {
	resolve := func(version, config string, target Target) (*Result, error) {
		p, err := ParseProfile(version)
		require.NoError(t, err)
		return (&Resolver{Profile: p, Config: "cfg", Files: Memory(map[string][]byte{"cfg": []byte(config)}), Local: Local{User: "me"}}).Resolve(t.Context(), target)
	}
	const jump = "ProxyJump none\nProxyCommand nc x 1\n"
	for version, want := range map[string]string{"9.2p1-debian-2+deb12u7": "", "9.2p1-debian-2+deb12u9": "", "9.2p1-debian-2+deb12u10": "nc x 1", "10.0p2-debian-7+deb13u4": "nc x 1"} {
		res, err := resolve(version, jump, Target{Host: "h"})
		require.NoError(t, err)
		require.Equal(t, want, res.Get("ProxyCommand"), version)
	}
	for version, want := range map[string]string{"9.2p1-debian": "u-%h", "10.0p2": "u-h", "10.1": "u-h"} {
		res, err := resolve(version, "User u-%h\n", Target{Host: "h"})
		require.NoError(t, err)
		require.Equal(t, want, res.User(), version)
	}
	for version, refused := range map[string]bool{"9.2p1-debian-2+deb12u9": false, "9.2p1-debian-2+deb12u10": true, "9.9": false, "10.0p2": true} {
		_, err := resolve(version, "", Target{Host: "a,b"})
		require.Equal(t, refused, err != nil, version)
	}
	for version, refused := range map[string]bool{"9.2p1-debian-2+deb12u7": false, "9.2p1-debian-2+deb12u9": true, "10.0p2": false, "10.1": true} {
		_, err := resolve(version, "", Target{Host: "h", User: "a\x01b"})
		require.Equal(t, refused, err != nil, version)
	}
	for version, refused := range map[string]bool{"10.5": false, "10.6": true} {
		_, err := resolve(version, "", Target{Host: "h", User: `dom\user`})
		require.Equal(t, refused, err != nil, version)
	}
}
