package stracelog

import "bytes"

// table follows the summary tables of -c and -C through a log: they begin at a header or its rule and end at the line
// "total".
type table struct {
	open bool
}

// line reports whether v belongs to a table.
func (t *table) line(v []byte) bool {
	switch {
	case tableHeader(v):
		t.open = true
		return true
	case bytes.HasPrefix(v, []byte("System call usage summary for ")):
		return true
	case !t.open:
		return false
	}
	name, ok := tableRow(v)
	if !ok || name == "total" {
		t.open = false // the end, or a line of the log after a table that was cut
	}
	return ok
}

// tableRow reports whether v is a rule of dashes or a row: numbers, and at most one name.
func tableRow(v []byte) (name string, ok bool) {
	if len(v) > 512 || len(v) == 0 {
		return "", false
	}
	for f := range bytes.FieldsSeq(v) {
		if len(bytes.Trim(f, "0123456789.-")) == 0 {
			continue
		}
		for _, c := range f {
			if !isAlnum(c) {
				return "", false
			}
		}
		if name != "" {
			return "", false
		}
		name = string(f)
	}
	return name, true
}

// tableHeader reports whether v is the line of column names. -U chooses the columns; every one is known.
func tableHeader(v []byte) bool {
	n := 0
	for f := range bytes.FieldsSeq(v) {
		if !tableColumns[string(f)] {
			return false
		}
		n++
	}
	return n >= 1 && (n > 1 || string(v) == "syscall")
}

// The names of the columns; "% time" is two fields. The wall- and the other forms came with strace 7.1.
var tableColumns = map[string]bool{
	"%": true, "time": true, "seconds": true, "usecs/call": true, "calls": true, "errors": true, "syscall": true,
	"shortest": true, "longest": true, "wall": true, "wall-time": true, "wall-seconds": true, "wall-usecs/call": true,
	"wall-shortest": true, "wall-longest": true,
}
