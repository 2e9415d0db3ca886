// Package tools pins the programs of the quality gate in a module of its own, so
// that they stay out of the module graph of whoever imports dougu.
package tools
