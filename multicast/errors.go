package multicast

import (
	"errors"
	"strings"
)

// prefix starts the text of every error that leaves the package, once.
const prefix = "multicast: "

// Errors of a transfer, a node or a configuration. Test for them with [errors.Is]: the
// errors that are returned add the host or the cause.
var (
	// ErrNoMembers means that no receiver answered.
	ErrNoMembers = errors.New("multicast: no receiver answered")
	// ErrTooFew means that fewer receivers answered, or were ready to commit, than required.
	ErrTooFew = errors.New("multicast: too few receivers")
	// ErrUnknownHost means that a name in SendOptions.To is not that of a member.
	ErrUnknownHost = errors.New("multicast: host is not contained in members")
	// ErrTimeout means that a host did not send anything for too long.
	ErrTimeout = errors.New("multicast: host timed out")
	// ErrAborted means that the transfer ended without a commit.
	ErrAborted = errors.New("multicast: transfer aborted")
	// ErrInDoubt means that a host was ready to commit and did not report a result.
	ErrInDoubt = errors.New("multicast: commit outcome unknown")
	// ErrIncompatible means that a node uses another version of the protocol.
	ErrIncompatible = errors.New("multicast: protocol version mismatch")
	// ErrLate means that a host joined after the transfer had started.
	ErrLate = errors.New("multicast: host joined after the transfer started")
	// ErrEvicted means that a host was removed from the transfer by the SlowPolicy.
	ErrEvicted = errors.New("multicast: host was evicted: too slow")
	// ErrRefused means that a host declined the transfer.
	ErrRefused = errors.New("multicast: host refused the transfer")
	// ErrSource means that a part of the source could not be read.
	ErrSource = errors.New("multicast: the source could not be read")
	// ErrBusy means that another sender's transfer did not end in time.
	ErrBusy = errors.New("multicast: another transfer is in progress")
	// ErrClosed means that the node or the receiver is closed.
	ErrClosed = errors.New("multicast: node is closed")
)

// sentinels are the errors that come back as themselves when they were text meanwhile.
var sentinels = []error{
	ErrNoMembers, ErrTooFew, ErrUnknownHost, ErrTimeout, ErrAborted, ErrInDoubt, ErrIncompatible, ErrLate, ErrEvicted,
	ErrRefused, ErrSource, ErrBusy, ErrClosed,
}

// fault is an error with a separate text.
type fault struct {
	text  string
	kind  error // one of the sentinels, or nil
	cause error // may be nil
}

func (f *fault) Error() string { return prefix + f.text }

func (f *fault) Is(target error) bool { return f.kind != nil && f.kind == target }

func (f *fault) Unwrap() error { return f.cause }

// wrap returns err with the package's prefix, unless err already has it. It returns nil
// if err is nil.
func wrap(err error) error { return during("", err) }

// during is wrap with the name of what was being done.
func during(action string, err error) error {
	if err == nil || action == "" && strings.HasPrefix(err.Error(), prefix) {
		return err
	}
	text := plain(err)
	if action != "" {
		text = action + ": " + text
	}
	return &fault{text: text, cause: err}
}

// plain returns the text of err without the package's prefix.
func plain(err error) string { return strings.TrimPrefix(err.Error(), prefix) }

// joined lists several errors, each of which has the prefix.
type joined struct{ errs []error }

// Error returns the errors in a line each, with the prefix in front of the first one.
func (j *joined) Error() string {
	lines := make([]string, len(j.errs))
	for i, err := range j.errs {
		lines[i] = plain(err)
	}
	return prefix + strings.Join(lines, "\n")
}

func (j *joined) Unwrap() []error { return j.errs }

// join returns an error that lists the given ones, or nil if all of them are nil.
func join(errs ...error) error {
	j := &joined{}
	for _, err := range errs {
		switch err := wrap(err).(type) {
		case nil:
		case *joined:
			j.errs = append(j.errs, err.errs...)
		default:
			j.errs = append(j.errs, err)
		}
	}
	switch len(j.errs) {
	case 0:
		return nil
	case 1:
		return j.errs[0]
	}
	return j
}
