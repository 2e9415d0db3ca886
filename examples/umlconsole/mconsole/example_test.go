package mconsole_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"dougu.internal/examples/umlconsole/mconsole"
)

func Example() {
	guests, err := mconsole.List() // those below ~/.uml
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range guests {
		c, err := mconsole.Dial(g.Socket())
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		ch, err := c.Console(ctx, "con1")
		cancel()
		fmt.Println(g.Name, ch.Device, err)
	}
}

func ExampleDial() {
	_, err := mconsole.Dial("/nonexistent/guest/mconsole")
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}
