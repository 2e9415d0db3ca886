package syslogw_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"dougu.internal/examples/accesslog/syslogw"
)

func ExampleOpen() {
	dir, err := os.MkdirTemp("", "spool-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	w, err := syslogw.Open(context.Background(), syslogw.Config{
		Network: "relp", Addr: "127.0.0.1:1", Ident: "httpd", Spool: dir, // nobody listens there
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.WriteLine([]byte(`127.0.0.1 - - "GET / HTTP/1.1" 200 3`))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if w.Flush(ctx) != nil {
		fmt.Println("the collector is down")
	}
	w.Close()
	fmt.Println(w.Stats().Spooled, "line in the spool")
	// Output:
	// the collector is down
	// 1 line in the spool
}
