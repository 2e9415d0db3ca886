package stracelog

import "testing"

func checkArgs(t testing.TB, e *Event) {}
