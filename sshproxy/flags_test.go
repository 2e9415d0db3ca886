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
	compareAll(t, tool, p, cases)
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
