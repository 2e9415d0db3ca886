package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"io"
	"strings"

	"dougu.internal/smart"
	"dougu.internal/smart/judge"
)

var (
	//go:embed testdata/smart.attributes
	smartLines []byte
	//go:embed testdata/smart.dd
	smartDD []byte
)

// tourSmart finds the reason why two of four disks of a RAID card write at a tenth of their
// speed.
func tourSmart(w io.Writer) error {
	disks, err := smart.Parse(bytes.NewReader(smartLines))
	if err != nil {
		return err
	}
	samples, err := judge.ParseDD(bytes.NewReader(smartDD))
	if err != nil {
		return err
	}
	for i, s := range disks {
		s.Identity.Model = "ST3500630NS" // the input does not contain the model
		s.Device = smart.DeviceID{Node: "/dev/twa0", Type: "3ware", Port: smart.Some(i)}
	}
	d, err := judge.Diagnose(disks, samples, judge.Windows(), 1)
	if err != nil {
		return err
	}
	fmt.Fprintln(
		w,
		"Two of four disks behind a RAID card write at a tenth of their speed. Are they broken? Commands for each port:",
	)
	fmt.Fprintln(w, "smartctl -d 3ware,N -a /dev/twa0 | grep Temp, and dd if=/dev/zero of=/mnt/pN/test bs=1M count=2048")
	for _, v := range d.Disks {
		s := disks[v.Disk]
		a := s.Attribute(194)
		fmt.Fprintf(w, "port %s: %q means %d C now, lowest ever %d C, highest ever %d C\n",
			v.Port, a.AppendRaw(nil), s.Temp.Current.C, s.Temp.LifetimeMin.C, s.Temp.LifetimeMax.C)
	}
	fmt.Fprintln(
		w,
		`(The label "Lifetime Min/Max" is wrong for these drives: byte 4 is the lowest ever, and the WORST column is the highest.)`,
	)
	for _, v := range d.Disks {
		fmt.Fprintf(w, "port %s, window of Read After Write: %s: %s\n", v.Port, v.Position, v.Text)
	}
	fmt.Fprintln(w, strings.ReplaceAll(d.Summary, "; ", ";\n"))
	for _, f := range judge.Judge(disks[1], judge.Policy{}) {
		fmt.Fprintf(w, "%s %s, evidence %s (%s)\n", smart.SeverityName(f.Severity), f.Rule, f.Evidence, f.Source)
	}
	return nil
}
