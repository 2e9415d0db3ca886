// Package target opens the destination that a target string names, as CustomLog's first
// argument does in Apache:
//
//	/var/log/access.log, file:access.log     a file, appended to
//	|prog args, ||prog args                  a program that reads lines
//	|$line                                   the same through /bin/sh, when allowed
//	syslog:[facility[.severity]:]ident[@network://addr]
//	                                         syslog: udp, tcp, tls, relp, unix
//	-                                        standard error
//
// Openers form a chain: each looks at the string and passes on what is not its own,
// so that a program can put kinds of its own before these.
//
// # Guarantees
//
// A program that dies is started again, after a pause; one that does not read never
// holds up a request, and what finds no room is refused and counted. Programs are
// started from an argument list; a shell only when Pipe.Shell is set. No process and
// no goroutine is left after Close.
//
// # Limits
//
// What a program had been given and had not handled when it died is lost, as it is with
// Apache; RELP and a spool are the way not to lose lines. Target strings come from
// whoever configures the server: never build one from a request.
package target
