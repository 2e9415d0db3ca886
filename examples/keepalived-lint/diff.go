package main

import (
	"bytes"
	"fmt"
	"io"

	"dougu.internal/diag"
)

// showDiff prints the removed lines with - and the added lines with +, each with its number.
func showDiff(w io.Writer, name string, before, after []byte) {
	a, b := bytes.Split(before, []byte{'\n'}), bytes.Split(after, []byte{'\n'})
	fmt.Fprintf(w, "--- %s\n+++ %s\n", diag.Sanitize(name), diag.Sanitize(name))
	i, k := 0, 0
	for i < len(a) || k < len(b) {
		if i < len(a) && k < len(b) && bytes.Equal(a[i], b[k]) {
			i++
			k++
			continue
		}
		// The next pair of equal lines within reach ends the change.
		di, dk := next(a[i:], b[k:])
		for ; di > 0; di-- {
			fmt.Fprintf(w, "%5d - %s\n", i+1, diag.Sanitize(string(a[i])))
			i++
		}
		for ; dk > 0; dk-- {
			fmt.Fprintf(w, "%5d + %s\n", k+1, diag.Sanitize(string(b[k])))
			k++
		}
	}
}

// next returns how many lines of each side differ before they agree again.
func next(a, b [][]byte) (int, int) {
	const reach = 200
	for sum := 1; sum < reach; sum++ {
		for i := range sum + 1 {
			k := sum - i
			if i < len(a) && k < len(b) && bytes.Equal(a[i], b[k]) {
				return i, k
			}
		}
	}
	return len(a), len(b)
}
