// Package house contains the tests of the module's rules: which package may import
// which, that engines read no clock, that exported symbols are documented in plain
// English, and that exported types have a text form, survive JSON, and return errors
// that name their package. The package has no code.
package house
