package keepalived

import "dougu.internal/internal/enum"

var (
	elementKinds = enum.Names[ElementKind]{Type: "keepalived: element kind", Words: map[ElementKind]string{
		Space: "space", Comment: "comment", Statement: "statement", Open: "open", Close: "close",
		Definition: "definition", Include: "include", Condition: "condition", Repeat: "repeat",
	}}
	faultKinds = enum.Names[FaultKind]{Type: "keepalived: fault kind", Words: map[FaultKind]string{
		CheckFails: "check-fails", InterfaceDown: "interface-down", NodeStopped: "node-stopped", Partition: "partition", Deaf: "deaf",
	}}
	judgements = enum.Names[Judgement]{Type: "keepalived: judgement", Words: map[Judgement]string{
		Silent: "silent", Objects: "objects", ByChance: "varies",
	}}
	results = enum.Names[Result]{Type: "keepalived: result", Words: map[Result]string{
		ResultUnknown: "unknown", Accepted: "accepted", Refused: "refused",
	}}
	scriptStates = enum.Names[ScriptState]{Type: "keepalived: script state", Words: map[ScriptState]string{
		ScriptUnknown: "unknown", ScriptSafe: "safe", ScriptMissing: "missing",
		ScriptNotExecutable: "not-executable", ScriptInsecure: "insecure",
	}}
)

// String returns the name of the kind, such as "statement".
func (k ElementKind) String() string { return elementKinds.String(k) }

// MarshalText returns the name of the kind. It fails for an invalid kind.
func (k ElementKind) MarshalText() ([]byte, error) { return elementKinds.Text(k) }

// UnmarshalText sets the kind to the one with the given name.
func (k *ElementKind) UnmarshalText(name []byte) error { return elementKinds.Parse(name, k) }

// String returns the name of the kind, such as "check-fails".
func (k FaultKind) String() string { return faultKinds.String(k) }

// MarshalText returns the name of the kind. It fails for an invalid kind.
func (k FaultKind) MarshalText() ([]byte, error) { return faultKinds.Text(k) }

// UnmarshalText sets the kind to the one with the given name.
func (k *FaultKind) UnmarshalText(name []byte) error { return faultKinds.Parse(name, k) }

// String returns "silent", "objects" or "varies".
func (j Judgement) String() string { return judgements.String(j) }

// MarshalText returns the text of String. It fails for an invalid value.
func (j Judgement) MarshalText() ([]byte, error) { return judgements.Text(j) }

// UnmarshalText sets the value to the one with the given name.
func (j *Judgement) UnmarshalText(name []byte) error { return judgements.Parse(name, j) }

// String returns "unknown", "accepted" or "refused".
func (r Result) String() string { return results.String(r) }

// MarshalText returns the text of String. It fails for an invalid result.
func (r Result) MarshalText() ([]byte, error) { return results.Text(r) }

// UnmarshalText sets the result to the one with the given name.
func (r *Result) UnmarshalText(name []byte) error { return results.Parse(name, r) }

// String returns the name of the state, such as "not-executable".
func (s ScriptState) String() string { return scriptStates.String(s) }

// MarshalText returns the name of the state. It fails for an invalid state.
func (s ScriptState) MarshalText() ([]byte, error) { return scriptStates.Text(s) }

// UnmarshalText sets the state to the one with the given name.
func (s *ScriptState) UnmarshalText(name []byte) error { return scriptStates.Parse(name, s) }
