package smart

type jsonData struct {
	Offline struct {
		Status struct {
			Value *uint8 `json:"value"`
		} `json:"status"`
		Seconds uint16 `json:"completion_seconds"`
	} `json:"offline_data_collection"`
	SelfTest struct {
		Status struct {
			Value *uint8 `json:"value"`
		} `json:"status"`
		Polling struct {
			Short      *uint16 `json:"short"`
			Extended   *uint16 `json:"extended"`
			Conveyance *uint16 `json:"conveyance"`
		} `json:"polling_minutes"`
	} `json:"self_test"`
	Caps struct {
		Values []uint8 `json:"values"`
	} `json:"capabilities"`
}

type jsonAttributes struct {
	Revision *uint16         `json:"revision"`
	Table    []jsonAttribute `json:"table"`
}

type jsonAttribute struct {
	ID     uint8   `json:"id"`
	Name   string  `json:"name"`
	Value  *uint8  `json:"value"`
	Worst  *uint8  `json:"worst"`
	Thresh *uint8  `json:"thresh"`
	When   *string `json:"when_failed"`
	Flags  struct {
		Value *uint16 `json:"value"`
	} `json:"flags"`
	Raw struct {
		Value  *uint64 `json:"value"`
		String string  `json:"string"`
	} `json:"raw"`
}

type jsonErrors struct {
	Count *uint64 `json:"count"`
	Table []struct {
		Number int64   `json:"error_number"`
		Hours  *uint64 `json:"lifetime_hours"`
		Regs   *struct {
			Error  uint8   `json:"error"`
			Status uint8   `json:"status"`
			Device uint8   `json:"device"`
			Count  uint16  `json:"count"`
			LBA    *uint64 `json:"lba"`
		} `json:"completion_registers"`
		Text string `json:"error_description"`
	} `json:"table"`
}

// jsonCode is a number with its meaning.
type jsonCode struct {
	Value  *uint8 `json:"value"`
	String string `json:"string"`
}

type jsonSelfTests struct {
	Errors   *uint64 `json:"error_count_total"`
	Outdated *uint64 `json:"error_count_outdated"`
	Table    []struct {
		Type   jsonCode `json:"type"`
		Status jsonCode `json:"status"`
		Hours  *uint64  `json:"lifetime_hours"`
		LBA    *uint64  `json:"lba"`
	} `json:"table"`
}

type jsonSCT struct {
	Format  uint16 `json:"format_version"`
	Version uint16 `json:"sct_version"`
	State   struct {
		Value uint8 `json:"value"`
	} `json:"device_state"`
	Temp struct {
		Current  *int8   `json:"current"`
		CycleMin *int8   `json:"power_cycle_min"`
		CycleMax *int8   `json:"power_cycle_max"`
		LifeMin  *int8   `json:"lifetime_min"`
		LifeMax  *int8   `json:"lifetime_max"`
		OpMax    *int8   `json:"op_limit_max"`
		Under    *uint32 `json:"under_limit_count"`
		Over     *uint32 `json:"over_limit_count"`
	} `json:"temperature"`
	Status struct {
		Passed *bool `json:"passed"`
	} `json:"smart_status"`
}

type jsonHistory struct {
	Version  uint16 `json:"version"`
	Sampling uint16 `json:"sampling_period_minutes"`
	Interval uint16 `json:"logging_interval_minutes"`
	Temp     struct {
		OpMin    *int8 `json:"op_limit_min"`
		OpMax    *int8 `json:"op_limit_max"`
		LimitMin *int8 `json:"limit_min"`
		LimitMax *int8 `json:"limit_max"`
	} `json:"temperature"`
	Size  uint16  `json:"size"`
	Index uint16  `json:"index"`
	Table []*int8 `json:"table"`
}

type jsonStats struct {
	Pages []struct {
		Number *uint8 `json:"number"`
		Table  []struct {
			Offset *uint16 `json:"offset"`
			Size   uint8   `json:"size"`
			Name   string  `json:"name"`
			Value  *int64  `json:"value"`
			Flags  struct {
				Value uint8 `json:"value"`
			} `json:"flags"`
		} `json:"table"`
	} `json:"pages"`
}

func (d *jsonDoc) ata(s *Snapshot) {
	if d.Attrs != nil {
		d.attributes(s)
	}
	if j := d.Data; j != nil {
		o := &Offline{CollectionSeconds: j.Offline.Seconds}
		o.ShortMinutes, o.ExtendedMinutes, o.ConveyanceMinutes = opt(j.SelfTest.Polling.Short),
			opt(j.SelfTest.Polling.Extended), opt(j.SelfTest.Polling.Conveyance)
		if v := j.Offline.Status.Value; v != nil {
			o.CollectionStatus = *v
		}
		o.SelfTestStatus = opt(j.SelfTest.Status.Value)
		if len(j.Caps.Values) > 0 {
			o.Capabilities = j.Caps.Values[0]
		}
		s.Offline = o
	}
	if l := d.ErrorLog; l != nil {
		if l.Extended != nil {
			l.Extended.into(&s.Errors)
		} else if l.Summary != nil {
			l.Summary.into(&s.Errors)
		}
	}
	if l := d.SelfLog; l != nil {
		t := l.Extended
		if t == nil {
			t = l.Standard
		}
		if t != nil {
			s.SelfTests = t.list()
			if t.Errors != nil && (t.Outdated == nil || *t.Outdated <= *t.Errors) {
				s.SelfTestErrors = opt(t.Errors)
				if t.Outdated != nil {
					s.SelfTestErrors.V -= *t.Outdated
				}
			}
		}
	}
	d.sct(s)
	if d.Stats != nil {
		for _, p := range d.Stats.Pages {
			for _, e := range p.Table {
				if len(s.Stats) < maxStats && p.Number != nil && e.Offset != nil {
					s.Stats = append(s.Stats, Stat{Page: *p.Number, Offset: *e.Offset, Size: e.Size, Name: e.Name,
						Flags: e.Flags.Value, Value: opt(e.Value)})
				}
			}
		}
	}
}

func (d *jsonDoc) attributes(s *Snapshot) {
	s.AttributeRevision = opt(d.Attrs.Revision)
	s.Attributes = make([]Attribute, 0, min(len(d.Attrs.Table), 256))
	for i := range d.Attrs.Table {
		j := &d.Attrs.Table[i]
		if len(s.Attributes) == 256 {
			s.warn(Warning{Path: "ata_smart_attributes.table", Msg: "more than 256 rows; the rest is left out"})
			return
		}
		if j.ID == 0 {
			continue
		}
		s.Attributes = append(s.Attributes, Attribute{ID: j.ID, Name: j.Name})
		a := &s.Attributes[len(s.Attributes)-1]
		a.Raw.Text = j.Raw.String
		if j.Flags.Value != nil {
			a.Flags, a.Has = Flags(*j.Flags.Value), HasFlags
		}
		take(&a.Value, &a.Has, HasValue, j.Value)
		take(&a.Worst, &a.Has, HasWorst, j.Worst)
		take(&a.Thresh, &a.Has, HasThresh, j.Thresh)
		if v := j.Raw.Value; v != nil {
			a.Raw.Number = Some(*v)
			a.Raw.setUint48(*v & (1<<48 - 1))
			if *v >= 1<<48 && *v < 1<<56 {
				a.Raw.Extra = byte(*v >> 48)
				a.Raw.Known |= KnownExtra
			}
		} else {
			a.revealText()
		}
		a.judge()
		switch {
		case j.When == nil:
		case *j.When == "now":
			a.State = FailingNow
		case *j.When == "past":
			a.State = FailedPast
		}
	}
}

func take(dst *uint8, has *Fields, bit Fields, v *uint8) {
	if v != nil {
		*dst = *v
		*has |= bit
	}
}

func (j *jsonErrors) into(log *ErrorLog) {
	log.Count = opt(j.Count)
	for _, e := range j.Table {
		if len(log.Entries) == maxErrors {
			return
		}
		if e.Regs == nil { // "log entry is empty"
			continue
		}
		log.Entries = append(log.Entries, ErrorEntry{
			Number: e.Number, Hours: opt(e.Hours), Status: e.Regs.Status, Error: e.Regs.Error, Device: e.Regs.Device,
			Count: e.Regs.Count, LBA: opt(e.Regs.LBA), Text: e.Text,
		})
	}
}

// maxSelfTests bounds the entries of a self-test log: 19 in each of 64 sectors.
const maxSelfTests = 19 * 64

func (j *jsonSelfTests) list() []SelfTest {
	var list []SelfTest
	for i, e := range j.Table {
		if i == maxSelfTests {
			break
		}
		list = append(list, SelfTest{
			Num: i + 1, Kind: e.Type.String, Result: e.Status.String, Code: opt(e.Status.Value),
			Hours: opt(e.Hours), LBA: opt(e.LBA),
		})
	}
	return list
}

func (d *jsonDoc) sct(s *Snapshot) {
	if j := d.SCT; j != nil {
		t := &j.Temp
		s.SCT = &SCTStatus{
			FormatVersion: j.Format, SCTVersion: j.Version, DeviceState: j.State.Value,
			Current: opt(t.Current), CycleMin: opt(t.CycleMin), CycleMax: opt(t.CycleMax),
			LifetimeMin: opt(t.LifeMin), LifetimeMax: opt(t.LifeMax), OpLimitMax: opt(t.OpMax),
			OverLimitCount: opt(t.Over), UnderLimitCount: opt(t.Under),
		}
		if p := j.Status.Passed; p != nil {
			s.SCT.Health = Failed
			if *p {
				s.SCT.Health = Passed
			}
		}
	}
	if j := d.History; j != nil {
		h := &SCTHistory{
			FormatVersion: j.Version, SamplingMinutes: j.Sampling, IntervalMinutes: j.Interval, Size: j.Size,
			Index: j.Index,
			OpMin: opt(j.Temp.OpMin), OpMax: opt(j.Temp.OpMax), LimitMin: opt(j.Temp.LimitMin),
			LimitMax: opt(j.Temp.LimitMax),
		}
		for i, v := range j.Table {
			if i == historyMax {
				s.warn(Warning{Path: "ata_sct_temperature_history.table", Msg: "more samples than the table has"})
				break
			}
			h.Samples = append(h.Samples, opt(v))
		}
		// The tool leaves gaps at the end out, and the table when it holds nothing else.
		for h.Size <= historyMax && h.Index < h.Size && len(h.Samples) < int(h.Size) {
			h.Samples = append(h.Samples, Opt[int8]{})
		}
		s.History = h
	}
}
