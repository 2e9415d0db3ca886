package spool_test

import (
	"fmt"
	"os"

	"dougu.internal/examples/accesslog/spool"
)

func Example() {
	dir, err := os.MkdirTemp("", "spool-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s, err := spool.Open(dir, spool.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	s.Append([]byte("GET / 200"))
	s.Append([]byte("GET /next 404"))
	r, _, _ := s.Next()
	s.Ack(r.End, 1) // the first one has arrived
	s.Close()

	s, err = spool.Open(dir, spool.Options{}) // after a restart
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	r, _, _ = s.Next()
	fmt.Printf("%d waits: %s\n", s.Waiting(), r.Data)
	// Output: 1 waits: GET /next 404
}
