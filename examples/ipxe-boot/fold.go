package main

import (
	"fmt"
	"slices"
)

const (
	headLines = 150
	tailLines = 50
	maxPeriod = 8
)

// print writes lines for a person: what repeats stands there once, with the number of
// times, and of very many lines the middle is left out.
func (p *program) print(lines []string) {
	lines = fold(lines)
	if left := len(lines) - headLines - tailLines; left > 1 {
		note := fmt.Sprintf("  ... %d lines left out; -format json has them", left)
		lines = slices.Concat(lines[:headLines], []string{note}, lines[len(lines)-tailLines:])
	}
	for _, l := range lines {
		fmt.Fprintln(p.out, l)
	}
}

// fold writes the lines that come again and again, alone or up to eight together, once.
func fold(lines []string) (out []string) {
	for i := 0; i < len(lines); {
		period, times := 1, 1
		for k := 1; k <= maxPeriod && i+2*k <= len(lines); k++ {
			n := 1
			for i+(n+1)*k <= len(lines) && slices.Equal(lines[i:i+k], lines[i+n*k:i+(n+1)*k]) {
				n++
			}
			if n > 3 && n*k > period*times {
				period, times = k, n
			}
		}
		out = append(out, lines[i:i+period]...)
		switch {
		case times > 1 && period == 1:
			out = append(out, fmt.Sprintf("  ... the line above %d times more", times-1))
		case times > 1:
			out = append(out, fmt.Sprintf("  ... the %d lines above %d times more", period, times-1))
		}
		i += period * times
	}
	return out
}
