package stracelog

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkArgs holds that the arguments of a clean line parse, and that their spans give them back.
func checkArgs(t testing.TB, e *Event) {
	t.Helper()
	var tree Tree
	err := e.Args.Parse(&tree)
	require.NoError(t, err, "line %d: %s", e.Line, e.Raw())
	checkSpans(t, &tree, e.Args.Raw())
	for v := range tree.All() {
		if v.Kind() == ValueString {
			_, _, err := v.Bytes(nil)
			require.NoError(t, err, "line %d: %s", e.Line, v.Raw())
		}
	}
}

// checkSpans holds that values lie in order inside of what they belong to, with commas and blanks between them.
func checkSpans(t testing.TB, tree *Tree, src []byte) {
	t.Helper()
	end := 0
	for v := range tree.All() {
		a, b := v.Span()
		require.LessOrEqual(t, end, a)
		require.LessOrEqual(t, a, b)
		require.LessOrEqual(t, b, len(src))
		require.Empty(t, bytes.Trim(src[end:a], ", "), "between values of %q", src)
		end = b
	}
	require.Empty(t, bytes.Trim(src[end:], ", "), "behind the values of %q", src)
	for i := range tree.nodes[1:] {
		v := Value{tree, int32(i + 1)}
		a, b := v.Span()
		require.True(t, 0 <= a && a <= b && b <= len(src), "span %d..%d of %q", a, b, src)
		n := v.node()
		require.True(t, n.start <= n.valStart && n.valStart <= n.valEnd && n.valEnd <= int32(len(src)), "value %+v of %q", *n, src)
		for c := range v.Children() {
			x, y := c.Span()
			require.True(t, a <= x && y <= b, "child %d..%d outside of %d..%d in %q", x, y, a, b, src)
		}
	}
}
