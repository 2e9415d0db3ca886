//go:build !unix

package dial

import (
	"context"
	"errors"
	"fmt"
	"net"

	"dougu.internal/sshproxy"
)

func (d *Dialer) command(_ context.Context, hop sshproxy.Hop, _ string) (net.Conn, error) {
	return nil, fmt.Errorf("ProxyCommand of %s: %w", hop.Place, errors.ErrUnsupported)
}
