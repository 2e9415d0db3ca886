package stracelog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// dump writes a tree in one line: kind:raw, with names, comments, children and what stands behind =>.
func dump(v Value) string {
	var b strings.Builder
	if n := v.Name(); n != nil {
		fmt.Fprintf(&b, "%s=", n)
	}
	switch v.Kind() {
	case ValueStruct, ValueArray, ValueSet, ValueCall:
		var kids []string
		for c := range v.Children() {
			kids = append(kids, dump(c))
		}
		fmt.Fprintf(&b, "%s%s(%s)", v.Kind(), v.Func(), strings.Join(kids, " "))
	default:
		fmt.Fprintf(&b, "%s:%s", v.Kind(), v.Raw())
	}
	if c := v.Comment(); c != nil && v.Kind() != ValueComment {
		fmt.Fprintf(&b, "#%s#", c)
	}
	if o := v.Out(); o.Kind() != ValueInvalid {
		b.WriteString("=>" + dump(o))
	}
	return b.String()
}

func TestArgsSplitsWhatStraceWrites(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{``, ``},
		{`3, "GET /"..., 8192`, `number:3|string:"GET /"...|number:8192`},
		{`3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, [128 => 16]`,
			`number:3|struct(sa_family=word:AF_INET sin_port=callhtons(number:80) sin_addr=callinet_addr(string:"127.0.0.1"))|array(number:128=>number:16)`},
		{`{sa_family=AF_INET6, inet_pton(AF_INET6, "fe80::1", &sin6_addr), sin6_scope_id=if_nametoindex("lo")}`,
			`struct(sa_family=word:AF_INET6 callinet_pton(word:AF_INET6 string:"fe80::1" expression:&sin6_addr) sin6_scope_id=callif_nametoindex(string:"lo"))`},
		{`[{WIFEXITED(s) && WEXITSTATUS(s) == 3}], 0, NULL`, `array(struct(expression:WIFEXITED(s) && WEXITSTATUS(s) == 3))|number:0|word:NULL`},
		{`SIG_BLOCK, [INT CHLD RT_32], ~[RTMIN RT_1], ~[], [], 8`, `word:SIG_BLOCK|set(word:INT word:CHLD word:RT_32)|set(word:RTMIN word:RT_1)|set()|array()|number:8`},
		{`~[32 /* RTMIN */ 33 /* RT_1 */]`, `set(number:32#RTMIN# number:33#RT_1#)`},
		{`"/bin/sh", ["sh", "-c"], 0x7ffd /* 35 vars */`, `string:"/bin/sh"|array(string:"sh" string:"-c")|number:0x7ffd#35 vars#`},
		{`NULL, 8192, PROT_READ|PROT_WRITE, 0xffffff /* 0xf /* MAP_??? */|MAP_FIXED */, -1, 0`,
			`word:NULL|number:8192|expression:PROT_READ|PROT_WRITE|number:0xffffff#0xf /* MAP_??? */|MAP_FIXED#|number:-1|number:0`},
		{`{flags=CLONE_VM, stack=0x7f} => {parent_tid=[7]}, 88`, `struct(flags=word:CLONE_VM stack=number:0x7f)=>struct(parent_tid=array(number:7))|number:88`},
		{`4</srv/d/) = 0>(deleted), "x", 1`, `number:4</srv/d/) = 0>(deleted)|string:"x"|number:1`},
		{`AT_FDCWD</tmp>, "a,b", O_RDWR|O_CREAT, 0644`, `word:AT_FDCWD</tmp>|string:"a,b"|expression:O_RDWR|O_CREAT|number:0644`},
		{`8<TCP:[127.0.0.1:80->127.0.0.1:38738]>, @"ab"`, `number:8<TCP:[127.0.0.1:80->127.0.0.1:38738]>|string:@"ab"`},
		{`dirfd=AT_FDCWD, pathname="a>b", flags=O_RDONLY`, `dirfd=word:AT_FDCWD|pathname=string:"a>b"|flags=word:O_RDONLY`},
		{`NULL, 8192*1024, 1<<CAP_CHOWN`, `word:NULL|expression:8192*1024|expression:1<<CAP_CHOWN`},
		{`{st_mode=S_IFREG|0644, st_size=3, ...}`, `struct(st_mode=expression:S_IFREG|0644 st_size=number:3 elided:...)`},
		{`_IOC(_IOC_READ|_IOC_WRITE, 0xbe, 0xef, 0x1ead), 0x5`, `call_IOC(expression:_IOC_READ|_IOC_WRITE number:0xbe number:0xef number:0x1ead)|number:0x5`},
		{`<... resuming interrupted read ...>`, `expression:<... resuming interrupted read ...>`},
		{`21, 2 /* send and receive */`, `number:21|number:2#send and receive#`},
		{`0x1 => 0x2`, `number:0x1=>number:0x2`},
	} {
		t.Run(row.args, func(t *testing.T) {
			var tree Tree
			require.NoError(t, Args{[]byte(row.args)}.Parse(&tree))
			var got []string
			for v := range tree.All() {
				got = append(got, dump(v))
			}
			require.Equal(t, row.want, strings.Join(got, "|"))
			checkSpans(t, &tree, []byte(row.args))
		})
	}
}

func TestArgsOfHostileInput(t *testing.T) {
	for _, row := range []struct{ name, args, reason string }{
		{"deep", strings.Repeat("[", 10_000), "not closed"},
		{"deeper", strings.Repeat("{", 1<<17), "too deep"},
		{"comments", strings.Repeat("/* ", 100_000), "comment is not closed"},
		{"quote", `3, "abc, 4`, "string is not closed"},
		{"closing", `3, ], 4`, "not open"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var tree Tree
			err := Args{[]byte(row.args)}.Parse(&tree)
			require.ErrorContains(t, err, row.reason)
			checkSpans(t, &tree, []byte(row.args))
		})
	}
	var tree Tree
	require.NoError(t, Args{[]byte(strings.Repeat("1,", 1_000_000))}.Parse(&tree))
	require.Equal(t, 1_000_000, tree.Len())
	require.Error(t, Args{[]byte(strings.Repeat("1,", 3_000_000))}.Parse(&tree))
}

func TestValueNumbers(t *testing.T) {
	for in, want := range map[string]int64{"3": 3, "-1": -1, "0x10": 16, "0644": 0o644, "000": 0, "18446744073709551615": -1, "3</etc/passwd>": 3} {
		n, ok := Args{[]byte(in)}.At(0).Int()
		require.True(t, ok, in)
		require.Equal(t, want, n, in)
	}
	for _, in := range []string{"18446744073709551616", "NULL", "O_RDWR|1", `"3"`, ""} {
		_, ok := Args{[]byte(in)}.At(0).Int()
		require.False(t, ok, in)
	}
	fd, path, ok := Args{[]byte(`AT_FDCWD</tmp>, 1`)}.At(0).FD()
	require.True(t, ok)
	require.Equal(t, -100, fd)
	require.Equal(t, "/tmp", string(path))
	require.Equal(t, "1", string(Args{[]byte(`{a=0, b=1}`)}.At(0).Field("b").Raw()))
	require.Equal(t, ValueInvalid, Args{[]byte(`{a=0}`)}.At(0).Field("b").Kind())
	require.Equal(t, ValueInvalid, Value{}.Kind())
	require.Nil(t, Value{}.Raw())
}

func TestTreeAllocatesNothing(t *testing.T) {
	var tree Tree
	a := Args{[]byte(`3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, [128 => 16]`)}
	require.NoError(t, a.Parse(&tree))
	require.Zero(t, testing.AllocsPerRun(100, func() { _ = a.Parse(&tree) }))
}

func FuzzArgs(f *testing.F) {
	f.Add([]byte(`3, {a=1, b=[1, 2]} => {c="x"...}, ~[INT], htons(5), 0x1 /* a /* b */ */`))
	f.Add([]byte(`WIFEXITED(s) && WEXITSTATUS(s) == 3, 4</x>(deleted)`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var tree Tree
		_ = Args{b}.Parse(&tree)
		checkSpans(t, &tree, b)
	})
}
