package multicast_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// config returns the configuration of a node in a network in memory.
func config(s *mcsim.Switch, name string) multicast.Config {
	return multicast.Config{Group: netip.MustParseAddrPort("233.252.0.7:6000"), Name: name, Key: make([]byte, 32), Transport: s}
}

func join(tb testing.TB, c multicast.Config) *multicast.Node {
	tb.Helper()
	n, err := multicast.Join(context.Background(), c)
	require.NoError(tb, err)
	tb.Cleanup(func() { require.NoError(tb, n.Close()) })
	return n
}

// receive joins a node that receives into a directory of its own.
func receive(tb testing.TB, c multicast.Config, o multicast.ReceiveOptions) (string, *multicast.Receiver) {
	tb.Helper()
	dir := tb.TempDir()
	r, err := join(tb, c).Receive(dir, o)
	require.NoError(tb, err)
	return dir, r
}

func write(tb testing.TB, dir string, files map[string]string) {
	tb.Helper()
	for name, text := range files {
		p := filepath.Join(dir, name)
		require.NoError(tb, os.MkdirAll(filepath.Dir(p), 0o755))
		require.NoError(tb, os.WriteFile(p, []byte(text), 0o644))
	}
}

func read(tb testing.TB, dir string) map[string]string {
	tb.Helper()
	m := map[string]string{}
	require.NoError(tb, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.Name() == ".mc-stage" {
			return filepath.SkipDir
		}
		if d.Type().IsRegular() {
			text, err := os.ReadFile(p)
			m[strings.TrimPrefix(p, dir+"/")] = string(text)
			return err
		}
		return nil
	}))
	return m
}

var wholeTree = multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 2}

func TestSendReachesEveryHostAndSkipsWhatIsThere(t *testing.T) {
	s := mcsim.NewSwitch(1)
	s.Loss = 0.05
	d1, r1 := receive(t, config(s, "h1"), multicast.ReceiveOptions{})
	d2, _ := receive(t, config(s, "h2"), multicast.ReceiveOptions{Mode: multicast.InPlace})
	n := join(t, config(s, "s"))
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": "1", "t/sub/b": strings.Repeat("x", 300000), "t/empty": ""})
	rep, err := n.Send(context.Background(), src, wholeTree)
	require.NoError(t, err)
	require.Equal(t, read(t, src), read(t, d1))
	require.Equal(t, read(t, src), read(t, d2))
	require.Equal(t, int64(300001), rep.Bytes)
	require.Equal(t, []string{"t/a", "t/empty", "t/sub/b", "t/sub", "t"}, rep.Hosts[0].Updated)
	require.True(t, rep.Hosts[0].Atomic)
	require.False(t, rep.Hosts[1].Atomic)
	c, err := r1.Next(context.Background())
	require.NoError(t, err)
	require.Equal(t, "s", c.Sender)
	require.Equal(t, uint64(1), c.Epoch)
	require.Len(t, c.Updated, 5)

	rep, err = n.Send(context.Background(), src, wholeTree)
	require.NoError(t, err)
	require.Zero(t, rep.Bytes)
	require.Empty(t, rep.Hosts[0].Updated)
	require.Len(t, rep.Hosts[0].Skipped, 5)

	// A change, a deletion, an exclude that protects.
	write(t, src, map[string]string{"t/a": "22"})
	write(t, d1, map[string]string{"t/extra": "e", "t/keep.log": "k"})
	o := wholeTree
	o.Delete, o.Exclude, o.DryRun = true, []string{"*.log"}, true
	rep, err = n.Send(context.Background(), src, o)
	require.NoError(t, err)
	require.Equal(t, []string{"t/extra"}, rep.Hosts[0].Deleted)
	require.Equal(t, "1", read(t, d1)["t/a"], "a dry run changes nothing")
	o.DryRun = false
	rep, err = n.Send(context.Background(), src, o)
	require.NoError(t, err)
	require.Equal(t, []string{"t/extra"}, rep.Hosts[0].Deleted)
	require.Equal(t, int64(2), rep.Bytes)
	want := read(t, src)
	want["t/keep.log"] = "k"
	require.Equal(t, want, read(t, d1))
}

func TestCheckFindsWhatSizeAndTimeHide(t *testing.T) {
	s := mcsim.NewSwitch(1)
	d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
	n := join(t, config(s, "s"))
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": "good", "t/b": "good"})
	o := multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 1}
	_, err := n.Send(context.Background(), src, o)
	require.NoError(t, err)
	fi, err := os.Stat(filepath.Join(d, "t/a"))
	require.NoError(t, err)
	write(t, d, map[string]string{"t/a": "evil"})
	require.NoError(t, os.Chtimes(filepath.Join(d, "t/a"), fi.ModTime(), fi.ModTime()))
	rep, err := n.Send(context.Background(), src, o)
	require.NoError(t, err)
	require.Zero(t, rep.Bytes, "size and time are the same")
	c := o
	c.Check = true
	rep, err = n.Send(context.Background(), src, c)
	require.NoError(t, err)
	require.Equal(t, []string{"t/a"}, rep.Hosts[0].Differs)
	require.Equal(t, "evil", read(t, d)["t/a"])
	o.Checksum = true
	_, err = n.Send(context.Background(), src, o)
	require.NoError(t, err)
	require.Equal(t, read(t, src), read(t, d))
}

func TestRefusals(t *testing.T) {
	oracle.Slow(t)
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": "1"})
	one := multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 1}
	pub, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	_, other, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	ctx := context.Background()

	t.Run("nobody is there", func(t *testing.T) {
		n := join(t, config(mcsim.NewSwitch(1), "s"))
		_, err := n.Send(ctx, src, one)
		require.ErrorIs(t, err, multicast.ErrNoMembers)
	})
	t.Run("another key", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		c := config(s, "h")
		c.Key = slices.Repeat([]byte{7}, 32)
		receive(t, c, multicast.ReceiveOptions{})
		_, err := join(t, config(s, "s")).Send(ctx, src, one)
		require.ErrorIs(t, err, multicast.ErrNoMembers)
	})
	t.Run("too few", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		receive(t, config(s, "h"), multicast.ReceiveOptions{})
		o := one
		o.MinMembers = 2
		_, err := join(t, config(s, "s")).Send(ctx, src, o)
		require.ErrorIs(t, err, multicast.ErrTooFew)
	})
	t.Run("unknown host", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		receive(t, config(s, "h"), multicast.ReceiveOptions{})
		o := one
		o.To = []string{"h", "nobody"}
		_, err := join(t, config(s, "s")).Send(ctx, src, o)
		require.ErrorIs(t, err, multicast.ErrUnknownHost)
		require.ErrorContains(t, err, "nobody is not contained in members")
	})
	t.Run("unsigned, wrongly signed, signed", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		c := config(s, "h")
		c.Trust = []ed25519.PublicKey{pub}
		d, r := receive(t, c, multicast.ReceiveOptions{})
		for _, k := range []ed25519.PrivateKey{nil, other} {
			c := config(s, "s")
			c.Publish = k
			n := join(t, c)
			_, err := n.Send(ctx, src, one)
			var h *multicast.HostError
			require.ErrorAs(t, err, &h)
			require.ErrorIs(t, h, multicast.ErrRefused)
			require.ErrorContains(t, err, "not signed by a trusted publisher")
			require.NoError(t, n.Close())
		}
		require.NotEmpty(t, r.Notices())
		require.Empty(t, read(t, d))
		p := config(s, "s")
		p.Publish = key
		_, err := join(t, p).Send(ctx, src, one)
		require.NoError(t, err)
		require.Equal(t, read(t, src), read(t, d))
	})
	t.Run("read-only", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{ReadOnly: true})
		write(t, d, map[string]string{"t/old": "stays"})
		o := one
		o.Delete = true
		rep, err := join(t, config(s, "s")).Send(ctx, src, o)
		require.NoError(t, err)
		require.Equal(t, multicast.HostReadOnly, rep.Hosts[0].State)
		require.Equal(t, []string{"t/old"}, rep.Hosts[0].Deleted, "it would go")
		require.Equal(t, map[string]string{"t/old": "stays"}, read(t, d))
	})
	t.Run("more deletions than allowed", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
		write(t, d, map[string]string{"t/1": "", "t/2": "", "t/3": ""})
		o := one
		o.Delete, o.MaxDelete = true, 2
		_, err := join(t, config(s, "s")).Send(ctx, src, o)
		require.ErrorContains(t, err, "too many deletions: 3, want at most 2")
		require.Len(t, read(t, d), 3)
	})
	t.Run("a link that leads out", func(t *testing.T) {
		s := mcsim.NewSwitch(1)
		d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
		bad := t.TempDir()
		write(t, bad, map[string]string{"t/a": "1"})
		require.NoError(t, os.Symlink("../../etc", filepath.Join(bad, "t/l")))
		_, err := join(t, config(s, "s")).Send(ctx, bad, one)
		require.ErrorContains(t, err, `"t/l" is a link to "../../etc", which is outside`)
		require.Empty(t, read(t, d))
	})
	t.Run("paths", func(t *testing.T) {
		n := join(t, config(mcsim.NewSwitch(1), "s"))
		for p, want := range map[string]string{"../x": "leaves the source directory", "/etc": "is absolute", "": "invalid path: empty", "nosuch": "no such file or directory: nosuch"} {
			_, err := n.Send(ctx, src, multicast.SendOptions{Paths: []string{p}})
			require.ErrorContains(t, err, want)
		}
	})
	t.Run("configuration", func(t *testing.T) {
		for _, c := range []multicast.Config{{Key: []byte{1}}, {Group: netip.MustParseAddrPort("10.0.0.1:5")}, {TTL: 300}, {Rate: multicast.Rate{Mode: multicast.Fixed}}, {Publish: []byte{1}}, {Name: strings.Repeat("n", 300)}} {
			_, err := multicast.Join(ctx, c)
			require.Error(t, err)
		}
	})
	t.Run("receivers", func(t *testing.T) {
		n := join(t, config(mcsim.NewSwitch(1), "s"))
		_, err := n.Receive("/nonexistent", multicast.ReceiveOptions{})
		require.ErrorContains(t, err, "cannot receive into /nonexistent")
		_, err = n.Receive(t.TempDir(), multicast.ReceiveOptions{})
		require.NoError(t, err)
		_, err = n.Receive(t.TempDir(), multicast.ReceiveOptions{})
		require.ErrorContains(t, err, "already has a receiver")
	})
}

// TestNamesInTheWay: what stands in the way with another type gives way when it is
// empty or no directory; a full directory is an error of its path, and goes with
// delete.
func TestNamesInTheWay(t *testing.T) {
	for _, mode := range []multicast.Mode{multicast.Auto, multicast.InPlace} {
		s := mcsim.NewSwitch(1)
		d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{Mode: mode})
		src := t.TempDir()
		write(t, src, map[string]string{"t/file": "now a file", "t/dir/x": "now a directory", "t/full": "was a full directory"})
		write(t, d, map[string]string{"t/dir": "was a file", "t/full/in": "it"})
		require.NoError(t, os.Mkdir(filepath.Join(d, "t/file"), 0o755))
		n := join(t, config(s, "s"))
		o := multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 1}
		rep, err := n.Send(context.Background(), src, o)
		var p *multicast.PathError
		require.ErrorAs(t, err, &p)
		require.Equal(t, "t/full", p.Path)
		require.Equal(t, multicast.HostCommitted, rep.Hosts[0].State)
		require.Equal(t, map[string]string{"t/file": "now a file", "t/dir/x": "now a directory", "t/full/in": "it"}, read(t, d))
		o.Delete = true
		_, err = n.Send(context.Background(), src, o)
		require.NoError(t, err)
		require.Equal(t, read(t, src), read(t, d))
		require.NoError(t, n.Close())
	}
}

// TestTransferThatWasBrokenOffGoesOn: what arrived before a sender gave up is not sent
// again.
func TestTransferThatWasBrokenOffGoesOn(t *testing.T) {
	s := mcsim.NewSwitch(1)
	s.Loss = 0.01
	d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
	src := t.TempDir()
	data := make([]byte, 6<<20)
	rand.NewChaCha8([32]byte{}).Read(data)
	write(t, src, map[string]string{"t/big": string(data)})
	c := config(s, "s")
	c.Rate = multicast.Rate{Bits: 40e6}
	n := join(t, c)
	ctx, cancel := context.WithCancel(context.Background())
	o := multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 1}
	half := o
	half.Progress = func(p multicast.Progress) {
		if p.Done > 3<<20 {
			cancel()
		}
	}
	_, err := n.Send(ctx, src, half)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, read(t, d))
	rep, err := n.Send(context.Background(), src, o)
	require.NoError(t, err)
	require.Less(t, rep.Bytes, int64(4<<20))
	require.LessOrEqual(t, float64(rep.Sent), 1.05*float64(rep.Bytes)+20000)
	require.Equal(t, read(t, src), read(t, d))
}

// TestSourceThatChangesIsToldByPath: the file stays as it was, the others go on.
func TestSourceThatChangesIsToldByPath(t *testing.T) {
	s := mcsim.NewSwitch(1)
	d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": strings.Repeat("a", 9<<20), "t/b": "old", "t/c": "gone soon"})
	c := config(s, "s")
	c.Rate = multicast.Rate{Bits: 60e6}
	n := join(t, c)
	o := multicast.SendOptions{Paths: []string{"t"}, Recursive: true, MinMembers: 1}
	once := false
	o.Progress = func(p multicast.Progress) {
		if p.Done > 0 && !once { // the first file holds up the reading of the others
			once = true
			write(t, src, map[string]string{"t/b": "new and longer"})
			require.NoError(t, os.Remove(filepath.Join(src, "t/c")))
		}
	}
	rep, err := n.Send(context.Background(), src, o)
	require.ErrorIs(t, err, multicast.ErrSource)
	require.Equal(t, multicast.HostCommitted, rep.Hosts[0].State)
	require.Len(t, rep.Problems, 2)
	require.Equal(t, []string{"t/a"}, slices.Sorted(func(yield func(string) bool) {
		for name := range read(t, d) {
			if !yield(name) {
				return
			}
		}
	}))
}

// TestTwoSendersTakeTurns: both trees arrive.
func TestTwoSendersTakeTurns(t *testing.T) {
	s := mcsim.NewSwitch(1)
	d, _ := receive(t, config(s, "h"), multicast.ReceiveOptions{})
	done := make(chan error)
	want := map[string]string{}
	for i := range 2 {
		n := join(t, config(s, fmt.Sprintf("s%d", i)))
		src := t.TempDir()
		name := fmt.Sprintf("t%d", i)
		write(t, src, map[string]string{name + "/f": strings.Repeat(name, 50000)})
		want[name+"/f"] = strings.Repeat(name, 50000)
		go func() {
			_, err := n.Send(context.Background(), src, multicast.SendOptions{Paths: []string{name}, Recursive: true, MinMembers: 1})
			done <- err
		}()
	}
	require.NoError(t, <-done)
	require.NoError(t, <-done)
	require.Equal(t, want, read(t, d))
}

func TestMembersComeAndGo(t *testing.T) {
	s := mcsim.NewSwitch(1)
	n := join(t, config(s, "s"))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	events := make(chan multicast.MemberEvent, 10)
	watch := n.Watch(ctx)
	go func() {
		for e := range watch {
			events <- e
		}
	}()
	a, err := multicast.Join(ctx, config(s, "same"))
	require.NoError(t, err)
	b, err := multicast.Join(ctx, config(s, "same"))
	require.NoError(t, err)
	require.Equal(t, multicast.Joined, (<-events).Kind)
	require.Equal(t, multicast.Joined, (<-events).Kind)
	list := n.Members()
	require.Equal(t, []string{"same", "same#2"}, []string{list[0].Name, list[1].Name})
	st, err := n.Status(ctx)
	require.NoError(t, err)
	require.Len(t, st, 3)
	require.Equal(t, "idle", st[1].State)
	require.NoError(t, a.Close())
	require.Equal(t, multicast.Left, (<-events).Kind)
	require.Len(t, n.Members(), 1)
	require.NoError(t, b.Close())
	require.ErrorIs(t, n.Wait(canceled(), 1), context.Canceled)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestCloseLeavesNothingBehind counts goroutines, with a transfer on its way.
func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	s := mcsim.NewSwitch(1)
	n, err := multicast.Join(context.Background(), config(s, "s"))
	require.NoError(t, err)
	h, err := multicast.Join(context.Background(), config(s, "h"))
	require.NoError(t, err)
	r, err := h.Receive(t.TempDir(), multicast.ReceiveOptions{})
	require.NoError(t, err)
	src := t.TempDir()
	write(t, src, map[string]string{"f": strings.Repeat("x", 1<<20)})
	errs := make(chan error)
	go func() {
		_, err := n.Send(context.Background(), src, multicast.SendOptions{Paths: []string{"f"}, MinMembers: 1})
		errs <- err
	}()
	oracle.Eventually(t, 10*time.Second, "the transfer begins", func() error {
		if n.Members() == nil {
			return errors.New("no members")
		}
		return nil
	})
	require.NoError(t, n.Close())
	require.NoError(t, n.Close())
	<-errs
	require.NoError(t, r.Close())
	require.NoError(t, h.Close())
	_, err = r.Next(context.Background())
	require.ErrorIs(t, err, multicast.ErrClosed)
	_, err = n.Send(context.Background(), src, multicast.SendOptions{})
	require.ErrorIs(t, err, multicast.ErrClosed)
	oracle.Eventually(t, 10*time.Second, "goroutines end", func() error {
		if k := runtime.NumGoroutine(); k > before {
			return fmt.Errorf("%d goroutines, %d before", k, before)
		}
		return nil
	})
}

// TestSocketsCarryATree uses real multicast on the loopback interface.
func TestSocketsCarryATree(t *testing.T) {
	c := config(nil, "h")
	c.Transport, c.Interface, c.Group = nil, "lo", oracle.MulticastGroup(t)
	n, err := multicast.Join(context.Background(), c)
	if err != nil {
		oracle.Missing(t, "no multicast on the loopback interface: "+err.Error())
	}
	require.NoError(t, n.Close())
	d1, _ := receive(t, c, multicast.ReceiveOptions{})
	c.Name = "h2"
	d2, _ := receive(t, c, multicast.ReceiveOptions{})
	c.Name = "s"
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": strings.Repeat("a", 3<<20), "t/b": "b"})
	_, err = join(t, c).Send(context.Background(), src, wholeTree)
	require.NoError(t, err)
	require.Equal(t, read(t, src), read(t, d1))
	require.Equal(t, read(t, src), read(t, d2))
	c.Interface = "nosuch0"
	_, err = multicast.Join(context.Background(), c)
	require.ErrorContains(t, err, "nosuch0: no such interface")
}

func BenchmarkSend(b *testing.B) {
	c := multicast.Config{Group: oracle.MulticastGroup(b), Interface: "lo", Key: make([]byte, 32)}
	src := b.TempDir()
	data := make([]byte, 16<<20)
	rand.NewChaCha8([32]byte{}).Read(data)
	require.NoError(b, os.WriteFile(filepath.Join(src, "big"), data, 0o644))
	c.Name = "h"
	receive(b, c, multicast.ReceiveOptions{})
	c.Name = "s"
	s := join(b, c)
	b.SetBytes(16 << 20)
	b.ReportAllocs()
	t := time.Unix(1e9, 0)
	for b.Loop() {
		t = t.Add(time.Second)
		require.NoError(b, os.Chtimes(filepath.Join(src, "big"), t, t))
		_, err := s.Send(context.Background(), src, multicast.SendOptions{Paths: []string{"big"}, MinMembers: 1})
		require.NoError(b, err)
	}
}

// TestOtherKeysAreSaid: a node with another key is named by its address at both ends.
func TestOtherKeysAreSaid(t *testing.T) {
	group := oracle.MulticastGroup(t)
	ctx := context.Background()
	open := func(key byte) *multicast.Node {
		n, err := multicast.Join(ctx, multicast.Config{Group: group, Interface: "lo", Key: bytes.Repeat([]byte{key}, 32), Name: fmt.Sprint("n", key)})
		if err != nil {
			oracle.Missing(t, "no multicast on the loopback interface: "+err.Error())
		}
		t.Cleanup(func() { n.Close() })
		return n
	}
	b := open(2)
	r, err := b.Receive(t.TempDir(), multicast.ReceiveOptions{})
	require.NoError(t, err)
	a := open(1) // last: it is a notice of the receiver only when there is one
	require.NoError(t, a.Query(ctx, time.Millisecond))
	oracle.Eventually(t, 20*time.Second, "the other key is noticed", func() error {
		if len(a.OtherKeys()) != 1 || len(b.OtherKeys()) != 1 {
			return errors.New("not yet")
		}
		return nil
	})
	require.True(t, a.OtherKeys()[0].IsLoopback())
	notices := r.Notices()
	require.Len(t, notices, 1)
	require.Contains(t, notices[0].Text, "another key")
	require.Empty(t, a.Members())
}
