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

// print prints lines without repetitions. If there are very many lines, it leaves out the
// middle.
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

// fold returns lines in which each repeated group of up to maxPeriod lines appears once,
// followed by the number of repetitions.
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
