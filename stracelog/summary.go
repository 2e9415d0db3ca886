package stracelog

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"
)

// Table is a summary that strace -c or -C printed.
type Table struct {
	Line    int64      `json:"line"` // of its header; 0 when it was not read from a log
	Columns []string   `json:"columns,omitzero"`
	Rows    []TableRow `json:"rows,omitzero"`
	Total   TableRow   `json:"total,omitzero"`  // Name is "total"
	Errors  []string   `json:"errors,omitzero"` // rows that could not be read
}

// TableRow is one line of a table. Columns that -U left out are 0.
type TableRow struct {
	Name         string        `json:"name,omitzero"`
	Percent      float64       `json:"percent"`
	Total        time.Duration `json:"total"` // the seconds column, within the table's own rounding
	UsecsPerCall int64         `json:"usecsPerCall"`
	Calls        int64         `json:"calls"`
	Errors       int64         `json:"errors"`
	Shortest     time.Duration `json:"shortest"`
	Longest      time.Duration `json:"longest"`
}

// ErrNoTable is returned by ParseSummary for input in which no table begins.
var ErrNoTable = errs.New("no summary table of strace -c")

// ParseSummary reads the first table of r, which may stand in a log.
func ParseSummary(r io.Reader) (*Table, error) {
	var t tableReader
	var rep Report
	rd := NewReader(r)
	for e, err := range rd.Events() {
		if err != nil {
			return nil, err
		}
		if e.Kind == Summary {
			t.lineNo = e.Line
			t.line(e.Text, &rep)
		} else {
			t.end(&rep)
		}
		if len(rep.Tables) > 0 {
			break
		}
	}
	t.end(&rep)
	if len(rep.Tables) == 0 {
		return nil, ErrNoTable
	}
	return &rep.Tables[0], nil
}

// tableReader turns lines of Kind Summary into tables.
type tableReader struct {
	lineNo int64
	open   bool
	t      Table
	cols   []column
}

// column is a column and where it ends; the rule of dashes below the header shows its width.
type column struct {
	name       string
	start, end int
}

const (
	maxTableRows = 4096
	maxTables    = 64
)

func (r *tableReader) line(v []byte, rep *Report) {
	s := string(v)
	switch {
	case bytes.HasPrefix(v, []byte("System call usage summary")):
		return
	case tableHeader(v):
		r.end(rep)
		r.open, r.cols = true, nil
		r.t = Table{Line: r.lineNo, Columns: columnNames(s)}
		return
	case !r.open:
		return
	}
	if strings.Trim(s, "- ") == "" {
		if r.cols == nil {
			r.rule(s)
		}
		return
	}
	row, err := r.row(s)
	switch {
	case err != "":
		if len(r.t.Errors) < 16 {
			r.t.Errors = append(r.t.Errors, err)
		}
	case row.Name == "total":
		r.t.Total = row
		r.end(rep)
	case len(r.t.Rows) < maxTableRows:
		r.t.Rows = append(r.t.Rows, row)
	}
}

func (r *tableReader) end(rep *Report) {
	if r.open && len(rep.Tables) < maxTables {
		rep.Tables = append(rep.Tables, r.t)
	}
	r.open, r.t = false, Table{}
}

// columnNames splits a header; "% time" is one name.
func columnNames(s string) []string {
	f := strings.Fields(s)
	var out []string
	for _, w := range f {
		if n := len(out); n > 0 && out[n-1] == "%" {
			out[n-1] = "% " + w
			continue
		}
		out = append(out, w)
	}
	return out
}

// rule takes the places of the columns from the line of dashes.
func (r *tableReader) rule(s string) {
	for i := 0; i < len(s); {
		if s[i] != '-' {
			i++
			continue
		}
		j := i
		for j < len(s) && s[j] == '-' {
			j++
		}
		k := len(r.cols)
		if k >= len(r.t.Columns) {
			return
		}
		r.cols = append(r.cols, column{r.t.Columns[k], i, j})
		i = j
	}
}

// row reads a line by the places of its columns: the cell of errors is blank when there are none. A number that is wider than its
// column pushes what follows to the right, so words are matched to columns in order, and a column is passed over when its
// cell is blank.
func (r *tableReader) row(s string) (TableRow, string) {
	var row TableRow
	words := strings.Fields(s)
	k := 0
	optional := len(r.cols) - len(words)
	for _, c := range r.cols {
		if k == len(words) {
			break
		}
		if c.name == "errors" && optional > 0 && blankCell(s, c) {
			optional--
			continue
		}
		if !row.put(c.name, words[k]) {
			return row, "cannot read " + strconv.Quote(words[k]) + " in column " + c.name
		}
		k++
	}
	if row.Name == "" {
		return row, "no name in " + strconv.Quote(s)
	}
	return row, ""
}

func blankCell(s string, c column) bool {
	if c.start >= len(s) {
		return true
	}
	return strings.TrimSpace(s[c.start:min(c.end, len(s))]) == ""
}

// put sets one cell.
func (t *TableRow) put(name, s string) bool {
	seconds := func(d *time.Duration) bool {
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || f < 0 || f > 1e9 {
			return false
		}
		*d = time.Duration(f*1e9 + 0.5)
		return true
	}
	number := func(n *int64) bool {
		v, err := strconv.ParseInt(s, 10, 64)
		*n = v
		return err == nil
	}
	switch strings.TrimPrefix(name, "wall-") {
	case "syscall":
		t.Name = s
		return true
	case "% time", "time":
		f, err := strconv.ParseFloat(s, 64)
		t.Percent = f
		return err == nil
	case "seconds":
		return seconds(&t.Total)
	case "usecs/call":
		return number(&t.UsecsPerCall)
	case "calls":
		return number(&t.Calls)
	case "errors":
		return number(&t.Errors)
	case "shortest":
		return seconds(&t.Shortest)
	case "longest":
		return seconds(&t.Longest)
	}
	return true
}
