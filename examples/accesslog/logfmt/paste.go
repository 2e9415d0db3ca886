package logfmt

import (
	"encoding/json"
	"fmt"
	"strings"
)

// nicknames are the names of formats that the httpd.conf files of distributions define.
var nicknames = map[string]string{
	"common": Common, "combined": Combined, "vhost_combined": VHostCombined,
	"combinedio": `%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\" %I %O`,
	"referer":    `%{Referer}i -> %U`, "agent": `%{User-agent}i`,
}

// CustomLog is a CustomLog directive of httpd.conf.
type CustomLog struct {
	// Target is the first argument: a file, a pipe, or another target.
	Target string `json:"target,omitzero"`
	// Format is the parsed second argument.
	Format *Format `json:"format,omitzero"`
}

// ParseCustomLog reads the arguments of a CustomLog directive: a target, and a format in double
// quotes or the nickname common, combined or vhost_combined. The name of the directive may be
// in front, and a line may continue after a backslash. Conditions (env=, expr=) are not
// supported. The error is a [*SyntaxError] if the format is invalid.
func ParseCustomLog(line string) (CustomLog, error) {
	words, err := configWords(line)
	if err != nil {
		return CustomLog{}, fmt.Errorf("logfmt: parse CustomLog: %w", err)
	}
	if len(words) > 0 && strings.EqualFold(words[0].raw, "CustomLog") {
		words = words[1:]
	}
	if len(words) != 2 {
		return CustomLog{}, fmt.Errorf("logfmt: parse CustomLog: %d arguments, want a target and a format", len(words))
	}
	source, quoted := words[1].raw, words[1].quoted
	if !quoted {
		nickname, ok := nicknames[source]
		if !ok && !strings.Contains(source, "%") {
			return CustomLog{}, fmt.Errorf("logfmt: parse CustomLog: unknown nickname %q of a format", source)
		}
		if ok {
			source = nickname
		}
	}
	f, err := Parse(source)
	if err != nil {
		return CustomLog{}, err
	}
	return CustomLog{Target: words[0].text(), Format: f}, nil
}

// configWord is a word of a line of httpd.conf, without its outer quotes.
type configWord struct {
	raw    string // with its backslashes
	quoted bool
}

// text returns the word as httpd reads it: a backslash before a quote or a backslash is
// removed.
func (w configWord) text() string {
	if !w.quoted {
		return w.raw
	}
	return strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(w.raw)
}

// configWords splits a line like httpd, which joins lines that end in a backslash.
func configWords(line string) ([]configWord, error) {
	line = strings.ReplaceAll(strings.ReplaceAll(line, "\r\n", "\n"), "\\\n", "")
	var words []configWord
	for {
		line = strings.TrimLeft(line, " \t\n")
		if line == "" {
			return words, nil
		}
		if quote := line[0]; quote == '"' || quote == '\'' {
			end := 1
			for end < len(line) && line[end] != quote {
				if line[end] == '\\' && end+1 < len(line) {
					end++
				}
				end++
			}
			if end >= len(line) {
				return nil, fmt.Errorf("missing %c at the end of %.40q", quote, line)
			}
			words = append(words, configWord{line[1:end], true})
			line = line[end+1:]
			continue
		}
		end := strings.IndexAny(line, " \t\n")
		if end < 0 {
			end = len(line)
		}
		words = append(words, configWord{line[:end], false})
		line = line[end:]
	}
}

// lookForPaste warns of text that was copied from httpd.conf with more than the text between
// the quotes.
func (f *Format) lookForPaste() {
	s := strings.TrimSpace(f.source)
	warn := func(text, msg string) {
		f.warnings = append(f.warnings, Warning{Offset: strings.Index(f.source, text), Directive: text, Message: msg})
	}
	first, _, _ := strings.Cut(s, " ")
	switch {
	case strings.EqualFold(first, "LogFormat") || strings.EqualFold(first, "CustomLog"):
		warn(first, "prints the word itself: pass the text between the outer quotes of the directive")
	case nicknames[s] != "":
		warn(s, "prints the word itself: it is a nickname of the format "+nicknames[s])
	case len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' && strings.Contains(s, "%"):
		warn(s[:1], "prints the quotes at both ends: pass the text between the outer quotes of the directive")
	}
	if strings.Contains(strings.ReplaceAll(f.source, "\r\n", "\n"), "\\\n") {
		warn("\\", "prints a line feed: httpd joins a line that ends in a backslash with the next one")
	}
}

// lookForJSON warns if the line looks like JSON and a directive prints what no JSON parser
// accepts: "-" where a number is expected, or \xhh in a string.
func (f *Format) lookForJSON() {
	var line strings.Builder
	quoted := false
	inString := make([]bool, len(f.items))
	for i, it := range f.items {
		if it.put == nil {
			line.WriteString(it.text)
			for j := 0; j < len(it.text); j++ {
				switch it.text[j] {
				case '\\':
					j++
				case '"':
					quoted = !quoted
				}
			}
			continue
		}
		inString[i] = quoted
		line.WriteByte('1')
	}
	text := strings.TrimSpace(line.String())
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") || !json.Valid([]byte(text)) {
		return
	}
	for i, it := range f.items {
		var msg string
		switch {
		case it.put == nil:
			continue
		case inString[i] && !safeInString[it.name]:
			msg = `can print \xhh, which is not valid in a JSON string`
		case !inString[i] && it.name == "t" && it.layout.unit != "" && len(it.codes) == 0: // a number
			continue
		case !inString[i] && (!safeAsNumber[it.name] || len(it.codes) > 0):
			msg = `can print "-", which is not a JSON number; write it in quotes`
			if it.name == "b" {
				msg += ", or use %B"
			}
		default:
			continue
		}
		f.warnings = append(f.warnings, Warning{
			Offset: it.from, Directive: f.source[it.from:it.to],
			Message: "the format looks like JSON: " + msg,
		})
	}
}

// Directives whose values have no escapes, and those whose values are always numbers.
var (
	safeInString = letters("a A B b D h H I k l O p P s S t T X ^FB")
	safeAsNumber = letters("B D k P s T p")
)

func letters(list string) map[string]bool {
	m := map[string]bool{}
	for l := range strings.FieldsSeq(list) {
		m[l] = true
	}
	return m
}
