//go:build linux

package main

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"dougu.internal/internal/oracle"
)

// dialUnix connects to a socket that may not be there yet.
func dialUnix(t *testing.T, path string) (conn net.Conn) {
	t.Helper()
	oracle.Eventually(t, 20*time.Second, "the socket is there", func() (err error) {
		conn, err = net.Dial("unix", path)
		return err
	})
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}
