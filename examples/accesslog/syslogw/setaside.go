package syslogw

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"dougu.internal/internal/jsontext"
)

// SetAsideName is the name of the file of messages that were set aside, in the spool directory.
const SetAsideName = "set-aside.jsonl"

// SetAside is a message that the collector does not accept. The file set-aside.jsonl in the
// spool directory has one in each line, as JSON.
type SetAside struct {
	// Time is the time at which the message was given up.
	Time time.Time `json:"time"`
	// Reason is the reason, with the reply of the collector if there is one.
	Reason string `json:"reason"`
	// Size is the size of the message in bytes.
	Size int `json:"size"`
	// Message is the message with its header. Invalid UTF-8 is escaped in JSON.
	Message string `json:"message"`
}

// MarshalJSON returns the JSON encoding of s. It keeps strings that are not valid UTF-8.
func (s SetAside) MarshalJSON() ([]byte, error) {
	type plain SetAside
	return jsontext.Marshal(plain(s))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (s *SetAside) UnmarshalJSON(b []byte) error {
	type plain SetAside
	return jsontext.Unmarshal(b, (*plain)(s))
}

// setAside appends a message to the file in the spool directory. Without a spool, or if the
// file cannot be written, it returns an error, and the message is lost.
func (w *Writer) setAside(msg []byte, reason string) error {
	if w.cfg.Spool == "" {
		return fmt.Errorf("syslogw: there is no spool for a message of %d bytes", len(msg))
	}
	line, err := json.Marshal(SetAside{Time: w.cfg.Now(), Reason: reason, Size: len(msg), Message: string(msg)})
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(w.cfg.Spool, SetAsideName), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		f.Close()
		return err
	}
	if err := f.Sync(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
