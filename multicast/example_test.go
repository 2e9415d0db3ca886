package multicast_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"

	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// Two hosts receive a directory. Both and the sender are in one process here, and the
// network is in memory and loses every tenth packet.
func Example() {
	if err := story(); err != nil {
		fmt.Println(err)
	}
	// Output:
	// web1 committed: [www/index.html www]
	// web2 committed: [www/index.html www]
}

func story() error {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	network := mcsim.NewSwitch(1)
	network.Loss = 0.1
	group := netip.MustParseAddrPort("239.192.0.1:5000")
	for _, name := range []string{"web1", "web2"} {
		n, err := multicast.Join(ctx, multicast.Config{Group: group, Name: name, Transport: network})
		if err != nil {
			return err
		}
		defer n.Close()
		base := filepath.Join(dir, name)
		if err := os.Mkdir(base, 0o755); err != nil {
			return err
		}
		if _, err := n.Receive(base, multicast.ReceiveOptions{}); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "src", "www"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "src", "www", "index.html"), []byte("new"), 0o644); err != nil {
		return err
	}
	n, err := multicast.Join(ctx, multicast.Config{Group: group, Name: "deploy", Transport: network})
	if err != nil {
		return err
	}
	defer n.Close()
	report, err := n.Send(ctx, filepath.Join(dir, "src"), multicast.SendOptions{Paths: []string{"www"}, Recursive: true, MinMembers: 2})
	for _, h := range report.Hosts {
		fmt.Printf("%s %v: %v\n", h.Name, h.State, h.Updated)
	}
	return err
}

func ExampleConfig_Validate() {
	fmt.Println(multicast.Config{Key: []byte("short")}.Validate())
	// Output: multicast: invalid key length 5, want 32 bytes
}

func ExampleChildrenFirst() {
	fmt.Println(multicast.ChildrenFirst([]string{"www", "www/css", "www/css/a.css", "www/index.html"}))
	// Output: [www/css/a.css www/css www/index.html www]
}
