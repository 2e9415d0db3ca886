package sshproxy

import (
	"context"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzResolve holds that any configuration and any target get an answer of every build,
// that what is found with the index is what is found without, and that the answer
// explains itself.
func FuzzResolve(f *testing.F) {
	f.Add("Host a b\n Port 1\nMatch final host \"x\"\n Include y*\n", "a", "Port 2\n")
	f.Add("ProxyJump u@a:1,ssh://b\nLocalForward 1 [::1]:2\nIPQoS ef\nRekeyLimit 1.5G 1h\n", "root@h", "")
	f.Add("Host *a*a*a*a*b\nMatch exec \"x %C\" user b,!c\nUserKnownHostsFile ${HOME}/%d ~x\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "")
	f.Add("IgnoreUnknown *\n\x00\nCiphers +a*\nEscapeChar ^]\nSetEnv A='b c'\nControlPath %", "0x7f.1", "User x")
	f.Fuzz(func(t *testing.T, text, destination, included string) {
		target, err := ParseTarget(destination)
		if err != nil {
			return
		}
		files := FS(fstest.MapFS{"c": {Data: []byte(text)}, "home/.ssh/y1": {Data: []byte(included)}})
		for _, p := range []Profile{OpenSSH(8, 4), mustProfile("9.2p1-debian"), OpenSSH(9, 9), Newest()} {
			r := &Resolver{Profile: p, Config: "c", Files: files, Local: Local{User: "u", Home: "/home", Hostname: "vm"}, Env: func(n string) (string, bool) { return n, n != "X" }}
			var first string
			for i := range 3 {
				res, err := r.Resolve(context.Background(), target)
				got := ""
				if err != nil {
					got = err.Error()
				} else {
					var b strings.Builder
					if err := res.WriteG(&b); err != nil {
						t.Fatal(err)
					}
					got = b.String()
				}
				if i == 0 {
					first = got
				} else if got != first {
					t.Fatalf("%s: answer %d differs: %q, then %q", p.String(), i, first, got)
				}
				if err == nil && i == 0 {
					if _, err := res.ExplainAll(); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := r.Chain(context.Background(), target)
			var ce *ConfigError
			if err != nil && errors.As(err, &ce) && len(ce.Messages) == 0 {
				t.Fatal("an error without a message")
			}
		}
	})
}

// FuzzLint holds that linting any text ends, and that each fix can be applied.
func FuzzLint(f *testing.F) {
	for _, row := range lintRows {
		f.Add(row.bad)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := LintInput{Files: []*File{Parse("c", []byte(text))}}
		r := &Resolver{Files: FS(fstest.MapFS{}), Local: Local{User: "u", Home: "/home"}}
		list, err := Lint(context.Background(), in, LintOptions{Resolver: r})
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Range.Start.Offset < 0 || d.Range.End.Offset > len(text) || d.Range.Start.Offset > d.Range.End.Offset {
				t.Fatalf("%v is outside of the text", d.Range)
			}
		}
		fixed, _, err := applyFixes(text, list)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		Parse("c", fixed)
	})
}

// FuzzQuote gives quoted words to a real shell and to the reader of configurations.
func FuzzQuote(f *testing.F) {
	f.Add("a b")
	f.Add("it's $HOME `id` \\ \"x\" #")
	f.Add("-n")
	sh, err := exec.LookPath("sh")
	if err != nil {
		f.Skip("no sh")
	}
	f.Fuzz(func(t *testing.T, s string) {
		if word, err := ShellQuote(s); err == nil {
			out, err := exec.Command(sh, "-c", "printf '%s' "+word).Output()
			if err != nil || string(out) != s {
				t.Fatalf("%q became %q: the shell reads %q, %v", s, word, out, err)
			}
		}
		if word, err := ConfigQuote(s); err == nil {
			list, ok := splitArguments(nil, word)
			if !ok || len(list) != 1 || list[0] != s {
				t.Fatalf("%q became %q: read as %q", s, word, list)
			}
		}
		if e := expand(EscapePercent(s), &tokens{}, nil); e.bad || e.text != s {
			t.Fatalf("%q with %% doubled expands to %q", s, e.text)
		}
		if ValidHost(s) == nil && strings.ContainsAny(s, ";&|$`'\"\n <>()") {
			t.Fatalf("%q passes for a host", s)
		}
	})
}

// FuzzTopology holds that any JSON is an error or a topology of which every generated
// text was proven.
func FuzzTopology(f *testing.F) {
	f.Add([]byte(topologyJSON))
	f.Fuzz(func(t *testing.T, text []byte) {
		top, err := ParseTopology("t.json", strings.NewReader(string(text)))
		if err != nil || len(top.Hosts) == 0 || len(top.Hosts) > 20 {
			return
		}
		for _, style := range []Style{Auto, StdioStyle, NetcatStyle} {
			g, err := top.Generate(GenerateOptions{From: top.Hosts[0].Name, Style: style})
			if err != nil && strings.Contains(err.Error(), "does not say what was meant") {
				t.Fatalf("%s: %v", text, err)
			}
			if err == nil {
				io.Discard.Write(g.Text)
			}
		}
	})
}
