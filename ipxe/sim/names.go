package sim

import (
	"strconv"
	"unicode"
	"unicode/utf8"

	"dougu.internal/internal/enum"
)

// keys contains the names of the keys that are not printable characters.
var keys = enum.Names[Key]{Type: "sim: key", Words: keyWords()}

func keyWords() map[Key]string {
	words := map[Key]string{
		KeyEnter: "enter", KeyEscape: "escape", KeyBackspace: "backspace", KeyCtrlC: "ctrl-c", ' ': "space",
		KeyUp: "up", KeyDown: "down", KeyLeft: "left", KeyRight: "right", KeyHome: "home", KeyEnd: "end",
		KeyPageUp: "page-up", KeyPageDown: "page-down", KeyDelete: "delete", KeyF1: "f1", Wait: "wait",
	}
	for n := 2; n <= 12; n++ {
		words[KeyF1+Key(n-1)] = "f" + strconv.Itoa(n)
	}
	return words
}

// character reports whether the text of a key is the character itself.
func (k Key) character() bool {
	return k > ' ' && k <= unicode.MaxRune && unicode.IsPrint(rune(k)) && rune(k) != utf8.RuneError
}

// maxNumber is the largest number of a key that has no name and is not a character.
const maxNumber = 0xffff

// String returns the character of a printable key, the name of a special key, such as
// "enter", "page-up" or "f1", or the number of another key, such as "0x7".
func (k Key) String() string {
	switch _, named := keys.Words[k]; {
	case named:
		return keys.String(k)
	case k.character():
		return string(rune(k))
	case k >= 0 && k <= maxNumber:
		return "0x" + strconv.FormatInt(int64(k), 16)
	}
	return keys.String(k)
}

// MarshalText returns the text of String. It fails for an invalid key.
func (k Key) MarshalText() ([]byte, error) {
	if _, named := keys.Words[k]; !named && !k.character() && (k < 0 || k > maxNumber) {
		return keys.Text(k)
	}
	return []byte(k.String()), nil
}

// UnmarshalText sets the key to the one with the given text.
func (k *Key) UnmarshalText(text []byte) error {
	if r, n := utf8.DecodeRune(text); n > 0 && n == len(text) && Key(r).character() {
		*k = Key(r)
		return nil
	}
	if n, err := strconv.ParseUint(string(text), 0, 16); err == nil && Key(n).String() == string(text) {
		*k = Key(n)
		return nil
	}
	return keys.Parse(text, k)
}

// MarshalText returns the text of String.
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the text of String.
func (s *Status) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 0, 32)
	if err != nil || Status(n).String() != string(text) {
		return errs.Errorf("invalid status %.40q, want a number such as 0x2d02203b", text)
	}
	*s = Status(n)
	return nil
}
