package ipxe

import "dougu.internal/internal/enum"

var (
	localBoots = enum.Names[LocalBoot]{Type: "ipxe: local boot", Words: map[LocalBoot]string{
		ExitToFirmware: "exit", SANBoot: "sanboot",
	}}
	operators = enum.Names[Op]{Type: "ipxe: operator", Words: map[Op]string{
		First: "", Or: "||", And: "&&", Always: ";",
	}}
	optionFaults = enum.Names[OptionFault]{Type: "ipxe: option fault", Words: map[OptionFault]string{
		Help: "help", Unrecognised: "unrecognised", Argument: "argument", Count: "count",
	}}
	kinds = enum.Names[OptionKind]{Type: "ipxe: option kind", Words: map[OptionKind]string{
		FlagOption: "flag", TextOption: "text", IntegerOption: "integer", MillisecondsOption: "milliseconds",
		KeyOption: "key", SettingOption: "setting", ConfiguratorOption: "configurator", UUIDOption: "uuid",
	}}
	uriRules = enum.Names[URIRules]{Type: "ipxe: URI rules", Words: map[URIRules]string{
		Reencode: "reencode", Keep: "keep",
	}}
)

// String returns "exit" or "sanboot", the words of [Boot.Local].
func (l LocalBoot) String() string { return localBoots.String(l) }

// MarshalText returns the text of String. It fails for an invalid value.
func (l LocalBoot) MarshalText() ([]byte, error) { return localBoots.Text(l) }

// UnmarshalText sets the value to the one with the given text.
func (l *LocalBoot) UnmarshalText(text []byte) error { return localBoots.Parse(text, l) }

// String returns the operator as it is written, and "" for First.
func (o Op) String() string { return operators.String(o) }

// MarshalText returns the text of String. It fails for an invalid value.
func (o Op) MarshalText() ([]byte, error) { return operators.Text(o) }

// UnmarshalText sets the value to the one with the given text.
func (o *Op) UnmarshalText(text []byte) error { return operators.Parse(text, o) }

// String returns the name of the fault, such as "unrecognised".
func (f OptionFault) String() string { return optionFaults.String(f) }

// MarshalText returns the text of String. It fails for an invalid value.
func (f OptionFault) MarshalText() ([]byte, error) { return optionFaults.Text(f) }

// UnmarshalText sets the value to the one with the given text.
func (f *OptionFault) UnmarshalText(text []byte) error { return optionFaults.Parse(text, f) }

// String returns the name of the kind, such as "integer".
func (k OptionKind) String() string { return kinds.String(k) }

// MarshalText returns the text of String. It fails for an invalid value.
func (k OptionKind) MarshalText() ([]byte, error) { return kinds.Text(k) }

// UnmarshalText sets the value to the one with the given text.
func (k *OptionKind) UnmarshalText(text []byte) error { return kinds.Parse(text, k) }

// String returns "reencode" or "keep".
func (u URIRules) String() string { return uriRules.String(u) }

// MarshalText returns the text of String. It fails for an invalid value.
func (u URIRules) MarshalText() ([]byte, error) { return uriRules.Text(u) }

// UnmarshalText sets the value to the one with the given text.
func (u *URIRules) UnmarshalText(text []byte) error { return uriRules.Parse(text, u) }
