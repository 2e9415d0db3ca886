package mcsim_test

import (
	"fmt"
	"os"
	"strings"
	"time"

	"dougu.internal/multicast/mcsim"
)

// A thousand receivers, one packet in a hundred lost at each of them.
func ExampleNew() {
	n := mcsim.New(mcsim.Options{Seed: 1, Receivers: 1000, Content: 1 << 20, Loss: 0.01, Delay: 200 * time.Microsecond, Rate: 900e6})
	if err := n.Send(); err != nil {
		fmt.Println(err)
		return
	}
	if err := n.Run(time.Minute); err != nil {
		fmt.Println(err)
		return
	}
	s := n.Stats()
	fmt.Println(s.Committed, "have switched; the content was sent less than 1.12 times:", s.Traffic < 1.12)
	// Output: 1000 have switched; the content was sent less than 1.12 times: true
}

// A host crashes after the decision; when it is back, it asks the others.
func ExampleRun() {
	script := `
		receivers 3
		content 64KiB
		delay 1ms
		rate 20M
		seed 1
		send
		at 55ms crash r2
		at 2s restart r2
		run 30s
		run for 5s
		expect committed 3`
	var trace strings.Builder
	if err := mcsim.Run(strings.NewReader(script), &trace); err != nil {
		fmt.Println(err)
	}
	for line := range strings.Lines(trace.String()) {
		if strings.Contains(line, " r2 ") {
			fmt.Fprint(os.Stdout, strings.TrimLeft(line, " "))
		}
	}
	// Output:
	// 48.559ms r2   is prepared for version 1
	// 55.000ms r2   crashes
	// 2000.000ms r2   is in doubt about epoch 1
	// 2000.000ms r2   starts again
	// 2002.000ms r2   switches to version 1
}
