package sshproxy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// flagLines are command lines of ssh, after -G.
var flagLines = []string{
	"-4", "-6", "-A", "-a", "-A -a", "-b 192.0.2.1", "-B lo", "-c aes128-ctr", "-c nonsense", "-m hmac-sha2-256", "-C", "-e ^X", "-e none", "-g", "-K", "-k",
	"-i key", "-i c", "-i gone", "-L 8080:h:80", "-L nonsense", "-R 8080:h:80", "-R 8080", "-D 1080", "-M", "-M -M", "-n", "-N", "-q", "-S /run/s", "-s",
	"-T", "-t", "-tt", "-v", "-vv", "-vvv", "-vvvv", "-w 1:2", "-W x:22", "-X", "-x", "-Y", "-y", "-E log", "-o Port=3 -p 4", "-p 4 -o Port=3",
	"-o ForwardAgent=no -A", "-A -o ForwardAgent=no", "-o AddressFamily=inet -6", "-NT", "-tN", "-4AC -L 1:a:2 -L 3:b:4", "-l u -i c -i c", "-o SessionType=none -t",
	"-W x:22 -L 1:a:2", "-N -W x:22",
}

func TestFlagsAgreeWithSSH(t *testing.T) {
	tool := sshTool.Need(t)
	p := profileOf(t, tool)
	var cases []sshCase
	for _, line := range flagLines {
		if line == "-E log" || strings.HasPrefix(line, "-M") && p.Version() < 90000 {
			continue // the one writes a file in place of the messages
		}
		cases = append(cases, sshCase{files: map[string]string{config: ""}, args: append(strings.Fields(line), "-F", config, "h"), seed: line})
	}
	for _, line := range []string{
		"h -p 3 -- ls", "h -p 3 ls -p 4", "h -- -p 3", "-- h -p 3", "-- h -- ls", "-p 5 h -p 3", "u@h -l v", "-l v u@h", "h -N", "h -l x -v -v",
		"-A h -a", "h -A -a", "h - -p 3", "h -J j -p 3", "h -oPort=9 -p 3", "ssh://u@h:8 -p 3 -l v", "h -o Port=x", "h a b -N", "h -N b -T",
	} {
		args := append([]string{"-F", config}, strings.Fields(line)...)
		cases = append(cases, sshCase{files: map[string]string{config: ""}, args: args, seed: line})
	}
	compareAll(t, tool, p, cases)
}

func TestFlagsAfterTheDestination(t *testing.T) {
	for _, row := range []struct{ line, command, port string }{
		{"h -p 3 -- ls -l", "ls -l", "3"},
		{"h -p 3 ls -p 4", "ls -p 4", "3"},
		{"h -- -p 3", "-p 3", "22"},
		{"-- h -p 3", "-p 3", "22"},
		{"-- h -- ls", "-- ls", "22"},
		{"h --", "", "22"},
	} {
		c, err := ParseCommandLine(strings.Fields(row.line))
		require.NoError(t, err, row.line)
		require.Equal(t, row.command, c.Target.Command, row.line)
		r := &Resolver{Config: "cfg", Files: Memory(map[string][]byte{"cfg": nil}), Local: Local{User: "me"}}
		res, err := r.Resolve(t.Context(), c.Target)
		require.NoError(t, err, row.line)
		require.Equal(t, row.port, res.Port(), row.line)
	}
	for _, line := range []string{"", "--", "-p 3", "-p 3 --"} {
		_, err := ParseCommandLine(strings.Fields(line))
		require.ErrorContains(t, err, "a destination is missing", line)
	}
}

func TestCommandsDecideMatches(t *testing.T) {
	const text = "Match command \"ls*\"\n  User a\nMatch sessiontype none\n  Port 9\nMatch sessiontype exec\n  Tag x\nMatch sessiontype subsystem\n  Tag s\nMatch sessiontype shell\n  Tag sh\n"
	for _, row := range []struct{ line, user, port, tag string }{
		{"h ls -l", "a", "22", "x"},
		{"h id", "me", "22", "x"},
		{"h", "me", "22", "sh"},
		{"-N h", "me", "9", ""},
		{"-W x:1 h", "me", "9", ""},
		{"-s h sftp", "me", "22", "s"},
	} {
		c, err := ParseCommandLine(strings.Fields(row.line))
		require.NoError(t, err)
		r := &Resolver{Config: "cfg", Files: Memory(map[string][]byte{"cfg": []byte(text)}), Local: Local{User: "me"}}
		res, err := r.Resolve(t.Context(), c.Target)
		require.NoError(t, err, row.line)
		require.Equal(t, []string{row.user, row.port, row.tag}, []string{res.User(), res.Port(), res.Get("Tag")}, row.line)
	}
}

// TestProxyCommandWithFlagsAfterItsHost: ssh reads flags after the destination as well.
func TestProxyCommandWithFlagsAfterItsHost(t *testing.T) {
	text := "Host a\n  ProxyCommand ssh -F cfg b -p 99 -W %h:%p\n"
	r := &Resolver{Config: "cfg", Files: Memory(map[string][]byte{"cfg": []byte(text)}), Local: Local{User: "me"}}
	chain, err := r.Chain(t.Context(), Target{Host: "a"})
	require.NoError(t, err)
	require.Len(t, chain.Hops, 1)
	require.Len(t, chain.Hops[0].Inner, 1)
	require.Equal(t, "99", chain.Hops[0].Inner[0].Port)
}
