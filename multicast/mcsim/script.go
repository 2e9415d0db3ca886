package mcsim

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Run runs a script and writes the trace, the lines of "print" and the results of
// "expect" to w. It returns an error with its line when the script makes no sense, a
// promise is broken, or what is expected is not so. One command a line, # begins a
// comment. Before the first "send":
//
//	seed 7                 receivers 3           content 2MiB         loss 1%
//	shared 1%              burst 1% 20% 80%      delay 200us          jitter 1ms
//	reorder 2%             duplicate 1%          corrupt 1%           link 300M
//	rate 300M              disk 10MiB            skew 1h              quorum 2
//	sealed                 signed                trace off
//
// Then, in any order; r1 is a receiver, s the sender:
//
//	send                   begins a transfer of a new version; "again" of the same one
//	at 20ms crash r1       after so long from the last send: crash, restart, partition r1 r2,
//	                       heal, slow r1 1MiB, full r1 1MiB, malicious r1 nacks|replay|forge|hellos
//	run 10s                until the transfer has ended, at most so long
//	run for 10s            exactly so long
//	expect committed 3     how many receivers have the last version
//	expect r1 version 1    which version a receiver has
//	expect error text      the sender's error contains it; "expect good": there is none
//	expect traffic 1.05    DATA of the content is at most so much of the content
//	print stats            what was counted
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
			return fmt.Errorf("line %d: %q: %w", n, strings.Join(words, " "), err)
		}
	}
	return lines.Err()
}

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
			return errors.New("at TIME WHAT")
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
	return errors.New("no such command, or not after send")
}

func (s *play) option(words []string) (err error) {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		if err == nil {
			err = errors.New("a value is missing")
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
		return errors.New("no such option, or not before send")
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
		return 0, fmt.Errorf("%q is neither s nor r1 to r%d", word, s.o.Receivers)
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
		return nil, errors.New("a node is missing")
	}
	i := nodes[0]
	switch words[0] {
	case "crash":
		return func() { n.Crash(i) }, nil
	case "restart":
		return func() { n.Restart(i) }, nil
	case "slow", "full", "malicious":
		if len(words) < 3 || i == 0 {
			return nil, errors.New("a receiver and a value")
		}
	default:
		return nil, errors.New("no such action")
	}
	if words[0] == "malicious" {
		k := slices.Index([]string{"", "nacks", "replay", "forge", "hellos"}, words[2])
		if k < 1 {
			return nil, errors.New("nacks, replay, forge or hellos")
		}
		return func() { n.Malicious(i, Malice(k)) }, nil
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
		return errors.New("run TIME, or run for TIME")
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
			return fmt.Errorf("the error is %v", err)
		}
		return nil
	case len(words) == 2 && words[0] == "committed":
		if n := strconv.Itoa(s.n.Stats().Committed); n != rest {
			return fmt.Errorf("%s have committed", n)
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
			return errors.New("a receiver")
		}
		if v := strconv.Itoa(s.n.Version(i)); v != words[2] {
			return fmt.Errorf("it is version %s", v)
		}
		return nil
	}
	return errors.New("no such expectation")
}

func duration(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if err == nil && (d < 0 || d > 1000*time.Hour) {
		err = fmt.Errorf("%q is out of range", s)
	}
	return d, err
}

func share(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err != nil || !(v >= 0 && v <= 100) || !strings.HasSuffix(s, "%") {
		return 0, fmt.Errorf("%q is not a share such as 1.5%%", s)
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
		return 0, fmt.Errorf("%q is no amount such as 2MiB or 300M", s)
	}
	return uint64(v * by), nil
}
