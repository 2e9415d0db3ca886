package smart_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dougu.internal/smart"
	"dougu.internal/smart/device"
	"dougu.internal/smart/judge"
)

func ExampleParse() {
	drives, err := smart.Parse(strings.NewReader(storyLines))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range drives {
		t := s.Temp
		fmt.Printf("%d C, lowest ever %d C (%v), highest ever %d C\n", t.Current.C, t.LifetimeMin.C, t.LifetimeMin.From, t.LifetimeMax.C)
	}
	// Output:
	// 20 C, lowest ever 16 C (inferred), highest ever 40 C
	// 17 C, lowest ever 15 C (inferred), highest ever 40 C
	// 17 C, lowest ever 15 C (inferred), highest ever 40 C
	// 18 C, lowest ever 15 C (inferred), highest ever 40 C
}

func ExampleDiagnose() {
	drives, _ := smart.Parse(strings.NewReader(storyLines))
	for i, s := range drives {
		s.Identity.Model, s.Device.Port = "ST3500630NS", smart.Some(i)
	}
	samples, err := judge.ParseDD(strings.NewReader(storyDD))
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := judge.Diagnose(drives, samples, judge.Windows(), 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range d.Disks {
		fmt.Printf("port %s is %v: %s\n", v.Port, v.Conclusion, v.Text)
	}
	// Output:
	// port 0 is fine: 49.01 MB/s at 20 C: fine
	// port 1 is explained: 4.17 MB/s, 11.8x slower, at 17 C: cold, not broken; warm it
	// port 2 is explained: 4.16 MB/s, 11.8x slower, at 17 C: cold, not broken; warm it
	// port 3 is borderline: 49.62 MB/s at 18 C: fast, but at the edge; will slow down when colder, no fault
}

func ExampleParseDD() {
	samples, err := judge.ParseDD(strings.NewReader("2147483648 bytes (2.1 GB) copied, 514.409 seconds, 4.2 MB/s\n"))
	fmt.Printf("%.2f bytes/s %v\n", samples[0].Rate(), err)
	// Output: 4174661.89 bytes/s <nil>
}

func ExampleJudge() {
	s, err := smart.ParseText([]byte(textNVMe))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range judge.Judge(s, judge.Policy{}) {
		fmt.Printf("%v %s: %s (%s)\n", smart.SeverityName(f.Severity), f.Rule, f.Detail, f.Evidence)
	}
	// Output:
	// act health-failed: the drive reports that it is failing: save the data and replace it (temperature is above or below threshold) (failed)
	// act nvme-warning: the temperature is above or below a threshold (critical warning 02h, bit 1)
}

func ExampleParseText() {
	s, err := smart.ParseText([]byte(textSCSI))
	fmt.Println(s.Identity.Model, s.Health.Status, s.Temp.Trip.C, s.SelfTests[0].Result, err)
	// Output: SEAGATE ST4000NM0023 failed 65 Failed in segment <nil>
}

func ExampleParseJSON() {
	s, err := smart.ParseJSON([]byte(`{"smartctl":{"exit_status":64},"model_name":"M","smart_status":{"passed":true},"temperature":{"current":31}}`))
	fmt.Println(s.Health.Status, s.Temp.Current.C, s.Exit.V&smart.ExitErrorLog != 0, err)
	// Output: passed 31 true <nil>
}

func ExampleParseAttributeLine() {
	a, err := smart.ParseAttributeLine([]byte("194 Temperature_Celsius 0x0022 020 040 000 Old_age Always - 20 (0 16 0 0)"))
	fmt.Println(a.Name, a.Value, a.State, a.Raw.Hex(), err)
	// Output: Temperature_Celsius 20 ok 00100000..14 <nil>
}

func ExampleDecodeATA() {
	values := make([]byte, 512)
	copy(values[2:], []byte{194, 0x22, 0, 20, 40, 20, 0, 10, 40, 3, 0, 0})
	var s smart.Snapshot
	err := smart.DecodeATA(&s, smart.ATAPages{Values: values}, nil)
	fmt.Printf("%s %v %v\n", s.Attributes[0].AppendRaw(nil), err, s.Warnings)
	// Output: 20 (Min/Max 10/40 #3) <nil> [values: the checksum of the page is wrong; its values are used all the same]
}

func ExampleDecodeNVMe() {
	log := make([]byte, 512)
	log[1], log[2], log[48] = 0x36, 0x01, 7
	var h smart.NVMeHealth
	err := smart.DecodeNVMe(&h, log)
	fmt.Println(h.Temperature.V, h.UnitsWritten.V, h.Sensors[0].OK, err)
	// Output: 37 7 false <nil>
}

func ExampleDecodeSCSI() {
	var h smart.SCSIHealth
	err := smart.DecodeSCSI(&h, []byte{0x0d, 0, 0, 12, 0, 0, 3, 2, 0, 7, 0, 1, 3, 2, 0, 71})
	fmt.Println(h.Temperature.V, h.Trip.V, err)
	// Output: 7 71 <nil>
}

func ExampleLoadDriveDB() {
	db, err := smart.LoadDriveDB(strings.NewReader(`{ "My drives", "MY(100|200)X", "", "", "-v 9,min2hour,On_Minutes" },`))
	m, ok := db.Lookup("MY200X", "1.0")
	name, format := m.Format(9, smart.Opt[bool]{})
	fmt.Println(m.Entry.Family, ok, name, format, err)
	// Output: My drives true On_Minutes min2hour <nil>
}

func ExampleParseState() {
	s, err := smart.ParseState([]byte("# smartd state file\ntemperature-min = 18\nata-smart-attribute.0.id = 194\nata-smart-attribute.0.val = 20\nata-smart-attribute.0.raw = 20\n"))
	s.NameFromState("/var/lib/smartmontools/smartd.ST3500630NS-SN1.ata.state")
	fmt.Println(s.Identity.Model, s.Temp.Current.C, s.Temp.LifetimeMin.C, s.Temp.LifetimeMin.From, err)
	// Output: ST3500630NS 20 18 smartd <nil>
}

func ExampleCompare() {
	old, _ := smart.ParseJSON([]byte(`{"serial_number":"S","model_name":"M","power_on_time":{"hours":100},"firmware_version":"1"}`))
	cur, _ := smart.ParseJSON([]byte(`{"serial_number":"S","model_name":"M","power_on_time":{"hours":148},"firmware_version":"2"}`))
	d, err := judge.Compare(old, cur)
	fmt.Println(d.Elapsed.V, d.Findings[0].Rule, err)
	// Output: 48h0m0s firmware-changed <nil>
}

func ExampleOpen() {
	d, err := device.Open("/dev/nonexistent")
	if err != nil {
		fmt.Println("cannot open:", err != nil, errors.Is(err, device.ErrPermission))
		return
	}
	defer d.Close()
	s, err := d.Snapshot(context.Background())
	fmt.Println(s, err)
	// Output: cannot open: true false
}

func ExampleParseRawFormat() {
	f, err := smart.ParseRawFormat("raw24/raw32:04321")
	a := smart.Attribute{Raw: smart.Raw{Bytes: [6]byte{0x21, 0x84, 0x12, 0xa3, 0x44, 0x05}}}
	fmt.Printf("%v %s %v\n", f, a.AppendRawAs(nil, f), err)
	// Output: raw24/raw32:04321 33/1151537796 <nil>
}
