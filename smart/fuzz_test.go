package smart_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// checkSnapshot uses all of a snapshot: nothing of it may fail, whatever it was read
// from.
func checkSnapshot(t *testing.T, s *smart.Snapshot) {
	if len(s.Warnings) > 80 || len(s.Attributes) > 256 || len(s.Stats) > 1024 || len(s.SelfTests) > 19*64 {
		t.Fatalf("%d warnings, %d attributes, %d statistics, %d self-tests", len(s.Warnings), len(s.Attributes), len(s.Stats), len(s.SelfTests))
	}
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if len(a.AppendRaw(nil)) == 0 && a.Raw.Text != "" {
			t.Fatalf("attribute %d: a text is lost", a.ID)
		}
		for k := smart.FormatUnknown; k <= smart.Temp10x; k++ {
			if len(a.AppendRawAs(nil, smart.RawFormat{Kind: k})) == 0 {
				t.Fatalf("attribute %d prints nothing as %v", a.ID, k)
			}
		}
		_ = a.Raw.Hex()
	}
	for _, v := range []smart.TempValue{s.Temp.Current, s.Temp.LifetimeMin, s.Temp.LifetimeMax} {
		if v.OK && v.From == 0 {
			t.Fatalf("a temperature without a source: %+v", s.Temp)
		}
	}
	if h := s.Health; h.Inferred && h.Status != smart.Unknown {
		t.Fatalf("a guess became %v", h.Status)
	}
	for _, f := range judge.Judge(s, judge.Policy{}) {
		if f.Rule == "" || f.Severity < smart.Act || f.Severity > smart.Info || f.Detail == "" {
			t.Fatalf("%+v", f)
		}
	}
	_ = viewOf(s, false)
	if s.Identity.Serial != "" {
		if _, err := judge.Compare(s, s); err != nil {
			t.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(storyLines))
	f.Add([]byte("# smartd state file\ntemperature-min = 18\nata-smart-attribute.0.id = 194\nata-smart-attribute.0.raw = 68719476756\n"))
	f.Add([]byte(`[{"smartctl":{"exit_status":224}},{"critical_warning":1,"temperature":310}]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, _ := smart.ParseBytes(b, nil)
		for _, s := range list {
			checkSnapshot(t, s)
		}
	})
}

func FuzzParseText(f *testing.F) {
	f.Add([]byte(storyLines))
	f.Add([]byte(textHead + storyLines))
	f.Add([]byte(textSCSI))
	f.Add([]byte(textNVMe))
	f.Add([]byte(textLogs))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := smart.ParseText(b)
		if err == nil {
			checkSnapshot(t, s)
		}
		if a, err := smart.ParseAttributeLine(b); err == nil && a.ID == 0 {
			t.Fatalf("%+v", a)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"smartctl":{"version":[7,3],"exit_status":224,"messages":[{"string":"x","severity":"error"}]},"device":{"type":"sat+megaraid,3","protocol":"ATA"},"smart_support":true,"ata_smart_attributes":{"table":[{"id":194,"value":20,"worst":40,"thresh":0,"when_failed":"past","raw":{"value":68719476756,"string":"20 (0 16 0 0 0)"}}]},"temperature":{"current":20}}`))
	f.Add([]byte(`{"device":{"protocol":"NVMe"},"nvme_smart_health_information_log":{"data_units_read":340282366920938463463374607431768211455,"unsafe_shutdowns":-5,"temperature_sensors":[27,null,"x"]},"smart_support":{"available":true}}`))
	f.Add([]byte(`{"device":{"protocol":"SCSI"},"scsi_error_counter_log":{"read":{"gigabytes_processed":"1,5"}},"scsi_self_test_0":{"code":{"string":"Background short"}},"temperature":{"current":0}}`))
	f.Add([]byte(`{"critical_warning":0,"temperature":323,"thm_temp2_trans_count":-1757236128}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := smart.ParseJSON(b); err == nil {
			checkSnapshot(t, s)
		}
	})
}

func FuzzDecodeATA(f *testing.F) {
	g := gen{rand.New(rand.NewPCG(1, 2))}
	for range 4 {
		d := g.drive()
		f.Add(d.identify, d.values, d.thresholds, d.extErrorLog, d.extSelfTestLog, d.sctHistory, d.devStats, uint64(0xc24f00))
		f.Add(d.identify, d.values, d.thresholds, d.errorLog, d.selfTestLog, d.sctStatus, d.devStats[:512], uint64(0x2cf400))
	}
	f.Fuzz(func(t *testing.T, a, b, c, d, e, h, st []byte, lba uint64) {
		var s smart.Snapshot
		for range 2 { // warm as well as cold
			_ = smart.DecodeATA(&s, smart.ATAPages{
				Identify: a, Values: b, Thresholds: c, ErrorLog: d, SelfTestLog: e, SCTStatus: h, SCTHistory: h, DeviceStats: st,
				Status: smart.Some(smart.Registers{LBA: lba}),
			}, nil)
			_ = smart.DecodeATA(&s, smart.ATAPages{Values: b, ExtErrorLog: d, ExtSelfTestLog: e}, nil)
		}
		s.Warnings = nil
		checkSnapshot(t, &s)
	})
}

func FuzzDecodeNVMe(f *testing.F) {
	f.Add(make([]byte, 512), make([]byte, 540), make([]byte, 64))
	f.Fuzz(func(t *testing.T, log, identify, other []byte) {
		s := smart.Snapshot{NVMe: &smart.NVMeHealth{}}
		_ = smart.DecodeNVMe(s.NVMe, log)
		_ = smart.DecodeNVMeIdentify(&s, identify)
		smart.DecodeNVMeErrors(&s.Errors, other)
		s.SelfTests = smart.DecodeNVMeSelfTests(s.SelfTests, other)
		checkSnapshot(t, &s)
	})
}

func FuzzDecodeSCSI(f *testing.F) {
	f.Add([]byte{0x0d, 0, 0, 12, 0, 0, 3, 2, 0, 38, 0, 1, 3, 2, 0, 65})
	f.Add([]byte{0x4d, 1, 0, 12, 0, 0, 3, 8, 0, 40, 72, 0xff, 45, 20, 0, 0})
	f.Add([]byte{0x2f, 0, 0, 8, 0, 0, 3, 4, 0x5d, 0x10, 38, 65})
	f.Fuzz(func(t *testing.T, page []byte) {
		s := smart.Snapshot{SCSI: &smart.SCSIHealth{}}
		_ = smart.DecodeSCSI(s.SCSI, page)
		checkSnapshot(t, &s)
	})
}

func FuzzLoadDriveDB(f *testing.F) {
	f.Add(`{ "VERSION: 7.3 $Id$", "-", "-", "", "" }, { "DEFAULT", "-", "-", "", "-v 9,raw24(raw8),Power_On_Hours" },`, "X", "Y")
	f.Add(`/* c */ { "F", "(A|B[0-9])C.*|D\\.E" // x`+"\n"+` "tail", "1.*", "w\n\"q\"", "-v 194,hex64:w012345r,NAME -F xerrorlba -d sat" },`, "AC", "1")
	f.Fuzz(func(t *testing.T, src, model, firmware string) {
		db, err := smart.LoadDriveDB(strings.NewReader(src))
		if err != nil {
			return
		}
		m, ok := db.Lookup(model, firmware)
		if ok != (m.Entry != nil) {
			t.Fatalf("%v %+v", ok, m)
		}
		for id := range 256 {
			m.Format(uint8(id), smart.Opt[bool]{})
		}
	})
}

func FuzzParseDD(f *testing.F) {
	f.Add("dd if=/dev/zero of=/mnt/p3/test bs=1M\n2147483648 bytes (2.1 GB) copied, 43.8163 seconds, 49.0 MB/s\n")
	f.Add("p1:\n5 bytes copied, 2.8566e-05 s, 175 kB/s\n2147483648 bytes (2,1 GB, 2,0 GiB) copied, 43,8 s, 49 MB/s\n")
	f.Fuzz(func(t *testing.T, s string) {
		list, _ := judge.ParseDD(strings.NewReader(s))
		disks := make([]*smart.Snapshot, len(list))
		for i := range disks {
			disks[i] = &smart.Snapshot{}
		}
		if _, err := judge.Diagnose(disks, list, judge.Windows(), 1); err != nil && len(list) > 0 {
			t.Fatal(err)
		}
	})
}
