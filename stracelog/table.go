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
	case bytes.IndexByte(v, '(') >= 0 || len(v) > 512:
		t.open = false // a line of the log: the table was cut
		return false
	}
	for f := range bytes.FieldsSeq(v) {
		if string(f) == "total" {
			t.open = false
		}
	}
	return true
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
