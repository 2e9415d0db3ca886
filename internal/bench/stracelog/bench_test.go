// Package stracelog measures dougu's reader of strace logs against what else reads lines. Every row reads the same file, of 500 MB or more, made from real
// traces of strace -f -ttt -T -o; cpu-MB/s is by the CPU time of the process, on one core unless the row says otherwise.
//
// What the peers do less:
//   - newline, scanner, wc -l find line ends and nothing else. envelope finds the line, the name, the strings and the result, reads no number,
//     checks nothing and joins nothing.
//   - fields splits on blanks: no arguments, no strings.
//   - regexp is one expression with six groups, as most readers in Go have it: no unfinished call, no signal, no other format.
//
// Absent: syzkaller's trace2syz parser reads only logs of -a 1 -s 65500 -v -xx -f -Xraw and stops at the first line it does not know, so that it cannot
// read this file at all. Rust's strace-parser is no Go module.
package stracelog

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"dougu.internal/stracelog"
)

const wantSize = 500 << 20

// corpus makes the file once: real traces, one after another, again and again.
var corpus = sync.OnceValues(func() ([]byte, error) {
	name := filepath.Join("..", "data", "stracelog", "big.strace")
	if st, err := os.Stat(name); err != nil || st.Size() < wantSize {
		if err := build(name); err != nil {
			return nil, err
		}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return syscall.Mmap(int(f.Fd()), 0, int(st.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE|syscall.MAP_POPULATE)
})

func build(name string) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	var all []byte
	for _, command := range []string{
		"find /usr/share /usr/lib -name '*.x'", "for i in 1 2 3 4 5 6 7 8 9; do ls -l /usr/bin | head -3; grep -r root /etc/passwd; cat /etc/services | wc; done",
		"tar cf /dev/null /usr/share/doc /etc", "go vet dougu.internal/diag",
	} {
		log := name + ".part"
		if out, err := exec.Command("strace", "-f", "-ttt", "-T", "-o", log, "sh", "-c", command).CombinedOutput(); err != nil && len(out) == 0 {
			return err
		}
		b, err := os.ReadFile(log)
		if err != nil {
			return err
		}
		os.Remove(log)
		all = append(all, b...)
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	for n := 0; n < wantSize; n += len(all) {
		if _, err := f.Write(all); err != nil {
			return err
		}
	}
	return f.Close()
}

func cpu() time.Duration {
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// measure runs f over a part of the corpus; f returns the number of lines.
func measure(b *testing.B, part int, f func(d []byte) int) {
	d, err := corpus()
	if err != nil {
		b.Skipf("absent strace: %v", err)
	}
	d = d[:len(d)/part]
	d = d[:bytes.LastIndexByte(d, '\n')+1]
	b.SetBytes(int64(len(d)))
	b.ReportAllocs()
	lines, runs := 0, 0
	var m0, m1 runtime.MemStats
	runtime.ReadMemStats(&m0)
	begun := cpu()
	for b.Loop() {
		lines = f(d)
		runs++
	}
	used := cpu() - begun
	runtime.ReadMemStats(&m1)
	b.ReportMetric(float64(len(d))*float64(runs)/1e6/used.Seconds(), "cpu-MB/s")
	b.ReportMetric(float64(m1.Mallocs-m0.Mallocs)/float64(lines*runs), "allocs/line")
}

func BenchmarkBound(b *testing.B) {
	b.Logf("absent syzkaller's parser: it reads only logs of -a 1 -s 65500 -v -xx -f -Xraw")
	b.Run("wc-l", func(b *testing.B) {
		if _, err := corpus(); err != nil {
			b.Skipf("absent strace: %v", err)
		}
		var used time.Duration
		size, runs := int64(0), 0
		for b.Loop() {
			f, err := os.Open("../data/stracelog/big.strace")
			if err != nil {
				b.Fatal(err)
			}
			st, _ := f.Stat()
			size = st.Size()
			c := exec.Command("wc", "-l")
			c.Stdin = f
			if err := c.Run(); err != nil {
				b.Fatal(err)
			}
			f.Close()
			used += c.ProcessState.UserTime() + c.ProcessState.SystemTime()
			runs++
		}
		b.SetBytes(size)
		b.ReportMetric(float64(size)*float64(runs)/1e6/used.Seconds(), "cpu-MB/s")
	})
	b.Run("newline", func(b *testing.B) {
		measure(b, 1, func(d []byte) (n int) {
			for {
				i := bytes.IndexByte(d, '\n')
				if i < 0 {
					return n
				}
				n++
				d = d[i+1:]
			}
		})
	})
	b.Run("scanner", func(b *testing.B) {
		measure(b, 1, func(d []byte) (n int) {
			s := bufio.NewScanner(bytes.NewReader(d))
			s.Buffer(nil, 64<<20)
			for s.Scan() {
				n++
			}
			return n
		})
	})
	b.Run("envelope", func(b *testing.B) { measure(b, 1, envelope) })
}

// envelope is the least that a reader with lazy arguments must touch: the line, the name, the strings, the result.
func envelope(d []byte) (n int) {
	sum := 0
	for {
		i := bytes.IndexByte(d, '\n')
		if i < 0 {
			sink.Store(int64(sum))
			return n
		}
		l := d[:i]
		d = d[i+1:]
		n++
		p := bytes.IndexByte(l, '(')
		if p < 0 {
			continue
		}
		r := l[p+1:]
		for {
			q := bytes.IndexByte(r, '"')
			if q < 0 {
				break
			}
			r = r[q+1:]
			for {
				e := bytes.IndexByte(r, '"')
				if e < 0 {
					r = nil
					break
				}
				k := e
				for k > 0 && r[k-1] == '\\' {
					k--
				}
				r = r[e+1:]
				if (e-k)&1 == 0 {
					break
				}
			}
		}
		if m := bytes.Index(r, []byte("= ")); m >= 0 {
			sum += m
		}
	}
}

var sink atomic.Int64

func BenchmarkPeer(b *testing.B) {
	b.Run("fields", func(b *testing.B) {
		measure(b, 8, func(d []byte) (n int) {
			s := bufio.NewScanner(bytes.NewReader(d))
			s.Buffer(nil, 64<<20)
			for s.Scan() {
				n++
				sink.Add(int64(len(strings.Fields(s.Text()))))
			}
			return n
		})
	})
	b.Run("regexp", func(b *testing.B) {
		re := regexp.MustCompile(`^(\d+) +(\d+\.\d+) +(\w+)\((.*)\) += (.+) <(\d+\.\d+)>$`)
		measure(b, 40, func(d []byte) (n int) {
			s := bufio.NewScanner(bytes.NewReader(d))
			s.Buffer(nil, 64<<20)
			for s.Scan() {
				n++
				sink.Add(int64(len(re.FindSubmatch(s.Bytes()))))
			}
			return n
		})
	})
}

func BenchmarkDougu(b *testing.B) {
	b.Run("events", func(b *testing.B) { // pid, time, name, arguments' span, result, errno, duration
		measure(b, 1, func(d []byte) (n int) {
			r := stracelog.NewBytesReader(d)
			sum := int64(0) // as envelope does: an atomic store a line would be measured too
			for {
				e, err := r.Next()
				if err == io.EOF {
					sink.Store(sum)
					return n
				}
				sum += e.Ret.Int
				n++
			}
		})
	})
	b.Run("calls", func(b *testing.B) { // the same, unfinished and resumed halves joined
		measure(b, 1, func(d []byte) (n int) {
			r := stracelog.NewBytesReader(d)
			var j stracelog.Joiner
			for {
				e, err := r.Next()
				if err == io.EOF {
					return n
				}
				n++
				if c := j.Add(e); c != nil {
					sink.Store(c.Ret.Int)
				}
			}
		})
	})
	b.Run("stream", func(b *testing.B) { // calls from an io.Reader
		measure(b, 1, func(d []byte) (n int) {
			r := stracelog.NewReader(bytes.NewReader(d))
			var j stracelog.Joiner
			for {
				e, err := r.Next()
				if err == io.EOF {
					return n
				}
				n++
				j.Add(e)
			}
		})
	})
	b.Run("arguments", func(b *testing.B) { // events and the whole tree of every call's arguments
		measure(b, 2, func(d []byte) (n int) {
			r := stracelog.NewBytesReader(d)
			var tree stracelog.Tree
			for {
				e, err := r.Next()
				if err == io.EOF {
					return n
				}
				n++
				if e.Kind == stracelog.Syscall {
					_ = e.Args.Parse(&tree)
					sink.Add(int64(tree.Nodes()))
				}
			}
		})
	})
	b.Run("analyze", func(b *testing.B) { // descriptors, peers, requests, verdicts
		measure(b, 4, func(d []byte) int {
			rep, err := stracelog.AnalyzeReader(stracelog.NewBytesReader(d))
			if err != nil {
				b.Fatal(err)
			}
			return int(rep.Lines.Total)
		})
	})
}

// BenchmarkParallel counts calls with one worker and with one for each processor; its MB/s is by the wall clock.
// BenchmarkParallel also shows what the machine itself gives: the same bytes copied and gone through by as many goroutines, with
// nothing between them.
func BenchmarkParallel(b *testing.B) {
	d, err := corpus()
	if err != nil {
		b.Skipf("absent strace: %v", err)
	}
	run := func(name string, f func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(d)))
			begun, runs := cpu(), 0
			for b.Loop() {
				if err := f(); err != nil {
					b.Fatal(err)
				}
				runs++
			}
			b.ReportMetric(float64(len(d))*float64(runs)/1e6/(cpu()-begun).Seconds(), "cpu-MB/s")
		})
	}
	for _, n := range []int{1, runtime.GOMAXPROCS(0)} {
		name := map[bool]string{true: "one", false: "all"}[n == 1]
		run("bound-"+name, func() error {
			var wg sync.WaitGroup
			for k := range n {
				wg.Go(func() {
					buf := make([]byte, 4<<20)
					for part := d[k*len(d)/n : (k+1)*len(d)/n]; len(part) > 0; {
						m := copy(buf, part)
						part = part[m:]
						envelope(buf[:m])
					}
				})
			}
			wg.Wait()
			return nil
		})
		run(name, func() error {
			_, err := stracelog.ParallelSummary(bytes.NewReader(d), int64(len(d)), n)
			return err
		})
	}
}
