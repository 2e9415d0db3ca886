package stracelog_test

import (
	"fmt"
	"log"
	"os"

	"dougu.internal/stracelog"
)

// The trace of one request that a published story shows: where did 137 ms go?
func ExampleAnalyze() {
	f, err := os.Open("testdata/request.strace")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	report, err := stracelog.Analyze(stracelog.NewReader(f).Events())
	if err != nil {
		log.Fatal(err)
	}
	for _, q := range report.Requests {
		b := q.Bottleneck
		fmt.Println(b.Text)
		fmt.Println("confidence:", b.Confidence)
	}
	// Output:
	// 111.748 ms of 137.690 ms (81 %) between memcached's answer (line 15) and the next traced call (line 17): no SQL, no network; application code or an untraced call; no traced syscall stands there, MySQL comes next
	// confidence: cannot tell
}

func ExampleReader() {
	f, err := os.Open("testdata/request.strace")
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	for e, err := range stracelog.NewReader(f).Events() {
		if err != nil {
			log.Fatal(err)
		}
		if e.Ret.Failed() {
			fmt.Printf("line %d: %s failed with %s (%s) after %v\n", e.Line, e.Name, e.Ret.Errno, e.Ret.Text(), e.Dur)
		}
	}
	// Output:
	// line 10: connect failed with EINPROGRESS (Operation now in progress) after 19µs
	// line 24: connect failed with EINPROGRESS (Operation now in progress) after 25µs
}
