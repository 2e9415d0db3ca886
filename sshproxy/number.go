package sshproxy

import (
	"math"
	"strconv"
	"strings"
)

// space reports whether C's isspace holds for a byte in the C locale.
func space(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func digit(c byte) bool { return c-'0' < 10 }

func alpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func control(c byte) bool { return c < 0x20 || c == 0x7f }

// leadingInteger reads a decimal number as strtol does: blanks, a sign, digits. It
// saturates, and returns what follows. ok is false when there is no digit.
func leadingInteger(s string) (n int64, rest string, ok bool) {
	i := 0
	for i < len(s) && space(s[i]) {
		i++
	}
	negative := false
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		negative = s[i] == '-'
		i++
	}
	start := i
	for ; i < len(s) && digit(s[i]); i++ {
		d := int64(s[i] - '0')
		if n > (math.MaxInt64-d)/10 {
			n = math.MaxInt64
		} else {
			n = n*10 + d
		}
	}
	if i == start {
		return 0, s, false
	}
	if negative {
		n = -n
	}
	return n, s[i:], true
}

// parseInteger reads a whole decimal number between two bounds; why is what the
// client says of a bad one.
func parseInteger(s string, low, high int64) (n int64, why string) {
	n, rest, ok := leadingInteger(s)
	switch {
	case !ok || rest != "":
		return 0, "invalid"
	case n < low:
		return 0, "too small"
	case n > high:
		return 0, "too large"
	}
	return n, ""
}

// parseSeconds reads a time such as 90, 1h30m or 2d. ok is false for a bad one.
func (p *build) parseSeconds(s string) (seconds int, ok bool) {
	if p.at(100300) {
		return parseSecondsStrictly(s)
	}
	total := int64(0)
	if s == "" {
		return 0, false
	}
	for s != "" {
		n, rest, ok := leadingInteger(s)
		if !ok || n < 0 {
			return 0, false
		}
		unit := int64(1)
		if rest != "" {
			if unit = secondsOf(rest[0]); unit == 0 {
				return 0, false
			}
			rest = rest[1:]
		}
		if n > math.MaxInt32/unit || total > math.MaxInt32-n*unit {
			return 0, false
		}
		total += n * unit
		s = rest
	}
	return int(total), true
}

func secondsOf(unit byte) int64 {
	switch unit | 0x20 {
	case 's':
		return 1
	case 'm':
		return 60
	case 'h':
		return 3600
	case 'd':
		return 86400
	case 'w':
		return 604800
	}
	return 0
}

// parseSecondsStrictly is the reader since 10.3: no blanks, no signs, fractions of
// seconds, and seconds once.
func parseSecondsStrictly(s string) (seconds int, ok bool) {
	if s == "" {
		return 0, false
	}
	total, seen := 0.0, false
	for s != "" {
		end := 0
		for end < len(s) && (digit(s[end]) || s[end] == '.') {
			end++
		}
		number := s[:end]
		n, err := strconv.ParseFloat(number, 64)
		if err != nil || strings.Count(number, ".") > 1 {
			return 0, false
		}
		unit := int64(1)
		if end < len(s) {
			if unit = secondsOf(s[end]); unit == 0 {
				return 0, false
			}
			end++
		}
		if unit == 1 {
			if seen {
				return 0, false
			}
			seen = true
		}
		if strings.Contains(number, ".") && (unit > 1 || strings.HasSuffix(number, ".")) {
			return 0, false
		}
		total += n * float64(unit)
		s = s[end:]
	}
	if total > math.MaxInt32 {
		return 0, false
	}
	return int(total), true
}

// parseScaled reads a number of bytes with a unit, such as 1G or 512K; why is the
// system's message for a bad one.
func parseScaled(s string) (n int64, why string) {
	const invalid, tooLarge = "Invalid argument", "Numerical result out of range"
	for s != "" && space(s[0]) {
		s = s[1:]
	}
	sign := int64(0)
	for s != "" && (s[0] == '-' || s[0] == '+') {
		if sign != 0 {
			return 0, invalid
		}
		sign = 1
		if s[0] == '-' {
			sign = -1
		}
		s = s[1:]
	}
	var whole, fraction int64
	digits, places, point := 0, 0, false
	for ; s != "" && (digit(s[0]) || s[0] == '.'); s = s[1:] {
		switch d := int64(s[0] - '0'); {
		case s[0] == '.':
			if point {
				return 0, invalid
			}
			point = true
		case point:
			if places < 17 {
				fraction = fraction*10 + d
				places++
			}
		default:
			if digits++; digits >= 18 || whole > (math.MaxInt64-d)/10 {
				return 0, tooLarge
			}
			whole = whole*10 + d
		}
	}
	if sign != 0 {
		whole *= sign
	}
	if s == "" {
		return whole, ""
	}
	i := strings.IndexByte("bkmgtpe", s[0]|0x20)
	if i < 0 || len(s) > 1 && (alpha(s[1]) || digit(s[1])) {
		return 0, invalid
	}
	scale := int64(1) << (10 * i)
	if whole > math.MaxInt64/scale || whole < math.MinInt64/scale {
		return 0, tooLarge
	}
	part := fraction
	for part >= math.MaxInt64/scale {
		part /= 10
		places--
	}
	part *= scale
	for range places {
		part /= 10
	}
	if whole*scale < 0 {
		part = -part
	}
	return whole*scale + part, ""
}

// parsePort reads a port number or the name of a service. It returns -1 for a bad
// one.
func parsePort(s string, service func(string) (int, bool)) int {
	if n, why := parseInteger(s, 0, 65535); why == "" {
		return int(n)
	}
	if service != nil {
		if n, ok := service(s); ok {
			return n
		}
	}
	return -1
}
