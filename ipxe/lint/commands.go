package lint

import (
	"fmt"
	"slices"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/sim"
)

func unsetFirstWord(l *linter) {
	for _, line := range l.lines {
		for _, c := range line.Cmds {
			if len(c.Words) == 0 || !c.Words[0].Expands {
				continue
			}
			t := c.Words[0].Text
			if !strings.HasPrefix(t, "${") || strings.Index(t, "}") != len(t)-1 {
				continue
			}
			name, _, _ := strings.Cut(t[2:len(t)-1], ":")
			if l.sets[name] {
				continue
			}
			l.report(l.word(line, c.Words[0]), "the script does not set "+name+": without it the command has an empty name and fails",
				"a value with blanks is one word, too: it is never a command with arguments")
		}
	}
}

func optionAfterArgument(l *linter) {
	l.each("", func(c *call) {
		if c.syntax == nil || c.name == "echo" || len(c.syntax.Options) == 0 {
			return
		}
		args := l.arguments(c)
		for k := 1; k < len(args); k++ {
			t := args[k].Text
			name, _, inline := strings.Cut(t, "=")
			for _, o := range c.syntax.Options {
				if name != "--"+o.Long {
					continue
				}
				r := l.word(c.line, args[k])
				text := t
				cut := r
				if o.Takes() && !inline && k+1 < len(args) {
					next := l.word(c.line, args[k+1])
					cut.End, text = next.End, t+" "+args[k+1].Text
				}
				l.report(r, t+" is an argument here: options stand before the arguments", "",
					diag.Fix{Message: "put it first", Edits: []diag.Edit{
						{Range: before(l.word(c.line, args[0])), NewText: text + " "}, {Range: cut, NewText: ""},
					}})
				return
			}
		}
	})
}

// scan reads the options of a command; words with variables may be anything.
func (l *linter) scan(c *call) *ipxe.OptionError {
	if c.syntax == nil || c.name == "time" {
		return nil
	}
	_, err := c.syntax.Scan(texts(c.words), nil)
	if err == nil {
		return nil
	}
	for k, word := range c.words {
		if word.Expands && k <= err.Word+1 && err.Kind != ipxe.Count {
			return nil
		}
	}
	return err
}

func optionArgument(l *linter) {
	l.each("", func(c *call) {
		err := l.scan(c)
		if err == nil || err.Kind != ipxe.Argument {
			return
		}
		word := c.words[err.Word]
		detail := "an argument may not begin with a hyphen, unless it is joined: --option=-5"
		if err.Word+1 < len(c.words) && strings.HasPrefix(c.words[err.Word+1].Text, "-") && strings.HasPrefix(word.Text, "--") {
			r := l.s.Range(c.line, word.At+len(word.Text), c.words[err.Word+1].At)
			l.fault(c, l.word(c.line, word), err.Text, detail, fix("join them", r, "="))
			return
		}
		l.fault(c, l.word(c.line, word), err.Text, detail)
	})
}

func echoDash(l *linter) {
	l.each("echo set", func(c *call) {
		err := l.scan(c)
		if err == nil || err.Kind != ipxe.Unrecognised {
			return
		}
		r := l.word(c.line, c.words[err.Word])
		l.fault(c, r, err.Text, "-- ends the options", fix("put -- before it", before(r), "-- "))
	})
}

func unknownCommand(l *linter) {
	l.each("", func(c *call) {
		word := c.line.Cmds[c.index].Words[0]
		if c.syntax != nil || word.Expands || strings.HasPrefix(c.name, ":") || c.at == 0 && l.s.Executable() != nil {
			return // the first line of what is no script has a finding of its own
		}
		near := nearest(c.name, l.p.Commands())
		var fixes []diag.Fix
		if near != "" {
			fixes = []diag.Fix{fix("write "+near, l.name(c), near)}
		}
		l.fault(c, l.name(c), fmt.Sprintf("no build of iPXE has a command %q", diag.Sanitize(c.name))+didYouMean(near), "names are in lower case", fixes...)
	})
}

func otherBuild(l *linter) {
	l.each("", func(c *call) {
		y := l.p.Elsewhere(c.name)
		if y == nil {
			return
		}
		for _, later := range c.line.Cmds[c.index+1:] {
			if later.Op == ipxe.Or || later.Op == ipxe.Always {
				return // the idiom "command ... ||"
			}
		}
		l.report(l.name(c), fmt.Sprintf("%s has no command %s", l.p.String(), c.name), "missing in "+y.Absent+"; write || behind it where the script can do without")
	})
}

func unknownOption(l *linter) {
	l.each("", func(c *call) {
		if c.name == "echo" || c.name == "set" {
			return
		}
		err := l.scan(c)
		if err == nil || err.Kind != ipxe.Unrecognised {
			return
		}
		word := c.words[err.Word]
		var names []string
		for _, o := range c.syntax.Options {
			names = append(names, "--"+o.Long)
		}
		name, value, inline := strings.Cut(word.Text, "=")
		near := ""
		if strings.HasPrefix(name, "--") {
			near = nearest(name, names)
		}
		detail := "this build knows none"
		if len(names) > 0 {
			detail = "this build knows " + strings.Join(names, ", ")
		}
		var fixes []diag.Fix
		if near != "" {
			text := near
			if inline {
				text += "=" + value
			}
			fixes = []diag.Fix{fix("write "+near, l.word(c.line, word), text)}
		}
		l.fault(c, l.word(c.line, word), fmt.Sprintf("%s of %s has no option %s", c.name, l.p.String(), diag.Sanitize(name))+didYouMean(near), detail, fixes...)
	})
}

func argumentCount(l *linter) {
	l.each("", func(c *call) {
		err := l.scan(c)
		if err == nil || err.Kind != ipxe.Count || c.syntax.Max == ipxe.MaxArguments && len(c.words) > ipxe.MaxArguments {
			return
		}
		usage := strings.TrimSpace(c.name + " " + c.syntax.Usage)
		detail := "a setting that is not set keeps its word; a blank in the text makes two"
		l.fault(c, l.command(c), fmt.Sprintf("%s wants %s", c.name, bounds(c.syntax)), "usage: "+usage+"; "+detail)
	})
}

func bounds(y *ipxe.Syntax) string {
	plural := func(n int) string {
		if n == 1 {
			return "1 argument"
		}
		return fmt.Sprintf("%d arguments", n)
	}
	switch {
	case y.Max == 0:
		return "no arguments"
	case y.Min == y.Max:
		return plural(y.Min)
	case y.Max == ipxe.MaxArguments:
		return "at least " + plural(y.Min)
	}
	return fmt.Sprintf("%d to %s", y.Min, plural(y.Max))
}

// integerWords calls do for each word that must be a number.
func (l *linter) integerWords(c *call, do func(text string, word ipxe.Word)) {
	if c.syntax == nil {
		return
	}
	rest, err := c.syntax.Scan(texts(c.words), func(o ipxe.Option, value string, at int) bool {
		switch o.Kind {
		case ipxe.IntegerOption, ipxe.MillisecondsOption:
			do(value, c.words[at])
		case ipxe.KeyOption:
			if len(value) != 1 {
				do(value, c.words[at])
			}
		}
		return true
	})
	if err != nil {
		return
	}
	args := c.words[rest:]
	switch {
	case (c.name == "sleep" || c.name == "exit") && len(args) > 0:
		do(args[0].Text, args[0])
	case (c.name == "inc" || c.name == "pxebs") && len(args) > 1:
		do(args[1].Text, args[1])
	}
}

func badInteger(l *linter) {
	l.each("", func(c *call) {
		l.integerWords(c, func(text string, word ipxe.Word) {
			if strings.Contains(text, "${") || sim.IsInteger(text, l.p) {
				return
			}
			l.fault(c, l.word(c.line, word), fmt.Sprintf("%q is no number", diag.Sanitize(text)), "decimal, 0x.., or octal with a leading 0; times are plain numbers: seconds for sleep, milliseconds for --timeout")
		})
	})
}

// settingCommands take the name of a setting as the first argument.
const settingCommands = "set clear read inc show choose imgset nslookup"

func badSetting(l *linter) {
	l.each(settingCommands, func(c *call) {
		args := l.arguments(c)
		if len(args) == 0 || strings.Contains(args[0].Text, "${") {
			return
		}
		text := args[0].Text
		_, rest, found := strings.Cut(text, "/")
		if !found {
			rest = text
		}
		name, typ, typed := strings.Cut(rest, ":")
		switch {
		case typed && !sim.HasType(typ, l.p):
			near := nearest(typ, sim.TypeNames(l.p))
			var fixes []diag.Fix
			if near != "" {
				at := args[0].At + len(text) - len(typ)
				fixes = []diag.Fix{fix("write "+near, l.s.Range(c.line, at, at+len(typ)), near)}
			}
			l.fault(c, l.word(c.line, args[0]), fmt.Sprintf("there is no type %q", diag.Sanitize(typ))+didYouMean(near), "types: "+strings.Join(sim.TypeNames(l.p), ", "), fixes...)
		case name == "" && c.name != "show":
			l.reportAs(diag.Warning, l.word(c.line, args[0]), "a setting without a name can't be read back", "")
		}
	})
}

func badValue(l *linter) {
	l.each("set", func(c *call) {
		args := l.arguments(c)
		if len(args) < 2 {
			return
		}
		for _, a := range args {
			if strings.Contains(a.Text, "${") {
				return
			}
		}
		value := strings.Join(texts(args[1:]), " ")
		if why := sim.CheckValue(args[0].Text, value, l.p); why != "" {
			l.fault(c, l.s.Range(c.line, args[1].At, args[len(args)-1].At+len(args[len(args)-1].Text)), why, "the setting is not stored")
		}
	})
}

func issetLiteral(l *linter) {
	l.each("isset", func(c *call) {
		args := l.arguments(c)
		if len(args) != 1 || strings.Contains(args[0].Text, "${") {
			return
		}
		r := l.word(c.line, args[0])
		l.report(r, fmt.Sprintf("isset %s is always true: it looks at the word", diag.Sanitize(args[0].Text)), "", fix("ask for the setting", r, "${"+args[0].Text+"}"))
	})
}

func iseqNumber(l *linter) {
	l.each("iseq", func(c *call) {
		args := l.arguments(c)
		if len(args) != 2 {
			return
		}
		for k := range args {
			t := args[k].Text
			if len(t) > 1 && t[0] == '0' && strings.Trim(t, "0123456789") == "" && args[1-k].Expands {
				r := l.word(c.line, args[k])
				l.report(r, fmt.Sprintf("iseq compares text: a number is never written as %s", t), "integers print in decimal, unsigned ones as 0x..", fix("write it without the zero", r, strings.TrimLeft(t[:len(t)-1], "0")+t[len(t)-1:]))
			}
		}
	})
}

func incString(l *linter) {
	texts := map[string]*call{}
	l.each("set inc clear", func(c *call) {
		args := l.arguments(c)
		if len(args) == 0 || args[0].Expands {
			return
		}
		name, typ, typed := strings.Cut(args[0].Text, ":")
		switch {
		case c.name == "clear" || c.name == "set" && (typed && typ != "string" || len(args) < 2):
			delete(texts, name)
		case c.name == "set":
			texts[name] = c
		case typed:
		case texts[name] != nil:
			from := texts[name]
			word := l.arguments(from)[0]
			at := l.word(from.line, word)
			at.Start = at.End
			if typ != "" {
				return
			}
			l.report(l.command(c), "inc fails: "+name+" holds text", "a counter is set with its type; a loop that waits for it never ends", fix("set it as a number", at, ":int32"))
			delete(texts, name)
		}
	})
}

func emptySet(l *linter) {
	l.each("set", func(c *call) {
		if args := l.arguments(c); len(args) == 1 {
			l.report(l.command(c), "set without a value clears the setting", "clear says so", fix("write clear", l.name(c), "clear"))
		}
	})
}

func bootNothing(l *linter) {
	have := l.dynamic
	l.each("", func(c *call) {
		switch c.name {
		case "kernel", "imgselect", "imgload", "chain", "imgexec", "autoboot", "imgextract":
			have = true
		case "boot":
			if len(l.arguments(c)) == 0 && !have && len(l.labels) == 0 {
				l.report(l.name(c), "nothing is selected: boot prints so, and succeeds", "kernel selects an image; initrd does not")
			}
		default:
			have = have || c.line.Cmds[c.index].Words[0].Expands
		}
	})
}

func timeUnit(l *linter) {
	l.each("", func(c *call) {
		if c.syntax == nil || c.name == "time" {
			return
		}
		_, _ = c.syntax.Scan(texts(c.words), func(o ipxe.Option, value string, at int) bool {
			if o.Kind == ipxe.MillisecondsOption && value != "" && strings.Trim(value, "0123456789") == "" && len(value) <= 2 && value != "0" && value != "00" {
				l.report(l.word(c.line, c.words[at]), value+" milliseconds: --"+o.Long+" counts milliseconds", "write "+value+"000 for seconds")
			}
			return true
		})
		if args := l.arguments(c); c.name == "sleep" && len(args) == 1 && len(args[0].Text) >= 4 && strings.Trim(args[0].Text, "0123456789") == "" {
			l.report(l.word(c.line, args[0]), args[0].Text+" seconds: sleep counts seconds", "")
		}
	})
}

func imgtrustLeaks(l *linter) {
	l.each("imgtrust", func(c *call) {
		if slices.Contains(texts(c.words), "--allow") || slices.Contains(texts(c.words), "-a") {
			return
		}
		l.report(l.name(c), "imgtrust holds after this script: every later image must be signed", "undo it with imgtrust --allow where it ends")
	})
}

func menuMissing(l *linter) {
	if l.dynamic {
		return
	}
	menus := map[string]bool{}
	l.each("menu form item choose present", func(c *call) {
		name, open := "", false
		if c.syntax == nil {
			return
		}
		_, err := c.syntax.Scan(texts(c.words), func(o ipxe.Option, value string, _ int) bool {
			switch {
			case (c.name == "menu" || c.name == "form") && o.Long == "name", c.name != "menu" && (o.Long == "menu" || o.Long == "form"):
				name = value
			}
			open = open || strings.Contains(value, "${")
			return true
		})
		switch {
		case err != nil || open:
			return
		case c.name == "menu" || c.name == "form":
			menus[name] = true
		case !menus[name]:
			what := "there is no menu yet"
			if name != "" {
				what = fmt.Sprintf("there is no menu %q yet", diag.Sanitize(name))
			}
			l.report(l.name(c), what, "menu makes one; choose throws it away unless it has --keep")
		}
	})
}

func menuWaits(l *linter) {
	l.each("choose", func(c *call) {
		if c.syntax == nil || l.scan(c) != nil {
			return
		}
		timed := false
		_, _ = c.syntax.Scan(texts(c.words), func(o ipxe.Option, _ string, _ int) bool {
			timed = timed || o.Long == "timeout"
			return true
		})
		if !timed {
			l.report(l.name(c), "the menu waits for ever when nobody is there", "--timeout chooses the default after so many milliseconds")
		}
	})
}

func staleErrno(l *linter) {
	for _, line := range l.lines {
		for k, c := range line.Cmds {
			for _, word := range c.Words {
				if strings.Contains(word.Text, "${errno}") && (k == 0 || c.Op != ipxe.Or) {
					l.report(l.word(line, word), "${errno} is the last failure, however long ago: a success does not reset it", "look at it right after ||")
				}
			}
		}
	}
}

func noFallback(l *linter) {
	l.each("chain imgexec kernel initrd imgfetch", func(c *call) {
		if len(l.arguments(c)) == 0 || c.index != len(c.line.Cmds)-1 || c.index > 0 {
			return
		}
		if !strings.Contains(c.words[0].Text, "/") {
			return
		}
		l.report(l.name(c), "when this fails, the script ends", "write || and what to do then, or a loop that tries again")
	})
}
