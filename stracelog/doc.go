// Package stracelog reads any log that strace can write, under any flags and without being told which, and says where
// the requests in it spent their time.
//
// A [Reader] turns the log into events, one a line. It loses nothing: the bytes of all events in order are the log, for
// any bytes at all, and a line that strace did not write is an event too. A [Joiner] puts unfinished and resumed halves
// together. [Analyze] cuts the calls into requests, names the peers and gives each request one verdict with the lines
// that prove it.
//
// # Guarantees
//
// Memory is bounded by the longest line and by the number of live processes, not by the log. A damaged line never ends
// the stream. No gap is computed across a line that is not strace's, and no claim of CPU time is made from a
// log in which calls are filtered out.
//
// # What it refuses
//
// It starts nothing and opens nothing. It does not read the output of perf trace, which is another format; it says so in
// [Format]. It guesses no date: strace prints none with -t and -tt.
package stracelog
