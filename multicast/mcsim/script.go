package mcsim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// Run runs a script and writes the trace and the lines of "print" to w. It returns an
// error with the line of the script if the script is invalid, an invariant of the protocol
// is violated, or an expectation is not met. A line has one command; # starts a comment.
// Before the first "send":
//
//	seed 7                 receivers 3           content 2MiB         loss 1%
//	shared 1%              burst 1% 20% 80%      delay 200us          jitter 1ms
//	reorder 2%             duplicate 1%          corrupt 1%           link 300M
//	rate 300M              disk 10MiB            skew 1h              quorum 2
//	sealed                 signed                trace off
//
// Then, in any order; r1 is a receiver, s the sender:
//
//	send                   start a transfer of a new version; "again" sends the same version
//	at 20ms crash r1       schedule, relative to the last send: crash, restart, partition r1 r2,
//	                       heal, slow r1 1MiB, full r1 1MiB, malicious r1 nacks|replay|forge|hellos
//	run 10s                run until the transfer has ended, at most for this time
//	run for 10s            run for exactly this time
//	expect committed 3     the number of receivers that have the last version
//	expect r1 version 1    the version that a receiver has
//	expect error text      the error of the sender contains text; "expect good": no error
//	expect traffic 1.05    the content sent, divided by the size of the content, is at most this
//	print stats            print the counters
func Run(script io.Reader, w io.Writer) error {
	s := &play{w: w, trace: true, o: Options{Receivers: 1, Hello: true}}
	lines := bufio.NewScanner(script)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if err := s.line(words); err != nil {
			return &scriptError{n, strings.Join(words, " "), err}
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("mcsim: read the script: %w", err)
	}
	return nil
}

// scriptError is an error at a line of a script.
type scriptError struct {
	line int
	text string
	err  error
}

func (e *scriptError) Error() string {
	return fmt.Sprintf("mcsim: line %d: %q: %s", e.line, e.text, strings.TrimPrefix(e.err.Error(), "mcsim: "))
}

func (e *scriptError) Unwrap() error { return e.err }

// maxReceivers and maxContent bound what a script can ask for.
const (
	maxReceivers = 100000
	maxContent   = 1 << 36
)

type play struct {
	w     io.Writer
	o     Options
	n     *Net
	trace bool
	begin time.Duration
}

func (s *play) line(words []string) error {
	if s.n == nil && words[0] != "send" {
		return s.option(words)
	}
	switch words[0] {
	case "send", "again":
		if s.n == nil {
			s.n = New(s.o)
			if s.trace {
				s.n.Trace(s.w)
			}
		}
		s.begin = s.n.Now()
		if words[0] == "again" {
			return s.n.Again()
		}
		return s.n.Send()
	case "at":
		if len(words) < 3 {
			return errors.New("want: at TIME ACTION")
		}
		t, err := duration(words[1])
		if err != nil {
			return err
		}
		f, err := s.action(words[2:])
		if err == nil {
			s.n.At(s.begin+t, f)
		}
		return err
	case "run":
		return s.run(words[1:])
	case "expect":
		return s.expect(words[1:])
	case "print":
		_, err := fmt.Fprintf(s.w, "%+v\n", s.n.Stats())
		return err
	}
	return errors.New("unknown command, or not allowed after send")
}

func (s *play) option(words []string) (err error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		if err == nil {
			err = errors.New("missing value")
		}
		return ""
	}
	set := func(e error) {
		if err == nil {
			err = e
		}
	}
	o := &s.o
	percent := func(i int) float64 { v, e := share(arg(i)); set(e); return v }
	span := func() time.Duration { v, e := duration(arg(1)); set(e); return v }
	amount := func() uint64 { v, e := size(arg(1)); set(e); return v }
	switch words[0] {
	case "seed":
		o.Seed = amount()
	case "receivers":
		o.Receivers = int(min(amount(), maxReceivers))
	case "content":
		o.Content = int64(min(amount(), maxContent))
	case "loss":
		o.Loss = percent(1)
	case "shared":
		o.Shared = percent(1)
	case "burst":
		o.Burst = Burst{percent(1), percent(2), percent(3)}
	case "delay":
		o.Delay = span()
	case "jitter":
		o.Jitter = span()
	case "reorder":
		o.Reorder = percent(1)
	case "duplicate":
		o.Duplicate = percent(1)
	case "corrupt":
		o.Corrupt = percent(1)
	case "link":
		o.Link = amount()
	case "rate":
		o.Rate = amount()
	case "disk":
		o.Disk = amount()
	case "skew":
		o.Skew = span()
	case "quorum":
		o.Quorum = int(amount())
	case "sealed":
		o.Sealed = true
	case "signed":
		o.Signed = true
	case "trace":
		s.trace = arg(1) != "off"
	default:
		return errors.New("unknown option, or not allowed before send")
	}
	return err
}

// node reads r1 or s.
func (s *play) node(word string) (int, error) {
	if word == "s" {
		return 0, nil
	}
	i, err := strconv.Atoi(strings.TrimPrefix(word, "r"))
	if err != nil || !strings.HasPrefix(word, "r") || i < 1 || i > s.o.Receivers {
		return 0, fmt.Errorf("invalid node %q, want s or r1 to r%d", word, s.o.Receivers)
	}
	return i, nil
}

func (s *play) action(words []string) (func(), error) {
	var nodes []int
	for _, w := range words[1:] {
		if i, err := s.node(w); err == nil {
			nodes = append(nodes, i)
		}
	}
	n := s.n
	switch words[0] {
	case "heal":
		return n.Heal, nil
	case "partition":
		return func() { n.Partition(nodes...) }, nil
	}
	if len(nodes) == 0 {
		return nil, errors.New("missing node")
	}
	i := nodes[0]
	switch words[0] {
	case "crash":
		return func() { n.Crash(i) }, nil
	case "restart":
		return func() { n.Restart(i) }, nil
	case "slow", "full", "malicious":
		if len(words) < 3 || i == 0 {
			return nil, errors.New("want a receiver and a value")
		}
	default:
		return nil, errors.New("unknown action")
	}
	if words[0] == "malicious" {
		var m Malice
		if m.UnmarshalText([]byte(words[2])) != nil || m == 0 {
			return nil, fmt.Errorf("unknown attack %q, want nacks, replay, forge or hellos", words[2])
		}
		return func() { n.Malicious(i, m) }, nil
	}
	v, err := size(words[2])
	if words[0] == "slow" {
		return func() { n.SlowDisk(i, v) }, err
	}
	return func() { n.FullDisk(i, v) }, err
}

func (s *play) run(words []string) error {
	exactly := len(words) == 2 && words[0] == "for"
	if exactly {
		words = words[1:]
	}
	if len(words) != 1 {
		return errors.New("want: run TIME, or run for TIME")
	}
	t, err := duration(words[0])
	if err != nil {
		return err
	}
	if exactly {
		return s.n.RunFor(t)
	}
	return s.n.Run(s.n.Now() + t)
}

func (s *play) expect(words []string) error {
	rest := strings.Join(words[min(1, len(words)):], " ")
	switch {
	case len(words) == 1 && words[0] == "good":
		return s.n.Err()
	case len(words) >= 2 && words[0] == "error":
		if err := s.n.Err(); err == nil || !strings.Contains(err.Error(), rest) {
			return fmt.Errorf("the error is %v", trimmed(err))
		}
		return nil
	case len(words) == 2 && words[0] == "committed":
		if n := strconv.Itoa(s.n.Stats().Committed); n != rest {
			return fmt.Errorf("%s receivers have committed", n)
		}
		return nil
	case len(words) == 2 && words[0] == "traffic":
		v, err := strconv.ParseFloat(rest, 64)
		if t := s.n.Stats().Traffic; err == nil && !(t <= v) {
			return fmt.Errorf("the traffic is %.4f", t)
		}
		return err
	case len(words) == 3 && words[1] == "version":
		i, err := s.node(words[0])
		if err != nil || i == 0 {
			return fmt.Errorf("invalid receiver %q", words[0])
		}
		if v := strconv.Itoa(s.n.Version(i)); v != words[2] {
			return fmt.Errorf("the receiver has version %s", v)
		}
		return nil
	}
	return errors.New("unknown expectation")
}

// trimmed returns the text of err without the package's name.
func trimmed(err error) string {
	if err == nil {
		return "<nil>"
	}
	return strings.TrimPrefix(err.Error(), "mcsim: ")
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && (d < 0 || d > 1000*time.Hour) {
		err = fmt.Errorf("invalid duration %q: out of range", s)
	}
	return d, err
}

func share(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(v >= 0 && v <= 100) || !strings.HasSuffix(s, "%") {
		return 0, fmt.Errorf("invalid share %q, want a number such as 1.5%%", s)
	}
	return v / 100, nil
}

// size reads 2MiB, 64KiB, 300M, 10k or a number.
func size(s string) (uint64, error) {
	units := []struct {
		suffix string
		by     float64
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}}
	by := 1.0
	text := s
	for _, u := range units {
		if t, ok := strings.CutSuffix(s, u.suffix); ok {
			text, by = t, u.by
			break
		}
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || !(v >= 0 && v*by < 1e15) {
		return 0, fmt.Errorf("invalid amount %q, want a number such as 2MiB or 300M", s)
	}
	return uint64(v * by), nil
}
