package keepalived

import "strings"

// Masked returns the bytes of a file that was read with every secret replaced by
// asterisks, one for each byte, so that offsets stay: passwords, keys, and the
// definitions of variables that hold them. It is what programs show of the source. It
// returns nil for a file that was not read.
func (c *Config) Masked(name string) []byte {
	for i := range c.sources {
		if c.sources[i].name == name {
			return c.mask(int32(i))
		}
	}
	return nil
}

// secretWords are the keywords whose value is a secret.
var secretWords = []string{"auth_pass", "password", "key"}

func (c *Config) mask(file int32) []byte {
	out := []byte(c.sources[file].text)
	text := c.sources[file].text
	names := map[string]bool{}
	hide := func(from, to int) {
		for i := from; i < to; i++ {
			if !isBlank(out[i]) && out[i] != '{' && out[i] != '}' {
				out[i] = '*'
			}
		}
	}
	for _, k := range secretWords {
		for at := 0; ; {
			i := strings.Index(text[at:], k)
			if i < 0 {
				break
			}
			from := at + i + len(k)
			at = from
			if from < len(text) && !isBlank(text[from]) && text[from] != '"' || from-len(k) > 0 && isName(text[from-len(k)-1]) {
				continue
			}
			end := len(text)
			if n := strings.IndexByte(text[from:], '\n'); n >= 0 {
				end = from + n
			}
			if strings.TrimSpace(text[from:end]) == "" && end < len(text) {
				// The value may stand on the next line by mistake.
				if n := strings.IndexByte(text[end+1:], '\n'); n >= 0 {
					end = end + 1 + n
				} else {
					end = len(text)
				}
			}
			line := text[from:end]
			for p := 0; p < len(line); p++ {
				if line[p] != '$' {
					continue
				}
				q := p + 1
				if q < len(line) && line[q] == '{' {
					q++
				}
				s := q
				for q < len(line) && isName(line[q]) {
					q++
				}
				names[line[s:q]] = true
			}
			hide(from, end)
			at = end
		}
	}
	// Releases without variables take a definition for a keyword.
	for from := 0; from < len(text) && strings.IndexByte(text, '$') >= 0; {
		end := len(text)
		if n := strings.IndexByte(text[from:], '\n'); n >= 0 {
			end = from + n
		}
		name, _, ok := strings.Cut(strings.TrimLeft(text[from:end], " \t"), "=")
		if ok && strings.HasPrefix(name, "$") && c.profile.Version.before(Version{1, 4, 0}) {
			hide(from+strings.IndexByte(text[from:end], '=')+1, end)
		}
		from = end + 1
	}
	for _, d := range c.defs {
		if names[d.name] && d.line.file == file {
			line := text[d.line.from:d.line.to]
			if n := strings.IndexByte(line, '='); n >= 0 {
				hide(int(d.line.from)+n+1, int(d.line.to))
			}
		}
	}
	return out
}
