package relp_test

import (
	"context"
	"fmt"
	"time"

	"dougu.internal/examples/accesslog/relp"
)

func ExampleDial() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	c, err := relp.Dial(ctx, "tcp", "127.0.0.1:1", relp.Config{})
	if err != nil {
		fmt.Println("no collector there; the lines stay where they are")
		return
	}
	defer c.Close()
	c.Send(ctx, []byte("<134>1 2009-10-22T07:56:00Z web1 httpd 1 - - GET / 200"), func(err error) {
		fmt.Println("answered:", err)
	})
	c.Wait(ctx)
	// Output: no collector there; the lines stay where they are
}
