package smart

import "strings"

// DriveKey identifies a drive. It can be compared, and used as the key of a map.
type DriveKey struct {
	// WWN is the world wide name, or "".
	WWN string `json:"wwn,omitzero"`
	// Model and Serial are used for drives without a world wide name.
	Model  string `json:"model,omitzero"`
	Serial string `json:"serial,omitzero"`
}

// Key returns the key of the drive: its world wide name, or else model and serial number.
// The key of a snapshot without any of them is the zero value.
func (s *Snapshot) Key() DriveKey {
	id := &s.Identity
	if w := strings.ToLower(id.WWN); w != "" && strings.Trim(w, "0") != "" {
		return DriveKey{WWN: w}
	}
	if id.Serial == "" {
		return DriveKey{}
	}
	return DriveKey{Model: id.Model, Serial: id.Serial}
}

// Same reports whether two keys can belong to the same drive. A key without values belongs
// to any drive, and keys of different kinds can belong to the same one.
func (k DriveKey) Same(other DriveKey) bool {
	switch {
	case k == other, k == DriveKey{}, other == DriveKey{}:
		return true
	case k.WWN != "" && other.WWN != "", k.WWN == "" && other.WWN == "":
		return false
	}
	return true
}

// String returns the world wide name, or model and serial number.
func (k DriveKey) String() string {
	if k.WWN != "" {
		return "wwn " + k.WWN
	}
	return strings.TrimSpace(k.Model + " " + k.Serial)
}
