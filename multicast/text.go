package multicast

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"dougu.internal/internal/enum"
	"dougu.internal/multicast/internal/engine"
)

var rateModes = enum.Names[RateMode]{
	Type:  "multicast: rate mode",
	Words: map[RateMode]string{LAN: "lan", Fixed: "fixed", Friendly: "friendly"},
}

// String returns "lan", "fixed" or "friendly".
func (m RateMode) String() string { return rateModes.String(m) }

// MarshalText returns the name of the mode. It fails if m is not a valid mode.
func (m RateMode) MarshalText() ([]byte, error) { return rateModes.Text(m) }

// UnmarshalText reads the name of a mode.
func (m *RateMode) UnmarshalText(text []byte) error { return rateModes.Parse(text, m) }

var memberEvents = enum.Names[MemberEventKind]{
	Type: "multicast: member event",
	Words: map[MemberEventKind]string{
		0: "unknown", Joined: "joined", Left: "left", TimedOut: "timed-out", Incompatible: "incompatible",
	},
}

// String returns the name of the event kind, such as "timed-out".
func (k MemberEventKind) String() string { return memberEvents.String(k) }

// MarshalText returns the name of the event kind. It fails if k is not a valid kind.
func (k MemberEventKind) MarshalText() ([]byte, error) { return memberEvents.Text(k) }

// UnmarshalText reads the name of an event kind.
func (k *MemberEventKind) UnmarshalText(text []byte) error { return memberEvents.Parse(text, k) }

var hostStates = enum.Names[HostState]{
	Type: "multicast: host state",
	Words: map[HostState]string{
		HostUnknown: "unknown", HostCommitted: "committed", HostFailed: "failed", HostSilent: "silent", HostLeft: "left",
		HostLate: "late", HostEvicted: "evicted", HostRefused: "refused", HostReadOnly: "read-only",
		HostInDoubt: "in-doubt", HostAborted: "aborted",
	},
}

// String returns the name of the state, such as "in-doubt".
func (s HostState) String() string { return hostStates.String(s) }

// MarshalText returns the name of the state. It fails if s is not a valid state.
func (s HostState) MarshalText() ([]byte, error) { return hostStates.Text(s) }

// UnmarshalText reads the name of a state.
func (s *HostState) UnmarshalText(text []byte) error { return hostStates.Parse(text, s) }

var modes = enum.Names[Mode]{Type: "multicast: receive mode", Words: map[Mode]string{Auto: "auto", InPlace: "in-place"}}

// String returns "auto" or "in-place".
func (m Mode) String() string { return modes.String(m) }

// MarshalText returns the name of the mode. It fails if m is not a valid mode.
func (m Mode) MarshalText() ([]byte, error) { return modes.Text(m) }

// UnmarshalText reads the name of a mode.
func (m *Mode) UnmarshalText(text []byte) error { return modes.Parse(text, m) }

// String returns "all", "reached" or the number of hosts of a quorum.
func (p CommitPolicy) String() string {
	switch p {
	case All:
		return "all"
	case Reached:
		return "reached"
	}
	return strconv.Itoa(p.quorum)
}

// MarshalText returns the text of String.
func (p CommitPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (p *CommitPolicy) UnmarshalText(text []byte) error {
	switch n, err := strconv.Atoi(string(text)); {
	case string(text) == "all":
		*p = All
	case string(text) == "reached":
		*p = Reached
	case err == nil && n > 0:
		*p = Quorum(n)
	default:
		return fmt.Errorf(prefix+"invalid commit policy %.60q, want all, reached or a number of hosts", text)
	}
	return nil
}

var slowPolicies = map[engine.SlowPolicy]string{engine.Evict: "evict", engine.Background: "background"}

// String returns "wait", "evict:RATE:GRACE" or "background:RATE:GRACE" with the rate in
// bits per second.
func (p SlowPolicy) String() string {
	if p == Wait {
		return "wait"
	}
	return fmt.Sprintf("%s:%d:%s", slowPolicies[p.kind], p.rate, p.grace)
}

// MarshalText returns the text of String.
func (p SlowPolicy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (p *SlowPolicy) UnmarshalText(text []byte) error {
	if string(text) == "wait" {
		*p = Wait
		return nil
	}
	words := strings.Split(string(text), ":")
	for kind, name := range slowPolicies {
		if len(words) != 3 || words[0] != name {
			continue
		}
		rate, err := strconv.ParseUint(words[1], 10, 64)
		if err != nil {
			break
		}
		grace, err := time.ParseDuration(words[2])
		if err != nil {
			break
		}
		*p = SlowPolicy{kind, rate, grace}
		return nil
	}
	return fmt.Errorf(prefix+"invalid slow policy %.60q, want wait, evict:RATE:GRACE or background:RATE:GRACE", text)
}
