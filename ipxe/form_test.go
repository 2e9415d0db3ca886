package ipxe_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
	"dougu.internal/ipxe"
)

// formShapes are scripts with three holes, as a function of what stands in them.
var formShapes = map[string]func(b *ipxe.Builder, v func(int) ipxe.Expr){
	"arguments": func(b *ipxe.Builder, v func(int) ipxe.Expr) {
		b.Echo(ipxe.Text("a  b"), v(0), v(1))
		b.Set("x", v(2))
		b.Set("y", ipxe.Text("#"), v(0), ipxe.Var("mac"))
	},
	"parts": func(b *ipxe.Builder, v func(int) ipxe.Expr) {
		b.Kernel(ipxe.Link("http://h/k"), ipxe.Concat(ipxe.Text("a="), v(0)), ipxe.Concat(v(1), ipxe.Text(" "), v(2)), ipxe.Concat(v(1), v(2)))
		b.Echo(ipxe.Concat(ipxe.Text("$"), v(0), ipxe.Text("}")))
		b.Echo(ipxe.Concat(ipxe.Text("|"), v(0)), ipxe.Concat(v(2)))
		b.Echo(ipxe.Concat(ipxe.Var("mac"), v(0), ipxe.Var("ip")))
	},
	"conditions": func(b *ipxe.Builder, v func(int) ipxe.Expr) {
		b.If(ipxe.Equal(ipxe.Var("mac"), v(0)), func(b *ipxe.Builder) { b.Echo(v(1)) }, func(b *ipxe.Builder) { b.If(ipxe.IsSet(v(2)), func(b *ipxe.Builder) { b.Boot() }, nil) })
	},
	"retries": func(b *ipxe.Builder, v func(int) ipxe.Expr) {
		b.Retry(3, time.Second, func(b *ipxe.Builder) { b.Kernel(ipxe.Link("http://h/k").Query("a", v(0)).Query("b", v(1)), v(2)) }, nil)
	},
	"many": func(b *ipxe.Builder, v func(int) ipxe.Expr) {
		list := make([]ipxe.Expr, 190)
		for i := range list {
			list[i] = ipxe.Text(fmt.Sprint("w", i))
		}
		b.Echo(append(list, v(0), v(1), v(2))...)
		b.Command("imgargs", []string{"--name=x"}, append(append([]ipxe.Expr{}, list...), append(list, v(0))...)...)
	},
	"nothing": func(b *ipxe.Builder, _ func(int) ipxe.Expr) { b.Boot() },
}

// TestPart4FormsWriteWhatTheBuilderWrites: whatever the values, a form that is filled in
// is the script that a Builder makes of them, or the same refusal.
func TestPart4FormsWriteWhatTheBuilderWrites(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	values := append([]string{
		"plain", "two words", "", " ", "#", "-x", "||", "&&", ";", "a#b", "a\\", "\\", "$", "{x}", "${x}", "}", "x}", "${", "a\nb", "a\x00b", "\u00e9", "&", "a+b", "|", "&a", "a  b", "a ",
		strings.Repeat("w ", 20) + "w", strings.Repeat("long", 200), "console=ttyS1,115200n8", "\t", "--", "a||b", "x;", "$a", "a$",
	}, hostileValues...)
	for name, shape := range formShapes {
		for _, p := range []ipxe.Profile{{}, ipxe.Newest()} {
			f, err := ipxe.Compile(p, 3, func(b *ipxe.Builder) { shape(b, ipxe.Hole) })
			require.NoError(t, err, name)
			for range oracle.N(700, 10_000) {
				v := []string{"plain", "plain", "plain"}
				for k := range v {
					if r.IntN(3) > 0 {
						v[k] = values[r.IntN(len(values))]
					}
				}
				b := ipxe.Builder{Profile: p}
				shape(&b, func(i int) ipxe.Expr { return ipxe.Text(v[i]) })
				want, wantErr := b.Bytes()
				got, err := f.AppendTo([]byte("before"), v...)
				if wantErr != nil {
					require.EqualError(t, err, wantErr.Error(), "%s %q", name, v)
					require.Equal(t, "before", string(got))
					continue
				}
				require.NoError(t, err, "%s %q", name, v)
				require.Equal(t, "before"+string(want), string(got), "%s %q", name, v)
			}
		}
	}
}

func TestPart4FormsRefuseWrongUse(t *testing.T) {
	var b ipxe.Builder
	b.Echo(ipxe.Hole(0))
	require.ErrorContains(t, b.Err(), "ipxe: Echo: a Hole outside of Compile")
	_, err := ipxe.Compile(ipxe.Profile{}, 1, func(b *ipxe.Builder) { b.Echo(ipxe.Hole(1)) })
	require.ErrorContains(t, err, "number is too large")
	_, err = ipxe.Compile(ipxe.Profile{}, -1, func(*ipxe.Builder) {})
	require.ErrorContains(t, err, "-1 holes")
	f, err := ipxe.Compile(ipxe.Profile{}, 1, func(b *ipxe.Builder) { b.Kernel(ipxe.Link("http://h/").PathHole(0)) })
	require.NoError(t, err)
	_, err = f.AppendTo(nil)
	require.ErrorContains(t, err, "0 values for 1 holes")
	got, err := f.Bytes("../a b#")
	require.NoError(t, err)
	require.Equal(t, "#!ipxe\nkernel http://h/..%2Fa%20b%23\n", string(got))
	f, err = ipxe.Compile(ipxe.Profile{}, 1, func(b *ipxe.Builder) { b.Echo(ipxe.Hole(0)) })
	require.NoError(t, err)
	_, err = f.AppendTo(nil, "a${b}")
	require.True(t, errors.Is(err, ipxe.ErrUnrepresentable))

	var w sync.WaitGroup // one form, many goroutines
	for i := range 8 {
		w.Go(func() {
			for _, v := range []string{"x", fmt.Sprint(i, "  ", i)} {
				if out, err := f.AppendTo(nil, v); err != nil || len(out) == 0 {
					t.Error(err)
				}
			}
		})
	}
	w.Wait()
	room := make([]byte, 0, 200)
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = f.AppendTo(room, "x") }))
}
