package live_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"dougu.internal/stracelog"
	"dougu.internal/stracelog/live"
)

// Ten seconds of one process: each request as it ends.
func ExampleAttach() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	t, err := live.Attach(ctx, 8139, live.Options{Flags: []string{"-e", "trace=network,poll"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	defer t.Close()
	_, err = stracelog.AnalyzeReader(t.Reader(), stracelog.OnRequest(func(q *stracelog.Request) {
		fmt.Println(q.Bottleneck.Text)
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
