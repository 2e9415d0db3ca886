// Package target opens log destinations that are named by a string, like the first argument of
// Apache's CustomLog directive:
//
//	/var/log/access.log, file:access.log     a file, to which lines are appended
//	|prog args, ||prog args                  a program that reads lines
//	|$line                                   a command line for /bin/sh, if allowed
//	syslog:[facility[.severity]:]ident[@network://addr]
//	                                         syslog over udp, tcp, tls, relp, relp+tls or
//	                                         unix; ?framing=, format= and ca= may follow
//	-                                        standard error
//
// An [Opener] opens the targets of one type. [Chain] combines several of them: each one is tried
// in turn until one supports the target. A program can add further openers.
//
// # Guarantees
//
// A program that exits is started again after a pause. A program that does not read does not
// delay requests: if the queue is full, lines are dropped and counted. Programs are started with
// an argument list; a shell is used only if Pipe.Shell is set. When Close returns, the program
// and all goroutines of the sink have ended.
//
// # Limits
//
// Lines that a program has received but not processed when it exits are lost, as with Apache.
// Use RELP with a spool to avoid loss. Target strings must come from the configuration of the
// server, not from a request. The package works on all operating systems, except for syslog
// targets with a spool, which require Unix.
package target
