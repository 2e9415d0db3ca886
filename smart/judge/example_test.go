package judge_test

import (
	"fmt"
	"strings"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

// The lines and the measurements of four drives of a RAID controller.
const storyLines = `194 Temperature_Celsius     0x0022   020   040   000    Old_age   Always       -       20 (Lifetime Min/Max 0/16)
194 Temperature_Celsius     0x0022   017   040   000    Old_age   Always       -       17 (Lifetime Min/Max 0/15)
194 Temperature_Celsius     0x0022   017   040   000    Old_age   Always       -       17 (Lifetime Min/Max 0/15)
194 Temperature_Celsius     0x0022   018   040   000    Old_age   Always       -       18 (Lifetime Min/Max 0/15)
`

const storyDD = `# for p in 0 1 2 3; do dd if=/dev/zero of=/mnt/p$p/test bs=1M count=2048; done
p0:
2147483648 bytes (2.1 GB) copied, 43.8163 seconds, 49.0 MB/s
p1:
2147483648 bytes (2.1 GB) copied, 514.409 seconds, 4.2 MB/s
p2:
2147483648 bytes (2.1 GB) copied, 515.813 seconds, 4.2 MB/s
p3:
2147483648 bytes (2.1 GB) copied, 43.2759 seconds, 49.6 MB/s
`

func ExampleJudge() {
	s, err := smart.ParseJSON([]byte(`{"smartctl":{"exit_status":0},"rotation_rate":7200,"smart_status":{"passed":true},` +
		`"ata_smart_attributes":{"table":[{"id":197,"name":"Current_Pending_Sector","raw":{"value":24,"string":"24"}}]}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range judge.Judge(s, judge.Policy{}) {
		fmt.Printf("%s %s: %v %s\n", smart.SeverityName(f.Severity), f.Rule, f.Value.V, f.Unit)
	}
	// Output:
	// act pending-sectors: 24 sectors
}

func ExampleSeries() {
	var series judge.Series
	for day, pending := range []int{0, 24, 0} {
		s, err := smart.ParseJSON(fmt.Appendf(nil, `{"serial_number":"S","smart_status":{"passed":true},"power_on_time":{"hours":%d},`+
			`"ata_smart_attributes":{"table":[{"id":197,"name":"Current_Pending_Sector","raw":{"value":%d,"string":"%d"}}]}}`,
			1000+24*day, pending, pending))
		if err != nil {
			fmt.Println(err)
			return
		}
		if err := series.Add(s); err != nil {
			fmt.Println(err)
			return
		}
	}
	for _, f := range series.Judge(judge.Policy{}) {
		fmt.Println(smart.SeverityName(f.Severity), f.Rule, f.Evidence)
	}
	// Output: act pending-sectors 24 24 hours ago, 0 now
}

func ExampleCompare() {
	old, _ := smart.ParseJSON([]byte(`{"serial_number":"S","model_name":"M","power_on_time":{"hours":100},"firmware_version":"1"}`))
	cur, _ := smart.ParseJSON([]byte(`{"serial_number":"S","model_name":"M","power_on_time":{"hours":148},"firmware_version":"2"}`))
	d, err := judge.Compare(old, cur)
	fmt.Println(d.Elapsed.V, d.Findings[0].Rule, err)
	// Output: 48h0m0s firmware-changed <nil>
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
		fmt.Printf("port %s is %v: %.1f MB/s at %d C\n", v.Port, v.Conclusion, v.Sample.V.Rate()/1e6, v.Temp.C)
	}
	// Output:
	// port 0 is fine: 49.0 MB/s at 20 C
	// port 1 is explained: 4.2 MB/s at 17 C
	// port 2 is explained: 4.2 MB/s at 17 C
	// port 3 is borderline: 49.6 MB/s at 18 C
}

func ExampleParseDD() {
	samples, err := judge.ParseDD(strings.NewReader("2147483648 bytes (2.1 GB) copied, 514.409 seconds, 4.2 MB/s\n"))
	fmt.Printf("%.2f bytes/s %v\n", samples[0].Rate(), err)
	// Output: 4174661.89 bytes/s <nil>
}
