package multicast_test

import (
	"context"
	"crypto/ed25519"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/fill"
	"dougu.internal/internal/oracle"
	"dougu.internal/multicast"
	"dougu.internal/multicast/mcsim"
)

// answers are the types that a service would encode as JSON.
var answers = []any{
	new(multicast.Report), new(multicast.Phase), new(multicast.HostReport), new(multicast.HostDetail), new(multicast.HostError),
	new(multicast.PathError), new(multicast.Member), new(multicast.MemberEvent), new(multicast.Status), new(multicast.Progress),
	new(multicast.Commit), new(multicast.Notice), new(multicast.Rate), new(mcsim.Stats), new(mcsim.Options),
}

func TestAnswersSurviveJSON(t *testing.T) {
	r := oracle.Rand(t)
	for range oracle.N(100, 10000) {
		for _, p := range answers {
			fill.Value(r, p)
			b, err := json.Marshal(p)
			require.NoError(t, err)
			back := reflect.New(reflect.TypeOf(p).Elem()).Interface()
			require.NoError(t, json.Unmarshal(b, back), "%s", b)
			require.Equal(t, p, back, "%s", b)
			value, err := json.Marshal(reflect.ValueOf(p).Elem().Interface())
			require.NoError(t, err)
			require.Equal(t, string(b), string(value), "a value and a pointer have the same encoding")
		}
	}
}

func TestZeroAnswersAreShort(t *testing.T) {
	for _, p := range answers {
		b, err := json.Marshal(reflect.Zero(reflect.TypeOf(p).Elem()).Interface())
		require.NoError(t, err)
		require.Contains(t, []string{`{}`, `{"state":"unknown"}`}, string(b), "%T", p)
	}
}

// TestFileNamesStayDistinct has names that encoding/json alone makes equal.
func TestFileNamesStayDistinct(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{"\xff", "\xfe", "\ufffd", "a", "\xff\xff"} {
		b, err := json.Marshal(multicast.Report{Hosts: []multicast.HostReport{{Updated: []string{name}}}})
		require.NoError(t, err)
		require.Empty(t, seen[string(b)], "%q", name)
		seen[string(b)] = fmt.Sprintf("%q", name)
	}
}

func TestErrorsComeBackFromJSON(t *testing.T) {
	b, err := json.Marshal(&multicast.HostError{Host: "h", Err: multicast.ErrEvicted, Text: "slow"})
	require.NoError(t, err)
	require.JSONEq(t, `{"host":"h","err":"multicast: host was evicted: too slow","text":"slow"}`, string(b))
	var h multicast.HostError
	require.NoError(t, json.Unmarshal(b, &h))
	require.ErrorIs(t, &h, multicast.ErrEvicted)
	b, err = json.Marshal(multicast.Commit{Tidy: errors.New("busy")})
	require.NoError(t, err)
	require.Equal(t, `{"tidy":"busy"}`, string(b))
}

type textValue interface {
	fmt.Stringer
	encoding.TextMarshaler
}

func TestEnumerationsHaveText(t *testing.T) {
	for _, row := range []struct {
		v    textValue
		back encoding.TextUnmarshaler
		want string
	}{
		{multicast.LAN, new(multicast.RateMode), "lan"},
		{multicast.Fixed, new(multicast.RateMode), "fixed"},
		{multicast.Friendly, new(multicast.RateMode), "friendly"},
		{multicast.MemberEventKind(0), new(multicast.MemberEventKind), "unknown"},
		{multicast.TimedOut, new(multicast.MemberEventKind), "timed-out"},
		{multicast.Incompatible, new(multicast.MemberEventKind), "incompatible"},
		{multicast.HostUnknown, new(multicast.HostState), "unknown"},
		{multicast.HostReadOnly, new(multicast.HostState), "read-only"},
		{multicast.HostInDoubt, new(multicast.HostState), "in-doubt"},
		{multicast.HostAborted, new(multicast.HostState), "aborted"},
		{multicast.Auto, new(multicast.Mode), "auto"},
		{multicast.InPlace, new(multicast.Mode), "in-place"},
		{mcsim.Malice(0), new(mcsim.Malice), "none"},
		{mcsim.NackStorm, new(mcsim.Malice), "nacks"},
		{mcsim.Hellos, new(mcsim.Malice), "hellos"},
		{multicast.All, new(multicast.CommitPolicy), "all"},
		{multicast.Reached, new(multicast.CommitPolicy), "reached"},
		{multicast.Quorum(3), new(multicast.CommitPolicy), "3"},
		{multicast.Wait, new(multicast.SlowPolicy), "wait"},
		{multicast.EvictBelow(10e6, 5*time.Second), new(multicast.SlowPolicy), "evict:10000000:5s"},
		{multicast.Background(1, time.Minute), new(multicast.SlowPolicy), "background:1:1m0s"},
		{multicast.Digest{1, 0xff}, new(multicast.Digest), "01ff" + strings.Repeat("0", 60)},
	} {
		text, err := row.v.MarshalText()
		require.NoError(t, err)
		require.Equal(t, row.want, string(text))
		require.Equal(t, row.want, row.v.String())
		require.NoError(t, row.back.UnmarshalText(text))
		require.Equal(t, row.v, reflect.ValueOf(row.back).Elem().Interface())
		for _, bad := range []string{"", "X", row.want + " ", "-1", "evict:1", "evict:x:1s", "evict:1:x", "0"} {
			err := row.back.UnmarshalText([]byte(bad))
			require.Error(t, err, "%T %q", row.v, bad)
			require.Regexp(t, "^(multicast|mcsim): ", err.Error())
			require.Equal(t, row.v, reflect.ValueOf(row.back).Elem().Interface(), "a failure changes nothing")
		}
	}
	for _, v := range []textValue{multicast.RateMode(9), multicast.HostState(99), multicast.MemberEventKind(99), multicast.Mode(9), mcsim.Malice(99)} {
		_, err := v.MarshalText()
		require.Error(t, err)
		require.NotEmpty(t, v.String())
	}
}

// prefixed checks that err starts with the package's name, and contains it once.
func prefixed(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err)
	require.True(t, strings.HasPrefix(err.Error(), "multicast: "), "%v", err)
	require.Equal(t, 1, strings.Count(err.Error(), "multicast: "), "%v", err)
	require.NotRegexp(t, `: it |\.$|^multicast: $`, err.Error())
}

// TestErrorsBeginWithThePackage makes errors of each method.
func TestErrorsBeginWithThePackage(t *testing.T) {
	for _, err := range []error{
		multicast.ErrNoMembers, multicast.ErrTooFew, multicast.ErrUnknownHost, multicast.ErrTimeout, multicast.ErrAborted,
		multicast.ErrInDoubt, multicast.ErrLate, multicast.ErrEvicted, multicast.ErrRefused, multicast.ErrSource, multicast.ErrBusy,
		multicast.ErrClosed, &multicast.PathError{Op: "read", Path: "p", Text: "failed"},
		&multicast.HostError{Host: "h", Err: multicast.ErrLate}, &multicast.HostError{Host: "h", Text: "text"},
	} {
		prefixed(t, err)
	}
	bad := multicast.Config{
		Group: netip.MustParseAddrPort("10.0.0.1:5"), Key: []byte{1}, Name: strings.Repeat("n", 300), TTL: 300,
		Publish: []byte{1}, Trust: []ed25519.PublicKey{{1}}, Rate: multicast.Rate{Mode: multicast.Fixed},
	}
	prefixed(t, bad.Validate())
	require.Equal(t, 7, strings.Count(bad.Validate().Error(), "invalid "))
	list, ok := bad.Validate().(interface{ Unwrap() []error })
	require.True(t, ok)
	require.Len(t, list.Unwrap(), 7)
	for _, err := range list.Unwrap() {
		prefixed(t, err)
	}
	prefixed(t, multicast.Config{Rate: multicast.Rate{Mode: 9}}.Validate())
	for _, p := range []string{"", "/x", "../x", "a\x00", strings.Repeat("x", 5000), strings.Repeat("x", 300)} {
		prefixed(t, multicast.CheckPath(p))
	}
	ctx := context.Background()
	_, err := multicast.Join(ctx, bad)
	prefixed(t, err)
	_, err = multicast.Join(ctx, multicast.Config{Group: oracle.MulticastGroup(t), Interface: "nosuch0"})
	prefixed(t, err)
	_, err = multicast.UDP().Open(ctx, multicast.Config{Group: oracle.MulticastGroup(t), Interface: "nosuch0"})
	prefixed(t, err)

	s := mcsim.NewSwitch(1)
	n := join(t, config(s, "s"))
	gone := canceled()
	prefixed(t, n.Query(gone, time.Minute))
	prefixed(t, n.Wait(gone, 1))
	_, err = n.Status(gone)
	prefixed(t, err)
	require.ErrorIs(t, err, context.Canceled)
	dir := t.TempDir()
	_, err = n.Receive(filepath.Join(dir, "nosuch"), multicast.ReceiveOptions{})
	prefixed(t, err)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".mc-stage"), nil, 0o600))
	_, err = n.Receive(dir, multicast.ReceiveOptions{})
	prefixed(t, err)
	r, err := n.Receive(t.TempDir(), multicast.ReceiveOptions{})
	require.NoError(t, err)
	_, err = r.Next(gone)
	prefixed(t, err)
	_, err = n.Receive(t.TempDir(), multicast.ReceiveOptions{})
	prefixed(t, err)

	for _, o := range []multicast.SendOptions{
		{To: make([]string, 1000)}, {Symbol: 1}, {MinMembers: -1}, {MaxDelete: -1}, {Paths: []string{"/x"}}, {Paths: []string{"nosuch", "nosuch2"}},
		{Paths: []string{".", "x"}},
	} {
		_, err = n.Send(ctx, dir, o)
		prefixed(t, err)
	}
	_, err = n.Send(ctx, filepath.Join(dir, "nosuch"), multicast.SendOptions{})
	prefixed(t, err)
	write(t, dir, map[string]string{"f": "x"})
	sender := join(t, config(s, "s2"))
	_, err = sender.Send(ctx, dir, multicast.SendOptions{Paths: []string{"f"}, To: []string{"a", "b"}})
	prefixed(t, err)
	require.ErrorIs(t, err, multicast.ErrUnknownHost)
	_, err = sender.Send(gone, dir, multicast.SendOptions{Paths: []string{"f"}})
	prefixed(t, err)
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, n.Close())
	for _, err := range []error{n.Query(ctx, time.Minute), n.Wait(ctx, 9)} {
		require.ErrorIs(t, err, multicast.ErrClosed)
		prefixed(t, err)
	}
}

// TestHostErrorsBeginWithThePackage: two hosts fail, each of them in a line.
func TestHostErrorsBeginWithThePackage(t *testing.T) {
	s := mcsim.NewSwitch(1)
	for _, name := range []string{"h1", "h2"} {
		d, _ := receive(t, config(s, name), multicast.ReceiveOptions{})
		write(t, d, map[string]string{"t/1": "", "t/2": ""})
	}
	src := t.TempDir()
	write(t, src, map[string]string{"t/a": "1"})
	o := wholeTree
	o.Paths, o.Delete, o.MaxDelete = []string{"t", "nosuch"}, true, 1
	rep, err := join(t, config(s, "s")).Send(context.Background(), src, o)
	require.NotNil(t, rep)
	prefixed(t, err)
	require.ErrorIs(t, err, multicast.ErrRefused)
	require.ErrorIs(t, err, multicast.ErrSource)
	require.Contains(t, err.Error(), "\nh2: ")
	require.Contains(t, err.Error(), "too many deletions: 2, want at most 1")
}
