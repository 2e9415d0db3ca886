// Package readme contains the tests of the module's documents: the programs and commands
// in the README files, and the two ways to import the module from another one.
// It contains tests only.
//
// # Rules for README files
//
//   - A block marked go is a complete program. It is compiled in a scratch module. If the
//     line before the block is a comment of the form <!-- run: go run . ARGUMENTS -->, the
//     program is run in the folder of the README file, and the block marked text that follows
//     contains its output.
//   - A block marked console contains commands, each after "$ ", and their output. The commands
//     are run in the root of the module. A line that consists of "..." matches any lines.
//   - A block marked sh contains commands that are not run, except those in the sections about
//     importing. Programs of this module must exist and have the flags that are used.
//   - Identifiers and flags in code spans must exist, and relative links must lead to a file.
//
// To rewrite the output in all blocks, run go test ./internal/readme -update.
package readme
