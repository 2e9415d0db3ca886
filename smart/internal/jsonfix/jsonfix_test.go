package jsonfix_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/smart/internal/jsonfix"
)

type wide struct{ digits string }

func (w *wide) WholeNumber() {}

func (w *wide) UnmarshalJSON(b []byte) error {
	for _, c := range b {
		if c < '0' || c > '9' {
			return &json.UnmarshalTypeError{Value: "text"}
		}
	}
	w.digits = string(b)
	return nil
}

type doc struct {
	Hours *uint64 `json:"hours"`
	Value *uint8  `json:"value"`
	C     *int16  `json:"c"`
	Yes   *bool   `json:"yes"`
	Name  string  `json:"name"`
	Wide  *wide   `json:"wide"`
	Rows  []struct {
		ID *uint8 `json:"id"`
	} `json:"rows"`
	Samples []*int8 `json:"samples"`
	Bytes   []uint8 `json:"bytes"`
	In      *struct {
		N *uint32 `json:"n"`
	} `json:"in"`
}

func TestValuesOfAWrongTypeAreConvertedOrAbsent(t *testing.T) {
	for _, row := range []struct {
		in   string
		want doc
		odd  []string
	}{
		{`{"hours":12}`, doc{Hours: new(uint64(12))}, nil},
		{`{"hours":"12","value":" 7 "}`, doc{Hours: new(uint64(12)), Value: new(uint8(7))}, nil},
		{`{"hours":"12.000","c":310.0}`, doc{Hours: new(uint64(12)), C: new(int16(310))}, nil},
		{`{"hours":1e3}`, doc{Hours: new(uint64(1000))}, nil},
		{`{"c":30.6,"yes":1}`, doc{C: new(int16(31)), Yes: new(true)}, nil},
		{`{"c":-30.6,"yes":"false"}`, doc{C: new(int16(-31)), Yes: new(false)}, nil},
		{`{"hours":-1}`, doc{}, []string{"hours"}},
		{`{"hours":"-1"}`, doc{}, []string{"hours"}},
		{`{"hours":1.5}`, doc{}, []string{"hours"}},
		{`{"hours":"1_000"}`, doc{}, []string{"hours"}},
		{`{"hours":"0x10"}`, doc{}, []string{"hours"}},
		{`{"hours":18446744073709551616}`, doc{}, []string{"hours"}},
		{`{"hours":1e999999999}`, doc{}, []string{"hours"}},
		{`{"hours":"n/a","value":256}`, doc{}, []string{"hours", "value"}},
		{`{"c":40000}`, doc{}, []string{"c"}},
		{`{"yes":"maybe"}`, doc{}, []string{"yes"}},
		{`{"name":17,"hours":true}`, doc{Name: "17"}, []string{"hours"}},
		{`{"wide":340282366920938463463374607431768211455,"c":"1"}`, doc{Wide: &wide{"340282366920938463463374607431768211455"}, C: new(int16(1))}, nil},
		{`{"wide":"7"}`, doc{Wide: &wide{"7"}}, nil},
		{`{"wide":-7}`, doc{}, []string{"wide"}},
		{`{"rows":[7,{"id":"5"},{"id":-1}]}`, doc{Rows: []struct {
			ID *uint8 `json:"id"`
		}{{new(uint8(5))}, {nil}}}, []string{"rows[0]", "rows[2].id"}},
		{`{"samples":[1,"x",null,"2"]}`, doc{Samples: []*int8{new(int8(1)), nil, nil, new(int8(2))}}, []string{"samples[1]"}},
		{`{"bytes":[1,300]}`, doc{}, []string{"bytes[1]"}},
		{`{"in":[]}`, doc{}, []string{"in"}},
		{`{"in":{"n":4294967296}}`, doc{In: &struct {
			N *uint32 `json:"n"`
		}{}}, []string{"in.n"}},
		{`{"HOURS":"3"}`, doc{Hours: new(uint64(3))}, nil},
		{`[]`, doc{}, []string{""}},
	} {
		var got doc
		odd, err := jsonfix.Unmarshal([]byte(row.in), &got)
		require.NoError(t, err, row.in)
		require.Equal(t, row.want, got, row.in)
		var paths []string
		for _, o := range odd {
			paths = append(paths, o.Path)
			require.NotEmpty(t, o.Msg)
		}
		require.ElementsMatch(t, row.odd, paths, row.in)
	}
	_, err := jsonfix.Unmarshal([]byte(`{"hours":`), &doc{})
	require.Error(t, err)
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte(`{"hours":"12","rows":[{"id":"x"}],"wide":1e5}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var d doc
		_, err := jsonfix.Unmarshal(b, &d)
		require.Equal(t, json.Valid(b), err == nil, "%v", err)
	})
}
