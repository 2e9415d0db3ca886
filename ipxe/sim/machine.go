package sim

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"dougu.internal/ipxe"
)

// Machine is the computer that boots. The zero Machine has one network card that DHCP
// configured as QEMU's user network does, no SMBIOS texts, and the newest build.
// Run does not change it; several runs may share one.
type Machine struct {
	// Profile is the build of iPXE. If zero, [ipxe.Newest] is used.
	Profile ipxe.Profile `json:"profile,omitzero"`
	// NICs are the network cards, net0 first. None: one card with MAC 52:54:00:12:34:56,
	// opened, with QEMU's addresses.
	NICs []NIC `json:"nics,omitzero"`
	// SMBIOS holds the texts of the DMI tables: manufacturer, product, serial, uuid,
	// asset, board-serial, or a tag such as 1.6.0.
	SMBIOS map[string]string `json:"smbios,omitzero"`
	// Settings are set at the start, as by the script's own "set": any setting, with
	// block and type, such as "210:string" or "net0.dhcp/filename".
	Settings []Assignment `json:"settings,omitzero"`
	// URI is where the first script came from; relative URIs are resolved against it.
	// Empty: the script is embedded, and a relative URI can't be fetched.
	URI string `json:"uri,omitzero"`
	// Start is the time that the clock shows at the start, for ${unixtime}.
	Start time.Time `json:"start,omitzero"`
	// MemoryMB is ${memsize}; 0: 255, as in a machine of 256 MB.
	MemoryMB int `json:"memoryMB,omitzero"`
	// Disk reports that a local disk boots: sanboot of drive 0x80 without a path succeeds.
	Disk bool `json:"disk,omitzero"`
	// CPU are the features that cpuid finds, as the words after the command: "29",
	// "--ext 29".
	CPU []string `json:"cpu,omitzero"`
}

// NIC is a network card.
type NIC struct {
	// MAC is the hardware address; all zero: 52:54:00:12:34:56 plus the card's number.
	MAC [6]byte `json:"mac,omitzero"`
	// Driver and Bus name the card in ifstat; empty: 82540em and 0000:00:03.0.
	Driver string `json:"driver,omitzero"`
	Bus    string `json:"bus,omitzero"`
	// Closed: the card is not open at the start, and has no addresses.
	Closed bool `json:"closed,omitzero"`
	// NoLink: the cable is not plugged in; dhcp fails.
	NoLink bool `json:"noLink,omitzero"`
	// DHCP are the options that a DHCP server gives: ip, netmask, gateway, dns, domain,
	// hostname, next-server, filename, root-path, dhcp-server, or a number. nil: those of
	// QEMU's user network. Empty but not nil: no server answers.
	DHCP map[string]string `json:"dhcp,omitzero"`
	// VLANs are the options that a DHCP server gives on a VLAN, by its tag: vcreate makes
	// the card for it. On a tag that is not there no server answers.
	VLANs map[int]map[string]string `json:"vlans,omitzero"`
}

// Assignment is a setting and its value as text.
type Assignment struct {
	Name  string `json:"name,omitzero"`
	Value string `json:"value,omitzero"`
}

var (
	qemuDHCP = map[string]string{
		"ip": "10.0.2.15", "netmask": "255.255.255.0", "gateway": "10.0.2.2", "dns": "10.0.2.3",
		"next-server": "10.0.2.2", "dhcp-server": "10.0.2.2",
	}
	dhcpOrder  = []string{"ip", "netmask", "gateway", "dns", "domain", "hostname", "next-server", "filename", "root-path", "dhcp-server"}
	oneNIC     = []NIC{{}}
	defaultMAC = [6]byte{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}
)

func (m *Machine) nics() []NIC {
	if len(m.NICs) == 0 {
		return oneNIC
	}
	return m.NICs
}

// card is the state of a network card.
type card struct {
	*NIC
	name string
	mac  [6]byte
	hw   [6]byte
	open bool
	// vlan: made by vcreate on the card trunk; gone: destroyed again.
	vlan, gone bool
	trunk      int
}

func (c *card) driver() string {
	if c.Driver == "" {
		return "82540em"
	}
	return c.Driver
}

func (c *card) bus() string {
	if c.Bus == "" {
		return "0000:00:03.0"
	}
	return c.Bus
}

func (c *card) offers() map[string]string {
	if c.DHCP == nil {
		return qemuDHCP
	}
	return c.DHCP
}

// qemuLease is what qemuDHCP comes to.
var qemuLease, _ = newRunner(ipxe.Debian2019()).leased(qemuDHCP)

// newRunner returns one that reads names and values for a build, and runs nothing.
func newRunner(p ipxe.Profile) *runner {
	m, f := &Machine{Profile: p}, p.Features()
	r := &runner{state: state{m: m, p: &f, build: p, lastOpened: -1, res: &Result{}, opts: Options{MaxBytes: 1 << 20, MaxSteps: 1000}}}
	r.root.children = r.memory.children[:0]
	return r
}

// block returns a new block; the first ones are part of the runner.
func (r *runner) block() *block {
	if r.roomed < len(r.room) {
		r.roomed++
		return &r.room[r.roomed-1]
	}
	return &block{}
}

// boot makes the tree of settings as it is when the first script starts.
func (r *runner) boot() error {
	add := func(name string, k kind) *block {
		b := r.block()
		b.name, b.kind, b.parent = name, k, &r.root
		r.root.children = append(r.root.children, b)
		return b
	}
	add("builtin", builtinBlock)
	if err := r.smbios(add("smbios", smbiosBlock)); err != nil {
		return err
	}
	add("pci", pciBlock).scope = pciScope
	r.cards = append(r.cardRow[:0], make([]card, len(r.m.nics()))...)
	for i := range r.cards {
		c := &r.cards[i]
		c.NIC = &r.m.nics()[i]
		c.name, c.mac = nicName(i), c.MAC
		if c.mac == ([6]byte{}) {
			c.mac = defaultMAC
			c.mac[5] += byte(i)
		}
		c.hw = c.mac
		b := add(nicName(i), netBlock)
		b.nic = i
		if c.Closed {
			continue
		}
		c.open = true
		if r.lastOpened < 0 {
			r.lastOpened = i
		}
		if len(c.offers()) > 0 && !c.NoLink {
			if err := r.lease(b, c); err != nil {
				return err
			}
		}
	}
	add("netX", netXBlock)
	for _, a := range r.m.Settings {
		b, s, status := r.parseName(a.Name, true)
		if s.typ == nil {
			s.typ = typeString
		}
		if status == OK {
			status = r.preset(b, &s, a.Value)
		}
		if status != OK {
			return errs.Errorf("setting %q: %s", a.Name, status.Text())
		}
	}
	return nil
}

var nicNames = [...]string{"net0", "net1", "net2", "net3"}

func nicName(i int) string {
	if i < len(nicNames) {
		return nicNames[i]
	}
	return fmt.Sprintf("net%d", i)
}

// preset stores a value, also in the blocks that a script can't write.
func (r *runner) preset(b *block, s *setting, value string) Status {
	b = r.target(b)
	if b.kind != smbiosBlock {
		return r.storeText(b, s, value)
	}
	if s.scope != smbiosScope {
		return enottySettings
	}
	data, status := s.typ.parse(r, value)
	if s.typ == typeUUID {
		data, status = uuidBytes(value)
		data = mangle(data)
	}
	if status == OK {
		b.values = append([]stored{{*s, data}}, b.values...)
	}
	return status
}

func (r *runner) smbios(b *block) error {
	b.scope = smbiosScope
	for name, value := range r.m.SMBIOS {
		s := setting{name: name, tag: parseTag(name), scope: smbiosScope}
		if p, ok := r.known(&s); ok {
			s = *p
		} else if s.tag == 0 {
			return errs.Errorf("SMBIOS %q: no such field: manufacturer, product, serial, uuid, asset, board-serial or TYPE.OFFSET.0", name)
		}
		if s.typ == nil {
			s.typ = typeString
		}
		data := []byte(value)
		if s.typ == typeUUID {
			u, status := uuidBytes(value)
			if status != OK {
				return errs.Errorf("SMBIOS uuid %q: not a UUID", value)
			}
			data = mangle(u)
		}
		b.values = append(b.values, stored{s, data})
	}
	return nil
}

// lease makes the block with what DHCP gave.
func (r *runner) lease(b *block, c *card) error {
	d := b.child("dhcp")
	if d == nil {
		d = r.block()
		d.name, d.kind, d.parent = "dhcp", dhcpBlock, b
		b.children = append(b.children, d)
	}
	if c.DHCP == nil {
		d.values = append(d.values[:0], qemuLease...)
		return nil
	}
	var err error
	d.values, err = r.leased(c.DHCP)
	return err
}

// leased reads what a DHCP server gives.
func (r *runner) leased(offers map[string]string) ([]stored, error) {
	values := make([]stored, 0, len(offers))
	put := func(name, value string) error {
		s := setting{name: name, tag: parseTag(name)}
		if p, ok := r.known(&s); ok {
			s = *p
		}
		if s.tag == 0 {
			return errs.Errorf("DHCP option %q: neither a number nor a name that iPXE knows as an option", name)
		}
		t := s.typ
		if t == nil {
			t = typeString
		}
		data, status := t.parse(r, value)
		if status != OK {
			return errs.Errorf("DHCP option %s=%q: %s", name, value, status.Text())
		}
		values = append(values, stored{s, data})
		return nil
	}
	for _, n := range dhcpOrder {
		if v, ok := offers[n]; ok {
			if err := put(n, v); err != nil {
				return nil, err
			}
		}
	}
	if len(values) == len(offers) {
		return values, nil
	}
	for n, v := range offers {
		if !contains(dhcpOrder, n) {
			if err := put(n, v); err != nil {
				return nil, err
			}
		}
	}
	return values, nil
}

func contains(list []string, s string) bool {
	return slices.Contains(list, s)
}

// builtin reads the settings that iPXE makes up.
func (r *runner) builtin(name string) ([]byte, bool) {
	p := r.p
	switch name {
	case "errno":
		return binary.BigEndian.AppendUint32(r.keepBytes(4)[:0], uint32(r.errno)), true
	case "buildarch":
		return r.keepCopy(p.BuildArch), true
	case "platform":
		return r.keepCopy(p.Platform), true
	case "version":
		return r.keepCopy(p.Version), true
	case "unixtime":
		return binary.BigEndian.AppendUint32(nil, uint32(r.now().Unix())), true
	case "cwuri", "cwduri":
		if r.cwuri == nil {
			return nil, false
		}
		rel := &uri{}
		if name == "cwduri" {
			rel.path = some(".")
		}
		return []byte(r.formatURI(r.resolveURI(r.cwuri, rel))), true
	}
	return nil, false
}

// now is the time of the virtual clock.
func (r *runner) now() time.Time {
	t := r.m.Start
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.Add(r.elapsed + r.clockSkew)
}

// nicValue reads the settings that a network card makes up.
func (r *runner) nicValue(i int, name string) ([]byte, bool) {
	c := &r.cards[i]
	switch name {
	case "mac":
		return c.mac[:], true
	case "hwaddr":
		return c.hw[:], true
	case "bustype":
		return []byte("PCI"), true
	case "busloc":
		return []byte{0, 0, 0, 0x18}, true
	case "busid":
		return []byte{1, 0x80, 0x86, 0x10, 0x0e}, true
	case "chip":
		return []byte(c.driver()), true
	case "ifname":
		return []byte(c.name), true
	}
	return nil, false
}

// storeNIC stores the settings that are no plain values.
func (r *runner) storeNIC(i int, name string, data []byte) (Status, bool) {
	switch name {
	case "mac":
		c := &r.cards[i]
		switch len(data) {
		case 0:
			c.mac = c.hw
		case 6:
			copy(c.mac[:], data)
		default:
			return einvalMAC, true
		}
		return OK, true
	case "hwaddr", "bustype", "busloc", "busid", "chip", "ifname":
		return enotsupNetdev, true
	}
	return OK, false
}

// printable makes text of a NIC's address.
func macText(b [6]byte) string {
	return strings.ToLower(fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3], b[4], b[5]))
}
