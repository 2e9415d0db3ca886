package ipxe

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// SerialConsole is a serial port on which a machine is operated, such as the one that
// IPMI serial-over-LAN carries.
type SerialConsole struct {
	// Port counts from 0, which is COM1 and ttyS0. Which one it is, the board decides.
	Port int `json:"port"`
	// Baud is the speed; 0: 115200.
	Baud int `json:"baud,omitzero"`
	// Flow is SYSLINUX's flow control; 0: none is asked for. 0x303 is the usual cure for
	// boards that wait for signals.
	Flow uint16 `json:"flow,omitzero"`
	// Mirrored says that the BIOS copies the screen to the same port. Then the menu must
	// not write to the port too, or every character comes twice.
	Mirrored bool `json:"mirrored,omitzero"`
}

// Check reports a port or speed that does not exist.
func (s *SerialConsole) Check() error { return errs.Wrap(s.check()) }

func (s *SerialConsole) check() error {
	if s.Port < 0 || s.Port > 3 {
		return fmt.Errorf("serial port %d: SYSLINUX knows 0 to 3", s.Port)
	}
	if b := s.baud(); b < 75 || b > 115200 || 115200%b != 0 {
		return fmt.Errorf("%d baud: must divide 115200", s.Baud)
	}
	if s.Flow > 0xfff {
		return fmt.Errorf("flow control %#x: at most 0xfff", s.Flow)
	}
	return nil
}

func (s *SerialConsole) baud() int {
	if s.Baud == 0 {
		return 115200
	}
	return s.Baud
}

// KernelArgs are the arguments by which Linux uses the screen and the port; the port comes
// last and so becomes /dev/console.
func (s *SerialConsole) KernelArgs() []string {
	return []string{"console=tty0", "console=ttyS" + strconv.Itoa(s.Port) + "," + strconv.Itoa(s.baud()) + "n8"}
}

// serialLine is the directive, "" when the BIOS does the work.
func (s *SerialConsole) serialLine() string {
	if s.Mirrored {
		return ""
	}
	line := "SERIAL " + strconv.Itoa(s.Port) + " " + strconv.Itoa(s.baud())
	if s.Flow != 0 {
		line += " 0x" + strconv.FormatUint(uint64(s.Flow), 16)
	}
	return line
}

// PXEMenu is a configuration for PXELINUX with menu.c32.
type PXEMenu struct {
	// Console is where the menu shows beside the screen; nil: only the screen.
	Console *SerialConsole `json:"console,omitzero"`
	Title   string         `json:"title,omitzero"`
	// Timeout starts the default entry; 0: never. A tenth of a second is the smallest.
	Timeout time.Duration `json:"timeout,omitzero"`
	// NoEdit forbids the user to change a command line with Tab.
	NoEdit  bool       `json:"noEdit,omitzero"`
	Entries []PXEEntry `json:"entries,omitzero"`
}

// PXEEntry is one entry of the menu.
type PXEEntry struct {
	// Label is a word, unique in the menu. Title is shown; ^ before a letter makes it a
	// key; empty: the label.
	Label string `json:"label,omitzero"`
	Title string `json:"title,omitzero"`
	// Kernel, Initrds and Args are paths and arguments. Console adds the kernel's own
	// console arguments; nil: those of the menu.
	Kernel  string         `json:"kernel,omitzero"`
	Initrds []string       `json:"initrds,omitzero"`
	Args    []string       `json:"args,omitzero"`
	Console *SerialConsole `json:"console,omitzero"`
	// Local boots the disk instead.
	Local   bool `json:"local,omitzero"`
	Default bool `json:"default,omitzero"`
}

// maxAppend is the longest command line that PXELINUX passes on.
const maxAppend = 2047

// AppendTo appends the configuration to dst. A value that the format can't hold is an
// error that names the entry and the value.
func (m *PXEMenu) AppendTo(dst []byte) ([]byte, error) {
	start := len(dst)
	line := func(indent, key, value string) {
		dst = append(append(append(dst, indent...), key...), ' ')
		dst = append(append(dst, value...), '\n')
	}
	if m.Console != nil {
		if err := m.Console.Check(); err != nil {
			return dst[:start], errs.Errorf("pxelinux: %w", err)
		}
		if s := m.Console.serialLine(); s != "" {
			dst = append(append(dst, s...), '\n') // must be the first line
		}
	}
	line("", "DEFAULT", "menu.c32")
	line("", "PROMPT", "0")
	if m.NoEdit {
		line("", "ALLOWOPTIONS", "0")
	}
	if m.Timeout > 0 {
		line("", "TIMEOUT", strconv.FormatInt(max(int64(m.Timeout/(100*time.Millisecond)), 1), 10))
	}
	if m.Title != "" {
		if err := pxeText(m.Title); err != nil {
			return dst[:start], errs.Errorf("pxelinux: title %w", err)
		}
		line("", "MENU TITLE", m.Title)
	}
	if len(m.Entries) == 0 {
		return dst[:start], errs.Errorf("pxelinux: a menu without entries")
	}
	seen := map[string]bool{}
	defaults := 0
	for i := range m.Entries {
		e := &m.Entries[i]
		key := strings.ToLower(e.Label)
		if !pxeWord(e.Label) || seen[key] {
			return dst[:start], errs.Errorf("pxelinux: entry %d: the label %q must be one word that no other entry has", i+1, e.Label)
		}
		seen[key] = true
		if e.Default {
			defaults++
		}
		var err error
		if dst, err = e.appendTo(dst, m.Console); err != nil {
			return dst[:start], errs.Errorf("pxelinux: entry %q: %w", e.Label, err)
		}
	}
	if defaults > 1 {
		return dst[:start], errs.Errorf("pxelinux: %d entries are the default", defaults)
	}
	return dst, nil
}

func (e *PXEEntry) appendTo(dst []byte, menu *SerialConsole) ([]byte, error) {
	line := func(key, value string) {
		dst = append(append(append(dst, "  "...), key...), ' ')
		dst = append(append(dst, value...), '\n')
	}
	dst = append(append(append(dst, "LABEL "...), e.Label...), '\n')
	if e.Title != "" {
		if err := pxeText(e.Title); err != nil {
			return dst, fmt.Errorf("title %w", err)
		}
		line("MENU LABEL", e.Title)
	}
	if e.Default {
		dst = append(dst, "  MENU DEFAULT\n"...)
	}
	if e.Local {
		line("LOCALBOOT", "0")
		return dst, nil
	}
	if !pxeWord(e.Kernel) {
		return dst, fmt.Errorf("kernel %q: must be one word", e.Kernel)
	}
	line("KERNEL", e.Kernel)
	for _, u := range e.Initrds {
		if !pxeWord(u) || strings.ContainsRune(u, ',') {
			return dst, fmt.Errorf("initrd %q: must be one word without a comma", u)
		}
	}
	if len(e.Initrds) > 0 {
		line("INITRD", strings.Join(e.Initrds, ","))
	}
	args := append([]string(nil), e.Args...)
	if c := e.Console; c != nil || menu != nil {
		if c == nil {
			c = menu
		}
		if err := c.Check(); err != nil {
			return dst, err
		}
		args = append(args, c.KernelArgs()...)
	}
	for _, a := range args {
		if err := pxeText(a); err != nil {
			return dst, fmt.Errorf("argument %w", err)
		}
	}
	if len(args) > 0 {
		text := strings.Join(args, " ")
		if len(text) > maxAppend {
			return dst, fmt.Errorf("a command line of %d bytes: PXELINUX takes %d", len(text), maxAppend)
		}
		line("APPEND", text)
	}
	return dst, nil
}

// pxeText checks a value that goes to the end of its line.
func pxeText(s string) error {
	if s == "" || strings.TrimSpace(s) != s {
		return fmt.Errorf("%q: empty, or a blank at its ends", s)
	}
	for i := range len(s) {
		if s[i] < ' ' || s[i] == 0x7f {
			return fmt.Errorf("%q: a control character", s)
		}
	}
	return nil
}

func pxeWord(s string) bool {
	if s == "" || s[0] == '#' {
		return false
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// PXELINUXNames returns the names of the configuration that PXELINUX asks for, in its
// order: by UUID, whose first three fields come with their bytes swapped, by MAC, by
// address and ever shorter parts of it, and default. What is not known is left out.
func PXELINUXNames(mac [6]byte, ip netip.Addr, uuid string) []string {
	const dir = "pxelinux.cfg/"
	var names []string
	if u, ok := swapUUID(uuid); ok {
		names = append(names, dir+u)
	}
	if mac != ([6]byte{}) {
		names = append(names, dir+"01-"+MACText(mac, "-"))
	}
	if ip.Is4() {
		b := ip.As4()
		h := fmt.Sprintf("%X", b[:])
		for len(h) < 8 {
			h = "0" + h
		}
		for n := 8; n > 0; n-- {
			names = append(names, dir+h[:n])
		}
	}
	return append(names, dir+"default")
}

func swapUUID(s string) (string, bool) {
	s = strings.ToLower(s)
	if len(s) != 36 {
		return "", false
	}
	for i := range len(s) {
		if dash := i == 8 || i == 13 || i == 18 || i == 23; dash != (s[i] == '-') || !dash && !isHex(s[i]) {
			return "", false
		}
	}
	return s[6:8] + s[4:6] + s[2:4] + s[0:2] + "-" + s[11:13] + s[9:11] + "-" + s[16:18] + s[14:16] + s[18:], true
}

// PXELINUX writes the lines by which iPXE starts PXELINUX with a configuration of this
// machine's own: config is the file's name below the directory that prefix names, such as
// tftp://10.0.2.2/.
func (b *Builder) PXELINUX(prefix, config string) {
	for _, v := range []string{prefix, config} {
		if !plainWord(v) {
			b.fail("PXELINUX", fmt.Errorf("%q must be a plain word", v))
			return
		}
	}
	if !strings.HasSuffix(prefix, "/") {
		b.fail("PXELINUX", fmt.Errorf("the prefix %q must end in a slash", prefix))
		return
	}
	b.open("set")
	b.raw("209:string")
	b.raw(config)
	b.close()
	b.open("set")
	b.raw("210:string")
	b.raw(prefix)
	b.close()
	b.Chain(Link(prefix + "pxelinux.0"))
}
