package syslogw_test

import (
	"context"
	"fmt"
	"net"
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
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	l.Close() // the collector is down
	w, err := syslogw.Open(context.Background(), syslogw.Config{
		Network: "relp", Addr: l.Addr().String(), Ident: "httpd", Spool: dir,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	w.WriteLine([]byte(`127.0.0.1 - - "GET / HTTP/1.1" 200 3`))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if w.Flush(ctx) != nil {
		fmt.Println("the line is not delivered yet")
	}
	w.Close()
	fmt.Println(w.Stats().Spooled, "line in the spool")
	// Output:
	// the line is not delivered yet
	// 1 line in the spool
}
