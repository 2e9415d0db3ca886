// Package live reads strace's output while it is written: it attaches strace to a running process, or follows a file that another
// strace writes.
//
// # Guarantees
//
// strace is started with an argument list, never through a shell, and writes to a pipe that it inherits: no text of the
// caller becomes the name of its output, where strace would run a command for a name that begins with "|" or "!".
// When the context ends, strace is asked to detach (SIGINT), and killed only when it does not; either way the traced process goes on, and
// strace is waited for. What strace wrote last, also half a line, is delivered before the end.
//
// # Limits and refusals
//
// Attaching needs the right to ptrace. Tracing slows the traced process: by little when it computes, by a multiple when it makes many system
// calls. The flags that an option may add are of a short list; none of them can name a file or run a program.
package live
