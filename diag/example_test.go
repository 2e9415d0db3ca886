package diag_test

import (
	"fmt"
	"os"

	"dougu.internal/diag"
)

func Example() {
	src := []byte("advert_int 0\nstate MASTER\n")
	lines := diag.NewLines(src)
	list := diag.List{{
		Rule:     "X001",
		Severity: diag.Error,
		Range:    lines.Range("vrrp.conf", 11, 12),
		Message:  "advert_int must be at least 0.01 s",
		Fixes: []diag.Fix{{
			Message: "use one second",
			Edits:   []diag.Edit{{Range: lines.Range("vrrp.conf", 11, 12), NewText: "1"}},
		}},
	}}
	_ = diag.WriteText(os.Stdout, list, func(string) []byte { return src })

	fixed, n, err := diag.ApplyFixes(src, "vrrp.conf", list)
	fmt.Printf("%d fix, %v:\n%s", n, err, fixed)
	// Output:
	// vrrp.conf:1:12: error: advert_int must be at least 0.01 s [X001]
	//     1 | advert_int 0
	//       |            ^
	//       = fix: use one second
	// 1 fix, <nil>:
	// advert_int 1
	// state MASTER
}
