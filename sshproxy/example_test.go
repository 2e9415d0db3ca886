package sshproxy_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/sshproxy"
)

const config = `Host internal
    HostName 10.77.3.2
    Port 2222
    ProxyJump b2
Host b2
    ProxyJump b1
Host *
    Port 22
    User me
`

func resolver(text string) *sshproxy.Resolver {
	return &sshproxy.Resolver{
		Config: "cfg",
		Files:  sshproxy.Memory(map[string][]byte{"cfg": []byte(text)}),
		Local:  sshproxy.Local{User: "me", Home: "/home/me", Hostname: "laptop"},
	}
}

func ExampleResolver_Resolve() {
	res, err := resolver(config).Resolve(context.Background(), sshproxy.Target{Host: "internal"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.User(), res.Host(), res.Get("Port"), res.Get("ProxyJump"), res.Get("Compression"))
	_, err = resolver("Port 65536\n").Resolve(context.Background(), sshproxy.Target{Host: "h"})
	fmt.Println(err)
	// Output:
	// me 10.77.3.2 2222 b2 no
	// sshproxy: cfg line 1: Bad port '65536'.
	// cfg: terminating, 1 bad configuration options
}

func ExampleResult_Explain() {
	res, err := resolver(config).Resolve(context.Background(), sshproxy.Target{Host: "internal"})
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := res.Explain("Port")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Option, e.Values, "set at", e.Set[0], "not at", e.Shadowed[0])
	// Output:
	// Port [2222] set at cfg:3 not at cfg:8
}

func ExampleResolver_Chain() {
	chain, err := resolver(config).Chain(context.Background(), sshproxy.Target{Host: "internal"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, h := range chain.All() {
		fmt.Printf("%s, %s: %s.\n", h.Alias, h.Via, h.ShellLine)
	}
	_, err = resolver("Host a\n ProxyJump b\nHost b\n ProxyJump a\n").Chain(context.Background(), sshproxy.Target{Host: "a"})
	fmt.Println(err)
	// Output:
	// b1, direct: .
	// b2, jump: exec ssh -F cfg -W '[b2]:22' b1.
	// internal, jump: exec ssh -F cfg -W '[10.77.3.2]:2222' b2.
	// sshproxy: the chain of jump hosts loops: a -> b -> a
}

func ExampleFile_Set() {
	f := sshproxy.Parse("config", []byte("# mine\nHost a\n\tPort = 22   \n"))
	if err := f.Set("a", "Port", "2222"); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%q\n", f.Bytes())
	fmt.Println(f.Set("a", "Port", "1\nProxyCommand id"))
	// Output:
	// "# mine\nHost a\n\tPort = 2222   \n"
	// sshproxy: Port: the value "1\nProxyCommand id" holds a control character: it would begin another line or be lost
}

func ExampleTopology_Generate() {
	topology, err := sshproxy.ParseTopology("net.json", strings.NewReader(`{
	  "networks": [{"name": "internet"}, {"name": "prod"}],
	  "hosts": [
	    {"name": "laptop", "on": ["internet"]},
	    {"name": "gate", "on": ["internet", "prod"], "bastion": true},
	    {"name": "internal", "on": ["prod"], "address": {"prod": "10.77.3.2"}}
	  ]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	g, err := topology.Generate(sshproxy.GenerateOptions{From: "laptop", Client: sshproxy.OpenSSH(7, 2)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(g.Text))
	// Output:
	// # ssh_config for laptop, made for OpenSSH 7.2p1: change the topology, not this text.
	//
	// # laptop -> gate, cost 0
	// Host gate
	//     ProxyCommand none
	//
	// # laptop -> gate -> internal, cost 1
	// Host internal
	//     HostName 10.77.3.2
	//     ProxyCommand ssh -W '[%h]:%p' gate
}

func ExampleLint() {
	text := []byte("Host web,db\n    ProxyCommand \"nc %h %p\"\n")
	list, err := sshproxy.Lint(context.Background(), sshproxy.LintInput{Files: []*sshproxy.File{sshproxy.Parse("cfg", text)}}, sshproxy.LintOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range list {
		fmt.Println(d)
	}
	fixed, n, err := diag.ApplyFixes(text, "cfg", list)
	fmt.Println(n, err)
	os.Stdout.Write(fixed)
	// Output:
	// cfg:1:6: error: a comma in a Host pattern is a letter like any other [SP109]
	// cfg:2:18: error: the quotes make the whole command the name of one program [SP306]
	// 2 <nil>
	// Host web db
	//     ProxyCommand nc %h %p
}

func ExampleShellQuote() {
	for _, s := range []string{"plain-1.2", "it's", "a\nb"} {
		fmt.Println(sshproxy.ShellQuote(s))
	}
	// Output:
	// plain-1.2 <nil>
	// 'it'\''s' <nil>
	//  sshproxy: "a\nb" holds a control character
}

func ExampleParseProfile() {
	p, err := sshproxy.ParseProfile("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.19 27 Jan 2026")
	fmt.Println(p, p.Knows("Tag"), err)
	// Output:
	// 9.2p1-debian-2+deb12u10 false <nil>
}
