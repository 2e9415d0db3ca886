package smart

import (
	"bytes"

	"dougu.internal/smart/internal/scan"
)

// unwrap removes what mail, terminals and loggers put before each line: "> " and the
// head of a syslog line. It returns b itself if most lines have nothing of that kind.
func unwrap(b []byte) []byte {
	quoted, logged, lines := 0, 0, 0
	for l := range bytes.Lines(b) {
		if l = bytes.TrimSpace(l); len(l) == 0 {
			continue
		}
		lines++
		if l[0] == '>' {
			quoted++
		}
		if syslogHead(l) > 0 {
			logged++
		}
		if lines == 200 {
			break
		}
	}
	switch {
	case quoted*2 > lines:
	case logged*2 > lines:
	default:
		return b
	}
	out := make([]byte, 0, len(b))
	for l := range bytes.Lines(b) {
		if quoted*2 > lines {
			for len(l) > 0 && (l[0] == '>' || l[0] == ' ' && len(l) > 1 && l[1] == '>') {
				l = l[1:]
			}
		} else {
			l = l[syslogHead(l):]
		}
		out = append(out, l...)
	}
	return out
}

// syslogHead returns the length of "Mar  3 04:12:09 host program[811]: " or
// "2026-03-03T04:12:09+01:00 host program[811]: " at the start of a line; 0 if there is
// none.
func syslogHead(l []byte) int {
	i := stamp(l)
	if i == 0 {
		return 0
	}
	rest := l[i:]
	host, rest := scan.Word(rest)
	prog, text := scan.Word(rest)
	if len(host) == 0 || len(prog) < 2 || prog[len(prog)-1] != ':' {
		return 0
	}
	return len(l) - len(text)
}

// stamp returns the length of the time at the start of a line with the spaces after it.
func stamp(l []byte) int {
	var end int
	switch {
	case len(l) > 16 && l[3] == ' ' && l[6] == ' ' && l[9] == ':' && l[12] == ':' && scan.Digit(l[5]) &&
		bytes.Contains(months, l[:3]):
		end = 15
	case len(l) > 20 && l[4] == '-' && l[7] == '-' && (l[10] == 'T' || l[10] == ' ') && l[13] == ':' &&
		scan.Digit(l[0]) && scan.Digit(l[18]):
		end = 19
		for end < len(l) && !scan.Space(l[end]) {
			end++
		}
	default:
		return 0
	}
	for end < len(l) && l[end] == ' ' {
		end++
	}
	return end
}

var months = []byte("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec")
