package sim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/fill"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

func TestKeysComeBack(t *testing.T) {
	list := []sim.Key{sim.Wait, sim.KeyEnter, sim.KeyEscape, sim.KeyBackspace, sim.KeyCtrlC, sim.KeyUp, sim.KeyDown, sim.KeyLeft, sim.KeyRight, sim.KeyHome,
		sim.KeyEnd, sim.KeyPageUp, sim.KeyPageDown, sim.KeyDelete, sim.KeyF1, sim.KeyF1 + 11}
	for c := range sim.Key(0x10000) {
		list = append(list, c)
	}
	seen := map[string]sim.Key{}
	for _, k := range list {
		text, err := k.MarshalText()
		require.NoError(t, err)
		require.Equal(t, k.String(), string(text))
		other, taken := seen[string(text)]
		require.True(t, !taken || other == k, "%q is %d and %d", text, other, k)
		seen[string(text)] = k
		back := sim.Key(-99)
		require.NoError(t, back.UnmarshalText(text), "%q", text)
		require.Equal(t, k, back)
	}
	require.Equal(t, "a", sim.Key('a').String())
	require.Equal(t, "5", sim.Key('5').String())
	require.Equal(t, "space", sim.Key(' ').String())
	require.Equal(t, "f12", (sim.KeyF1 + 11).String())
	require.Equal(t, "0x7", sim.Key(7).String())
	var k sim.Key
	for _, text := range []string{"", "no such word", "Enter", "7_", "0x07", "0xD", "\xff", "0x110000", "10"} {
		require.ErrorContains(t, k.UnmarshalText([]byte(text)), "sim: unknown key ", "%q", text)
	}
	_, err := sim.Key(-7).MarshalText()
	require.EqualError(t, err, "sim: invalid key -7")
}

func TestStatusComesBack(t *testing.T) {
	for range 200 {
		s := sim.Status(rand.Uint32())
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back sim.Status
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	for _, text := range []string{"", "0", "0x", "0x00", "1", "0x100000000", "-0x1"} {
		require.ErrorContains(t, new(sim.Status).UnmarshalText([]byte(text)), "sim: ", "%q", text)
	}
}

func TestAnswersSurviveJSON(t *testing.T) {
	for _, v := range []any{
		new(sim.Result), new(sim.Boot), new(sim.Image), new(sim.Hazard), new(sim.Question), new(sim.Answer), new(sim.Outcome), new(sim.Exploration),
		new(sim.Request), new(sim.Response), new(sim.Header), new(sim.Machine), new(sim.NIC), new(sim.NamedMachine), new(sim.Assignment),
	} {
		require.NoError(t, fill.JSON(rand.Uint64(), v), "%T", v)
	}
	m := &sim.Machine{Profile: ipxe.Debian2019().With("ping")}
	r, err := sim.Run(t.Context(), m, ipxe.Parse("x", []byte("#!ipxe\nset a \xff\necho ${a}\nchain http://h/\xfe\n")), nil, sim.Options{})
	require.NoError(t, err)
	require.NotZero(t, r.Status)
	b, err := json.Marshal(r)
	require.NoError(t, err)
	require.Contains(t, string(b), `"status":"`+r.Status.String()+`"`)
	var back sim.Result
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, r.Status, back.Status)
	require.Equal(t, r.Console, back.Console)
	require.Equal(t, r.Requests, back.Requests)
	require.Equal(t, r.Hazards, back.Hazards)
	require.Equal(t, r.Boot, back.Boot)
	require.Equal(t, "${a}", back.Expand("${a}"))
	_, ok := back.Setting("a")
	require.False(t, ok)

	event := sim.Event{Script: ipxe.Parse("x", []byte("#!ipxe\n\xff")), Line: 1, Words: []string{"\xff"}}
	b, err = json.Marshal(event)
	require.NoError(t, err)
	var again sim.Event
	require.NoError(t, json.Unmarshal(b, &again))
	require.Equal(t, event.Script.Bytes(), again.Script.Bytes())
	require.Equal(t, event.Words, again.Words)
	b, err = json.Marshal(m)
	require.NoError(t, err)
	require.JSONEq(t, `{"profile":"debian2019+ping"}`, string(b))
}

func TestErrorsNameThePackageOnce(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	script := ipxe.Parse("x", []byte("#!ipxe\nchain http://h/a\n"))
	broken := worldFunc(func(*sim.Request) (*sim.Response, error) { return nil, errors.New("disk full") })
	_, ended := sim.Run(ctx, nil, script, nil, sim.Options{})
	require.ErrorIs(t, ended, context.Canceled)
	_, world := sim.Run(t.Context(), nil, script, broken, sim.Options{})
	_, machine := sim.Run(t.Context(), &sim.Machine{URI: "relative"}, script, nil, sim.Options{})
	_, explore := sim.Explore(t.Context(), script, []sim.NamedMachine{{Name: "m", Machine: &sim.Machine{URI: "relative"}}}, nil, sim.ExploreOptions{})
	_, host := sim.HandlerWorld(nil, "a").Fetch(t.Context(), &sim.Request{Host: "b"})
	require.ErrorIs(t, host, sim.ErrNoHost)
	for name, err := range map[string]error{
		"ended": ended, "world": world, "machine": machine, "explore": explore, "host": host,
		"ErrNoHost": sim.ErrNoHost, "ErrReset": sim.ErrReset, "ErrTimeout": sim.ErrTimeout,
	} {
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "sim: "), "%s: %v", name, err)
		require.Equal(t, 1, strings.Count(err.Error(), "sim: "), "%s: %v", name, err)
	}
	// A World may wrap the errors in its own words.
	gone := worldFunc(func(*sim.Request) (*sim.Response, error) { return nil, fmt.Errorf("test: %w", sim.ErrNoHost) })
	r, err := sim.Run(t.Context(), nil, script, gone, sim.Options{})
	require.NoError(t, err)
	require.NotZero(t, r.Status)
}
