package lint

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
)

func notAScript(l *linter) {
	var d diag.Finding
	if err := l.s.Executable(); errors.As(err, &d) {
		d.Rule, d.Severity = l.rule.ID, l.rule.Severity
		l.list = append(l.list, d)
	}
}

func nulByte(l *linter) {
	src := l.s.Bytes()
	if bytes.IndexByte(src, 0) < 0 {
		return
	}
	for _, line := range l.lines {
		if n := bytes.IndexByte(src[line.Start:line.End], 0); n >= 0 { // one finding a line
			at := line.Start + n
			l.report(l.s.Span(at, at+1), "a NUL ends the line: what follows is not run", "delete it", fix("delete it", l.s.Span(at, at+1), ""))
		}
	}
}

func openEnd(l *linter) {
	if !l.s.Open() {
		return
	}
	n := l.s.Len() - 1
	src := l.s.Bytes()
	at := bytes.LastIndexByte(src, '\\')
	severity := diag.Warning
	if l.certain >= n {
		severity = diag.Error
	}
	r := l.s.Span(at, at+1)
	l.reportAs(severity, r, "the script ends in a backslash: its last line is not run, and it fails", "delete the backslash", fix("delete it", r, ""))
}

// raw calls do for every physical line, without LF and CR.
func (l *linter) raw(do func(line *ipxe.Line, from, to int)) {
	src := l.s.Bytes()
	for _, line := range l.lines {
		for at := line.Start; at < line.End; {
			end := at
			next := line.End
			if n := bytes.IndexByte(src[at:next], '\n'); n >= 0 {
				end, next = at+n, at+n+1
			} else {
				end = next
			}
			if end > at && src[end-1] == '\r' {
				end--
			}
			do(line, at, end)
			at = next
		}
	}
}

func commentSwallows(l *linter) {
	src := l.s.Bytes()
	l.raw(func(line *ipxe.Line, from, to int) {
		if line.Comment < 0 || to == from || src[to-1] != '\\' || to >= line.End {
			return
		}
		// The comment begins on this physical line or before it.
		begin := l.s.Range(line, line.Comment, line.Comment).Start.Offset
		if begin >= to || line.Comment == 0 && line.Start == 0 && begin > from {
			return
		}
		r := l.s.Span(to-1, to)
		l.report(r, "the backslash joins the next line to the comment: it is not run", "put a blank after it, or delete it", fix("delete the backslash", r, ""))
	})
}

func backslashBlank(l *linter) {
	src := l.s.Bytes()
	l.raw(func(_ *ipxe.Line, from, to int) {
		text := src[from:to]
		t := bytes.TrimRight(text, " \t")
		if len(t) == len(text) || len(t) == 0 || t[len(t)-1] != '\\' || bytes.IndexByte(t, '#') == 0 {
			return
		}
		r := l.s.Span(from+len(t), to)
		l.report(r, "a blank after the backslash: the lines are not joined", "delete the blank", fix("delete it", r, ""))
	})
}

func loneCR(l *linter) {
	src := l.s.Bytes()
	l.raw(func(_ *ipxe.Line, from, to int) {
		if n := bytes.IndexByte(src[from:to], '\r'); n >= 0 {
			r := l.s.Span(from+n, from+n+1)
			l.report(r, "a carriage return within the line is a blank to iPXE, not the end of a line", "end lines with LF or CR LF", fix("end the line", r, "\n"))
		}
	})
}

func noBreakSpace(l *linter) {
	src := l.s.Bytes()
	for at := 0; ; {
		n := bytes.Index(src[at:], []byte("\u00a0"))
		if n < 0 {
			return
		}
		r := l.s.Span(at+n, at+n+2)
		l.report(r, "a no-break space is part of the word to iPXE", "write a blank", fix("write a blank", r, " "))
		at += n + 2
	}
}

func tooManyArguments(l *linter) {
	l.each("", func(c *call) {
		n := len(c.words)
		if c.syntax == nil || c.syntax.Max != ipxe.MaxArguments {
			return
		}
		if args := len(l.arguments(c)); args > ipxe.MaxArguments {
			l.fault(c, l.name(c), fmt.Sprintf("%d arguments: iPXE takes %d", args, ipxe.MaxArguments),
				"put a hundred words each into settings, and write these")
		} else if n > ipxe.MaxArguments && args == 0 {
			l.fault(c, l.name(c), fmt.Sprintf("%d words: iPXE takes %d arguments", n, ipxe.MaxArguments), "put a hundred words each into settings")
		}
	})
}

// The number of words that a BIOS build was seen to survive, and to die of.
const (
	safeWords = 300
	deadWords = 400
	safeBytes = 32000
)

func tooManyWords(l *linter) {
	if l.p.Platform != "pcbios" {
		return
	}
	for i, line := range l.lines {
		n := -1
		for _, c := range line.Cmds {
			n += 1 + len(c.Words)
		}
		if n <= safeWords {
			continue
		}
		severity := diag.Warning
		if n >= deadWords && i <= l.certain {
			severity = diag.Error
		}
		l.reportAs(severity, l.s.Range(line, 0, min(len(line.Text), 20)), fmt.Sprintf("%d words on a line: about 400 hang a BIOS build", n),
			"its stack holds the words of a line; put a hundred each into settings, and write these")
	}
}

func longWord(l *linter) {
	for _, line := range l.lines {
		for _, c := range line.Cmds {
			for _, word := range c.Words {
				if len(word.Text) > safeBytes {
					l.reportAs(diag.Warning, l.s.Range(line, word.At, word.At+20), fmt.Sprintf("a word of %d bytes: a BIOS build may hang", len(word.Text)), "60,000 bytes were seen to hang it, 32,000 not")
				}
			}
		}
	}
}

func literalQuotes(l *linter) {
	l.each("", func(c *call) {
		for k, word := range c.words {
			t := word.Text
			if len(t) < 2 || t[0] != '"' && t[0] != '\'' {
				continue
			}
			if c.name == "echo" || c.name == "item" || c.name == "menu" || c.name == "prompt" {
				continue // text for people
			}
			if (c.name == "kernel" || c.name == "chain" || c.name == "imgargs" || c.name == "imgexec") && k > 0 {
				continue // the program that gets them may know quotes
			}
			r := l.word(c.line, word)
			detail := "iPXE has no quotes: they are part of the value, and blanks still separate words"
			if t[len(t)-1] == t[0] {
				l.report(r, "the quotes are part of the word", detail, fix("delete them", r, t[1:len(t)-1]))
			} else {
				l.report(r, "the quote is part of the word", detail)
			}
			break
		}
	})
}

func gluedOperator(l *linter) {
	for _, line := range l.lines {
		for _, c := range line.Cmds {
			for k, word := range c.Words {
				t := word.Text
				isURL := strings.Contains(t, "://") || strings.HasPrefix(t, "/") || strings.ContainsAny(t, "?&=")
				at, n := -1, 0
				switch {
				case len(t) > 1 && strings.HasSuffix(t, ";") && !isURL:
					at, n = len(t)-1, 1
				case strings.Contains(t, "||"):
					at, n = strings.Index(t, "||"), 2
				case strings.Contains(t, "&&") && !strings.Contains(t, "://"):
					at, n = strings.Index(t, "&&"), 2
				case strings.Contains(t, ";") && k > 0 && l.p.Command(t[strings.IndexByte(t, ';')+1:]) != nil:
					at, n = strings.IndexByte(t, ';'), 1
				}
				if at < 0 {
					continue
				}
				r := l.s.Range(line, word.At+at, word.At+at+n)
				l.report(r, t[at:at+n]+" is part of the word: an operator stands between blanks", "", fix("put blanks around it", r, " "+t[at:at+n]+" "))
			}
		}
	}
}

func leadingOr(l *linter) {
	for _, line := range l.lines {
		cmds := line.Cmds
		if len(cmds) > 1 && len(cmds[0].Words) == 0 && cmds[1].Op == ipxe.Or && len(cmds[1].Words) > 0 {
			r := l.s.Range(line, cmds[1].At, cmds[1].At+2)
			l.report(r, "the command after || never runs: nothing succeeds", "operators work within a line; join it to the one before with a backslash", fix("delete the operator", r, ""))
		}
	}
}
