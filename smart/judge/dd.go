package judge

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"dougu.internal/smart/internal/scan"
)

// WriteSample is one measured transfer.
type WriteSample struct {
	// Label is the name of the disk: the path after of= or if= in a dd command line before
	// the result, a line "LABEL:" before it, or the number of the sample.
	Label string        `json:"label,omitzero"`
	Bytes int64         `json:"bytes"`
	Took  time.Duration `json:"took"`
	// Line of the result, counted from 1.
	Line int `json:"line"`
}

// Rate returns the bytes per second. It returns 0 if Took is not positive.
func (w WriteSample) Rate() float64 {
	if w.Took <= 0 {
		return 0
	}
	return float64(w.Bytes) / w.Took.Seconds()
}

// maxSamples bounds the samples of one input.
const maxSamples = 4096

// ParseDD reads the results that dd prints, in its three spellings and with a decimal
// point or comma: "2147483648 bytes (2.1 GB) copied, 43.8163 seconds, 49.0 MB/s". Other
// lines are ignored. The error is [ErrNoSample], or contains the line of a result that is
// out of range.
func ParseDD(r io.Reader) ([]WriteSample, error) {
	var list []WriteSample
	label := ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, scan.MaxLine)
	for line := 1; lines.Scan(); line++ {
		l := scan.Trim(lines.Bytes())
		n, k, ok := scan.Uint(l)
		rest := l[min(k, len(l)):]
		if !ok || !bytes.HasPrefix(rest, []byte(" byte")) {
			if name := ddLabel(l); name != "" {
				label = name
			}
			continue
		}
		_, after0, ok0 := bytes.Cut(rest, []byte("copied,"))
		if !ok0 {
			continue
		}
		took, err := ddSeconds(after0)
		if err != nil || n > math.MaxInt64 {
			return list, errs.Errorf("dd: line %d: %.80q: want BYTES bytes copied, SECONDS s", line, l)
		}
		if len(list) == maxSamples {
			return list, errs.Errorf("dd: line %d: more than %d results", line, maxSamples)
		}
		if label == "" {
			label = strconv.Itoa(len(list))
		}
		list = append(list, WriteSample{Label: label, Bytes: int64(n), Took: took, Line: line})
		label = ""
	}
	if err := lines.Err(); err != nil {
		return list, errs.Errorf("dd: %w", err)
	}
	if len(list) == 0 {
		return nil, ErrNoSample
	}
	return list, nil
}

// ErrNoSample means that the input contains no result of dd.
var ErrNoSample = errs.New(`no result of dd in the input: want lines such as "2147483648 bytes (2.1 GB) copied, 43.8163 seconds, 49.0 MB/s"`)

// ddSeconds reads the time: "43.8163 seconds", "2.8566e-05 s", "43,8 s".
func ddSeconds(b []byte) (time.Duration, error) {
	w, unit := scan.Word(scan.Trim(b))
	if len(unit) == 0 || unit[0] != 's' {
		return 0, errs.New("no unit of time")
	}
	s := strings.Replace(string(w), ",", ".", 1)
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, err
	}
	if !(f > 0 && f < 1e9) {
		return 0, errs.New("not a time")
	}
	return time.Duration(math.Round(f * 1e9)), nil
}

// ddLabel finds the name of a disk in a command line or in a "LABEL:" line.
func ddLabel(l []byte) string {
	if len(l) > 1 && l[len(l)-1] == ':' && !bytes.ContainsAny(l, " \t") {
		return string(l[:len(l)-1])
	}
	if !bytes.Contains(l, []byte("dd ")) {
		return ""
	}
	input := ""
	for w := range strings.FieldsSeq(string(l)) {
		if name, ok := strings.CutPrefix(w, "of="); ok {
			return strings.Trim(name, `'"`)
		}
		if name, ok := strings.CutPrefix(w, "if="); ok {
			input = strings.Trim(name, `'"`)
		}
	}
	return input
}
