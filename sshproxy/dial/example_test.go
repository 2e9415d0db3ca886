package dial_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"dougu.internal/sshproxy"
	"dougu.internal/sshproxy/dial"
)

func ExampleDialer() {
	r := &sshproxy.Resolver{
		Config: "cfg",
		Files:  sshproxy.Memory(map[string][]byte{"cfg": []byte("Host internal\n    ProxyCommand ssh -W %h:%p b1\n")}),
		Local:  sshproxy.Local{User: "me", Home: "/home/me", Hostname: "laptop"},
		Env:    os.LookupEnv,
	}
	keys := &dial.Keys{Agent: os.Getenv("SSH_AUTH_SOCK")}
	d := &dial.Dialer{Resolver: r, Auth: keys.Auth} // AllowCommand is not set: no process is started
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := d.DialContext(ctx, "tcp", "internal")
	fmt.Println(err)
	// Output:
	// dial: hop 1, internal (internal:22): command: ProxyCommand of cfg:2 is not run: AllowCommand is not set
}
