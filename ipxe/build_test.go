package ipxe_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

func TestPart4StoryScriptsAreByteExact(t *testing.T) {
	boot, err := ipxe.BootScript().Bytes()
	require.NoError(t, err)
	require.Len(t, boot, 102)
	require.Equal(t, bootDigest, digest(boot))

	var b ipxe.Builder
	b.Initrd(ipxe.URL(ipxe.Text("http://"), ipxe.Var("next-server"), ipxe.Text("/initrd.gz")))
	b.Kernel(ipxe.URL(ipxe.Text("http://"), ipxe.Var("next-server"), ipxe.Text("/vmlinuz")))
	b.Boot()
	answer, err := b.Bytes()
	require.NoError(t, err)
	require.Len(t, answer, 88)
	require.Equal(t, answerDigest, digest(answer))
	require.Equal(t, string(answer), string(ipxe.Parse("x", answer).Render()))
}

// run runs a script in the interpreter and fails when it does not end with success.
func run(t *testing.T, script []byte, p ipxe.Profile) *sim.Result {
	t.Helper()
	r, err := sim.Run(t.Context(), &sim.Machine{Profile: p}, ipxe.Parse("built", script), nil, sim.Options{})
	require.NoError(t, err)
	require.Nil(t, r.Hang(), "%s", script)
	require.Equal(t, sim.OK, r.Status, "%s\n%s", script, r.Console)
	return r
}

// hostileValues are what section 6 of the bad input names, and what others have tried.
var hostileValues = []string{
	"a\nreboot", "a\rb", "#x", " # x", "||", "&&", ";", "a || reboot", "a\\", "\"q\"", "'", "  two  blanks  ", " lead", "trail ", "\ufeffbom", "Grüße", "-x", "--foo bar",
	"x;", "\t", "\x01\x02\x7f\xff", "}", "{", "$", "$x", "${", "${a", "a} b", ":label", "%zz", strings.Repeat("w ", 299) + "w", strings.Repeat("k", 20_000),
}

func TestPart4ValuesAreData(t *testing.T) {
	for _, p := range []ipxe.Profile{ipxe.Debian2019(), ipxe.Newest()} {
		for _, v := range hostileValues {
			var b ipxe.Builder
			b.Set("v", ipxe.Text(v))
			b.Echo(ipxe.Text("["), ipxe.Text(v), ipxe.Text("]"))
			b.Set("w", ipxe.Concat(ipxe.Text("<"), ipxe.Text(v), ipxe.Text(">")))
			b.Set("mark", ipxe.Text("reached"))
			script, err := b.Bytes()
			if strings.Contains(v, "${") && strings.Contains(v, "}") {
				require.ErrorIs(t, err, ipxe.ErrUnrepresentable)
				continue
			}
			require.NoError(t, err, "%.60q", v)
			r := run(t, script, p)
			got, _ := r.Setting("v")
			require.Equal(t, v, string(got))
			got, _ = r.Setting("w")
			require.Equal(t, "<"+v+">", string(got))
			got, _ = r.Setting("mark")
			require.Equal(t, "reached", string(got))
			require.Empty(t, r.Requests)
			require.Contains(t, string(r.Console), "[ "+v+" ]\n")
		}
	}
}

func TestPart4RefusesWhatCannotBeSaid(t *testing.T) {
	for name, build := range map[string]func(*ipxe.Builder){
		"expansion":          func(b *ipxe.Builder) { b.Set("v", ipxe.Text("a ${mac}")) },
		"nul":                func(b *ipxe.Builder) { b.Echo(ipxe.Text("a\x00")) },
		"joined expansion":   func(b *ipxe.Builder) { b.Echo(ipxe.Concat(ipxe.Text("$"), ipxe.Text("{mac}"))) },
		"half before a var":  func(b *ipxe.Builder) { b.Echo(ipxe.Concat(ipxe.Text("${"), ipxe.Var("x"))) },
		"dollar before var":  func(b *ipxe.Builder) { b.Echo(ipxe.Concat(ipxe.Text("$"), ipxe.Var("x"))) },
		"carried expansion":  func(b *ipxe.Builder) { b.Set("v", ipxe.Text(" ${mac} ")) },
		"label":              func(b *ipxe.Builder) { b.Label("a b") },
		"label twice":        func(b *ipxe.Builder) { b.Label("a"); b.Label("a") },
		"goto":               func(b *ipxe.Builder) { b.Goto("a\nreboot") },
		"name of a setting":  func(b *ipxe.Builder) { b.Set("a b", ipxe.Text("x")) },
		"name with a type":   func(b *ipxe.Builder) { b.Set("a:int8", ipxe.Text("x")) },
		"variable":           func(b *ipxe.Builder) { b.Echo(ipxe.Var("a}b")) },
		"command":            func(b *ipxe.Builder) { b.Command("reboot\n", nil) },
		"label as command":   func(b *ipxe.Builder) { b.Command(":x", nil) },
		"option":             func(b *ipxe.Builder) { b.Command("echo", []string{"x"}) },
		"url with a blank":   func(b *ipxe.Builder) { b.Chain(ipxe.URL(ipxe.Text("http://h/a b"))) },
		"url with a comment": func(b *ipxe.Builder) { b.Chain(ipxe.URL(ipxe.Text("http://h/#x"))) },
		"url with expansion": func(b *ipxe.Builder) { b.Chain(ipxe.URL(ipxe.Text("http://${x}/"))) },
		"no url":             func(b *ipxe.Builder) { b.Chain(nil) },
		"query of old iPXE":  func(b *ipxe.Builder) { b.Chain(ipxe.URL(ipxe.Text("http://h/x")).Query("k", ipxe.Text("a&b"))) },
		"path after query":   func(b *ipxe.Builder) { b.Chain(ipxe.URL(ipxe.Text("http://h/x?a")).Path("b")) },
		"empty menu":         func(b *ipxe.Builder) { b.Menu(ipxe.Choice{Title: "x"}) },
		"tries":              func(b *ipxe.Builder) { b.Retry(0, 0, func(*ipxe.Builder) {}, nil) },
	} {
		var b ipxe.Builder
		build(&b)
		b.Echo(ipxe.Text("more"))
		_, err := b.Bytes()
		require.Error(t, err, name)
		require.True(t, strings.HasPrefix(err.Error(), "ipxe: "), name)
		_, err = b.Script()
		require.Error(t, err, name)
	}
	var b ipxe.Builder
	b.Set("v", ipxe.Text("${x}"))
	require.True(t, errors.Is(b.Err(), ipxe.ErrUnrepresentable))
	b.Reset()
	require.NoError(t, b.Err())
}

func TestPart4FlowRunsAsItSays(t *testing.T) {
	var b ipxe.Builder
	b.Set("arch", ipxe.Text("x86"))
	b.If(ipxe.Equal(ipxe.Var("arch"), ipxe.Text("x86")), func(b *ipxe.Builder) { b.Echo(ipxe.Text("yes")) }, func(b *ipxe.Builder) { b.Echo(ipxe.Text("no")) })
	b.If(ipxe.IsSet(ipxe.Var("nosuch")), func(b *ipxe.Builder) { b.Echo(ipxe.Text("bad")) }, nil)
	b.If(ipxe.Not(ipxe.IsSet(ipxe.Var("nosuch"))), func(b *ipxe.Builder) { b.Echo(ipxe.Text("unset")) }, func(b *ipxe.Builder) { b.Echo(ipxe.Text("bad")) })
	b.If(ipxe.Not(ipxe.Equal(ipxe.Var("arch"), ipxe.Text(""))), func(b *ipxe.Builder) { b.Echo(ipxe.Text("differ")) }, nil)
	b.Attempt(func(b *ipxe.Builder) {
		b.Chain(ipxe.URL(ipxe.Text("http://h/none")))
		b.Echo(ipxe.Text("bad"))
	}, func(b *ipxe.Builder) { b.Echo(ipxe.Text("caught")) })
	b.Retry(3, 2*time.Second, func(b *ipxe.Builder) { b.Kernel(ipxe.URL(ipxe.Text("http://h/vmlinuz"))) }, func(b *ipxe.Builder) { b.Echo(ipxe.Text("gave up")) })
	b.Echo(ipxe.Text("end"))
	script, err := b.Bytes()
	require.NoError(t, err)
	r := run(t, script, ipxe.Debian2019())
	var said []string
	for line := range strings.SplitSeq(strings.TrimSpace(string(r.Console)), "\n") {
		if !strings.Contains(line, "...") && !strings.HasPrefix(line, "Could not") {
			said = append(said, line)
		}
	}
	require.Equal(t, []string{"yes", "unset", "differ", "caught", "gave up", "end"}, said)
	require.Len(t, r.Requests, 4)
	require.Equal(t, 4*time.Second, r.Elapsed, "two pauses between three tries")
}

func TestPart4MenuDoesWhatIsChosen(t *testing.T) {
	make := func() []byte {
		var b ipxe.Builder
		b.Menu(ipxe.Choice{Title: "Boot # what?", Default: "disk", Timeout: 5 * time.Second, Items: []ipxe.Item{
			{Text: "-- systems --"},
			{Label: "linux", Text: "Linux || more", Key: 'l', Do: func(b *ipxe.Builder) { b.Echo(ipxe.Text("linux")) }},
			{Label: "disk", Do: func(b *ipxe.Builder) { b.Local(ipxe.ExitToFirmware) }},
		}})
		b.Echo(ipxe.Text("behind"))
		script, err := b.Bytes()
		require.NoError(t, err)
		return script
	}
	for name, row := range map[string]struct {
		keys []sim.Key
		want string
	}{
		"key":     {[]sim.Key{'l'}, "linux\nbehind\n"},
		"enter":   {[]sim.Key{sim.KeyEnter}, ""},
		"up":      {[]sim.Key{sim.KeyUp, sim.KeyEnter}, "linux\nbehind\n"},
		"timeout": {nil, ""},
		"escape":  {[]sim.Key{sim.KeyEscape}, "behind\n"},
	} {
		r, err := sim.Run(t.Context(), nil, ipxe.Parse("menu", make()), nil, sim.Options{Keys: row.keys})
		require.NoError(t, err)
		require.Equal(t, sim.OK, r.Status)
		_, after, ok := strings.Cut(string(r.Console), " > disk\n")
		require.True(t, ok, "%s", r.Console)
		require.Equal(t, row.want, after, name)
	}
}

func TestPart4ManyWordsAndSources(t *testing.T) {
	var args []ipxe.Expr
	var want []string
	for range 450 {
		args, want = append(args, ipxe.Text("console=ttyS0")), append(want, "console=ttyS0")
	}
	args[7], want[7] = ipxe.Var("mac"), "52:54:00:12:34:56"
	args[9], want[9] = ipxe.Text("q q"), "q q"
	var b ipxe.Builder
	b.Set("all", args...)
	script, err := b.Bytes()
	require.NoError(t, err)
	for line := range strings.Lines(string(script)) {
		require.LessOrEqual(t, len(strings.Fields(line)), 255)
	}
	got, _ := run(t, script, ipxe.Debian2019()).Setting("all")
	require.Equal(t, strings.Join(want, " "), string(got))
}

func TestBuilderAllocates(t *testing.T) {
	u := ipxe.URL(ipxe.Text("http://h/vmlinuz"))
	args := []ipxe.Expr{ipxe.Text("console=ttyS0"), ipxe.Text("has blanks  in it"), ipxe.Var("mac")}
	var b ipxe.Builder
	_ = testing.AllocsPerRun(1, func() { b.Reset() })
	n := testing.AllocsPerRun(100, func() {
		b.Reset()
		b.Kernel(u, args...)
		b.Boot()
		if _, err := b.Bytes(); err != nil {
			t.Fatal(err)
		}
	})
	require.LessOrEqual(t, n, 2.0)
}

func FuzzBuilder(f *testing.F) {
	for _, v := range hostileValues[:20] {
		f.Add(v, "x")
	}
	f.Add("${a}", "}")
	f.Fuzz(func(t *testing.T, v, w string) {
		var b ipxe.Builder
		b.Set("v", ipxe.Text(v))
		b.Set("w", ipxe.Concat(ipxe.Text(v), ipxe.Text(w)))
		b.Set("mark", ipxe.Text("here"))
		script, err := b.Bytes()
		if err != nil {
			if !errors.Is(err, ipxe.ErrUnrepresentable) {
				t.Fatalf("%q: %v", v, err)
			}
			return
		}
		r, err := sim.Run(t.Context(), nil, ipxe.Parse("f", script), nil, sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != sim.OK || r.Hang() != nil {
			t.Fatalf("%q %q: status %v\n%s\n%s", v, w, r.Status, script, r.Console)
		}
		for name, want := range map[string]string{"v": v, "w": v + w, "mark": "here"} {
			if got, _ := r.Setting(name); string(got) != want {
				t.Fatalf("%s: %q became %q\n%s", name, want, got, script)
			}
		}
	})
}
