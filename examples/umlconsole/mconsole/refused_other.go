//go:build !unix

package mconsole

// refused reports false, because guests run on Linux only.
func refused(error) bool { return false }

func alive(int) bool { return false }
