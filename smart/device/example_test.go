package device_test

import (
	"context"
	"errors"
	"fmt"

	"dougu.internal/smart/device"
)

func ExampleOpen() {
	d, err := device.Open("/dev/nonexistent")
	if err != nil {
		fmt.Println("cannot open:", err != nil, errors.Is(err, device.ErrPermission))
		return
	}
	defer d.Close()
	s, err := d.Snapshot(context.Background())
	fmt.Println(s, err)
	// Output: cannot open: true false
}
