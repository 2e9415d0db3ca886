package smart

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"dougu.internal/internal/jsontext"
	"dougu.internal/smart/internal/jsonfix"
	"dougu.internal/smart/internal/scan"
)

// maxDocument bounds a JSON document, and maxDrives the drives of one input.
const (
	maxDocument = 16 << 20
	maxDrives   = 4096
)

// ErrScan means that the JSON is the list of devices of smartctl --scan: it holds no
// word about their health.
var ErrScan = errs.New("the list of devices of smartctl --scan holds no health: run smartctl -x -j on each device")

// ParseJSON reads one JSON document of smartctl -j (7.0 to 8.0), of smartd -j, or of
// nvme smart-log -o json. Fields of a wrong type leave a [Warning], the others are
// used. A nonzero exit status of smartctl inside the document is evidence and not an
// error. The error is a syntax error with line and column, [ErrScan], or
// [ErrNoData].
func ParseJSON(b []byte) (*Snapshot, error) {
	b = bytes.TrimSpace(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")))
	if len(b) > maxDocument {
		return nil, errs.Errorf("JSON: the document is larger than %d bytes", maxDocument)
	}
	var d jsonDoc
	odd, err := jsonfix.Unmarshal(b, &d)
	if err != nil {
		return nil, jsonError(b, err)
	}
	s := &Snapshot{Source: Source{Format: FormatJSON, Line: 1}}
	if d.Smartctl == nil && (d.CriticalWarning != nil || d.CliSpare != nil || d.CliUsed != nil) {
		if err := s.fromNVMeCLI(b); err != nil { // other keys have other types there
			return nil, err
		}
		s.conclude()
		return s, nil
	}
	if d.empty() {
		if len(d.Devices) > 0 {
			return nil, ErrScan
		}
		return nil, ErrNoData
	}
	s.oddities(odd)
	d.into(s, b)
	return s, nil
}

// jsonError adds line and column to a syntax error.
func jsonError(b []byte, err error) error {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return errs.Errorf("JSON: %s", jsontext.Cause(err))
	}
	off := min(jsontext.Offset(syntax), len(b))
	line := 1 + bytes.Count(b[:off], []byte("\n"))
	column := off - bytes.LastIndexByte(b[:off], '\n')
	near := b[off:min(off+1, len(b))]
	return errs.Errorf("JSON: %d:%d: syntax error near %q", line, column, near)
}

// jsonDoc is the part of smartctl's document that the model keeps.
type jsonDoc struct {
	Smartctl *struct {
		Version  []int    `json:"version"`
		Argv     []string `json:"argv"`
		Messages []struct {
			String   string `json:"string"`
			Severity string `json:"severity"`
		} `json:"messages"`
		Exit *uint8 `json:"exit_status"`
	} `json:"smartctl"`
	Smartd *struct {
		Version []int `json:"version"`
	} `json:"smartd"`
	Time struct {
		T       *int64 `json:"time_t"`
		ASCtime string `json:"asctime"`
	} `json:"local_time"`
	Device struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Protocol string `json:"protocol"`
	} `json:"device"`
	Devices   []json.RawMessage `json:"devices"`
	Family    string            `json:"model_family"`
	Model     string            `json:"model_name"`
	ScsiModel string            `json:"scsi_model_name"`
	Vendor    string            `json:"scsi_vendor"`
	Revision  string            `json:"scsi_revision"`
	OldVendor string            `json:"vendor"`
	OldProd   string            `json:"product"`
	OldRev    string            `json:"revision"`
	Serial    string            `json:"serial_number"`
	Firmware  string            `json:"firmware_version"`
	LUID      string            `json:"logical_unit_id"`
	WWN       *struct {
		NAA uint64 `json:"naa"`
		OUI uint64 `json:"oui"`
		ID  uint64 `json:"id"`
	} `json:"wwn"`
	Capacity struct {
		Bytes *uint64 `json:"bytes"`
	} `json:"user_capacity"`
	NVMeTotal *uint64 `json:"nvme_total_capacity"`
	Logical   *uint32 `json:"logical_block_size"`
	Physical  *uint32 `json:"physical_block_size"`
	Rotation  *uint16 `json:"rotation_rate"`
	Form      struct {
		Name string `json:"name"`
	} `json:"form_factor"`
	InDB    *bool       `json:"in_smartctl_database"`
	Support jsonSupport `json:"smart_support"`
	Status  *struct {
		Passed *bool `json:"passed"`
		NVMe   *struct {
			Value *uint8 `json:"value"`
		} `json:"nvme"`
		SCSI *struct {
			ASC  *uint8 `json:"asc"`
			ASCQ *uint8 `json:"ascq"`
			IE   string `json:"ie_string"`
		} `json:"scsi"`
	} `json:"smart_status"`
	Temp    *jsonTemp `json:"temperature"`
	PowerOn struct {
		Hours   *uint64 `json:"hours"`
		Minutes *uint64 `json:"minutes"`
	} `json:"power_on_time"`
	Cycles   *uint64         `json:"power_cycle_count"`
	Data     *jsonData       `json:"ata_smart_data"`
	Attrs    *jsonAttributes `json:"ata_smart_attributes"`
	ErrorLog *struct {
		Summary  *jsonErrors `json:"summary"`
		Extended *jsonErrors `json:"extended"`
	} `json:"ata_smart_error_log"`
	SelfLog *struct {
		Standard *jsonSelfTests `json:"standard"`
		Extended *jsonSelfTests `json:"extended"`
	} `json:"ata_smart_self_test_log"`
	SCT      *jsonSCT           `json:"ata_sct_status"`
	History  *jsonHistory       `json:"ata_sct_temperature_history"`
	Stats    *jsonStats         `json:"ata_device_statistics"`
	NVMe     *jsonHealth        `json:"nvme_smart_health_information_log"`
	NVMeErr  *jsonNVMeErrors    `json:"nvme_error_information_log"`
	NVMeSelf *jsonNVMeSelfTests `json:"nvme_self_test_log"`
	ScsiErr  *jsonCounters      `json:"scsi_error_counter_log"`

	// Since 7.5.
	Endurance *struct {
		Used *uint16 `json:"current_percent"`
	} `json:"endurance_used"`
	Spare *struct {
		Current   *uint8 `json:"current_percent"`
		Threshold *uint8 `json:"threshold_percent"`
	} `json:"spare_available"`
	Pending *struct {
		Count *uint64 `json:"count"`
		Table []struct {
			LBA   *uint64 `json:"lba"`
			Hours *uint64 `json:"power_on_hours"`
		} `json:"table"`
	} `json:"ata_pending_defects_log"`
	Farm *struct {
		Info *struct {
			Hours      *uint64 `json:"poh"`
			Spindle    *uint64 `json:"spoh"`
			Flight     *uint64 `json:"head_flight_hours"`
			HeadLoads  *uint64 `json:"head_load_events"`
			PowerCount *uint64 `json:"power_cycle_count"`
		} `json:"page_1_drive_information"`
	} `json:"seagate_farm_log"`

	// These keys are at the top of documents of nvme-cli.
	CriticalWarning json.RawMessage `json:"critical_warning"`
	CliSpare        json.RawMessage `json:"avail_spare"`
	CliUsed         json.RawMessage `json:"percent_used"`
}

func (d *jsonDoc) empty() bool {
	return d.Smartctl == nil && d.Smartd == nil && d.Model == "" && d.ScsiModel == "" && d.Serial == "" &&
		d.Status == nil &&
		d.Attrs == nil && d.NVMe == nil || d.Devices != nil && d.Device.Name == "" && d.Status == nil
}

// jsonSupport takes the shapes that smart_support has had: a boolean and an object.
type jsonSupport struct{ available, enabled *bool }

// UnmarshalJSON implements [json.Unmarshaler].
func (j *jsonSupport) UnmarshalJSON(b []byte) error {
	var yes bool
	if json.Unmarshal(b, &yes) == nil {
		j.available = &yes
		return nil
	}
	var o struct {
		Available *bool `json:"available"`
		Enabled   *bool `json:"enabled"`
	}
	err := json.Unmarshal(b, &o)
	j.available, j.enabled = o.Available, o.Enabled
	if odd := (*json.UnmarshalTypeError)(nil); errors.As(err, &odd) {
		return nil
	}
	return err
}

// more fills the parts that only newer versions print.
func (d *jsonDoc) more(s *Snapshot) {
	d.summary(s)
	if p := d.Pending; p != nil {
		s.Pending = &PendingDefects{Count: opt(p.Count)}
		for _, e := range p.Table {
			s.Pending.add(PendingDefect{LBA: opt(e.LBA), Hours: opt(e.Hours)})
		}
	}
	if f := d.Farm; f != nil && f.Info != nil {
		s.FARM = &FARM{PowerOnHours: opt(f.Info.Hours), SpindleHours: opt(f.Info.Spindle),
			FlightHours: opt(f.Info.Flight), HeadLoads: opt(f.Info.HeadLoads)}
	}
}

func opt[T any](p *T) (o Opt[T]) {
	if p != nil {
		o = Some(*p)
	}
	return o
}

// into fills the snapshot; b is the whole document, for the keys that are numbered.
func (d *jsonDoc) into(s *Snapshot, b []byte) {
	d.identity(s)
	d.verdict(s)
	d.ata(s)
	if d.NVMe != nil {
		d.NVMe.into(s, false)
	}
	d.more(s)
	if d.Temp != nil && s.NVMe != nil {
		s.NVMe.WarningLimit = opt(d.Temp.OpMax)
		s.NVMe.CriticalLimit = opt(d.Temp.Critical)
	}
	if d.NVMeErr != nil {
		d.NVMeErr.into(&s.Errors)
	}
	if d.NVMeSelf != nil {
		s.SelfTests = d.NVMeSelf.list()
	}
	if s.Device.Protocol == "SCSI" || d.ScsiErr != nil || d.ScsiModel != "" {
		d.scsi(s, b)
	}
	s.conclude()
	// The hours of the device statistics have no minutes; smartctl lets those of
	// attribute 9 stand beside them.
	_, stat := s.Stat(1, 0x10)
	if h := d.PowerOn.Hours; h != nil && !stat {
		s.PowerOn = s.hours(*h, "power_on_time")
		if m := d.PowerOn.Minutes; m != nil && *m < 60 && s.PowerOn.OK {
			s.PowerOn.V += time.Duration(*m) * time.Minute
		}
	}
	if d.Attrs != nil && d.PowerOn.Hours == nil && d.Stats == nil {
		// The tool knows that attribute 9 has another format. It also leaves the time out
		// when the upper bytes hold something else, which is no reason not to use it.
		if a := s.Attribute(9); a == nil || strings.IndexByte(a.Raw.Text, '(') < 0 ||
			strings.IndexByte(a.Raw.Text, '+') >= 0 {
			s.PowerOn = Opt[time.Duration]{}
		}
	}
	if d.Attrs != nil && d.Cycles == nil && d.Stats == nil {
		s.PowerCycles = Opt[uint64]{}
	}
	if d.Cycles != nil {
		s.PowerCycles = Some(*d.Cycles)
	}
}

func (d *jsonDoc) identity(s *Snapshot) {
	if t := d.Smartctl; t != nil {
		s.Source.Tool, s.Source.Args = "smartctl", t.Argv
		s.Source.Version = version(t.Version)
		for _, m := range t.Messages {
			if len(s.Messages) < maxWarnings {
				s.Messages = append(s.Messages, m.String)
			}
		}
		if t.Exit != nil {
			s.Exit = Some(ExitStatus(*t.Exit))
		}
	} else if d.Smartd != nil {
		s.Source.Tool, s.Source.Version = "smartd", version(d.Smartd.Version)
	}
	if t := d.Time.T; t != nil && *t > 0 && *t < 1<<40 {
		s.Taken = time.Unix(*t, 0).UTC()
	}
	s.TakenText = d.Time.ASCtime
	s.Device = DeviceID{Node: d.Device.Name, Type: d.Device.Type, Protocol: d.Device.Protocol}
	s.Device.port()
	id := &s.Identity
	id.Family, id.Serial, id.Firmware = d.Family, d.Serial, firstOf(d.Firmware, d.Revision, d.OldRev)
	id.Vendor = firstOf(d.Vendor, d.OldVendor)
	id.Model = firstOf(d.Model, d.ScsiModel, strings.TrimSpace(d.OldVendor+" "+d.OldProd))
	if w := d.WWN; w != nil {
		id.WWN = hex64(w.NAA<<60 | w.OUI&0xffffff<<36 | w.ID&0xfffffffff)
	} else if l := strings.TrimPrefix(d.LUID, "0x"); len(l) == 16 || len(l) == 32 {
		id.WWN = l
	}
	id.Capacity, id.LogicalSector, id.PhysicalSector = opt(d.Capacity.Bytes), opt(d.Logical), opt(d.Physical)
	if !id.Capacity.OK {
		id.Capacity = opt(d.NVMeTotal)
	}
	id.Rotation, id.FormFactor, id.InDatabase = opt(d.Rotation), d.Form.Name, opt(d.InDB)
	id.SMARTAvailable, id.SMARTEnabled = opt(d.Support.available), opt(d.Support.enabled)
}

func version(v []int) string {
	var b []byte
	for i, n := range v {
		if i > 0 {
			b = append(b, '.')
		}
		b = appendDec(b, uint64(max(n, 0)))
	}
	return string(b)
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// basedOnAttributes is what smartctl adds when the drive did not answer.
const basedOnAttributes = "This result is based on an Attribute check."

func (d *jsonDoc) verdict(s *Snapshot) {
	if d.Status == nil {
		return
	}
	v := Unknown
	if p := d.Status.Passed; p != nil {
		v = Failed
		if *p {
			v = Passed
		}
	}
	if d.SCT != nil && s.Exit.OK {
		// smartctl from 7.0 on lets the SCT status page, read last, overwrite the reply to
		// the status command in the document. Text and exit status keep the reply, and the
		// field SCT keeps the status of the page.
		switch {
		case s.Exit.V&ExitFailing != 0:
			v = Failed
		case v == Failed && slices.ContainsFunc(s.Source.Args, asksHealth):
			v = Passed
		}
	}
	s.Health.Status = v
	for _, m := range s.Messages {
		if strings.Contains(m, basedOnAttributes) {
			s.Health = Health{Inferred: true, Guess: v, Detail: m}
		}
	}
	if n := d.Status.NVMe; n != nil && n.Value != nil {
		s.Health.Detail = nvmeReasons(*n.Value)
	}
	if c := d.Status.SCSI; c != nil && c.IE != "" {
		s.Health.Detail = c.IE
	}
}

// asksHealth reports whether an argument of smartctl asks the drive for its status.
func asksHealth(arg string) bool {
	switch arg {
	case "-H", "-a", "-x", "--health", "--all", "--xall":
		return true
	}
	return false
}

func nvmeReasons(bits uint8) string {
	var list []string
	for i, n := range criticalWarnings {
		if bits>>i&1 != 0 {
			list = append(list, n)
		}
	}
	return strings.Join(list, "; ")
}

// jsonTemp is the summary that smartctl makes of all sources.
type jsonTemp struct {
	Current  *int16 `json:"current"`
	CycleMin *int16 `json:"power_cycle_min"`
	CycleMax *int16 `json:"power_cycle_max"`
	LifeMin  *int16 `json:"lifetime_min"`
	LifeMax  *int16 `json:"lifetime_max"`
	OpMin    *int16 `json:"op_limit_min"`
	OpMax    *int16 `json:"op_limit_max"`
	LimitMin *int16 `json:"limit_min"`
	LimitMax *int16 `json:"limit_max"`
	Critical *int16 `json:"critical_limit_max"`
	Trip     *int16 `json:"drive_trip"`
}

// summary keeps what the tool concluded. It fills what its parts do not contain.
func (d *jsonDoc) summary(s *Snapshot) {
	y := &Summary{Asked: d.Attrs != nil}
	s.Summary = y
	if e := d.Endurance; e != nil {
		y.Used = opt(e.Used)
	}
	if p := d.Spare; p != nil {
		y.Spare, y.SpareThreshold = opt(p.Current), opt(p.Threshold)
	}
	j := d.Temp
	if j == nil {
		return
	}
	from := [...]*int16{j.Current, j.LifeMin, j.LifeMax, j.CycleMin, j.CycleMax, j.OpMin, j.OpMax, j.LimitMin,
		j.LimitMax, j.Critical, j.Trip}
	for i, dst := range y.Temp.all() {
		if from[i] != nil {
			*dst = TempValue{*from[i], true, FromTool}
		}
	}
}

// port takes the number out of a type such as "3ware,2", "sat+megaraid,60" or
// "cciss,1".
func (d *DeviceID) port() {
	_, num, ok := strings.Cut(d.Type, ",")
	if !ok || !firstIn(d.Type, "3ware", "megaraid", "cciss", "areca", "hpt", "aacraid", "sssraid") {
		return
	}
	if i := strings.IndexAny(num, ",/+"); i >= 0 {
		num = num[:i]
	}
	if v, n, ok := scan.Uint(num); ok && n == len(num) && v < 1<<16 {
		d.Port = Some(int(v))
	}
}

func firstIn(s string, words ...string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}
