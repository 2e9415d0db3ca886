package smart_test

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/fill"
	"dougu.internal/smart"
	"dougu.internal/smart/device"
	"dougu.internal/smart/judge"
)

// comesBack checks that random values of T survive JSON.
func comesBack[T any](t *testing.T) {
	t.Helper()
	require.NoError(t, fill.JSON(rand.Uint64(), new(T)))
}

func TestAnswersSurviveJSON(t *testing.T) {
	t.Run("Snapshot", comesBack[smart.Snapshot])
	t.Run("Finding", comesBack[smart.Finding])
	t.Run("Findings", comesBack[smart.Findings])
	t.Run("Delta", comesBack[judge.Delta])
	t.Run("Diagnosis", comesBack[judge.Diagnosis])
	t.Run("WriteSamples", comesBack[[]judge.WriteSample])
	t.Run("Uint128", comesBack[smart.Uint128])
	t.Run("Opt", comesBack[smart.Opt[string]])
	t.Run("Registers", comesBack[smart.Registers])
}

func TestRealSnapshotSurvivesJSON(t *testing.T) {
	list, err := smart.Parse(strings.NewReader(storyLines))
	require.NoError(t, err)
	for _, s := range list {
		s.Taken = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		b, err := json.Marshal(s)
		require.NoError(t, err)
		require.NotContains(t, string(b), "null", "absent values are left out")
		require.NotContains(t, string(b), "passed")
		back := &smart.Snapshot{}
		require.NoError(t, json.Unmarshal(b, back))
		require.Equal(t, s, back)
		require.Equal(t, judge.Judge(s, judge.Policy{}), judge.Judge(back, judge.Policy{}))
	}
}

func TestJSONOfFindings(t *testing.T) {
	b, err := json.Marshal(smart.Finding{Rule: "r", Severity: smart.Act})
	require.NoError(t, err)
	require.Equal(t, `{"rule":"r","severity":"act"}`, string(b))
	b, err = json.Marshal(smart.Finding{Rule: "r", Severity: smart.Info, Attribute: 5, Value: smart.Some(0.0), Unit: "C"})
	require.NoError(t, err)
	require.Equal(t, `{"rule":"r","severity":"info","attribute":5,"value":0,"unit":"C"}`, string(b))
	_, err = json.Marshal(smart.Finding{Severity: 9})
	require.ErrorContains(t, err, "smart: invalid severity 9")
	var f smart.Finding
	require.EqualError(t, json.Unmarshal([]byte(`{"severity":"error"}`), &f), `smart: unknown severity "error" (known: act, watch, info)`)

	b, err = json.Marshal([]smart.Opt[int]{smart.Some(3), {}})
	require.NoError(t, err)
	require.Equal(t, "[3,null]", string(b))
	var o smart.Opt[uint8]
	err = json.Unmarshal([]byte(`"x"`), &o)
	require.True(t, strings.HasPrefix(err.Error(), "smart: "), err)
}

type enumeration interface {
	String() string
	encoding.TextMarshaler
}

// texts holds that the given values have distinct texts that come back, and that
// other numbers and words are refused.
func texts[T interface {
	~uint8 | ~uint16
	enumeration
}, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, values ...T) {
	t.Helper()
	seen := map[string]bool{}
	for _, v := range values {
		text, err := v.MarshalText()
		require.NoError(t, err)
		require.False(t, seen[string(text)], "%s", text)
		seen[string(text)] = true
		back := T(250)
		require.NoError(t, P(&back).UnmarshalText(text))
		require.Equal(t, v, back)
	}
	before := values[0]
	v := before
	err := P(&v).UnmarshalText([]byte("No Such Word"))
	require.Contains(t, err.Error(), ": unknown ")
	require.Equal(t, before, v)
}

func count[T ~uint8](n T) []T {
	var all []T
	for v := T(0); v <= n; v++ {
		all = append(all, v)
	}
	return all
}

func TestEnumerationsHaveTexts(t *testing.T) {
	texts(t, count(smart.Failed)...)
	texts(t, count(smart.FormatAttrLog)...)
	texts(t, count(smart.EnduranceAttribute)...)
	texts(t, count(smart.FromInference)...)
	texts(t, count(smart.FailingNow)...)
	texts(t, count(judge.Undecided)...)
	texts(t, count(judge.Inside)...)
	texts(t, count(smart.Temp10x)...)
	texts(t, count(smart.HasValue|smart.HasWorst|smart.HasThresh|smart.HasFlags)...)
	texts(t, count(smart.ExitStatus(249))...)
	texts(t, 0, smart.Prefail, smart.Online|smart.AutoKeep, 0x8041, 0xffff)

	for _, m := range []encoding.TextMarshaler{smart.Status(3), smart.SourceFormat(10), smart.TempSource(10), smart.State(6), judge.Conclusion(7), judge.Position(4),
		smart.FormatKind(20), smart.Fields(16)} {
		_, err := m.MarshalText()
		require.Error(t, err, "%T", m)
		require.Contains(t, err.Error(), ": invalid ")
	}
	require.Equal(t, "failing|self-test-log", (smart.ExitFailing | smart.ExitSelfTestLog).String())
	text, err := (smart.Prefail | smart.Online | 0x40).MarshalText()
	require.NoError(t, err)
	require.Equal(t, "prefail|online|0x40", string(text))
	require.Equal(t, "unknown", smart.Unknown.String())
}

func TestSeverityNames(t *testing.T) {
	require.Equal(t, "act watch info invalid", strings.Join([]string{
		smart.SeverityName(smart.Act), smart.SeverityName(smart.Watch), smart.SeverityName(smart.Info), smart.SeverityName(0),
	}, " "))
}

func TestRulesAreSortedAndFresh(t *testing.T) {
	rules := judge.Rules()
	require.True(t, slices.IsSortedFunc(rules, func(a, b diag.Rule) int { return strings.Compare(a.ID, b.ID) }))
	for _, r := range rules {
		require.NotEmpty(t, r.Summary)
		require.NotEqual(t, "invalid", smart.SeverityName(r.Severity))
	}
	rules[0].ID = "changed"
	require.NotEqual(t, "changed", judge.Rules()[0].ID)
}

func TestFindingsGoThroughDiag(t *testing.T) {
	s := &smart.Snapshot{Health: smart.Health{Status: smart.Failed}, Attributes: []smart.Attribute{
		{ID: 5, Name: "Reallocated_Sector_Ct", Raw: smart.Raw{Bytes: [6]byte{3}, Known: smart.KnownAll}, State: smart.FailingNow, Flags: smart.Prefail, Value: 1,
			Has: smart.HasValue},
	}}
	list := judge.Judge(s, judge.Policy{})
	keys := map[string]smart.Finding{}
	rules := judge.Rules()
	for _, f := range list {
		require.Empty(t, keys[f.Key].Rule, "keys are distinct")
		keys[f.Key] = f
		require.True(t, slices.ContainsFunc(rules, func(r diag.Rule) bool { return r.ID == f.Rule }), f.Rule)
	}
	f := keys["reallocated-sectors/attribute-5"]
	require.Equal(t, uint8(5), f.Attribute)
	require.Equal(t, smart.Some(3.0), f.Value)
	require.Equal(t, "sectors", f.Unit)
	require.Equal(t, smart.Some(1.0), keys["attribute-failing/attribute-5"].Value)
	require.Contains(t, keys, "health-failed")
	require.Equal(t, "info reallocated-sectors: sectors were remapped; few are usual (3; attribute 5 Reallocated_Sector_Ct)", f.String())

	var text, js, sarif bytes.Buffer
	require.NoError(t, diag.WriteText(&text, list.Diag(), nil))
	require.Contains(t, text.String(), "error: the drive reports that it is failing")
	require.Contains(t, text.String(), "[health-failed]\n      = failed; SMART status\n")
	require.NoError(t, diag.WriteJSON(&js, list.Diag()))
	require.Contains(t, js.String(), `"rule": "health-failed"`)
	require.NoError(t, diag.WriteSARIF(&sarif, diag.Tool{Name: "t", Rules: rules}, list.Diag()))
	require.Contains(t, sarif.String(), `"ruleId": "health-failed"`)
}

func TestKeysOfManyFindingsAreDistinct(t *testing.T) {
	s := &smart.Snapshot{Health: smart.Health{Status: smart.Failed}}
	for range 50000 {
		s.Attributes = append(s.Attributes, smart.Attribute{ID: 5, State: smart.FailingNow})
	}
	s.Warnings = []smart.Warning{{Path: "a"}, {Path: "a"}, {Path: "a#2"}, {Path: "a"}, {}}
	seen := map[string]bool{}
	for _, f := range judge.Judge(s, judge.Policy{}) {
		require.False(t, seen[f.Key], f.Key)
		seen[f.Key] = true
	}
	require.True(t, seen["attribute-failing/attribute-5#50000"])
}

// deaf is a transport that answers nothing.
type deaf struct{ err error }

func (d deaf) ATA(context.Context, device.ATACommand, []byte) (smart.Registers, error) {
	return smart.Registers{}, d.err
}
func (d deaf) SCSI(context.Context, []byte, []byte) error             { return d.err }
func (d deaf) NVMe(context.Context, device.NVMeCommand, []byte) error { return d.err }

func TestErrorsNameThePackageOnce(t *testing.T) {
	fails := map[string]error{}
	add := func(name string, err error) { fails[name] = err }
	_, err := smart.Parse(strings.NewReader(""))
	add("empty", err)
	_, err = smart.Parse(strings.NewReader(`{"a":`))
	add("cut", err)
	_, err = smart.Parse(strings.NewReader("{\"a\":\n}"))
	add("syntax", err)
	require.EqualError(t, err, `smart: JSON: 2:1: syntax error near "}"`)
	_, err = smart.ParseJSON([]byte(`{"devices":[{}]}`))
	add("scan", err)
	_, err = smart.ParseText([]byte("nothing"))
	add("text", err)
	_, err = smart.ParseState(nil)
	add("state", err)
	_, err = smart.ParseAttributeLine([]byte("x"))
	add("line", err)
	_, err = smart.ParseRawFormat("raw7\xff")
	add("format", err)
	_, err = smart.ParseRawFormat("raw48:9")
	add("order", err)
	_, err = judge.ParseDD(strings.NewReader("1 bytes copied, x"))
	add("dd", err)
	_, err = judge.ParseDD(strings.NewReader(""))
	add("no dd", err)
	_, err = smart.LoadDriveDB(strings.NewReader(""))
	add("database", err)
	_, err = judge.Diagnose(nil, nil, nil, 0)
	add("no disk", err)
	_, err = judge.Compare(&smart.Snapshot{}, &smart.Snapshot{})
	add("no serial", err)
	require.ErrorIs(t, err, smart.ErrNoData)
	_, err = judge.Compare(&smart.Snapshot{Identity: smart.Identity{Serial: "a\x1b"}}, &smart.Snapshot{Identity: smart.Identity{Serial: "b"}})
	add("other drive", err)
	require.ErrorIs(t, err, judge.ErrDifferentDrive)
	require.NotContains(t, err.Error(), "\x1b")
	add("nvme", smart.DecodeNVMe(&smart.NVMeHealth{}, nil))
	add("identify", smart.DecodeNVMeIdentify(&smart.Snapshot{}, nil))
	add("scsi", smart.DecodeSCSI(&smart.SCSIHealth{}, nil))
	add("scsi page", smart.DecodeSCSI(&smart.SCSIHealth{}, []byte{0x3e, 0, 0, 0}))
	add("scsi cut", smart.DecodeSCSI(&smart.SCSIHealth{}, []byte{2, 0, 9, 9, 1, 1}))
	add("ata", smart.DecodeATA(&smart.Snapshot{}, smart.ATAPages{}, nil))
	add("command", device.ATACommand{Command: 0xca}.Allowed(nil))
	add("nvme command", device.NVMeCommand{Opcode: 1}.Allowed())
	add("scsi command", device.AllowedSCSI([]byte{4, 0, 0, 0, 0, 0}))
	add("sense", &device.SenseError{Key: 5})
	add("status", device.NVMeError(7))
	_, err = device.Open("/nonexistent/disk")
	add("open", err)
	for _, protocol := range []string{"ATA", "SCSI", "NVMe"} {
		for _, cause := range []error{errors.New("cable"), &device.SenseError{Key: 3}, device.ErrPermission} {
			for _, node := range []string{"", "/dev/sdz"} {
				_, err = device.New(deaf{cause}, smart.DeviceID{Node: node, Protocol: protocol}).Snapshot(context.Background())
				add(protocol+cause.Error()+node, err)
				require.ErrorIs(t, err, cause)
			}
		}
	}
	var s smart.Snapshot
	add("json", json.Unmarshal([]byte(`{"health":{"status":"good"}}`), &s))
	add("json kind", json.Unmarshal([]byte(`{"attributes":7}`), &s))
	add("number", json.Unmarshal([]byte(`{"nvme":{"hostReads":"-1"}}`), &s))
	for name, err := range fails {
		require.Error(t, err, name)
		pkg, _, _ := strings.Cut(err.Error(), ":")
		require.Contains(t, []string{"smart", "judge", "device"}, pkg, "%s: %v", name, err)
		for _, p := range []string{"smart: ", "judge: ", "device: "} {
			require.LessOrEqual(t, strings.Count(err.Error(), p), 1, "%s: %v", name, err)
		}
		require.Equal(t, 1, strings.Count(err.Error(), "smart: ")+strings.Count(err.Error(), "judge: ")+strings.Count(err.Error(), "device: "), "%s: %v", name, err)
	}
}

func TestNoFindingsAreAnEmptyArray(t *testing.T) {
	for _, list := range []smart.Findings{nil, {}} {
		b, err := json.Marshal(list)
		require.NoError(t, err)
		require.Equal(t, "[]", string(b))
		var back smart.Findings
		require.NoError(t, json.Unmarshal(b, &back))
		again, err := json.Marshal(back)
		require.NoError(t, err)
		require.Equal(t, b, again)
	}
}
