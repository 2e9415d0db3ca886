package smart

import (
	"bytes"
	"strings"

	"dougu.internal/smart/internal/scan"
)

// nvmeCLI starts the text of nvme smart-log: "Smart Log for NVME device:nvme0
// namespace-id:ffffffff".
func (p *textParser) nvmeCLI(l []byte) bool {
	rest, ok := scan.After(l, "Smart Log for NVME device:")
	if !ok {
		return false
	}
	if p.used {
		p.next()
	}
	p.mode, p.used = modeNVMeCLI, true
	p.s.Source = Source{Format: FormatNVMe, Tool: "nvme", Line: p.line}
	p.s.Device.Protocol = "NVMe"
	if name, _ := scan.Word(rest); len(name) > 0 {
		p.s.Device.Node = string(name)
		if !bytes.HasPrefix(name, []byte("/")) {
			p.s.Device.Node = "/dev/" + string(name)
		}
	}
	p.nvme()
	return true
}

// nvmeCLILine takes a line "key : value". The keys have underscores or spaces and
// capital letters, depending on the version.
func (p *textParser) nvmeCLILine(l []byte) bool {
	i := bytes.LastIndexByte(l, ':')
	if i <= 0 {
		return false
	}
	key := strings.Join(strings.Fields(strings.ReplaceAll(strings.ToLower(string(l[:i])), "_", " ")), " ")
	v := scan.Trim(l[i+1:])
	n := p.nvme()
	switch key {
	case "critical warning":
		if u, ok := cliNumber(v); ok && u < 256 {
			n.CriticalWarning = Some(uint8(u))
		} else {
			p.warn("the critical warning is not understood and is left out: " + clip(l))
		}
	case "temperature":
		n.Temperature = p.cliTemperature(v)
	case "available spare":
		p.cliPercent(&n.Spare, v)
	case "available spare threshold":
		p.cliPercent(&n.SpareThreshold, v)
	case "percentage used":
		p.cliPercent(&n.Used, v)
	case "endurance group critical warning summary":
		if u, ok := cliNumber(v); ok && u < 256 {
			n.EnduranceWarning = Some(uint8(u))
		}
	default:
		return p.cliCounter(key, v) || cliBit(n, key, v)
	}
	return true
}

func (p *textParser) cliCounter(key string, v []byte) bool {
	n := p.s.NVMe
	wide := map[string]*Opt[Uint128]{
		"data units read": &n.UnitsRead, "data units written": &n.UnitsWritten, "host read commands": &n.HostReads,
		"host write commands":  &n.HostWrites,
		"controller busy time": &n.BusyMinutes, "power cycles": &n.PowerCycles, "power on hours": &n.PowerOnHours,
		"unsafe shutdowns": &n.UnsafeShutdowns,
		"media errors":     &n.MediaErrors, "num err log entries": &n.ErrorLogCount,
	}
	if dst := wide[key]; dst != nil {
		u, ok := grouped128(v)
		if !ok {
			p.warn("the number is not understood and is left out: " + clip(v))
		}
		*dst = Opt[Uint128]{u, ok}
		return true
	}
	narrow := map[string]*Opt[uint32]{
		"warning temperature time": &n.WarningMinutes, "critical composite temperature time": &n.CriticalMinutes,
		"thermal management t1 trans count": &n.ThermalTransitions[0],
		"thermal management t2 trans count": &n.ThermalTransitions[1],
		"thermal management t1 total time":  &n.ThermalSeconds[0],
		"thermal management t2 total time":  &n.ThermalSeconds[1],
	}
	if dst := narrow[key]; dst != nil {
		if u, ok := grouped(v); ok && u < 1<<32 {
			*dst = Some(uint32(u))
		} else if i, ok := scan.Signed(v); ok && i < 0 && i >= -1<<31 {
			*dst = Some(uint32(i))
		}
		return true
	}
	if rest, ok := strings.CutPrefix(key, "temperature sensor "); ok && len(rest) == 1 && rest[0] >= '1' &&
		rest[0] <= '8' {
		n.Sensors[rest[0]-'1'] = p.cliTemperature(v)
		return true
	}
	return false
}

// cliBits are the words of the bits of the critical warning that -H prints.
var cliBits = [...]string{"available spare[0]", "temp. threshold[1]", "nvm subsystem reliability[2]",
	"read-only[3]", "volatile mem. backup failed[4]", "persistent mem. ro[5]"}

// cliBit takes a line of -H. A bit that is set counts also if the number is missing.
func cliBit(n *NVMeHealth, key string, v []byte) bool {
	for i, name := range cliBits {
		if key != name {
			continue
		}
		if string(v) == "1" {
			n.CriticalWarning = Some(n.CriticalWarning.V | 1<<i)
		}
		return true
	}
	return false
}

// cliNumber reads a number that is printed with %#x: 0, 0x4.
func cliNumber(v []byte) (uint64, bool) {
	w, _ := scan.Word(v)
	return anyNumber(w)
}

func (p *textParser) cliPercent(dst *Opt[uint8], v []byte) {
	if u, n, ok := scan.Uint(v); ok && u < 256 && (n == len(v) || v[n] == '%' || v[n] == ' ') {
		*dst = Some(uint8(u))
		return
	}
	p.warn("the percentage is not understood and is left out: " + clip(v))
}

// cliTemperature reads "34 C", "34 C (307 Kelvin)", "34°C (307 K)" and "93 °F (307 K)". The
// kelvins are the value of the drive; 0 means that there is none.
func (p *textParser) cliTemperature(v []byte) (o Opt[int16]) {
	if i := bytes.IndexByte(v, '('); i >= 0 {
		k, n, ok := scan.Uint(v[i+1:])
		if rest := scan.Trim(v[min(i+1+n, len(v)):]); ok && len(rest) > 0 && rest[0] == 'K' {
			if k > 0 && k <= 0x7fff {
				return celsius(uint16(k))
			}
			return o
		}
	}
	c, ok := scan.Signed(v)
	i := 0
	for i < len(v) && (v[i] == '-' || scan.Digit(v[i])) {
		i++
	}
	unit := bytes.TrimPrefix(scan.Trim(v[i:]), []byte("°"))
	switch {
	case !ok || c < -273 || c > 10000 || len(unit) == 0:
	case unit[0] == 'C':
		return Some(int16(c))
	case unit[0] == 'F':
		return Some(int16((c - 32) * 5 / 9))
	}
	p.warn("the temperature is not understood and is left out: " + clip(v))
	return o
}
