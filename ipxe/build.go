package ipxe

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Builder writes a script. Values are data, never syntax: whatever they hold, the script
// has the commands that the calls name, and iPXE gets the bytes of the values. What
// iPXE can't say is refused: the first error stays and is returned by Err, Bytes and
// Script. The zero value is ready to use. It is not safe for use by several goroutines.
type Builder struct {
	// Profile is the build that will run the script. If zero, the script is one that every
	// build runs. If set, the script may use what only that build can do. For example, & and
	// + in the constant values of a query require a build from November 2021 or later.
	Profile Profile

	buf   []byte
	start int // of the command being written
	err   error

	carriers int
	labels   int
	onFail   label // where to go when a command fails
	words    int
	started  bool
	used     map[string]bool // labels

	form   *Form    // that is being made
	marks  []mark   // its holes
	values []string // of a form that is filled in
	room   Expr     // what filled returned last
}

// Reset forgets the script and the error and keeps the memory.
func (b *Builder) Reset() {
	*b = Builder{Profile: b.Profile, buf: b.buf[:0], form: b.form, values: b.values}
}

// Err returns the first error, with the call that made it.
func (b *Builder) Err() error { return b.err }

func (b *Builder) fail(call string, err error) {
	if b.err == nil {
		b.err = errs.Errorf("%s: %w", call, err)
	}
}

// Bytes returns the script. The bytes belong to the builder until the next call.
func (b *Builder) Bytes() ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.begin()
	return b.buf, nil
}

// AppendTo appends the script to dst.
func (b *Builder) AppendTo(dst []byte) ([]byte, error) {
	text, err := b.Bytes()
	return append(dst, text...), err
}

// Script returns the script, parsed. It does not share memory with the builder.
func (b *Builder) Script() (*Script, error) {
	text, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	return Parse("", append([]byte(nil), text...)), nil
}

func (b *Builder) begin() {
	if !b.started {
		if b.buf == nil {
			b.buf = make([]byte, 0, 512)
		}
		b.buf = append(b.buf[:0], "#!ipxe\n"...)
		b.started = true
	}
}

// Comment writes a comment line.
func (b *Builder) Comment(text string) {
	b.begin()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		b.buf = append(b.buf, "# "...)
		for i := range len(line) {
			c := line[i]
			if c < ' ' || c > '~' {
				c = '?'
			}
			b.buf = append(b.buf, c)
		}
		if strings.HasSuffix(line, "\\") {
			b.buf = append(b.buf, ' ') // or it would swallow the next line
		}
		b.buf = append(b.buf, '\n')
	}
}

// Command writes any command; the name and the options are checked to be plain words,
// the arguments are data. Options belong into options, as "--name=x" or "-q".
func (b *Builder) Command(name string, options []string, args ...Expr) {
	if !plainWord(name) || expands(name) || name[0] == ':' {
		b.fail(name, fmt.Errorf("%q is no name of a command", name))
		return
	}
	b.open(name)
	for _, o := range options {
		if !strings.HasPrefix(o, "-") || o == "--" || !plainBytes(o) || strings.HasSuffix(o, "\\") {
			b.fail(name, fmt.Errorf("%q is no option that can be written plainly", o))
			return
		}
		b.raw(o)
	}
	b.guard(args)
	b.arguments(name, args)
	b.close()
}

// guard ends the options of a command whose first argument may begin with a hyphen when
// the machine looks at it.
func (b *Builder) guard(args []Expr) {
	if len(args) > 0 && b.mayBeOption(&args[0]) {
		b.raw("--")
	}
}

func (b *Builder) mayBeOption(e *Expr) bool {
	switch e = b.filled(e); e.kind {
	case exprText:
		return strings.HasPrefix(e.text, "-")
	case exprVar:
		return !neverHyphen(e)
	case exprJoin:
		for i := range e.parts {
			if p := b.filled(&e.parts[i]); p.kind != exprText || p.text != "" {
				return b.mayBeOption(p)
			}
		}
	}
	return false // a hole with a hyphen in front is no plain word: then all is built again
}

// neverHyphen reports whether a variable is written out in digits or letters first.
func neverHyphen(e *Expr) bool {
	switch e.typ {
	case HexRaw, HexHyp, Hex, Base64, Uint32, IPv4, UUIDType:
		return true
	case "", bare:
		switch e.text[strings.IndexByte(e.text, '/')+1:] {
		case "mac", "ip", "netmask", "gateway", "dns", "next-server", "dhcp-server", "uuid", "errno", "unixtime", "buildarch", "platform":
			return true
		}
	}
	return false
}

// open begins a command.
func (b *Builder) open(name string) {
	b.begin()
	b.start = len(b.buf)
	b.buf = append(b.buf, name...)
	b.words = 1
}

// raw adds a word that is known to be plain.
func (b *Builder) raw(s string) {
	b.buf = append(append(b.buf, ' '), s...)
	b.words++
}

// close ends the command.
func (b *Builder) close() {
	if b.err != nil {
		return
	}
	if b.form != nil {
		b.form.words = max(b.form.words, b.words)
	}
	if b.words > MaxArguments {
		b.fail(string(b.buf[b.start:min(len(b.buf), b.start+20)]), fmt.Errorf("%w: more than %d words", ErrUnrepresentable, MaxArguments))
		return
	}
	if b.onFail.id != 0 {
		b.buf = b.onFail.appendTo(append(b.buf, " || goto "...))
	}
	b.buf = append(b.buf, '\n')
}

// maxPlainWords is the number of words up to which arguments stand on the command's own
// line; more go into settings of a hundred words each.
const maxPlainWords = 200

// arguments adds arguments that iPXE joins with blanks.
func (b *Builder) arguments(call string, args []Expr) {
	n := len(args)
	if b.values != nil {
		own := make([]Expr, len(args))
		for i := range args {
			own[i] = *b.filled(&args[i])
		}
		args = own
	}
	for i := range args {
		if len(args[i].text) > 2*maxPlainWords || len(args) > maxPlainWords/2 {
			n += strings.Count(args[i].text, " ")
		} else {
			n += len(args[i].text) / 2
		}
	}
	if b.words+n > maxPlainWords && b.words+manyWords(args) > maxPlainWords {
		b.packed(call, args)
		return
	}
	for i := range args {
		b.argument(call, &args[i], true)
	}
}

// manyWords counts the words of arguments.
func manyWords(args []Expr) (n int) {
	for i := range args {
		n += 1 + strings.Count(args[i].text, " ")
	}
	return n
}

// packed puts many arguments into settings.
func (b *Builder) packed(call string, args []Expr) {
	if b.form != nil {
		b.form.slow = true
	}
	line, words := append([]byte(nil), b.buf[b.start:]...), b.words
	b.buf = b.buf[:b.start]
	var names []string
	const chunk = 100
	flat := make([]Expr, 0, len(args))
	for _, a := range args {
		if a.kind == exprText && plainList(a.text) {
			for w := range strings.SplitSeq(a.text, " ") {
				flat = append(flat, Text(w))
			}
			continue
		}
		flat = append(flat, a)
	}
	for len(flat) > 0 && b.err == nil {
		part := flat[:min(chunk, len(flat))]
		flat = flat[len(part):]
		var open, shut bool
		for _, a := range part {
			open = open || strings.Contains(a.text, "${") || a.kind == exprJoin
			shut = shut || strings.Contains(a.text, "}")
		}
		if open && shut {
			b.fail(call, fmt.Errorf("%w: ${ and } in a list of so many words", ErrUnrepresentable))
			return
		}
		name := b.carrier()
		b.open("set")
		b.raw(name)
		for i := range part {
			b.argument(call, &part[i], true)
		}
		onFail := b.onFail
		b.onFail = label{}
		b.close()
		b.onFail = onFail
		names = append(names, name)
	}
	b.start = len(b.buf)
	b.buf = append(b.buf, line...)
	b.words = words
	for _, n := range names {
		b.raw("${" + n + "}")
	}
}

// plainList reports whether a text is words with one blank between them.
func plainList(s string) bool {
	if s == "" {
		return false
	}
	for w := range strings.SplitSeq(s, " ") {
		if !plainWord(w) {
			return false
		}
	}
	return true
}

func (b *Builder) carrier() string {
	b.carriers++
	return "dougu-" + strconv.Itoa(b.carriers)
}

// argument adds one argument. In a list a text of several plain words is written as it
// is, as iPXE joins the words with a blank again.
func (b *Builder) argument(call string, e *Expr, list bool) {
	if b.err != nil {
		return
	}
	var w wordState
	if e.kind == exprHole {
		e = b.filled(e)
	}
	switch e.kind {
	case exprHole:
		b.buf = append(b.buf, ' ')
		b.words++
		kind := holeWord
		if list {
			kind = holeList
		}
		b.hole(call, e, kind)
	case exprText:
		if plainWord(e.text) {
			if len(e.text) > longestWord {
				b.tooLong(call, len(e.text))
				return
			}
			b.buf = append(append(b.buf, ' '), e.text...)
			b.words++
			return
		}
		if list && plainList(e.text) {
			b.buf = append(append(b.buf, ' '), e.text...)
			b.words += 1 + strings.Count(e.text, " ")
			return
		}
		if list && e.text == "" {
			// An empty argument would vanish with its word; an empty variable keeps it.
			b.raw("${}")
			return
		}
		if err := w.data(e.text); err != nil {
			b.fail(call, err)
			return
		}
		if e.text == "" {
			b.fail(call, errors.New("an empty value"))
			return
		}
		if len(e.text) > longestWord {
			b.tooLong(call, len(e.text))
			return
		}
		b.buf = append(b.buf, ' ')
		b.words++
		b.carry(e.text)
	default:
		b.buf = append(b.buf, ' ')
		b.words++
		room := len(b.buf) - b.start // carriers are put in before the command
		b.part(call, e, &w)
		word := b.buf[b.start+room:]
		if b.err == nil && (len(word) == 0 || word[0] == '#' || word[0] == '-' || word[len(word)-1] == '\\' || operator(string(word)) != 0) {
			b.fail(call, fmt.Errorf("%w: the word %q", ErrUnrepresentable, word))
		}
	}
}

// part adds a piece of a word.
func (b *Builder) part(call string, e *Expr, w *wordState) {
	if e.kind == exprHole {
		e = b.filled(e)
	}
	switch e.kind {
	case exprHole:
		if w.dollar { // what comes could make a variable of it
			b.slowForm()
		}
		w.dollar = false
		b.hole(call, e, holePart)
	case exprText:
		if err := w.data(e.text); err != nil {
			b.fail(call, err)
			return
		}
		if e.text == "" {
			return
		}
		if w.n += len(e.text); w.n > longestWord {
			b.tooLong(call, w.n)
			return
		}
		if plainBytes(e.text) && e.text[0] != '#' && e.text[0] != '-' && e.text[len(e.text)-1] != '\\' && operator(e.text) == 0 {
			b.buf = append(b.buf, e.text...)
			return
		}
		b.carry(e.text)
	case exprVar:
		if !settingName(e.text) {
			b.fail(call, fmt.Errorf("%q is no name of a setting", e.text))
			return
		}
		if err := w.variable(e.text); err != nil {
			b.fail(call, err)
			return
		}
		b.variable(e.text, e.typ)
	case exprJoin:
		for i := range e.parts {
			if b.part(call, &e.parts[i], w); b.err != nil {
				return
			}
		}
	}
}

func (b *Builder) variable(name string, t Type) {
	b.buf = append(append(b.buf, "${"...), name...)
	if t != "" && t != bare {
		b.buf = append(append(b.buf, ':'), t...)
	}
	b.buf = append(b.buf, '}')
}

const lowerHex = "0123456789abcdef"

// longestWord is what a word may have, written and expanded: a BIOS build was seen to take
// 32,000 bytes and to hang at 60,000.
const longestWord = 32_000

// carriedBytes is what one setting carries: two digits a byte.
const carriedBytes = 15_000

func (b *Builder) tooLong(call string, n int) {
	b.fail(call, fmt.Errorf("%w: a word of %d bytes, with which a BIOS build hangs", ErrUnrepresentable, n))
}

// carry puts lines that store the bytes before the command, and refers to them.
func (b *Builder) carry(data string) {
	for ; len(data) > carriedBytes; data = data[carriedBytes:] {
		b.carryOne(data[:carriedBytes])
	}
	b.carryOne(data)
}

func (b *Builder) carryOne(data string) {
	b.carriers++
	const set, typ = "set dougu-", ":hexraw "
	var number [20]byte
	n := strconv.AppendInt(number[:0], int64(b.carriers), 10)
	size := len(set) + len(n) + len(typ) + 2*len(data) + 1
	end := len(b.buf)
	b.buf = append(b.buf, make([]byte, size)...)
	copy(b.buf[b.start+size:], b.buf[b.start:end])
	line := append(b.buf[b.start:b.start], set...)
	line = append(append(line, n...), typ...)
	for i := range len(data) {
		line = append(line, lowerHex[data[i]>>4], lowerHex[data[i]&15])
	}
	line = append(line, '\n')
	b.moved(b.start, len(line))
	b.start += len(line)
	b.buf = append(append(append(b.buf, "${dougu-"...), n...), ":string}"...)
}

// Set stores a value in a setting. The name may have a block (net0/x), not a type.
func (b *Builder) Set(name string, value ...Expr) {
	if !settingName(name) {
		b.fail("Set", fmt.Errorf("%q is no name of a setting", name))
		return
	}
	if len(value) == 0 || len(value) == 1 && b.empty(&value[0]) {
		b.open("clear") // set would clear it too
		b.raw(name)
		b.close()
		return
	}
	b.open("set")
	b.raw(name)
	b.arguments("Set", value)
	b.close()
}

// empty reports whether an expression is the empty text.
func (b *Builder) empty(e *Expr) bool {
	e = b.filled(e)
	return e.kind == exprText && e.text == ""
}

// SetInt stores a number that inc can count up.
func (b *Builder) SetInt(name string, value int32) {
	if !settingName(name) {
		b.fail("SetInt", fmt.Errorf("%q is no name of a setting", name))
		return
	}
	b.open("set")
	b.raw(name + ":int32")
	b.raw(strconv.Itoa(int(value)))
	b.close()
}

// Echo prints a line.
func (b *Builder) Echo(text ...Expr) {
	b.open("echo")
	b.guard(text)
	b.arguments("Echo", text)
	b.close()
}

// Imgfree frees all images.
func (b *Builder) Imgfree() { b.simple("imgfree") }

// Boot starts the selected kernel.
func (b *Builder) Boot() { b.simple("boot") }

func (b *Builder) simple(name string) {
	b.open(name)
	b.close()
}

// Kernel fetches a kernel, selects it, and gives it a command line.
func (b *Builder) Kernel(u *URLBuilder, args ...Expr) { b.fetch("kernel", u, args) }

// Initrd fetches an initrd; arguments name it for the kernel.
func (b *Builder) Initrd(u *URLBuilder, args ...Expr) { b.fetch("initrd", u, args) }

// Imgfetch fetches a file.
func (b *Builder) Imgfetch(u *URLBuilder, args ...Expr) { b.fetch("imgfetch", u, args) }

// Chain fetches a script or a program and runs it; it comes back here when that ends.
func (b *Builder) Chain(u *URLBuilder, args ...Expr) { b.fetch("chain", u, args) }

func (b *Builder) fetch(name string, u *URLBuilder, args []Expr) {
	b.open(name)
	b.url(name, u)
	b.arguments(name, args)
	b.close()
}

// LocalBoot is a way to start the local disk.
type LocalBoot uint8

// The ways.
const (
	// ExitToFirmware leaves iPXE: the firmware goes on in its boot order.
	ExitToFirmware LocalBoot = iota + 1
	// SANBoot boots BIOS drive 0x80; it does not work on EFI.
	SANBoot
)

// Local starts the local disk.
func (b *Builder) Local(how LocalBoot) {
	switch how {
	case ExitToFirmware:
		b.simple("exit")
	case SANBoot:
		b.open("sanboot")
		b.raw("--no-describe")
		b.raw("--drive")
		b.raw("0x80")
		b.close()
	default:
		b.fail("Local", errors.New("no such way to boot the local disk"))
	}
}

// Reboot restarts the machine.
func (b *Builder) Reboot() { b.simple("reboot") }

// Shell gives the user iPXE's prompt.
func (b *Builder) Shell() { b.simple("shell") }

// Exit ends the script with a status; 0 is success.
func (b *Builder) Exit(status uint32) {
	b.open("exit")
	b.buf = strconv.AppendUint(append(b.buf, ' '), uint64(status), 10)
	b.close()
}

// Sleep waits; iPXE counts whole seconds, a part of one is a whole one.
func (b *Builder) Sleep(d time.Duration) {
	b.open("sleep")
	b.buf = strconv.AppendInt(append(b.buf, ' '), int64((d+time.Second-1)/time.Second), 10)
	b.close()
}
