package smart

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The peers are not to be had from the public module proxy: no version of them is
// served. DOUGU_PEERS names a folder with checkouts of them, smart.go
// (github.com/anatol/smart.go) and smartctl_exporter
// (github.com/prometheus-community/smartctl_exporter). They are copied, given a page
// instead of a device, and measured in a run of their own right after ours.
//
// What they do less: smart.go's page has no thresholds, no states and no raw strings,
// stops at the first empty slot and keeps one of several rows with an id; the
// exporter's collector leaves out flags, logs of self-tests, and findings.
func TestMain(m *testing.M) {
	code := m.Run()
	if dir := os.Getenv("DOUGU_PEERS"); dir != "" && benching() {
		for _, p := range peers {
			if err := p.run(dir); err != nil {
				fmt.Fprintf(os.Stderr, "peer %s: %v\n", p.name, err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

func benching() bool {
	for _, a := range os.Args {
		if strings.HasPrefix(a, "-test.bench=") {
			return true
		}
	}
	return false
}

// BenchmarkPeers says in the results which peers were there.
func BenchmarkPeers(b *testing.B) {
	for _, p := range peers {
		if dir := os.Getenv("DOUGU_PEERS"); dir == "" {
			b.Logf("absent %s: the module proxy serves no version of it; set DOUGU_PEERS to a folder with a checkout", p.name)
		} else {
			b.Logf("peer %s: %s", p.name, p.note)
		}
	}
	b.Skip()
}

type peer struct {
	name, note string
	edits      map[string][2]string // file: what is replaced by what
	test       string
}

var peers = []peer{
	{
		name: "smart.go", note: "its page has no thresholds, states or strings; a page takes the place of the ioctl",
		edits: map[string][2]string{
			"sata_linux.go": {
				"if err := scsiSendCdb(d.fd, cdb[:], respBuf); err != nil {\n\t\treturn nil, fmt.Errorf(\"scsiSendCdb SMART READ DATA: %w\", err)",
				"if copy(respBuf, benchPage) == 0 {\n\t\treturn nil, fmt.Errorf(\"no page\")",
			},
			"nvme_linux.go": {
				"if err := nvmeReadLogPage(d.fd, nvmeLogSmartInformation, buf); err != nil {\n\t\treturn nil, err",
				"if copy(buf, benchLog) == 0 {\n\t\treturn nil, fmt.Errorf(\"no page\")",
			},
		},
		test: `package smart

import (
	"os"
	"testing"
)

func init() {
	benchPage, _ = os.ReadFile("bench.page")
	benchLog, _ = os.ReadFile("bench.log")
}

func BenchmarkATAPage(b *testing.B) {
	b.Run("smart.go", func(b *testing.B) {
		d := &SataDevice{}
		b.SetBytes(512)
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if p, err := d.ReadSMARTData(); err != nil || len(p.Attrs) != 28 {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNVMeLog(b *testing.B) {
	b.Run("smart.go", func(b *testing.B) {
		d := &NVMeDevice{}
		b.SetBytes(512)
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			if _, err := d.ReadSMART(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
`,
	},
	{
		name: "smartctl_exporter", note: "its collector makes metrics of the document",
		test: `package main

import (
	"io"
	"log/slog"
	"os"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func BenchmarkJSON(b *testing.B) {
	doc, err := os.ReadFile("bench.json")
	if err != nil {
		b.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	b.Run("smartctl_exporter", func(b *testing.B) {
		ch := make(chan prometheus.Metric, 4096)
		b.SetBytes(int64(len(doc)))
		b.ReportAllocs()
		defer cpu(b)()
		for b.Loop() {
			s := NewSMARTctl(logger, parseJSON(string(doc)), ch)
			s.Collect()
			for len(ch) > 0 {
				<-ch
			}
		}
	})
}
`,
	},
}

// run copies the peer, changes it and runs its benchmarks.
func (p peer) run(dir string) error {
	tmp, err := os.MkdirTemp("", "peer-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	src := filepath.Join(dir, p.name)
	entries, err := os.ReadDir(src)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || strings.HasSuffix(name, "_test.go") || !strings.HasSuffix(name, ".go") && !strings.HasPrefix(name, "go.") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(src, name))
		if err != nil {
			return err
		}
		if edit, ok := p.edits[name]; ok {
			if bytes.Count(text, []byte(edit[0])) != 1 {
				return fmt.Errorf("%s is another version: the read of the device is not where it was", name)
			}
			text = bytes.Replace(text, []byte(edit[0]), []byte(edit[1]), 1)
		}
		if err := os.WriteFile(filepath.Join(tmp, name), text, 0o644); err != nil {
			return err
		}
	}
	values, _ := page()
	clock, err := os.ReadFile("cpu_test.go")
	if err != nil {
		return err
	}
	if p.edits == nil {
		clock = bytes.Replace(clock, []byte("package smart"), []byte("package main"), 1)
	}
	vars := ""
	if p.edits != nil {
		vars = "\nvar benchPage, benchLog []byte\n"
	}
	if err := errors.Join(
		os.WriteFile(filepath.Join(tmp, "bench_test.go"), []byte(p.test), 0o644),
		os.WriteFile(filepath.Join(tmp, "cpu_test.go"), clock, 0o644),
		os.WriteFile(filepath.Join(tmp, "bench.page"), values, 0o644), os.WriteFile(filepath.Join(tmp, "bench.log"), nvmeLog(), 0o644),
		os.WriteFile(filepath.Join(tmp, "bench.json"), document(), 0o644),
	); err != nil {
		return err
	}
	if vars != "" {
		if err := os.WriteFile(filepath.Join(tmp, "benchvars.go"), []byte("package smart\n"+vars), 0o644); err != nil {
			return err
		}
	}
	args := []string{"test", "-mod=mod", "-run", "^$", "-bench", ".", "-benchmem"}
	for _, a := range os.Args {
		if n, ok := strings.CutPrefix(a, "-test.count="); ok {
			args = append(args, "-count", n)
		}
		if n, ok := strings.CutPrefix(a, "-test.benchtime="); ok {
			args = append(args, "-benchtime", n)
		}
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = tmp, os.Stdout, os.Stderr
	return cmd.Run()
}
