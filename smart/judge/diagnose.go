package judge

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"dougu.internal/internal/enum"
	"dougu.internal/smart"
	"dougu.internal/smart/internal/scan"
)

// Conclusion is the conclusion from the temperature and the write speed of a disk.
type Conclusion uint8

// The conclusions.
const (
	// Fine means fast, and outside every window.
	Fine Conclusion = iota + 1
	// WillSlow means fast, but at the edge of a window or inside it.
	WillSlow
	// Explained means slow, and inside a window or at its edge: not broken.
	Explained
	// ConsistentWithCold means slow and cold, without a known window for the model.
	ConsistentWithCold
	// Suspect means slow for a reason other than the temperature.
	Suspect
	// Undecided means that the measurement or a comparison is missing.
	Undecided
)

var conclusions = enum.Names[Conclusion]{Type: "judge: conclusion", Words: map[Conclusion]string{
	0: "unknown", Fine: "fine", WillSlow: "borderline", Explained: "explained",
	ConsistentWithCold: "consistent-with-cold",
	Suspect:            "suspect", Undecided: "undecided",
}}

// String returns "fine", "borderline", "explained", "consistent-with-cold", "suspect"
// or "undecided", and "unknown" for the zero value.
func (c Conclusion) String() string { return conclusions.String(c) }

// MarshalText returns the name of the conclusion. It fails if c is not valid.
func (c Conclusion) MarshalText() ([]byte, error) { return conclusions.Text(c) }

// UnmarshalText sets c from the name of a conclusion.
func (c *Conclusion) UnmarshalText(text []byte) error { return conclusions.Parse(text, c) }

// DiskDiagnosis is the diagnosis of one disk.
type DiskDiagnosis struct {
	// Disk is the index of the drive in the argument of [Diagnose].
	Disk int `json:"disk"`
	// Port is the number under which the disk was joined with its sample.
	Port string `json:"port,omitzero"`
	// Sample is its measurement.
	Sample smart.Opt[WriteSample] `json:"sample,omitzero"`
	// Slow means that the disk wrote at less than a third of the median of the fast group.
	// Ratio is the median divided by the rate of the disk.
	Slow  bool    `json:"slow"`
	Ratio float64 `json:"ratio"`
	// Temp is the current temperature, and Window the window that is nearest to it.
	Temp       smart.TempValue `json:"temp,omitzero"`
	Position   Position        `json:"position"`
	Window     *Window         `json:"window,omitzero"`
	Conclusion Conclusion      `json:"conclusion"`
	// Text describes the conclusion in one sentence.
	Text string `json:"text,omitzero"`
}

// Diagnosis joins disks with measured write speeds.
type Diagnosis struct {
	Disks []DiskDiagnosis `json:"disks,omitzero"`
	// FastMedian is the median rate of the fast group in bytes per second. It is absent
	// without a group to compare with.
	FastMedian smart.Opt[float64] `json:"fastMedian,omitzero"`
	// Join describes how disks and samples were joined.
	Join string `json:"join,omitzero"`
	// Summary describes the diagnosis of all disks in one sentence.
	Summary string `json:"summary,omitzero"`
}

// coldest is the temperature up to which a slow disk without a known window is called
// cold.
const coldest = 20

// Diagnose joins disks with samples and determines which disks are slow because of their
// temperature. A sample belongs to the disk whose port is the last number in its label. If
// ports or labels are not numbered uniquely, they are joined by their order. The error
// means that the numbers of disks and samples differ, or that a port has no sample.
//
// Fast are the samples of at least a third of the maximum rate, slow those below a
// third of the fast ones' median. Margin is in degrees; see [Window.Place]. Windows of
// a model apply only to disks whose evidence names it.
func Diagnose(disks []*smart.Snapshot, samples []WriteSample, windows []Window, margin int) (Diagnosis, error) {
	d := Diagnosis{}
	joined, ports, how, err := join(disks, samples)
	if err != nil {
		return d, err
	}
	d.Join = how
	d.FastMedian = fastMedian(samples)
	for i, s := range disks {
		v := DiskDiagnosis{Disk: i, Port: ports[i], Temp: s.Temp.Current, Sample: smart.Some(samples[joined[i]])}
		if m := d.FastMedian; m.OK {
			if r := v.Sample.V.Rate(); r > 0 {
				v.Ratio = m.V / r
			}
			v.Slow = v.Sample.V.Rate() < m.V/3
		}
		v.place(s, windows, margin)
		v.conclude(d.FastMedian)
		d.Disks = append(d.Disks, v)
	}
	d.Summary = d.summary()
	return d, nil
}

// fastMedian returns the median rate of the fast group. There is none with fewer than
// two samples.
func fastMedian(samples []WriteSample) (o smart.Opt[float64]) {
	if len(samples) < 2 {
		return o
	}
	var top float64
	for _, s := range samples {
		top = max(top, s.Rate())
	}
	var fast []float64
	for _, s := range samples {
		if r := s.Rate(); r >= top/3 && r > 0 {
			fast = append(fast, r)
		}
	}
	if len(fast) == 0 {
		return o
	}
	slices.Sort(fast)
	n := len(fast)
	return smart.Some((fast[(n-1)/2] + fast[n/2]) / 2)
}

// place finds the window that says most about the disk's temperature.
func (v *DiskDiagnosis) place(s *smart.Snapshot, windows []Window, margin int) {
	if !v.Temp.OK {
		return
	}
	for i := range windows {
		w := &windows[i]
		if w.Model != nil && (s.Identity.Model == "" || !w.Matches(s.Identity.Model)) {
			continue
		}
		if p := w.Place(int(v.Temp.C), margin); v.Window == nil || p > v.Position {
			v.Position, v.Window = p, w
		}
	}
}

func (v *DiskDiagnosis) conclude(median smart.Opt[float64]) {
	rate := fmt.Sprintf("%.2f MB/s", v.Sample.V.Rate()/1e6)
	at := "at an unknown temperature"
	if v.Temp.OK {
		at = fmt.Sprintf("at %d C", v.Temp.C)
	}
	switch {
	case !median.OK:
		v.Conclusion = Undecided
		v.Text = fmt.Sprintf("%s %s: one measurement alone cannot be judged, measure the other disks as well", rate, at)
	case v.Slow && (v.Position == Inside || v.Position == Borderline):
		v.Conclusion = Explained
		if v.Window.cold(int(v.Temp.C)) {
			v.Text = fmt.Sprintf("%s, %.1fx slower, %s: cold, not broken; warm it", rate, v.Ratio, at)
		} else {
			v.Text = fmt.Sprintf("%s, %.1fx slower, %s: hot, not broken; cool it", rate, v.Ratio, at)
		}
	case v.Slow && v.Window == nil && v.Temp.OK && v.Temp.C <= coldest:
		v.Conclusion = ConsistentWithCold
		v.Text = fmt.Sprintf("%s, %.1fx slower, %s: slow and cold; consistent with a drive that verifies its "+
			"writes when cold, name the model to be sure", rate, v.Ratio, at)
	case v.Slow:
		v.Conclusion = Suspect
		v.Text = fmt.Sprintf("%s, %.1fx slower, %s: temperature does not explain it; suspect the disk, its "+
			"cabling or the controller", rate, v.Ratio, at)
	case v.Position == Inside || v.Position == Borderline:
		v.Conclusion = WillSlow
		if v.Window.cold(int(v.Temp.C)) {
			v.Text = fmt.Sprintf("%s %s: fast, but at the edge; will slow down when colder, no fault", rate, at)
		} else {
			v.Text = fmt.Sprintf("%s %s: fast, but at the edge; will slow down when hotter, no fault", rate, at)
		}
	default:
		v.Conclusion = Fine
		v.Text = fmt.Sprintf("%s %s: fine", rate, at)
	}
}

func (d *Diagnosis) summary() string {
	var by [Undecided + 1][]string
	for _, v := range d.Disks {
		by[v.Conclusion] = append(by[v.Conclusion], v.Port)
	}
	ports := func(c Conclusion) string {
		if len(by[c]) == 1 {
			return "port " + by[c][0]
		}
		return "ports " + strings.Join(by[c], " and ")
	}
	is := func(c Conclusion) string {
		if len(by[c]) == 1 {
			return "is"
		}
		return "are"
	}
	var parts []string
	if len(by[Explained]) > 0 {
		parts = append(parts,
			fmt.Sprintf("%s %s slow because of the temperature (%s), not broken: change the temperature, not the disks",
				ports(Explained), is(Explained), d.window(Explained)))
	}
	if len(by[ConsistentWithCold]) > 0 {
		parts = append(parts, fmt.Sprintf("%s %s slow and cold", ports(ConsistentWithCold), is(ConsistentWithCold)))
	}
	if len(by[Suspect]) > 0 {
		parts = append(parts,
			fmt.Sprintf("%s %s slow without a reason that the temperature gives: examine disk, cabling and "+
				"controller", ports(Suspect), is(Suspect)))
	}
	if len(by[WillSlow]) > 0 {
		parts = append(parts, fmt.Sprintf("%s %s at the edge", ports(WillSlow), is(WillSlow)))
	}
	switch {
	case len(by[Undecided]) > 0:
		parts = append(parts, "there is nothing to compare the speed with")
	case len(parts) == 0:
		parts = append(parts, "all disks write at like speed: if that is slow, there is no fast group to compare with")
	}
	return strings.Join(parts, "; ")
}

// window describes the window of the disks with that conclusion.
func (d *Diagnosis) window(c Conclusion) string {
	for _, v := range d.Disks {
		if v.Conclusion == c && v.Window != nil {
			return v.Window.edges()
		}
	}
	return "no window"
}

// join finds the sample of each disk.
func join(disks []*smart.Snapshot, samples []WriteSample) (sample []int, ports []string, how string, err error) {
	switch {
	case len(disks) == 0:
		return nil, nil, "", errs.New("no drive to join the measurements with")
	case len(samples) != len(disks):
		return nil, nil, "", errs.Errorf("%d drives and %d measurements: each drive wants exactly one", len(disks),
			len(samples))
	}
	byLabel := map[int]int{}
	for i, s := range samples {
		n, ok := lastNumber(s.Label)
		if _, twice := byLabel[n]; !ok || twice {
			byLabel = nil
			break
		}
		byLabel[n] = i
	}
	byPort := map[int]bool{}
	for _, s := range disks {
		if p := s.Device.Port; !p.OK || byPort[p.V] {
			byPort = nil
			break
		} else {
			byPort[p.V] = true
		}
	}
	for i, s := range disks {
		if byLabel == nil || byPort == nil {
			sample = append(sample, i)
			ports = append(ports, strconv.Itoa(i))
			continue
		}
		k, ok := byLabel[s.Device.Port.V]
		if !ok {
			return nil, nil, "", errs.Errorf("no measurement has the number of port %d in its label", s.Device.Port.V)
		}
		sample = append(sample, k)
		ports = append(ports, strconv.Itoa(s.Device.Port.V))
	}
	if byLabel == nil || byPort == nil {
		how = "drives and measurements are joined by their order"
		if byLabel != nil {
			for i := range ports {
				n, _ := lastNumber(samples[i].Label)
				ports[i] = strconv.Itoa(n)
			}
		}
		return sample, ports, how, nil
	}
	return sample, ports, "drives and measurements are joined by the port in the label", nil
}

// lastNumber returns the last number in a label: 3 for /mnt/p3/test.
func lastNumber(label string) (int, bool) {
	end := len(label)
	for end > 0 && !scan.Digit(label[end-1]) {
		end--
	}
	start := end
	for start > 0 && scan.Digit(label[start-1]) {
		start--
	}
	n, err := strconv.Atoi(label[start:end])
	return n, err == nil
}
