package lint

import "dougu.internal/diag"

const (
	e = diag.Error
	w = diag.Warning
	i = diag.Info
)

func entry(id string, s diag.Severity, summary string, check func(*linter)) rule {
	return rule{diag.Rule{ID: id, Severity: s, Summary: summary}, check}
}

// rules are the catalogue. 1: the file, 2: words and operators, 3: commands, 4: the way
// through the script, 5: data, 6: the way to the script.
var rules []rule

func init() {
	rules = []rule{
		entry("IP101", e, "a file that iPXE does not take for a script", notAScript),
		entry("IP102", w, "a NUL, which hides the rest of its line", nulByte),
		entry("IP103", e, "a backslash at the end of the file", openEnd),
		entry("IP104", w, "a comment that swallows the next line", commentSwallows),
		entry("IP105", w, "a blank after the backslash that should join lines", backslashBlank),
		entry("IP106", w, "a carriage return within a line", loneCR),
		entry("IP107", w, "a no-break space, which does not separate words", noBreakSpace),
		entry("IP201", e, "more than 255 arguments", tooManyArguments),
		entry("IP202", e, "more words on a line than a BIOS build survives", tooManyWords),
		entry("IP203", w, "quotes, which iPXE does not know", literalQuotes),
		entry("IP204", w, "an operator that is part of a word", gluedOperator),
		entry("IP205", w, "a line that begins with ||, whose command never runs", leadingOr),
		entry("IP206", w, "a command whose name may be empty", unsetFirstWord),
		entry("IP207", w, "an option after the arguments", optionAfterArgument),
		entry("IP208", e, "an option without its argument", optionArgument),
		entry("IP209", e, "text that begins with a hyphen, like an option", echoDash),
		entry("IP210", e, "a word of more than 32,000 bytes", longWord),
		entry("IP301", e, "an unknown command", unknownCommand),
		entry("IP302", w, "a command that this build does not have", otherBuild),
		entry("IP303", e, "an unknown option", unknownOption),
		entry("IP304", e, "a wrong number of arguments", argumentCount),
		entry("IP305", e, "a value that is no number", badInteger),
		entry("IP306", e, "a name that is no setting's", badSetting),
		entry("IP307", e, "a value that the setting's type can't hold", badValue),
		entry("IP308", w, "isset with a word that is always set", issetLiteral),
		entry("IP309", w, "iseq with a number in another form", iseqNumber),
		entry("IP310", w, "inc of a setting that holds text", incString),
		entry("IP311", i, "set without a value, which clears", emptySet),
		entry("IP312", w, "boot with nothing to boot", bootNothing),
		entry("IP313", w, "a time that is taken for another unit", timeUnit),
		entry("IP314", w, "imgtrust, which holds for every later script", imgtrustLeaks),
		entry("IP315", w, "an item or a choice without a menu", menuMissing),
		entry("IP316", i, "a menu that waits for ever", menuWaits),
		entry("IP317", i, "${errno} after a success, which does not reset it", staleErrno),
		entry("IP318", i, "a download whose failure ends the script", noFallback),
		entry("IP401", e, "a label that is not there", missingLabel),
		entry("IP402", w, "a label that is set twice", duplicateLabel),
		entry("IP403", w, "a label with a variable, which is never expanded", variableLabel),
		entry("IP404", w, "a command that can't be reached", unreachable),
		entry("IP405", i, "a label that nothing goes to", unusedLabel),
		entry("IP406", e, "a loop that never ends", endlessLoop),
		entry("IP407", w, "a label that is not at the start of its line", lateLabel),
		entry("IP408", w, "a loop that asks the server without a pause", hammering),
		entry("IP409", e, "an expansion that never ends", endlessExpansion),
		entry("IP501", w, "a machine's own text where it is expanded again", hostileFact),
		entry("IP502", w, "a machine's own text in a URL as it is", factInURL),
		entry("IP503", i, "a machine's own text as :uristring in a query", factInQuery),
		entry("IP504", w, "a password in a URL", passwordInURL),
		entry("IP505", w, "${ and } in different words", brokenVariable),
		entry("IP506", w, "a variable with a type that does not exist", unknownType),
		entry("IP601", w, "iPXE that loads iPXE again", chainIPXE),
		entry("IP602", e, "a DHCP server that gives iPXE to iPXE", nil),
	}
}
