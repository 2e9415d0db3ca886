package fill

import (
	"encoding"
	"fmt"
	"strings"
)

// Text marshals a value and unmarshals the text into another one. It returns an error if the
// text or the result of String is not word, if the other value has another text, or if an
// unknown word is accepted or refused without the prefix of the package.
func Text(value encoding.TextMarshaler, into encoding.TextUnmarshaler, word, prefix string) error {
	text, err := value.MarshalText()
	if err != nil {
		return err
	}
	if string(text) != word || fmt.Sprint(value) != word {
		return fmt.Errorf("text %q, String %q, want %q", text, fmt.Sprint(value), word)
	}
	if err := into.UnmarshalText(text); err != nil {
		return err
	}
	again, err := into.(encoding.TextMarshaler).MarshalText()
	if err != nil || string(again) != word {
		return fmt.Errorf("%q comes back as %q (%v)", word, again, err)
	}
	err = into.UnmarshalText([]byte("no-such-word"))
	if err == nil || !strings.HasPrefix(err.Error(), prefix+"unknown ") {
		return fmt.Errorf("an unknown word: %v, want the prefix %q", err, prefix+"unknown ")
	}
	return nil
}
