// Package house holds the tests that keep the module's walls standing: which
// package may import what, that engines read no clock, and that every exported
// symbol and every package is documented. It has no code of its own.
package house
