package console_test

import (
	"fmt"
	"strings"

	"dougu.internal/examples/umlconsole/console"
)

func ExampleFindBootLog() {
	log := `mconsole (version 2) initialized on /root/.uml/lb1/mconsole
# Virtual console 1 assigned device '/dev/pts/4'
Virtual console 2 assigned device '/etc/passwd'
`
	for d, err := range console.FindBootLog(strings.NewReader(log)) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		args, err := console.ScreenArgs("lb1-"+d.Label, d)
		fmt.Println(d.Label, args, err)
	}
	// Output:
	// con1 [screen -dmS lb1-con1 /dev/pts/4] <nil>
	// console: invalid path "/etc/passwd" of console "con2", want /dev/pts/N
}
