package smart

import (
	"strconv"
	"strings"
)

// presetTable says how each id is named and printed.
type presetTable [256]preset

type preset struct {
	name   string
	format RawFormat
	// medium restricts the name to drives that rotate ('H') or do not ('S').
	medium byte
}

// presets are a table for one drive. The zero value names by the built-in table.
type presets struct {
	table *presetTable
	ssd   Opt[bool]
	bugs  []string
}

// builtinPresets is the table without a drive database; builtinUnnamed is what lies
// under the DEFAULT entry of one.
var builtinPresets, builtinUnnamed = func() (*presetTable, *presetTable) {
	var named, unnamed presetTable
	for id := range named {
		f := RawFormat{Kind: defaultFormat(uint8(id))}
		named[id] = preset{name: attributeName(uint8(id)), format: f}
		unnamed[id] = preset{}
	}
	return &named, &unnamed
}()

// of returns the name and the format of an id.
func (p presets) of(id uint8) (string, RawFormat) {
	t := p.table
	if t == nil {
		t = builtinPresets
	}
	e := &t[id]
	switch {
	case e.medium == 'H' && p.ssd.OK && p.ssd.V:
		return "Unknown_SSD_Attribute", e.format
	case e.medium == 'S' && p.ssd.OK && !p.ssd.V:
		return "Unknown_HDD_Attribute", e.format
	case e.name == "":
		return "Unknown_Attribute", e.format
	}
	return e.name, e.format
}

// options applies the -v options of a preset string; -F and -d are checked for their
// shape. Only the DEFAULT entry may restrict a name to a medium.
func (t *presetTable) options(s string, isDefault bool) error {
	for s = strings.TrimSpace(s); s != ""; {
		opt, rest := cutField(s)
		arg, rest := cutField(rest)
		switch {
		case arg == "":
			return errs.Errorf("option %q has no argument", opt)
		case opt == "-v":
			if err := t.attribute(arg, isDefault); err != nil {
				return err
			}
		case opt != "-F" && opt != "-d":
			return errs.Errorf("option %q is not one of -v, -F, -d", opt)
		}
		s = rest
	}
	return nil
}

func cutField(s string) (field, rest string) {
	s = strings.TrimLeft(s, " \t\n")
	i := strings.IndexAny(s, " \t\n")
	if i < 0 {
		return s, ""
	}
	return s[:i], strings.TrimLeft(s[i:], " \t\n")
}

// oldPresets are the names that -v had before it took formats.
var oldPresets = map[string]preset{
	"9,halfminutes":               {name: "Power_On_Half_Minutes", format: RawFormat{Kind: HalfMin2Hour}},
	"9,minutes":                   {name: "Power_On_Minutes", format: RawFormat{Kind: Min2Hour}},
	"9,seconds":                   {name: "Power_On_Seconds", format: RawFormat{Kind: Sec2Hour}},
	"9,temp":                      {name: "Temperature_Celsius", format: RawFormat{Kind: TempMinMax}},
	"192,emergencyretractcyclect": {name: "Emerg_Retract_Cycle_Ct", format: RawFormat{Kind: Raw48}},
	"193,loadunload":              {format: RawFormat{Kind: Raw24DivRaw24}},
	"194,10xCelsius":              {name: "Temperature_Celsius_x10", format: RawFormat{Kind: Temp10x}},
	"194,unknown":                 {name: "Unknown_Attribute", format: RawFormat{Kind: Raw48}},
	"197,increasing":              {name: "Total_Pending_Sectors", format: RawFormat{Kind: Raw48}},
	"198,increasing":              {name: "Total_Offl_Uncorrectabl", format: RawFormat{Kind: Raw48}},
	"198,offlinescanuncsectorct":  {name: "Offline_Scan_UNC_SectCt", format: RawFormat{Kind: Raw48}},
	"200,writeerrorcount":         {name: "Write_Error_Count", format: RawFormat{Kind: Raw48}},
	"201,detectedtacount":         {name: "Detected_TA_Count", format: RawFormat{Kind: Raw48}},
	"220,temp":                    {name: "Temperature_Celsius", format: RawFormat{Kind: TempMinMax}},
}

// attribute applies the argument of one -v: ID,FORMAT[:ORDER][,NAME[,HDD|SSD]].
func (t *presetTable) attribute(arg string, isDefault bool) error {
	if p, ok := oldPresets[arg]; ok {
		id, _ := strconv.Atoi(arg[:strings.IndexByte(arg, ',')])
		t.set(uint8(id), p)
		return nil
	}
	f := strings.Split(arg, ",")
	if len(f) < 2 || len(f) > 4 || len(f) == 4 && !isDefault {
		return errs.Errorf("-v %s: want ID,FORMAT[:ORDER][,NAME]", arg)
	}
	format, err := ParseRawFormat(f[1])
	if err != nil {
		return errs.Errorf("-v %s: %w", arg, err)
	}
	if isDefault && format.order() != rawOrder {
		format.Order = rawOrder // smartctl uses no wider order there
	}
	p := preset{format: format}
	if len(f) > 2 {
		p.name = f[2]
	}
	if len(f) == 4 {
		switch f[3] {
		case "HDD", "SSD":
			p.medium = f[3][0]
		default:
			return errs.Errorf("-v %s: %q is neither HDD nor SSD", arg, f[3])
		}
	}
	if f[0] == "N" {
		for id := range t {
			t.set(uint8(id), preset{format: format})
		}
		return nil
	}
	id, err := strconv.ParseUint(f[0], 10, 8)
	if err != nil || id == 0 {
		return errs.Errorf("-v %s: the id is not a number from 1 to 255", arg)
	}
	t.set(uint8(id), p)
	return nil
}

// set replaces the format, and the name where one is given.
func (t *presetTable) set(id uint8, p preset) {
	e := &t[id]
	e.format = p.format
	if p.name != "" {
		e.name, e.medium = p.name, p.medium
	}
}
