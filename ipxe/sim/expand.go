package sim

import "strings"

// maxExpansions bounds the replacements in one word; a self-referring setting that does
// not grow makes for ever.
const maxExpansions = 10_000

// heap is about what a BIOS build has for all its text; a word that grows beyond it
// ends with "Not enough space" on the machine.
const heap = 512 << 10

// expand replaces the settings in a word: the first closing brace with the nearest
// opening before it, and what is put in is looked at again. Text already passed is not
// scanned twice, so that the work is linear in the text that comes by.
func (r *runner) expand(word string) (string, Status) {
	var startRoom [4]int
	var pendingRoom [4]string
	out := make([]byte, 0, len(word)+32)
	starts := startRoom[:0]                  // of "${" in out
	pending := append(pendingRoom[:0], word) // to be read, the last one first
	for n := 0; len(pending) > 0; {
		top := len(pending) - 1
		text := pending[top]
		pending = pending[:top]
		i := 0
		for i < len(text) {
			c := text[i]
			i++
			out = append(out, c)
			switch {
			case c == '{' && len(out) > 1 && out[len(out)-2] == '$':
				starts = append(starts, len(out)-2)
				continue
			case c != '}' || len(starts) == 0:
				continue
			}
			start := starts[len(starts)-1]
			starts = starts[:len(starts)-1]
			name := string(out[start+2 : len(out)-1])
			out = out[:start]
			if n++; n > maxExpansions || !r.step() {
				r.stop(HazardExpansion, "a setting whose value expands to itself again and again")
				return string(out), OK
			}
			value := r.lookup(name)
			if !r.charge(len(value)) {
				return string(out), OK
			}
			if i < len(text) {
				pending = append(pending, text[i:])
			}
			pending = append(pending, value)
			if len(out)+len(value) > heap {
				if strings.Contains(value, "${") {
					r.hazard(HazardExpansion, "a setting whose value grows as it expands")
				}
				return "", enomemExec
			}
			break
		}
	}
	return string(out), OK
}

// lookup returns the value of a ${name}, empty when there is none.
func (r *runner) lookup(name string) string {
	b, s, status := r.parseName(name, false)
	if status != OK {
		return ""
	}
	text, _, _, status := r.formatted(b, &s)
	if status != OK {
		return ""
	}
	return cString(text)
}
