package sshproxy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"dougu.internal/sshproxy"
)

// A program keeps lines of its own in a file that people edit too.
func ExampleFile_Managed() {
	f := sshproxy.Parse("config", []byte("Host db\n  User me # do not touch\n"))
	region, err := f.Managed("inventory")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, text := range []string{"Host a\n", "Host a b\n"} { // the second time its own lines alone change
		if err := region.Replace(text); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Printf("%s", f.Bytes())
	// Output:
	// Host db
	//   User me # do not touch
	// # begin inventory
	// Host a b
	// # end inventory
}

func ExampleFile_Check() {
	f := sshproxy.Parse("config", []byte("Host db\n  Prot 22\n  Port many\n"))
	for _, e := range f.Check(sshproxy.Newest()) {
		fmt.Println(e)
	}
	// Output:
	// sshproxy: config: line 2: Bad configuration option: prot
	// sshproxy: config line 3: Bad port 'many'.
}

func ExampleWriteFile() {
	dir, err := os.MkdirTemp("", "ssh")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "config")
	fmt.Println(sshproxy.WriteFile(name, []byte("Host a\n"), sshproxy.WriteOptions{}))
	info, err := os.Stat(name)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Mode())
	// Output:
	// <nil>
	// -rw-------
}

func ExampleTopology_Route() {
	topology, err := sshproxy.ParseTopology("net.json", strings.NewReader(`{
	  "networks": [{"name": "office"}, {"name": "dmz"}, {"name": "rack"}],
	  "hosts": [
	    {"name": "laptop", "on": ["office"]},
	    {"name": "b1", "on": ["office", "dmz"], "bastion": true},
	    {"name": "b2", "on": ["dmz", "rack"], "bastion": true},
	    {"name": "db", "on": ["rack"]}
	  ]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	route, err := topology.Route("laptop", "db")
	fmt.Println(route, err)
	// Output: laptop -> b1 -> b2 -> db <nil>
}

func ExampleConfigQuote() {
	for _, s := range []string{"plain", "two words", "a#b"} {
		q, err := sshproxy.ConfigQuote(s)
		fmt.Println(q, err)
	}
	// Output:
	// plain <nil>
	// "two words" <nil>
	// "a#b" <nil>
}
