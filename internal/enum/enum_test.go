package enum_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/enum"
)

type color int8

const (
	none color = iota
	red
	blue
	hidden color = -1
)

var colors = enum.Names[color]{Type: "paint: color", Words: map[color]string{none: "", red: "red", blue: "light-blue", hidden: "hidden"}}

func TestNamesComeBack(t *testing.T) {
	require.Equal(t, []color{hidden, none, red, blue}, colors.Values())
	require.Equal(t, []string{"hidden", "", "red", "light-blue"}, colors.List())
	for _, v := range colors.Values() {
		text, err := colors.Text(v)
		require.NoError(t, err)
		require.Equal(t, colors.String(v), string(text))
		back := color(99)
		require.NoError(t, colors.Parse(text, &back))
		require.Equal(t, v, back)
	}
}

func TestNamesRefuseOtherValuesAndWords(t *testing.T) {
	require.Equal(t, "color(7)", colors.String(7))
	require.Equal(t, "color(-7)", colors.String(-7))
	_, err := colors.Text(7)
	require.EqualError(t, err, "paint: invalid color 7")

	v := red
	for _, word := range []string{"Red", "red ", "1", "color(7)", "\xff"} {
		require.Error(t, colors.Parse([]byte(word), &v), word)
		require.Equal(t, red, v)
	}
	require.EqualError(t, colors.Parse([]byte("gr\xffen"), &v), `paint: unknown color "gr\xffen" (known: hidden, red, light-blue)`)
	err = colors.Parse([]byte(strings.Repeat("x", 1<<20)), &v)
	require.Less(t, len(err.Error()), 200)
	var e *enum.Error
	require.True(t, errors.As(err, &e))
	require.Equal(t, "paint: "+e.WithoutPackage(), err.Error())
}

func TestLongTablesAreNotListed(t *testing.T) {
	words := map[int]string{}
	for i := range 1000 {
		words[i] = strings.Repeat("w", i+1)
	}
	var v int
	require.EqualError(t, enum.Names[int]{Type: "p: word", Words: words}.Parse([]byte("x"), &v), `p: unknown word "x"`)
}

type port uint16

func TestOpenNamesReadNumbers(t *testing.T) {
	ports := enum.Names[port]{Type: "net: port", Words: map[port]string{22: "ssh", 80: "http"}, Open: true}
	for _, v := range []port{0, 22, 80, 65535} {
		text, err := ports.Text(v)
		require.NoError(t, err)
		require.Equal(t, ports.String(v), string(text))
		var back port
		require.NoError(t, ports.Parse(text, &back))
		require.Equal(t, v, back)
	}
	require.Equal(t, "65535", ports.String(65535))
	var v port
	for _, word := range []string{"", "22", "65536", "-1", "+7", "007", "0x10", "ftp"} {
		require.Error(t, ports.Parse([]byte(word), &v), "%q has another spelling or is out of range", word)
	}
}

type flags uint8

var bits = enum.Bits[flags]{Type: "door: state", Words: map[flags]string{1: "open", 2: "locked", 128: "broken"}}

func TestBitsComeBack(t *testing.T) {
	for v, want := range map[flags]string{0: "", 1: "open", 3: "open|locked", 131: "open|locked|broken", 128: "broken"} {
		text, err := bits.Text(v)
		require.NoError(t, err)
		require.Equal(t, want, string(text))
		require.Equal(t, want, bits.String(v))
		back := flags(4)
		require.NoError(t, bits.Parse(text, &back))
		require.Equal(t, v, back)
	}
}

func TestBitsRefuseOtherBitsAndWords(t *testing.T) {
	require.Equal(t, "open|0xc", bits.String(13))
	_, err := bits.Text(13)
	require.EqualError(t, err, "door: invalid state 0xc")
	v := flags(2)
	for _, text := range []string{"|", "open|", "shut", "open|shut", "1", "open|open"} {
		require.Error(t, bits.Parse([]byte(text), &v), text)
		require.Equal(t, flags(2), v)
	}
	require.EqualError(t, bits.Parse([]byte("open|open"), &v), `door: state "open" is repeated`)
}

func TestBitsOfASignedType(t *testing.T) {
	type mask int8
	table := enum.Bits[mask]{Type: "p: mask", Words: map[mask]string{1: "low", -128: "high"}}
	require.Equal(t, "low|high", table.String(-127))
	require.Equal(t, "high|0x2", table.String(-126))
	var v mask
	require.NoError(t, table.Parse([]byte("low|high"), &v))
	require.Equal(t, mask(-127), v)
}
