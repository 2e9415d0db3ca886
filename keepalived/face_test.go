package keepalived_test

import (
	"context"
	"encoding"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/fill"
	"dougu.internal/keepalived"
)

func TestProfilesComeBack(t *testing.T) {
	list := append(keepalived.Profiles(), keepalived.Profile{}, keepalived.Newest())
	for _, without := range [][]string{{"nothing"}, {"bfd"}, {"snmp", "bfd"}, {"iptables"}, {"iptables", "nftables"}} {
		for _, v := range []keepalived.Version{{}, {Major: 2, Minor: 2, Patch: 7}} {
			p, err := keepalived.NewProfile(v, without...)
			require.NoError(t, err)
			list = append(list, p)
		}
	}
	for _, p := range list {
		back, err := keepalived.ParseProfile(p.String())
		require.NoError(t, err)
		require.Equal(t, p, back)
		text, err := p.MarshalText()
		require.NoError(t, err)
		require.Equal(t, p.String(), string(text))
		var q keepalived.Profile
		require.NoError(t, q.UnmarshalText(text))
		require.True(t, p == q, "%s", p)
	}
	p, err := keepalived.ParseProfile("2.2.7 without snmp,bfd")
	require.NoError(t, err)
	require.Equal(t, "2.2.7 without bfd,snmp", p.String())
	require.Equal(t, []string{"bfd", "snmp"}, p.Without())
	require.Equal(t, []string{"iptables"}, keepalived.Profile{}.Without(), "as Debian builds it")
	require.Equal(t, keepalived.Newest().Version(), keepalived.Profile{}.Version())
	require.Equal(t, "newest", keepalived.Profile{}.String())
	for _, name := range []string{"", "2.2", "9.9.9", "2.2.7 without", "2.2.7 without ", "2.2.7 without x", "2.2.7 without nothing,bfd", "2.2.7 without bfd ", strings.Repeat("\xff", 1000)} {
		_, err := keepalived.ParseProfile(name)
		require.Error(t, err, "%q", name)
		require.True(t, strings.HasPrefix(err.Error(), "keepalived: "), "%v", err)
		require.Equal(t, 1, strings.Count(err.Error(), "keepalived: "), "%v", err)
		require.Less(t, len(err.Error()), 1000)
		require.Error(t, new(keepalived.Profile).UnmarshalText([]byte(name)))
	}
}

func TestEnumerationsComeBack(t *testing.T) {
	for _, row := range []struct {
		value encoding.TextMarshaler
		into  encoding.TextUnmarshaler
		word  string
	}{
		{keepalived.CheckFails, new(keepalived.FaultKind), "check-fails"},
		{keepalived.Partition, new(keepalived.FaultKind), "partition"},
		{keepalived.ScriptUnknown, new(keepalived.ScriptState), "unknown"},
		{keepalived.ScriptNotExecutable, new(keepalived.ScriptState), "not-executable"},
		{keepalived.Repeat, new(keepalived.ElementKind), "repeat"},
		{keepalived.ByChance, new(keepalived.Judgement), "varies"},
		{keepalived.ResultUnknown, new(keepalived.Result), "unknown"},
		{keepalived.Refused, new(keepalived.Result), "refused"},
	} {
		require.NoError(t, fill.Text(row.value, row.into, row.word, "keepalived: "))
	}
	_, err := keepalived.FaultKind(0).MarshalText()
	require.EqualError(t, err, "keepalived: invalid fault kind 0")
	b, err := json.Marshal(keepalived.Fault{Node: "a", Subject: "web", Kind: keepalived.CheckFails})
	require.NoError(t, err)
	require.JSONEq(t, `{"node":"a","subject":"web","kind":"check-fails"}`, string(b))
}

func TestAnswersSurviveJSON(t *testing.T) {
	for _, v := range []any{
		new(keepalived.Model), new(keepalived.Global), new(keepalived.Instance), new(keepalived.VirtualServer), new(keepalived.RealServer),
		new(keepalived.Address), new(keepalived.Track), new(keepalived.SyncGroup), new(keepalived.Script), new(keepalived.TrackFile),
		new(keepalived.TrackProcess), new(keepalived.BFD), new(keepalived.ServerGroup), new(keepalived.Outcome), new(keepalived.NodeOutcome),
		new(keepalived.Fault), new(keepalived.Keyword), new(keepalived.RuleInfo), new(keepalived.Element),
		new(keepalived.Word), new(keepalived.Interface), new(keepalived.Version),
	} {
		require.NoError(t, fill.JSON(rand.Uint64(), v), "%T", v)
	}
	for _, message := range []string{"\xff", "\xfe", "\ufffd{ff}"} {
		in := keepalived.TestResult{Result: keepalived.Refused, Reasons: diag.List{{Rule: "KA001", Severity: diag.Error, Message: message, Range: diag.Range{File: "f" + message}}}}
		b, err := json.Marshal(in)
		require.NoError(t, err)
		var out keepalived.TestResult
		require.NoError(t, json.Unmarshal(b, &out))
		require.Equal(t, in, out)
	}
	rule := keepalived.RuleInfos()[0]
	b, err := json.Marshal(rule)
	require.NoError(t, err)
	var back keepalived.RuleInfo
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, rule, back)
	require.Contains(t, string(b), `"id":"`+rule.ID+`"`)
}

// TestAModelSurvivesJSON encodes what a configuration comes to, twice.
func TestAModelSurvivesJSON(t *testing.T) {
	m := keepalived.Loader{}.Parse("f", []byte(story+"vrrp_script \xffweb {\n script /bin/true\n}\nvrrp_instance V1 {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n 10.0.0.1/24\n }\n}\n"+
		"virtual_server 10.0.0.1 80 {\n delay_loop 5\n real_server 10.0.0.2 80 {\n }\n}\n")).Model(keepalived.Options{})
	require.NotEmpty(t, m.Instances)
	require.NotEmpty(t, m.VirtualServers)
	b, err := json.Marshal(m)
	require.NoError(t, err)
	var back keepalived.Model
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, "\xffweb", back.Scripts[0].Name)
	require.Equal(t, m.Instances[0].Addresses[0].Prefix, back.Instances[0].Addresses[0].Prefix)
	again, err := json.Marshal(&back)
	require.NoError(t, err)
	require.Equal(t, string(b), string(again))
	err = json.Unmarshal([]byte(`{"instances": 7}`), &back)
	require.ErrorContains(t, err, "keepalived: decode JSON: ")
}

func TestLintEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := keepalived.Loader{}.Parse("big.conf", []byte(strings.Repeat("vrrp_instance V {\n interface eth0\n}\n", 20_000)))
	nodes := []keepalived.Node{{Name: "a", Config: c}, {Name: "b", Config: c}}
	list, err := keepalived.Lint(ctx, c, keepalived.Options{})
	require.EqualError(t, err, "keepalived: lint big.conf: context canceled")
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, list)
	_, err = keepalived.LintCluster(ctx, nodes, keepalived.Options{})
	require.ErrorIs(t, err, context.Canceled)
	r, err := keepalived.Verdict(ctx, c, keepalived.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, keepalived.ResultUnknown, r.Result)
}

// TestLintStopsSoonAfterItsContext counts the lines that are read when the context ends
// under way.
func TestLintStopsSoonAfterItsContext(t *testing.T) {
	c := keepalived.Loader{}.Parse("big.conf", []byte(strings.Repeat("vrrp_instance V {\n interface eth0\n}\n", 20_000)))
	asked := 0
	_, err := keepalived.Lint(endsAfter{t.Context(), &asked, 3}, c, keepalived.Options{})
	require.ErrorIs(t, err, context.Canceled)
	require.Less(t, asked, 20, "the context is not asked for long after it has ended")
}

// endsAfter is a context that ends when it has been asked n times.
type endsAfter struct {
	context.Context
	asked *int
	n     int
}

func (e endsAfter) Err() error {
	if *e.asked++; *e.asked > e.n {
		return context.Canceled
	}
	return nil
}

func TestAnUnreadConfigurationHasNoResult(t *testing.T) {
	c := keepalived.Loader{MaxLines: 10}.Parse("f", []byte(strings.Repeat("global_defs {\n}\n", 100)))
	r, err := keepalived.Verdict(t.Context(), c, keepalived.Options{})
	require.NoError(t, err)
	require.Equal(t, keepalived.ResultUnknown, r.Result)
	require.NotEmpty(t, r.Reasons)
}

func TestRulesAreFreshAndSorted(t *testing.T) {
	list := keepalived.Rules()
	require.Len(t, keepalived.RuleInfos(), len(list))
	for i, r := range list {
		require.True(t, i == 0 || list[i-1].ID < r.ID, r.ID)
		require.Equal(t, r, keepalived.RuleInfos()[i].Rule)
		require.NotEmpty(t, r.Help)
	}
	list[0].ID = "changed"
	require.NotEqual(t, "changed", keepalived.Rules()[0].ID)
}
