package spool_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/examples/accesslog/spool"
	"dougu.internal/internal/oracle"
)

func open(t *testing.T, dir string, opt spool.Options) *spool.Spool {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("a spool needs flock")
	}
	s, err := spool.Open(dir, opt)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// drain reads all that can be read now.
func drain(t *testing.T, s *spool.Spool) (data []string, last spool.Record) {
	t.Helper()
	for {
		r, ok, err := s.Next()
		require.NoError(t, err)
		if !ok {
			return data, last
		}
		data, last = append(data, string(r.Data)), r
	}
}

func TestRecordsSurviveReopening(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "deep")
	s := open(t, dir, spool.Options{SegmentSize: 200})
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i)))
		require.NoError(t, s.Append([]byte(want[i])))
	}
	for i := range 20 {
		r, ok, err := s.Next()
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want[i], string(r.Data))
		if i == 9 {
			require.NoError(t, s.Ack(r.End, 10))
		}
	}
	require.Equal(t, 40, s.Waiting())
	require.NoError(t, s.Close())
	require.ErrorIs(t, s.Append(nil), spool.ErrClosed)

	s = open(t, dir, spool.Options{SegmentSize: 200})
	require.Equal(t, 40, s.Waiting())
	got, last := drain(t, s)
	require.Equal(t, want[10:], got)
	require.Equal(t, 40, s.Rewind())
	got, last = drain(t, s)
	require.Equal(t, want[10:], got)
	require.NoError(t, s.Ack(last.End, 40))
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	require.Len(t, files, 1, "acknowledged files are removed")
	require.NoError(t, s.Append([]byte("more")))
	require.NoError(t, s.Close())

	s = open(t, dir, spool.Options{})
	got, _ = drain(t, s)
	require.Equal(t, []string{"more"}, got)
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, spool.Options{})
	_, err := spool.Open(dir, spool.Options{})
	require.ErrorIs(t, err, spool.ErrLocked)
	require.ErrorContains(t, err, dir)
}

func TestSpoolIsBounded(t *testing.T) {
	s := open(t, t.TempDir(), spool.Options{SegmentSize: 100, Max: 1000})
	n := 0
	var err error
	for err == nil {
		if err = s.Append(make([]byte, 50)); err == nil {
			n++
		}
	}
	require.ErrorIs(t, err, spool.ErrFull)
	require.Equal(t, n, s.Waiting())
	got, last := drain(t, s)
	require.Len(t, got, n)
	require.NoError(t, s.Ack(last.End, n))
	require.NoError(t, s.Append(make([]byte, 50)), "there is room again")
	require.ErrorContains(t, s.Append(make([]byte, spool.MaxRecord+1)), "at most")
}

// filled returns the one segment of a spool with ten records, each of 25 bytes.
func filled(t *testing.T) (segment, acked []byte) {
	dir := t.TempDir()
	s := open(t, dir, spool.Options{})
	for i := range 10 {
		require.NoError(t, s.Append(fmt.Appendf(nil, "record number %d", i)))
	}
	r, _, err := s.Next()
	require.NoError(t, err)
	require.NoError(t, s.Ack(r.End, 1))
	require.NoError(t, s.Close())
	files, err := filepath.Glob(filepath.Join(dir, "*.seg"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	segment, err = os.ReadFile(files[0])
	require.NoError(t, err)
	acked, err = os.ReadFile(filepath.Join(dir, "acked"))
	require.NoError(t, err)
	return segment, acked
}

// reopened returns what is read from a directory with these files.
func reopened(t *testing.T, segment, acked []byte) ([]string, *spool.Spool) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "0000000000000001.seg"), segment, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "acked"), acked, 0o600))
	s := open(t, dir, spool.Options{})
	got, _ := drain(t, s)
	return got, s
}

func TestTornEndIsCutWhereverItTore(t *testing.T) {
	segment, acked := filled(t)
	const size = 12 + len("record number 0")
	require.Len(t, segment, 8+10*size)
	for cut := range len(segment) {
		whole := max(0, (cut-8)/size)
		got, s := reopened(t, segment[:cut], acked)
		require.Len(t, got, max(0, whole-1), "cut at %d", cut)
		torn, _ := s.Damage()
		require.Equal(t, cut > 8 && (cut-8)%size != 0, torn == 1, "cut at %d", cut)
		require.NoError(t, s.Append([]byte("afterwards")))
		got, _ = drain(t, s)
		require.Equal(t, []string{"afterwards"}, got)
		require.NoError(t, s.Close())
	}
}

func TestFlippedBitCostsOneRecord(t *testing.T) {
	segment, acked := filled(t)
	const size = 12 + len("record number 0")
	for at := 8; at < len(segment); at++ {
		damaged := bytes.Clone(segment)
		damaged[at] ^= 0x10
		got, s := reopened(t, damaged, acked)
		hit := (at - 8) / size
		var want []string
		for i := 1; i < 10; i++ {
			if i != hit {
				want = append(want, fmt.Sprintf("record number %d", i))
			}
		}
		require.Equal(t, want, got, "bit flipped at %d", at)
		require.Equal(t, len(want), s.Waiting())
		require.NoError(t, s.Close())
	}
}

func TestDamagedAckFileRepeatsNothingLost(t *testing.T) {
	segment, acked := filled(t)
	for at := range acked {
		damaged := bytes.Clone(acked)
		damaged[at] ^= 0xff
		got, s := reopened(t, segment, damaged)
		require.GreaterOrEqual(t, len(got), 9)
		require.NoError(t, s.Close())
	}
	far := binary.LittleEndian.AppendUint64(nil, 1<<60)
	got, s := reopened(t, segment, append(far, make([]byte, 56)...))
	require.Len(t, got, 10)
	require.NoError(t, s.Close())
}

func TestAcknowledgedRecordsLeaveRoom(t *testing.T) {
	for _, opt := range []spool.Options{{Max: 1000}, {SegmentSize: 2000, Max: 600}, {SegmentSize: 100, Max: 600}} {
		s := open(t, t.TempDir(), opt)
		for i := range 20 {
			want := strings.Repeat("x", 300+i)
			require.NoError(t, s.Append([]byte(want)), "record %d of %+v", i, opt)
			data, last := drain(t, s)
			require.Equal(t, []string{want}, data)
			require.NoError(t, s.Ack(last.End, 1))
		}
		require.Zero(t, s.Waiting())
	}
}

func TestDamageIsCountedOnce(t *testing.T) {
	segment, acked := filled(t)
	segment[len(segment)/2] ^= 1
	_, s := reopened(t, segment, acked)
	_, before := s.Damage()
	require.Equal(t, 1, before)
	s.Rewind()
	drain(t, s)
	_, after := s.Damage()
	require.Equal(t, 1, after)
}

func TestOtherVersionIsRefused(t *testing.T) {
	segment, acked := filled(t)
	segment[7] = '9'
	dir := t.TempDir()
	name := "0000000000000001.seg"
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), segment, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "acked"), acked, 0o600))
	_, err := spool.Open(dir, spool.Options{})
	require.ErrorContains(t, err, name+" is not a segment of this version")
	_, err = spool.Open(dir, spool.Options{})
	require.NotErrorIs(t, err, spool.ErrLocked, "a failed Open holds no lock")
}

func TestDurableAppendsShareOneReader(t *testing.T) {
	s := open(t, t.TempDir(), spool.Options{Sync: spool.Durable, SegmentSize: 4 << 10})
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 100 {
				if err := s.Append(fmt.Appendf(nil, "%d %d", w, i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	seen := map[string]bool{}
	for len(seen) < 800 {
		r, ok, err := s.Next()
		require.NoError(t, err)
		if !ok {
			runtime.Gosched()
			continue
		}
		require.False(t, seen[string(r.Data)])
		seen[string(r.Data)] = true
		require.NoError(t, s.Ack(r.End, 1))
	}
	wg.Wait()
	require.Zero(t, s.Waiting())
}

// TestChild is the body of the processes that other tests start.
func TestChild(t *testing.T) {
	dir := os.Getenv("DOUGU_SPOOL_CHILD")
	if dir == "" {
		return // not a child
	}
	s, err := spool.Open(dir, spool.Options{SegmentSize: 64 << 10})
	require.NoError(t, err)
	for i := 0; ; i++ {
		if err := s.Append(fmt.Appendf(nil, "%08d %s", i, strings.Repeat("y", i%100))); err != nil {
			fmt.Printf("refused %v\n", err)
			if errors.Is(err, syscall.ENOSPC) {
				r, _, err := s.Next()
				require.NoError(t, err)
				fmt.Printf("first %.8s\n", r.Data)
				return
			}
		}
		fmt.Printf("kept %08d\n", i)
	}
}

func child(t *testing.T, dir string, words ...string) *oracle.Process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	words = append(words, self, "-test.run=^TestChild$", "-test.v")
	return oracle.Start(t, oracle.Cmd{Path: words[0], Args: words[1:], Env: []string{"DOUGU_SPOOL_CHILD=" + dir}})
}

func TestNothingIsLostByKill(t *testing.T) {
	rng := oracle.Rand(t)
	for range oracle.N(5, 100) {
		dir := t.TempDir()
		p := child(t, dir)
		least := fmt.Sprintf("kept %08d\n", 100+rng.IntN(3000))
		oracle.Eventually(t, 30*time.Second, "the child writes", func() error {
			if !bytes.Contains(p.Output(), []byte(least)) {
				return fmt.Errorf("no %q yet", least)
			}
			return nil
		})
		p.Stop() // SIGKILL
		kept := strings.Count(string(p.Output()), "kept ")
		s := open(t, dir, spool.Options{})
		got, _ := drain(t, s)
		require.GreaterOrEqual(t, len(got), kept)
		for i, r := range got {
			require.Equal(t, fmt.Sprintf("%08d", i), r[:8])
		}
		require.NoError(t, s.Close())
	}
}

func TestFullDiskIsAnErrorAndLosesNothing(t *testing.T) {
	words := oracle.Namespaces(t)
	if _, err := exec.LookPath("mount"); err != nil {
		oracle.Missing(t, "mount is missing: install Debian package mount")
	}
	dir := t.TempDir()
	p := child(t, dir, append(words, "sh", "-c", `mount -t tmpfs -o size=256k none "$0" && exec "$@"`, dir)...)
	require.NoError(t, p.Wait(), "%s", p.Output())
	out := string(p.Output())
	require.Contains(t, out, "no space left on device")
	require.Contains(t, out, "first 00000000")
	require.Greater(t, strings.Count(out, "kept "), 1000)
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte("dgspool1"), []byte(""))
	f.Add([]byte("dgspool1\x1e\x5b\x6e\xd0\x01\x00\x00\x00\x00\x00\x00\x00a"), bytes.Repeat([]byte{1}, 64))
	f.Fuzz(func(t *testing.T, segment, acked []byte) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "0000000000000001.seg"), segment, 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "acked"), acked, 0o600))
		s, err := spool.Open(dir, spool.Options{})
		if err != nil {
			return
		}
		defer s.Close()
		require.NoError(t, s.Append([]byte("new")))
		got, last := drain(t, s)
		require.NotEmpty(t, got)
		require.Equal(t, "new", got[len(got)-1])
		require.Equal(t, len(got), s.Waiting())
		require.NoError(t, s.Ack(last.End, len(got)))
		require.Zero(t, s.Waiting())
	})
}

func BenchmarkAppend(b *testing.B) {
	s, err := spool.Open(b.TempDir(), spool.Options{Max: 64 << 30})
	require.NoError(b, err)
	defer s.Close()
	line := make([]byte, 200)
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Append(line); err != nil {
			b.Fatal(err)
		}
	}
}
