//go:build !unix

package main

// othersCanChange is not known here.
func othersCanChange(string) bool { return false }
