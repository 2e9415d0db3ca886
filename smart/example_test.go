package smart_test

import (
	"fmt"
	"strings"

	"dougu.internal/smart"
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

func ExampleRead() {
	stream := strings.NewReader(`{"serial_number":"A","smart_status":{"passed":true}}` + "\n" +
		`{"serial_number":"B","smart_status":{"passed":false}}`)
	for s, err := range smart.Read(stream) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(s.Identity.Serial, s.Health.Status)
	}
	// Output:
	// A passed
	// B failed
}

func ExampleParseSyslog() {
	list, err := smart.ParseSyslog([]byte("Mar  3 04:12:09 web1 smartd[811]: Device: /dev/sda [SAT], 8 Currently unreadable (pending) sectors\n"))
	n, _ := list[0].Attribute(197).Raw.Uint48()
	fmt.Println(list[0].Device.Node, n, err)
	// Output: /dev/sda 8 <nil>
}

func ExampleParseAttrLog() {
	list, err := smart.ParseAttrLog([]byte("2026-03-03 04:12:09;\t194;118;32;\t197;100;8;\n"))
	fmt.Println(list[0].Taken.Format("2006-01-02"), list[0].Temp.Current.C, err)
	// Output: 2026-03-03 32 <nil>
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
	fmt.Printf("%s %v\n%v\n", s.Attributes[0].AppendRaw(nil), err, s.Warnings[0])
	// Output:
	// 20 (Min/Max 10/40 #3) <nil>
	// values: the checksum of the page is wrong; its values are used all the same
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
	s, err := smart.ParseState([]byte("# smartd state file\ntemperature-min = 18\n" +
		"ata-smart-attribute.0.id = 194\nata-smart-attribute.0.val = 20\nata-smart-attribute.0.raw = 20\n"))
	s.NameFromState("/var/lib/smartmontools/smartd.ST3500630NS-SN1.ata.state")
	fmt.Println(s.Identity.Model, s.Temp.Current.C, s.Temp.LifetimeMin.C, s.Temp.LifetimeMin.From, err)
	// Output: ST3500630NS 20 18 smartd <nil>
}

func ExampleParseRawFormat() {
	f, err := smart.ParseRawFormat("raw24/raw32:04321")
	a := smart.Attribute{Raw: smart.Raw{Bytes: [6]byte{0x21, 0x84, 0x12, 0xa3, 0x44, 0x05}}}
	fmt.Printf("%v %s %v\n", f, a.AppendRawAs(nil, f), err)
	// Output: raw24/raw32:04321 33/1151537796 <nil>
}
