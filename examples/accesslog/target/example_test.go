package target_test

import (
	"context"
	"fmt"
	"os"

	"dougu.internal/examples/accesslog/target"
)

func ExampleChain() {
	open := target.Chain(target.Syslog{}, target.Pipe{}, target.Standard{Writer: os.Stdout}, target.File{})
	s, err := open.Open(context.Background(), "-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	s.WriteLine([]byte("GET / 200"))
	_, err = open.Open(context.Background(), "syslog:local8.info:httpd")
	fmt.Printf("%.50s...\n", err)
	// Output:
	// GET / 200
	// target: column 8: unknown syslog facility "local8"...
}
