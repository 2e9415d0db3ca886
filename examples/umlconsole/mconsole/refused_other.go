//go:build !unix

package mconsole

// refused returns false: guests run on Linux only.
func refused(error) bool { return false }

func alive(int) bool { return false }
