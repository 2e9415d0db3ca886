package ipxe

import "strings"

// OptionKind says how iPXE reads the argument of an option.
type OptionKind uint8

// The kinds of options.
const (
	// FlagOption takes no argument.
	FlagOption OptionKind = iota + 1
	// TextOption is any text.
	TextOption
	// IntegerOption is read by strtoul with base 0: decimal, 0x, a leading 0 for octal, a sign.
	IntegerOption
	// MillisecondsOption is an IntegerOption: a time.
	MillisecondsOption
	// KeyOption is one character, or an IntegerOption.
	KeyOption
	// SettingOption is the name of a setting.
	SettingOption
	// ConfiguratorOption names a network configurator, such as dhcp.
	ConfiguratorOption
	// UUIDOption is a UUID in its canonical form.
	UUIDOption
)

// Option is one option of a command.
type Option struct {
	Long  string     `json:"long,omitzero"`
	Short byte       `json:"short,omitzero"`
	Kind  OptionKind `json:"kind,omitzero"`
}

// Takes reports whether the option has an argument.
func (o Option) Takes() bool { return o.Kind != FlagOption }

// Syntax is what a command accepts.
type Syntax struct {
	Name    string   `json:"name,omitzero"`
	Options []Option `json:"options,omitzero"`
	// Min and Max bound the number of arguments after the options.
	Min int `json:"min,omitzero"`
	Max int `json:"max,omitzero"`
	// Usage is what the command's own help prints after the options; a blank for one that
	// prints nothing but the blank before it.
	Usage string `json:"usage,omitzero"`
	// Absent names builds that lack the command, in words; empty: the profile has it.
	Absent string `json:"absent,omitzero"`
}

// MaxArguments is the number of arguments that iPXE accepts after the options.
const MaxArguments = 255

// OptionError is what iPXE says about the options of a command.
type OptionError struct {
	// Kind of the fault.
	Kind OptionFault
	// Text is the line that iPXE prints before the usage. It is empty for Help and Count.
	Text string
	// Word is the index in the arguments of the word at fault.
	Word int
}

// OptionFault is a kind of [OptionError].
type OptionFault uint8

// The faults.
const (
	// Help was asked for.
	Help OptionFault = iota + 1
	// Unrecognised option.
	Unrecognised
	// Argument missing, or given where none is taken.
	Argument
	// Count of arguments out of bounds.
	Count
)

// Error returns the text that iPXE prints, in one line.
func (e *OptionError) Error() string {
	switch e.Kind {
	case Help:
		return "ipxe: help requested"
	case Count:
		return "ipxe: wrong number of arguments"
	}
	return "ipxe: " + e.Text
}

var helpOption = Option{Long: "help", Short: 'h', Kind: FlagOption}

// Scan reads the options of a command as iPXE's getopt does: args are the words after
// the command's name, already expanded. visit is called for each option in order; when
// it returns false, Scan stops there. Scan returns the index of the first word that is
// no option.
//
// Options stand before the arguments; there are no abbreviations; an argument of its own
// word may not begin with a hyphen.
func (y *Syntax) Scan(args []string, visit func(o Option, value string, word int) bool) (int, *OptionError) {
	i, next := 0, 0 // next is the place in a cluster of short options
	argument := func() (string, bool) {
		if i >= len(args) || strings.HasPrefix(args[i], "-") {
			return "", false
		}
		i++
		return args[i-1], true
	}
	for {
		if i >= len(args) || args[i] == "" || args[i][0] != '-' {
			break
		}
		word := i
		if strings.HasPrefix(args[i], "--") {
			text := args[i][2:]
			if text == "" {
				i++
				break
			}
			o, inline, given := y.long(text)
			if o == nil {
				return i, &OptionError{Unrecognised, `Unrecognised option "--` + text + `"`, word}
			}
			i++
			value, have := inline, given
			if o.Takes() && !given {
				value, have = argument()
			}
			if o.Takes() && !have {
				return i, &OptionError{Argument, `Option "` + o.Long + `" requires an argument`, word}
			}
			if !o.Takes() && given {
				return i, &OptionError{Argument, `Option "` + o.Long + `" takes no argument`, word}
			}
			if err := y.visit(*o, value, word, visit); err != nil {
				return i, err
			}
			continue
		}
		if next < 1 {
			next = 1
		}
		text := args[i][next:]
		o := y.short(text)
		if o == nil {
			c := "" // a lone hyphen: iPXE prints a NUL, which does not show
			if text != "" {
				c = text[:1]
			}
			return i, &OptionError{Unrecognised, `Unrecognised option "-` + c + `"`, word}
		}
		next++
		value, have := "", false
		if len(text) > 1 {
			if o.Takes() {
				value, have = text[1:], true
				i, next = i+1, 0
			}
		} else {
			i, next = i+1, 0
		}
		if o.Takes() && !have {
			if value, have = argument(); !have {
				return i, &OptionError{Argument, `Option "` + string(rune(o.Short)) + `" requires an argument`, word}
			}
		}
		if err := y.visit(*o, value, word, visit); err != nil {
			return i, err
		}
	}
	if n := len(args) - i; n < y.Min || n > y.Max {
		return i, &OptionError{Kind: Count, Word: min(i, len(args))}
	}
	return i, nil
}

// stopped ends a scan that visit does not want to go on.
var stopped = &OptionError{}

// Stopped reports whether the scan ended because visit returned false.
func (e *OptionError) Stopped() bool { return e == stopped }

func (y *Syntax) visit(o Option, value string, word int, visit func(Option, string, int) bool) *OptionError {
	if o.Short == 'h' && o.Long == "help" {
		return &OptionError{Kind: Help, Word: word}
	}
	if visit != nil && !visit(o, value, word) {
		return stopped
	}
	return nil
}

// long finds an option by its whole name, with or without "=value".
func (y *Syntax) long(text string) (o *Option, value string, given bool) {
	name, value, given := strings.Cut(text, "=")
	for i := range y.Options {
		if y.Options[i].Long == name {
			return &y.Options[i], value, given
		}
	}
	if name == helpOption.Long {
		return &helpOption, value, given
	}
	return nil, "", false
}

func (y *Syntax) short(text string) *Option {
	if text == "" {
		return nil
	}
	for i := range y.Options {
		if y.Options[i].Short == text[0] {
			return &y.Options[i]
		}
	}
	if text[0] == helpOption.Short {
		return &helpOption
	}
	return nil
}

// Help returns the text that iPXE prints when a command is used wrongly, or with -h.
func (y *Syntax) Help(name string) string {
	var b strings.Builder
	b.WriteString("Usage:\n\n  ")
	b.WriteString(name)
	for _, o := range y.Options {
		b.WriteString(" [-")
		b.WriteByte(o.Short)
		b.WriteString("|--")
		b.WriteString(o.Long)
		if o.Takes() {
			b.WriteString(" <" + o.Long + ">")
		}
		b.WriteByte(']')
	}
	if y.Usage != "" {
		b.WriteByte(' ')
		b.WriteString(strings.TrimSpace(y.Usage))
	}
	b.WriteString("\n\nSee http://ipxe.org/cmd/" + name + " for further information\n")
	return b.String()
}
