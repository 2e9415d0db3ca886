package dial

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/sshproxy"
)

//go:embed testdata/lab.sh
var labScript []byte

var labTools = []oracle.Tool{
	{Name: "bash", Package: "bash"}, {Name: "ip", Package: "iproute2"}, {Name: "sshd", Package: "openssh-server"},
	{Name: "ssh-keygen", Package: "openssh-client"}, {Name: "nc", Package: "netcat-openbsd"}, {Name: "ncat", Package: "ncat"},
	{Name: "socat", Package: "socat"}, {Name: "tinyproxy", Package: "tinyproxy"}, {Name: "microsocks", Package: "microsocks"},
	{Name: "connect-proxy", Package: "connect-proxy"}, {Name: "corkscrew", Package: "corkscrew"}, {Name: "proxytunnel", Package: "proxytunnel"},
}

var labSSH = oracle.Tool{Name: sshName(), Package: "openssh-client", Probe: []string{"-V"}, Version: regexp.MustCompile(`OpenSSH_(\S+( Debian-\S+)?)`)}

func sshName() string {
	if name := os.Getenv("DOUGU_SSH"); name != "" {
		return name
	}
	return "ssh"
}

// TestLab builds the lab and starts itself on its client.
func TestLab(t *testing.T) {
	if testing.Short() {
		t.Skip("real servers are left out of short runs")
	}
	if os.Getenv("LAB") != "" {
		t.Run("styles", labStyles)
		t.Run("transports", labTransports)
		t.Run("others", labOthers)
		t.Run("dialer", labDials)
		return
	}
	tool := labSSH.Need(t)
	for _, x := range labTools {
		x.Need(t)
	}
	if os.Getuid() != 0 {
		oracle.Missing(t, "sshd in namespaces needs root")
	}
	words := oracle.Namespaces(t)
	dir := t.TempDir()
	script := filepath.Join(dir, "lab.sh")
	require.NoError(t, os.WriteFile(script, labScript, 0o755))
	self, err := os.Executable()
	require.NoError(t, err)
	r := oracle.Run(t, oracle.Cmd{
		Path: words[0], Args: append(words[1:len(words):len(words)], "bash", script, dir, self, "-test.v", "-test.run", "^TestLab$"),
		Dir: dir, Env: []string{"LAB=" + dir, "LAB_SSH=" + tool.Path, "LAB_VERSION=" + tool.Version, "DOUGU_LONG=" + os.Getenv("DOUGU_LONG"), "SHELL=/bin/sh", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
		Timeout: 10 * time.Minute,
	})
	t.Logf("%s%s", r.Stdout, r.Stderr)
	require.Zero(t, r.ExitCode)
	passed := bytes.Count(r.Stdout, []byte("--- PASS: TestLab/"))
	require.Greater(t, passed, 20)
	require.NotContains(t, string(r.Stdout), "--- SKIP")
	oracle.Compared(t, tool, passed)
}

// labTopology is the lab as it is described to the generator.
func labTopology(change func(t *sshproxy.Topology)) *sshproxy.Topology {
	no := false
	t := &sshproxy.Topology{
		Networks: []sshproxy.Network{{Name: "outside", CIDR: "10.77.1.0/24"}, {Name: "dmz", CIDR: "10.77.2.0/24"}, {Name: "prod", CIDR: "10.77.3.0/24"}},
		Hosts: []sshproxy.Host{
			{Name: "client", On: []string{"outside"}},
			{Name: "b1", On: []string{"outside", "dmz"}, Address: map[string]string{"outside": "10.77.1.2", "dmz": "10.77.2.1"}, Port: 2222, User: "root", Bastion: true},
			{Name: "b1nf", On: []string{"outside", "dmz"}, Address: map[string]string{"outside": "10.77.1.2", "dmz": "10.77.2.1"}, Port: 2223, User: "root", Bastion: true, Forwarding: &no, Cost: 9},
			{Name: "b2", On: []string{"dmz", "prod"}, Address: map[string]string{"dmz": "10.77.2.2", "prod": "10.77.3.1"}, Port: 2222, User: "root", Bastion: true},
			{Name: "internal", On: []string{"prod"}, Address: map[string]string{"prod": "10.77.3.2"}, Port: 2222, User: "root"},
		},
	}
	if change != nil {
		change(t)
	}
	return t
}

func host(t *sshproxy.Topology, name string) *sshproxy.Host {
	for i := range t.Hosts {
		if t.Hosts[i].Name == name {
			return &t.Hosts[i]
		}
	}
	return nil
}

// labConfig generates a configuration for the lab's client, and writes it to a file.
func labConfig(t *testing.T, style sshproxy.Style, change func(*sshproxy.Topology), edit func(*sshproxy.File)) string {
	t.Helper()
	dir := os.Getenv("LAB")
	tmp, err := os.MkdirTemp(dir, "case") // the name of the test may hold what a path should not
	require.NoError(t, err)
	name := filepath.Join(tmp, "config")
	p, err := sshproxy.ParseProfile(os.Getenv("LAB_VERSION"))
	require.NoError(t, err)
	g, err := labTopology(change).Generate(sshproxy.GenerateOptions{
		From: "client", Client: p, Style: style, ConfigPath: name,
		Extra: [][2]string{
			{"IdentityFile", dir + "/id"}, {"IdentitiesOnly", "yes"}, {"UserKnownHostsFile", dir + "/known_hosts"}, {"GlobalKnownHostsFile", "/dev/null"},
			{"StrictHostKeyChecking", "yes"}, {"BatchMode", "yes"}, {"ConnectTimeout", "60"},
		},
	})
	require.NoError(t, err)
	f := sshproxy.Parse(name, g.Text)
	if edit != nil {
		edit(f)
	}
	require.NoError(t, sshproxy.WriteFile(name, f.Bytes(), sshproxy.WriteOptions{}))
	return name
}

// sees is what the target sees of where a connection comes from.
var sees = map[string]string{"b1": "10.77.1.1", "b2": "10.77.2.1", "internal": "10.77.3.1"}

func askSSH(t *testing.T, config, target string, good bool) {
	t.Helper()
	r := oracle.Run(t, oracle.Cmd{
		Path: os.Getenv("LAB_SSH"), Args: []string{"-F", config, target, "echo $SSH_CONNECTION"}, Timeout: 2 * time.Minute,
		Env: []string{"SHELL=/bin/sh"},
	})
	if !good {
		require.NotZero(t, r.ExitCode, "%s", r.Stdout)
		return
	}
	require.Zero(t, r.ExitCode, "%s", r.Stderr)
	fields := strings.Fields(string(r.Stdout))
	require.NotEmpty(t, fields)
	require.Equal(t, sees[target], fields[0])
}

func viaNoForwarding(t *sshproxy.Topology) { host(t, "b1").Bastion = false }

// labStyles lets ssh use what is generated in each style.
func labStyles(t *testing.T) {
	proxy := func(url string) func(*sshproxy.Topology) {
		return func(t *sshproxy.Topology) {
			p := host(t, "b1")
			p.Proxy = url
			host(t, "b1nf").Bastion = false
			host(t, "b2").On = []string{"dmz"}
			delete(host(t, "b2").Address, "prod")
		}
	}
	commands := func(c string) func(*sshproxy.Topology) {
		return func(t *sshproxy.Topology) {
			host(t, "b1").Commands, host(t, "b2").Commands = []string{c}, []string{c}
		}
	}
	for _, row := range []struct {
		name    string
		style   sshproxy.Style
		change  func(*sshproxy.Topology)
		targets string
	}{
		{"ProxyJump", sshproxy.Auto, nil, "b1 b2 internal"},
		{"ssh -W", sshproxy.StdioStyle, nil, "b2 internal"},
		{"nc", sshproxy.NetcatStyle, commands("nc"), "b2 internal"},
		{"ncat", sshproxy.NetcatStyle, commands("ncat"), "b2 internal"},
		{"socat", sshproxy.NetcatStyle, commands("socat"), "b2 internal"},
		{"nc where forwarding is forbidden", sshproxy.Auto, viaNoForwarding, "b2 internal"},
		{"HTTP CONNECT", sshproxy.Auto, proxy("http://:8888"), "b2"},
		{"SOCKS5", sshproxy.Auto, proxy("socks5://:1080"), "b2"},
		{"old bastion", sshproxy.Auto, func(t *sshproxy.Topology) { host(t, "b1").OpenSSH, host(t, "b2").OpenSSH = "5.3", "6.6" }, "b2 internal"},
	} {
		for target := range strings.FieldsSeq(row.targets) {
			t.Run(row.name+" to "+target, func(t *testing.T) { askSSH(t, labConfig(t, row.style, row.change, nil), target, true) })
		}
	}
}

// labTransports sets other ProxyCommands into the generated configuration.
func labTransports(t *testing.T) {
	for _, row := range []struct{ command, option string }{
		{"ssh -F CONFIG -W %h:%p b1", ""},
		{"ssh -F CONFIG -W [%h]:%p b1", ""},
		{"ssh -F CONFIG b1 nc -w 10 %h %p", ""},
		{"ssh -F CONFIG b1 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill $!'", ""},
		{"nc -X connect -x 10.77.1.2:8888 %h %p", ""},
		{"ncat --proxy 10.77.1.2:8888 --proxy-type http %h %p", ""},
		{"socat - PROXY:10.77.1.2:%h:%p,proxyport=8888", ""},
		{"connect-proxy -H 10.77.1.2:8888 %h %p", ""},
		{"corkscrew 10.77.1.2 8888 %h %p", ""},
		{"proxytunnel -q -p 10.77.1.2:8888 -d %h:%p", ""},
		{"nc -X 5 -x 10.77.1.2:1080 %h %p", ""},
		{"ncat --proxy 10.77.1.2:1080 --proxy-type socks5 %h %p", ""},
		{"connect-proxy -S 10.77.1.2:1080 %h %p", ""},
		{"nc -F -X 5 -x 10.77.1.2:1080 %h %p", "ProxyUseFdpass"},
	} {
		t.Run(row.command, func(t *testing.T) {
			config := labConfig(t, sshproxy.Auto, nil, func(f *sshproxy.File) { withCommand(t, f, row.command, row.option) })
			askSSH(t, config, "b2", true)
			if oracle.Long() || strings.HasPrefix(row.command, "nc ") { // the others are processes like one another
				ask(t, labDialer(t, config), "b2")
			}
		})
	}
}

func withCommand(t *testing.T, f *sshproxy.File, command, option string) {
	t.Helper()
	require.NoError(t, f.Delete("b2", "ProxyJump"))
	require.NoError(t, f.Set("b2", "ProxyCommand", strings.ReplaceAll(command, "CONFIG", f.Name())))
	if option != "" {
		require.NoError(t, f.Set("b2", option, "yes"))
	}
}

// labOthers goes by a list of jump hosts, and where no way is.
func labOthers(t *testing.T) {
	t.Run("a list of jump hosts", func(t *testing.T) {
		config := labConfig(t, sshproxy.Auto, nil, func(f *sshproxy.File) {
			require.NoError(t, f.Delete("b2", "ProxyJump"))
			require.NoError(t, f.Set("internal", "ProxyJump", "b1,b2"))
		})
		askSSH(t, config, "internal", true)
		ask(t, labDialer(t, config), "internal")
	})
	t.Run("CONNECT, then a jump", func(t *testing.T) {
		config := labConfig(t, sshproxy.Auto, nil, func(f *sshproxy.File) {
			withCommand(t, f, "nc -X connect -x 10.77.1.2:8888 %h %p", "")
		})
		askSSH(t, config, "internal", true)
		ask(t, labDialer(t, config), "internal")
	})
	t.Run("no route without a bastion", func(t *testing.T) {
		_, err := net.DialTimeout("tcp", "10.77.3.2:2222", time.Second)
		require.Error(t, err)
	})
	t.Run("a jump through what forbids forwarding", func(t *testing.T) {
		config := labConfig(t, sshproxy.Auto, nil, func(f *sshproxy.File) { require.NoError(t, f.Set("b2", "ProxyJump", "b1nf")) })
		askSSH(t, config, "b2", false)
		_, err := labDialer(t, config).Client(within2(t), "b2")
		require.ErrorContains(t, err, "administratively prohibited")
	})
	t.Run("a loop", func(t *testing.T) {
		config := labConfig(t, sshproxy.Auto, nil, func(f *sshproxy.File) { require.NoError(t, f.Set("b2", "ProxyJump", "internal")) })
		_, err := labDialer(t, config).Client(within2(t), "internal")
		require.ErrorContains(t, err, "internal -> b2 -> internal")
	})
}

// labDials goes the generated routes inside of this process.
func labDials(t *testing.T) {
	for _, style := range []sshproxy.Style{sshproxy.Auto, sshproxy.StdioStyle, sshproxy.NetcatStyle} {
		for _, target := range []string{"b1", "b2", "internal"} {
			if style != sshproxy.Auto && target != "internal" && !oracle.Long() {
				continue
			}
			t.Run(fmt.Sprintf("style %d to %s", style, target), func(t *testing.T) {
				d := labDialer(t, labConfig(t, style, nil, nil))
				ask(t, d, target)
				conn, err := d.DialContext(within2(t), "tcp", target)
				require.NoError(t, err)
				banner := make([]byte, 8)
				_, err = io.ReadFull(conn, banner)
				require.NoError(t, err)
				require.Equal(t, "SSH-2.0-", string(banner))
				require.NoError(t, conn.Close())
			})
		}
	}
}

func labDialer(t *testing.T, config string) *Dialer {
	t.Helper()
	local, err := sshproxy.Self()
	require.NoError(t, err)
	p, err := sshproxy.ParseProfile(os.Getenv("LAB_VERSION"))
	require.NoError(t, err)
	local.Program = os.Getenv("LAB_SSH")
	return &Dialer{Resolver: &sshproxy.Resolver{Profile: p, Config: config, Local: local, Env: os.LookupEnv}, AllowCommand: true}
}

func within2(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func ask(t *testing.T, d *Dialer, target string) {
	t.Helper()
	c, err := d.Client(within2(t), target)
	require.NoError(t, err)
	s, err := c.NewSession()
	require.NoError(t, err)
	out, err := s.Output("echo $SSH_CONNECTION")
	require.NoError(t, err)
	require.Equal(t, sees[target], strings.Fields(string(out))[0])
	require.NoError(t, c.Close())
}
