package lint_test

import (
	"context"
	"fmt"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
)

func ExampleScript() {
	s := ipxe.Parse("boot.ipxe", []byte("#!ipxe\nset i 0\ninc i\nchain http://h/x?p=${product} ||\n"))
	list, err := lint.Script(context.Background(), s, lint.Options{})
	for _, d := range list {
		fmt.Println(d)
	}
	fmt.Println(err)
	// Output:
	// boot.ipxe:3:1: warning: inc fails: i holds text [IP310]
	// boot.ipxe:4:20: warning: the text of product goes into the URL as it is [IP502]
	// <nil>
}

func ExampleDHCP() {
	fmt.Println(lint.DHCP(context.Background(), "dhcpd.conf", []byte("filename \"undionly.kpxe\";\n"), lint.Options{}))
	// Output: dhcpd.conf:1:11: error: iPXE is given iPXE again and again [IP602] <nil>
}
