package relp_test

import (
	"context"
	"fmt"
	"net"
	"time"

	"dougu.internal/examples/accesslog/relp"
)

func ExampleDial() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	l.Close() // the collector is down
	c, err := relp.Dial(ctx, "tcp", l.Addr().String(), relp.Config{})
	if err != nil {
		fmt.Println("the collector does not answer; the lines are kept")
		return
	}
	defer c.Close()
	c.Send(ctx, []byte("<134>1 2009-10-22T07:56:00Z web1 httpd 1 - - GET / 200"), func(err error) {
		fmt.Println("reply:", err)
	})
	c.Wait(ctx)
	// Output: the collector does not answer; the lines are kept
}
