//go:build unix

package smart

import (
	"syscall"
	"testing"
)

// cpu reports the processor time of an iteration beside the wall time: on a shared
// machine only the former can be compared. Use: defer cpu(b)().
func cpu(b *testing.B) func() {
	begin := used()
	return func() { b.ReportMetric(float64(used()-begin)/float64(b.N), "cpu-ns/op") }
}

func used() int64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return r.Utime.Nano() + r.Stime.Nano()
}
