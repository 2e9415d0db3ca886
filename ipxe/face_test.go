package ipxe_test

import (
	"encoding"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/diag"
	"dougu.internal/internal/fill"
	"dougu.internal/ipxe"
)

func TestProfilesComeBack(t *testing.T) {
	list := append(ipxe.Profiles(), ipxe.Profile{}, ipxe.Newest(), ipxe.Debian2019().With("all"), ipxe.Newest().With("ping", "https", "ntp"),
		ipxe.Debian2019().With("poweroff", "nothing"), ipxe.Profile{}.With("gzip"))
	for _, p := range list {
		back, err := ipxe.ParseProfile(p.String())
		require.NoError(t, err)
		require.Equal(t, p, back)
		text, err := p.MarshalText()
		require.NoError(t, err)
		require.Equal(t, p.String(), string(text))
		var q ipxe.Profile
		require.NoError(t, q.UnmarshalText(text))
		require.True(t, p == q, "%s", p)
		require.Equal(t, p.Commands(), q.Commands())
		require.Equal(t, p.Features(), q.Features())
	}
	require.Equal(t, "newest", ipxe.Profile{}.String())
	require.Equal(t, ipxe.Newest().Features(), ipxe.Profile{}.Features())
	require.Equal(t, ipxe.Newest().Commands(), ipxe.Profile{}.Commands())
	require.Contains(t, ipxe.Profiles(), ipxe.Newest())
	for _, name := range []string{"", "2019", "2021+", "2021+x", "2021-all+ping", "2021-all-all", "debian2019 ", "2021+ping+", strings.Repeat("2021+ping", 10_000), "\xff"} {
		_, err := ipxe.ParseProfile(name)
		require.Error(t, err, "%.50q", name)
		require.True(t, strings.HasPrefix(err.Error(), "ipxe: "), "%v", err)
		require.Less(t, len(err.Error()), 1000)
		require.Error(t, new(ipxe.Profile).UnmarshalText([]byte(name)))
	}
}

func TestAProfileHasWhatIsAdded(t *testing.T) {
	p := ipxe.Newest()
	require.Nil(t, p.Command("ping"))
	require.NotEmpty(t, p.Elsewhere("ping").Absent)
	require.False(t, p.Features().HTTPS)
	q, err := ipxe.ParseProfile("2021+ping+https+imgfree+tftp")
	require.NoError(t, err)
	require.Equal(t, "2021+https+ping", q.String(), "what the build has is not added")
	require.Empty(t, q.Command("ping").Absent)
	require.Nil(t, q.Elsewhere("ping"))
	require.Contains(t, q.Commands(), "ping")
	require.Contains(t, q.Listed(), "ping")
	require.True(t, q.Features().HTTPS)
	require.Nil(t, q.Command("ntp"))
	require.NotNil(t, ipxe.Newest().With("all").Command("ntp"))
	require.Equal(t, p, p.With("no-such-command"))
}

func TestEnumerationsComeBack(t *testing.T) {
	for _, row := range []struct {
		value encoding.TextMarshaler
		into  encoding.TextUnmarshaler
		word  string
	}{
		{ipxe.ExitToFirmware, new(ipxe.LocalBoot), "exit"},
		{ipxe.SANBoot, new(ipxe.LocalBoot), "sanboot"},
		{ipxe.First, new(ipxe.Op), ""},
		{ipxe.Or, new(ipxe.Op), "||"},
		{ipxe.Always, new(ipxe.Op), ";"},
		{ipxe.Unrecognised, new(ipxe.OptionFault), "unrecognised"},
		{ipxe.UUIDOption, new(ipxe.OptionKind), "uuid"},
		{ipxe.Keep, new(ipxe.URIRules), "keep"},
	} {
		require.NoError(t, fill.Text(row.value, row.into, row.word, "ipxe: "))
	}
	_, err := ipxe.OptionKind(99).MarshalText()
	require.EqualError(t, err, "ipxe: invalid option kind 99")
}

func TestAnswersSurviveJSON(t *testing.T) {
	for _, v := range []any{
		new(ipxe.Facts), new(ipxe.Fact), new(ipxe.FactProblem), new(ipxe.Line), new(ipxe.Command), new(ipxe.Word), new(ipxe.Syntax), new(ipxe.Features),
	} {
		require.NoError(t, fill.JSON(rand.Uint64(), v), "%T", v)
	}
	f, _ := ipxe.ParseFacts("mac=52%3A54%3A00%3A12%3A34%3A56&product=%FFFFFFFE&x=1")
	f.Remote = netip.MustParseAddrPort("192.0.2.1:80")
	require.Equal(t, "\xfe", f.Product)
	b, err := json.Marshal(f)
	require.NoError(t, err)
	var back ipxe.Facts
	require.NoError(t, json.Unmarshal(b, &back))
	require.Equal(t, f, back)
}

func TestAScriptSurvivesJSON(t *testing.T) {
	for _, src := range []string{"", "#!ipxe\necho \xff\xfe\x00 \ufffd{ff} || goto x\\\r\n:x", "#!ipxe\necho a\n"} {
		in := ipxe.Parse("na\xffme", []byte(src))
		b, err := json.Marshal(in)
		require.NoError(t, err)
		var out ipxe.Script
		require.NoError(t, json.Unmarshal(b, &out))
		require.Equal(t, in.Name(), out.Name())
		require.Equal(t, string(in.Bytes()), string(out.Bytes()))
		require.Equal(t, in.Len(), out.Len())
	}
	err := new(ipxe.Script).UnmarshalJSON([]byte(`{"name": 1}`))
	require.ErrorContains(t, err, "ipxe: decode JSON: ")
}

// TestErrorsNameThePackageOnce: the errors that callers see, whatever they wrap.
func TestErrorsNameThePackageOnce(t *testing.T) {
	var b ipxe.Builder
	b.Set("x", ipxe.Text("a\x00b"))
	_, template := ipxe.NewTemplate("t", "{{")
	tmpl, err := ipxe.NewTemplate("t", "#!ipxe\necho {{word .Name}}\n")
	require.NoError(t, err)
	_, render := tmpl.Render(&ipxe.Machine{Name: "a b"}, nil)
	_, form := ipxe.Compile(ipxe.Profile{}, -1, func(*ipxe.Builder) {})
	_, machines := ipxe.ParseMachines(strings.NewReader(`[{"name": "x", "serial": "1", "kernel": "k", "args": ["${mac}"]}]`))
	_, text := ipxe.ParseMachines(strings.NewReader("{"))
	_, dhcp := (&ipxe.DHCP{}).ISC()
	_, menu := (&ipxe.PXEMenu{Console: &ipxe.SerialConsole{Port: 9}}).AppendTo(nil)
	_, options := ipxe.Newest().Command("echo").Scan([]string{"--x"}, nil)

	errs := map[string]error{
		"builder": b.Err(), "template": template, "render": render, "form": form, "machines": machines, "text": text, "dhcp": dhcp, "menu": menu,
		"console": (&ipxe.SerialConsole{Port: 9}).Check(), "no boot": ipxe.ErrNoBoot, "unrepresentable": ipxe.ErrUnrepresentable,
		"executable": ipxe.Parse("x", []byte("text")).Executable(), "options": options, "check": (&ipxe.Machines{Default: &ipxe.Boot{Local: "x"}}).Check(),
		"TemplateError": &ipxe.TemplateError{Template: "t", Value: "v", Why: "no"}, "count": &ipxe.OptionError{Kind: ipxe.Count}, "help": &ipxe.OptionError{Kind: ipxe.Help},
	}

	for name, err := range errs {
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "ipxe: "), "%s: %v", name, err)
		require.Equal(t, 1, strings.Count(err.Error(), "ipxe: "), "%s: %v", name, err)
		require.NotContains(t, err.Error(), "json:", name)
	}
	require.ErrorIs(t, b.Err(), ipxe.ErrUnrepresentable)
	var found diag.Finding
	require.True(t, errors.As(errs["executable"], &found))
	require.Equal(t, "IP101", found.Rule)
}
