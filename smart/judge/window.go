package judge

import (
	"fmt"
	"regexp"
	"slices"

	"dougu.internal/internal/enum"
	"dougu.internal/smart"
)

// Position is the position of a temperature relative to a window.
type Position uint8

// The positions. Sensors have whole degrees, and a temperature is rarely read at the time
// of a measurement, so that nothing is certain at the edge.
const (
	Outside Position = iota + 1
	Borderline
	Inside
)

var positions = enum.Names[Position]{Type: "judge: position", Words: map[Position]string{
	0: "unknown", Outside: "outside", Borderline: "borderline", Inside: "inside",
}}

// String returns "outside", "borderline" or "inside", and "unknown" for the zero value.
func (p Position) String() string { return positions.String(p) }

// MarshalText returns the name of the position. It fails if p is not valid.
func (p Position) MarshalText() ([]byte, error) { return positions.Text(p) }

// UnmarshalText sets p from the name of a position.
func (p *Position) UnmarshalText(text []byte) error { return positions.Parse(text, p) }

// Window is a range of temperatures in which a drive behaves differently: at or below Low,
// and at or above High.
type Window struct {
	// Model matches the models of the window. If nil, the window is for every model.
	Model *regexp.Regexp `json:"model,omitzero"`
	// Low and High are the edges in degrees Celsius. A window can have one edge.
	Low  smart.Opt[int] `json:"low,omitzero"`
	High smart.Opt[int] `json:"high,omitzero"`
	// Effect describes the behaviour inside the window, and Source is the document about it.
	Effect string `json:"effect,omitzero"`
	Source string `json:"source,omitzero"`
}

// Windows returns the windows that are part of the package. Each call returns a new
// slice.
func Windows() []Window { return slices.Clone(shippedWindows) }

var shippedWindows = []Window{{
	Model: barracudaES, Low: smart.Some(18), High: smart.Some(58),
	Effect: "the drive reads back and verifies every write (Read After Write), writes fall below 1/10 of the speed",
	Source: "supplier's notice on the Seagate Barracuda ES SATA, 2008",
}}

// barracudaES matches the SATA models of the Barracuda ES.
var barracudaES = regexp.MustCompile(`^(?:SEAGATE )?ST3(?:250[68]20|320620|400620|500630|750640)NS$`)

// Place returns the position of t, with a margin in whole degrees. Inside means beyond an
// edge by the margin or more; Borderline means within the margin of an edge.
func (w Window) Place(t, margin int) Position {
	switch {
	case w.Low.OK && t <= w.Low.V-margin, w.High.OK && t >= w.High.V+margin:
		return Inside
	case w.Low.OK && t <= w.Low.V+margin, w.High.OK && t >= w.High.V-margin:
		return Borderline
	}
	return Outside
}

// Matches reports whether the window is of that model.
func (w Window) Matches(model string) bool { return w.Model == nil || w.Model.MatchString(model) }

// cold reports whether t is nearer to the lower edge.
func (w Window) cold(t int) bool {
	return w.Low.OK && (!w.High.OK || t-w.Low.V <= w.High.V-t)
}

// edges describes the window in words.
func (w Window) edges() string {
	switch {
	case w.Low.OK && w.High.OK:
		return fmt.Sprintf("at or below %d C, at or above %d C", w.Low.V, w.High.V)
	case w.Low.OK:
		return fmt.Sprintf("at or below %d C", w.Low.V)
	}
	return fmt.Sprintf("at or above %d C", w.High.V)
}
