package sshproxy

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
)

// lintRows: a text with what each rule finds in it, and the same text made good.
var lintRows = []struct {
	rule, profile, bad, good string
	fixed                    bool // the first fix makes the finding go away
}{
	{"SP101", "", "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n", "Host a\n  ProxyJump b\nHost b\n  Port 1\n", false},
	{"SP101", "", "Host a\n  ProxyJump b\nHost b\n  ProxyJump c\nHost c\n  ProxyJump a\n", "Host a\n  ProxyJump b\nHost b\n  ProxyJump c\n", false},
	{"SP102", "", "Host b\n  Port 1\nHost *\n  ProxyJump b\n", "Host * !b\n  ProxyJump b\n", true},
	{"SP103", "", "Host a\n  ProxyJump b;id\n", "Host a\n  ProxyJump b\n", false},
	{"SP103", "", "Host a\n  ProxyCommand nc %C\n", "Host a\n  ProxyCommand nc %h\n", false},
	{"SP104", "", "Host a\n  Port 1\n  Include other\n", "Include other\nHost a\n  Port 1\n", true},
	{"SP105", "", "Host a\n  Port 1\n  port 2\n", "Host a\n  Port 1\n  IdentityFile a\n  IdentityFile b\n", true},
	{"SP105", "", "User x\nHost a\n  User y\n", "Host a\n  User y\nHost *\n  User x\n", true},
	{"SP106", "", "Host *\n  User x\nHost a\n  Port 1\n", "Host a\n  Port 1\nHost *\n  User x\n", false},
	{"SP107", "", "Host !a !b\n  Port 1\n", "Host !a *\n  Port 1\n", true},
	{"SP108", "", "Host Web\n  Port 1\n", "Host web\n  Port 1\n", true},
	{"SP109", "", "Host a,b\n  Port 1\n", "Host a b\n  Port 1\n", true},
	{"SP110", "", "Match host a, b\n  Port 1\n", "Match host a,b\n  Port 1\n", true},
	{"SP201", "", "Compresion yes\n", "Compression yes\n", true},
	{"SP201", "", "Frobnicate 1\n", "IgnoreUnknown frob*\nFrobnicate 1\n", false},
	{"SP202", "9.2p1-debian", "Host a\n  ObscureKeystrokeTiming no\n", "IgnoreUnknown ObscureKeystrokeTiming\nHost a\n  ObscureKeystrokeTiming no\n", true},
	{"SP202", "", "GSSAPITrustDns no\n", "GSSAPIAuthentication no\n", true},
	{"SP203", "", "Port 65536\n", "Port 65535\n", false},
	{"SP204", "", "Protocol 2\n", "Port 2\n", true},
	{"SP301", "", "Host a\n  ProxyJump b\n  ProxyCommand nc %h %p\n", "Host a\n  ProxyJump b\n", true},
	{"SP302", "", "Host a\n  ProxyJump none\nHost *.x\n  ProxyCommand nc %h %p\n", "Host a\n  ProxyJump none\n  ProxyCommand none\nHost *.x\n  ProxyCommand nc %h %p\n", true},
	{"SP303", "8.4", "Host a\n  ProxyCommand nc %h %p\n", "Host a\n  ProxyJump b\n", false},
	{"SP303", "", "Host a\n  ProxyCommand sh -c 'nc %h %p'\n", "Host a\n  ProxyCommand nc %h %p\n", false},
	{"SP304", "", "Host a\n  ProxyCommand nc %h %C\n", "Host a\n  ProxyCommand nc %h %%C\n", true},
	{"SP304", "", "ControlPath /x/%C%\n", "ControlPath /x/%C%%\n", true},
	{"SP305", "", "Host a\n  ProxyCommand echo it's\n", "Host a\n  ProxyCommand echo its\n", false},
	{"SP305", "8.4", "Host a\n  ProxyCommand echo it's\n", "Host a\n  ProxyCommand echo its\n", false},
	{"SP306", "", "Host a\n  ProxyCommand \"nc %h %p\"\n", "Host a\n  ProxyCommand nc \"%h\" %p\n", true},
	{"SP307", "", "Host a\n  ProxyCommand cd /x; nc %h %p\n", "Host a\n  ProxyCommand sh -c 'cd /x; nc \"$1\" \"$2\"' sh %h %p\n", true},
	{"SP308", "", "Host b\n  Port 1\nHost a\n  ProxyCommand ssh -W [%h]:%p b\n", "Host b\n  Port 1\nHost a\n  ProxyCommand ssh -F /etc/x/cfg -W [%h]:%p b\n", true},
	{"SP310", "", "Host a\n  HostName fe80::1\n  ProxyCommand ssh -F /etc/x/cfg -W %h:%p b\n", "Host a\n  HostName fe80::1\n  ProxyCommand ssh -F /etc/x/cfg -W [%h]:%p b\n", true},
	{"SP401", "", "Host *\n  ForwardAgent yes\n", "Host a\n  ForwardAgent yes\n", true},
	{"SP401", "", "Host a\n  ProxyJump b\nHost b\n  ForwardAgent yes\n", "Host a\n  ProxyJump b\n  ForwardAgent yes\n", true},
	{"SP402", "", "StrictHostKeyChecking no\n", "StrictHostKeyChecking accept-new\n", true},
	{"SP402", "", "UserKnownHostsFile /dev/null\n", "UserKnownHostsFile ~/kh\n", false},
	{"SP403", "", "ControlPath /run/" + strings.Repeat("x", 60) + "/%C\n", "ControlPath /run/x/%C\n", false},
	{"SP404", "", "ControlPath ~/.ssh/%h\n", "ControlPath ~/.ssh/%r@%h:%p\n", false},
	{"SP405", "", "ControlPath /tmp/%C\n", "ControlPath ~/.ssh/%C\n", true},
	{"SP406", "", "Host a\n  HostName 10.0.0.1\n  ProxyJump x\nHost b\n  HostName 10.0.0.1\n  ProxyJump y\n", "Host a\n  HostName 10.0.0.1\n  ProxyJump x\nHost b\n  HostName 10.0.0.2\n  ProxyJump y\n", true},
	{"SP311", "", "Host a\n  ProxyCommand ssh -W %h %p b\n", "Host a\n  ProxyCommand ssh -W [%h]:%p b\n", false},
	{"SP311", "", "Host a\n  ProxyCommand exec /usr/bin/ssh -T b\n", "Host a\n  ProxyCommand ssh b nc %h %p\n", false},
	{"SP104", "", "Match host x\n  Include other\n", "Match final all\n  Include other\n", true},
	{"SP104", "", "Match canonical all\n  Include other\n", "Match host *\n  Include other\n", true},
	{"SP502", "", "User a\x01b\n", "User ab\n", false},
	{"SP502", "", "\ufeffUser ab\n", "User ab\n", true},
	{"SP503", "", "Host a\n  SyslogFacility LOCAL1\n", "SyslogFacility LOCAL1\n", false},
	{"SP504", "", "Match exec \"test -f /x\"\n  Port 1\n", "Match host a exec \"test -f /x\"\n  Port 1\n", false},
}

func lintText(t *testing.T, profile, text string) diag.List {
	t.Helper()
	r := &Resolver{Local: Local{User: "root", Home: "/root", Hostname: "vm"}, Files: FS(fstest.MapFS{})}
	if profile != "" {
		r.Profile = mustProfile(profile)
	}
	list, err := Lint(context.Background(), LintInput{Files: []*File{Parse("/etc/x/cfg", []byte(text))}}, LintOptions{Resolver: r})
	require.NoError(t, err)
	return list
}

func ruleCount(list diag.List, rule string) (n int) {
	for _, d := range list {
		if d.Rule == rule {
			n++
		}
	}
	return n
}

func TestLintRules(t *testing.T) {
	covered := map[string]bool{"SP205": true, "SP309": true, "SP501": true} // tests of their own
	for _, row := range lintRows {
		covered[row.rule] = true
		t.Run(row.rule, func(t *testing.T) {
			bad := lintText(t, row.profile, row.bad)
			require.Equal(t, 1, ruleCount(bad, row.rule), "%s\n%v", row.bad, bad)
			require.Zero(t, ruleCount(lintText(t, row.profile, row.good), row.rule), row.good)
			var one diag.List
			for _, d := range bad {
				if d.Rule == row.rule {
					one = append(one, d)
					require.True(t, d.Range.Start.IsValid())
				}
			}
			if !row.fixed {
				return
			}
			require.NotEmpty(t, one[0].Fixes)
			fixed, n, err := diag.ApplyFixes([]byte(row.bad), "/etc/x/cfg", one)
			require.NoError(t, err)
			require.Equal(t, 1, n)
			require.Zero(t, ruleCount(lintText(t, row.profile, string(fixed)), row.rule), "%s", fixed)
		})
	}
	for _, r := range Rules() {
		require.True(t, covered[r.ID], "%s has no test", r.ID)
		require.NotEmpty(t, r.Summary)
	}
	require.GreaterOrEqual(t, len(Rules()), 30)
}

func TestLintLooksAtFileNameAndMode(t *testing.T) {
	list, err := Lint(context.Background(), LintInput{
		Files: []*File{Parse("a config", []byte("Host h\n  ProxyJump b\n"))},
	}, LintOptions{Resolver: &Resolver{Files: FS(fstest.MapFS{})}})
	require.NoError(t, err)
	require.Equal(t, 1, ruleCount(list, "SP309"), "%v", list)

	name := filepath.Join(t.TempDir(), "cfg")
	require.NoError(t, os.WriteFile(name, nil, 0o600))
	require.NoError(t, os.Chmod(name, 0o666))
	info, err := os.Stat(name)
	require.NoError(t, err)
	in := LintInput{Files: []*File{Parse(name, nil)}}
	in.Info = map[string]os.FileInfo{name: info}
	list, err = Lint(context.Background(), in, LintOptions{Resolver: &Resolver{Local: localOf(t)}})
	require.NoError(t, err)
	require.Equal(t, 1, ruleCount(list, "SP501"), "%v", list)
}

func TestLintOfGoodFileIsSilent(t *testing.T) {
	require.Empty(t, lintText(t, "", `Host bastion
    HostName 10.0.0.1
    ProxyJump none
    ProxyCommand none

Host internal
    HostName 10.77.3.2
    Port 2222
    ProxyJump bastion
    HostKeyAlias internal.prod

Host *
    ControlMaster auto
    ControlPath ~/.ssh/%C
`))
}
