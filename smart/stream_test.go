package smart_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"dougu.internal/smart"
)

// TestReadStreams: documents and texts one after the other, broken ones between them.
func TestReadStreams(t *testing.T) {
	text := "smartctl 7.3 2022-02-28 r5338 [x]\n=== START OF INFORMATION SECTION ===\nSerial Number:    T%d\n=== START OF READ SMART DATA SECTION ===\nSMART " +
		"overall-health self-assessment test result: PASSED\n"
	doc := `{"smartctl":{"exit_status":0},"serial_number":"J%d","model_name":"a } \" {","smart_status":{"passed":true}}`
	var b strings.Builder
	var want []string
	for i := range 5000 {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, text, i)
			want = append(want, fmt.Sprintf("T%d", i))
		case 1:
			fmt.Fprintf(&b, doc+"\n", i)
			want = append(want, fmt.Sprintf("J%d", i))
		case 2:
			fmt.Fprintf(&b, doc+doc+"\n", i, -i)
			want = append(want, fmt.Sprintf("J%d", i), fmt.Sprintf("J%d", -i))
		case 3:
			b.WriteString("noise of a shell\n" + strings.ReplaceAll(fmt.Sprintf(doc, i), ",", ",\n ") + "\n\n")
			want = append(want, fmt.Sprintf("J%d", i))
		}
	}
	for _, r := range []io.Reader{strings.NewReader(b.String()), iotest.OneByteReader(strings.NewReader(b.String()[:strings.LastIndex(b.String()[:20000],
		"smartctl 7.3")]))} {
		var got []string
		for s, err := range smart.Read(r) {
			require.NoError(t, err)
			got = append(got, s.Identity.Serial)
			require.Equal(t, smart.Passed, s.Health.Status)
		}
		require.Greater(t, len(got), 80)
		require.Equal(t, want[:len(got)], got)
	}
	var got []string
	bad := 0
	for s, err := range smart.Read(strings.NewReader(fmt.Sprintf(doc, 1) + "\n{\"smartctl\":{]}}\n" + fmt.Sprintf(doc, 2) + "\n")) {
		if err != nil {
			require.ErrorContains(t, err, "smart: line 2: JSON")
			bad++
			continue
		}
		got = append(got, s.Identity.Serial)
	}
	require.Equal(t, []string{"J1", "J2"}, got)
	require.Equal(t, 1, bad)
	for _, err := range smart.Read(iotest.ErrReader(errors.New("cable"))) {
		require.ErrorContains(t, err, "cable")
		bad++
	}
	require.Equal(t, 2, bad)
	for range smart.Read(strings.NewReader(b.String())) {
		break
	}
}

func FuzzRead(f *testing.F) {
	f.Add("{\"smartctl\":{}}\nsmartctl 7.3\n{\"a\":\"}\"}{}")
	f.Fuzz(func(t *testing.T, in string) {
		n := 0
		for s, err := range smart.Read(strings.NewReader(in)) {
			require.True(t, (s == nil) != (err == nil))
			n++
		}
		require.LessOrEqual(t, n, len(in))
	})
}

func FuzzParseSyslog(f *testing.F) {
	f.Add("Mar  3 04:12:09 host1 smartd[811]: Device: /dev/sda [SAT], 8 Currently unreadable (pending) sectors\n")
	f.Add("x smartd: Device: /dev/sdb, Temperature 61 Celsius reached critical limit of 60 Celsius (Min/Max 21/61)\nsmartd: Device: a, Critical Warning (0x04): " +
		"Reliability")
	f.Add("smartd: Device: a, M, S/N:X, WWN:5-0, FW:1, 1 TB\nsmartd: Device: a, SMART Usage Attribute: 194 T changed from 1 to 2\nsmartd: Device: a, Failed SMART " +
		"usage Attribute: 5 R.")
	f.Fuzz(func(t *testing.T, in string) {
		list, err := smart.ParseSyslog([]byte(in))
		require.Equal(t, err == nil, len(list) > 0)
		for _, s := range list {
			checkSnapshot(t, s)
		}
	})
}

func FuzzParseAttrLog(f *testing.F) {
	f.Add("2026-03-03 04:12:09;\t194;118;32;\t5;100;0;\ttemperature;32;\n2026-03-03 04:42:09;\tread-total-unc-errors;5;\tmedia-errors;3;\n")
	f.Fuzz(func(t *testing.T, in string) {
		list, err := smart.ParseAttrLog([]byte(in))
		require.Equal(t, err == nil, len(list) > 0)
		for _, s := range list {
			checkSnapshot(t, s)
		}
	})
}
