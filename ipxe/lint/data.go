package lint

import (
	"fmt"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

// hostile are settings whose text others decide: whoever made the machine, and whoever
// answers DHCP.
var hostile = map[string]bool{
	"product": true, "manufacturer": true, "serial": true, "asset": true, "board-serial": true,
	"hostname": true, "domain": true, "user-class": true, "vendor-class": true, "ssid": true,
}

// harmlessTypes write only digits and letters.
var harmlessTypes = map[string]bool{
	"hexraw": true, "hexhyp": true, "hex": true, "base64": true, "uuid": true, "guid": true, "ipv4": true, "ipv6": true, "busdevfn": true,
	"int8": true, "int16": true, "int32": true, "uint8": true, "uint16": true, "uint32": true,
}

// variable is a ${...} without another in it.
type variable struct {
	at, end   int // in the word
	name, typ string
	block     string
}

// variables finds the innermost ${...} of a word.
func variables(word string) (list []variable) {
	open := -1
	for k := 0; k < len(word); k++ {
		switch {
		case strings.HasPrefix(word[k:], "${"):
			open = k
		case word[k] == '}' && open >= 0:
			text := word[open+2 : k]
			v := variable{at: open, end: k + 1, name: text}
			if b, rest, ok := strings.Cut(text, "/"); ok {
				v.block, v.name = b, rest
			}
			v.name, v.typ, _ = strings.Cut(v.name, ":")
			list = append(list, v)
			open = -1
		}
	}
	return list
}

// facts calls do for every variable with a machine's own text that the script itself has
// not set.
func (l *linter) facts(do func(c *call, k int, word ipxe.Word, v variable)) {
	l.each("", func(c *call) {
		for k, word := range c.words {
			if !word.Expands {
				continue
			}
			for _, v := range variables(word.Text) {
				if hostile[v.name] && !l.sets[v.name] {
					do(c, k, word, v)
				}
			}
		}
	})
}

func isURLWord(t string) bool {
	return strings.Contains(t, "://") || strings.HasPrefix(t, "/") || strings.Contains(t, "?")
}

func hostileFact(l *linter) {
	l.facts(func(c *call, k int, word ipxe.Word, v variable) {
		if harmlessTypes[v.typ] || isURLWord(word.Text) || c.name == "isset" || c.name == "iseq" {
			return
		}
		r := l.s.Range(c.line, word.At+v.at, word.At+v.end)
		detail := "iPXE expands it again: a text with ${...} in it reads other settings, one with itself in it hangs the machine"
		if c.name == "kernel" || c.name == "chain" || c.name == "imgexec" || c.name == "imgargs" {
			detail += "; and its blanks make arguments of their own"
		}
		l.report(r, fmt.Sprintf("the text of %s comes from outside", v.name), detail+"; hand it over as :hexraw, or test it with iseq")
	})
}

func factInURL(l *linter) {
	l.facts(func(c *call, _ int, word ipxe.Word, v variable) {
		if harmlessTypes[v.typ] || v.typ == "uristring" || !isURLWord(word.Text) {
			return
		}
		r := l.s.Range(c.line, word.At+v.at, word.At+v.end)
		l.report(r, fmt.Sprintf("the text of %s goes into the URL as it is", v.name), "a # ends the URL there, & and = make other parameters, ? and / another path",
			fix("send its hexadecimal digits", r, spell(v, "hexraw")))
	})
}

func spell(v variable, typ string) string {
	name := v.name
	if v.block != "" {
		name = v.block + "/" + name
	}
	return "${" + name + ":" + typ + "}"
}

func factInQuery(l *linter) {
	l.facts(func(c *call, _ int, word ipxe.Word, v variable) {
		if v.typ != "uristring" || !isURLWord(word.Text) {
			return
		}
		r := l.s.Range(c.line, word.At+v.at, word.At+v.end)
		l.report(r, "iPXE before November 2021 undoes :uristring: & = and + in the text reach the server as such", "hexadecimal digits pass every iPXE", fix("send its hexadecimal digits", r, spell(v, "hexraw")))
	})
}

func passwordInURL(l *linter) {
	l.each("", func(c *call) {
		for _, word := range c.words {
			_, rest, ok := strings.Cut(word.Text, "://")
			if !ok {
				continue
			}
			authority, _, _ := strings.Cut(rest, "/")
			user, _, ok := strings.Cut(authority, "@")
			if !ok || !strings.Contains(user, ":") {
				continue
			}
			l.report(l.word(c.line, word), "everyone who can fetch the script reads this password", "the machine can ask its user with login, or the server can know the machine")
		}
	})
}

func brokenVariable(l *linter) {
	for _, line := range l.lines {
		for _, c := range line.Cmds {
			open := -1
			for k, word := range c.Words {
				t := word.Text
				if open >= 0 && strings.Contains(t, "}") && !strings.Contains(t, "${") {
					from := c.Words[open]
					l.report(l.s.Range(line, from.At, word.At+len(t)), "a blank ends the variable: it stays as it is written", "names of settings have no blanks")
					open = -1
				}
				if at := strings.LastIndex(t, "${"); at >= 0 && !strings.Contains(t[at:], "}") {
					open = k
				}
			}
			if open >= 0 {
				word := c.Words[open]
				l.report(l.word(line, word), "${ without } in the same word stays as it is written", "")
			}
		}
	}
}

func unknownType(l *linter) {
	l.each("", func(c *call) {
		for _, word := range c.words {
			if !word.Expands {
				continue
			}
			for _, v := range variables(word.Text) {
				if v.typ == "" || strings.Contains(v.typ, "$") || sim.HasType(v.typ, l.p) {
					continue
				}
				near := nearest(v.typ, sim.TypeNames(l.p))
				r := l.s.Range(c.line, word.At+v.at, word.At+v.end)
				var fixes []diag.Fix
				if near != "" {
					fixes = []diag.Fix{fix("write "+near, r, spell(v, near))}
				}
				l.report(r, fmt.Sprintf("there is no type %q: the variable is always empty", diag.Sanitize(v.typ))+didYouMean(near), "", fixes...)
			}
		}
	})
}

func chainIPXE(l *linter) {
	l.each("chain imgexec kernel boot", func(c *call) {
		args := l.arguments(c)
		if len(args) == 0 {
			return
		}
		t := strings.ToLower(args[0].Text)
		for _, name := range []string{"undionly", "ipxe.pxe", "ipxe.efi", "snponly", "ipxe.lkrn", "ipxe.kpxe"} {
			if strings.Contains(t, name) {
				l.report(l.word(c.line, args[0]), "iPXE loads iPXE: that one asks DHCP again and gets the same answer", "a newer iPXE may be worth it: then let DHCP or the script tell them apart by ${version}")
				return
			}
		}
	})
}
