package export_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"

	"dougu.internal/stracelog"
	"dougu.internal/stracelog/export"
)

const trace = `7 1795337041.234369 accept(3, NULL, NULL) = 8 <0.000010>
7 1795337041.234400 read(8, "GET / HTTP/1.1\r\n"..., 8192) = 100 <0.000010>
7 1795337041.284400 write(8, "HTTP/1.1 200 OK\r\n"..., 300) = 300 <0.000010>
7 1795337041.284500 close(8) = 0 <0.000005>
`

func report() *stracelog.Report {
	r, err := stracelog.AnalyzeReader(stracelog.NewReader(strings.NewReader(trace)))
	if err != nil {
		log.Fatal(err)
	}
	return r
}

// A profile for go tool pprof: here only its size is looked at.
func ExamplePprof() {
	var b bytes.Buffer
	err := export.Pprof(&b, report())
	fmt.Println(b.Len() > 100, err)
	// Output: true <nil>
}

// A page that opens from disk and loads nothing.
func ExampleHTML() {
	var b bytes.Buffer
	err := export.HTML(&b, report(), 0)
	fmt.Println(strings.Contains(b.String(), "<title>"), strings.Contains(b.String(), "<script"), err)
	// Output: true false <nil>
}

// A timeline for Chrome's trace viewer and Perfetto, written while the log is read.
func ExampleChrome() {
	var b bytes.Buffer
	c := export.NewChrome(&b)
	r := stracelog.NewReader(strings.NewReader(trace))
	if _, err := stracelog.AnalyzeReader(r, stracelog.OnCall(c.Call), stracelog.OnRequest(c.Request)); err != nil {
		log.Fatal(err)
	}
	err := c.Close()
	fmt.Println(strings.Count(b.String(), `"ph":"X"`), err)
	// Output: 5 <nil>
}

func ExampleSlowest() {
	for _, q := range export.Slowest(report(), 1) {
		fmt.Println(q.Verb, q.Duration())
	}
	// Output: GET 50.126ms
}
