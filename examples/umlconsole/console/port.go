package console

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// DefaultRing is the default size of the ring buffer of a [Port]: 1 MiB.
const DefaultRing = 1 << 20

// Port is an open console. All methods are safe for concurrent use by multiple goroutines, except
// for Read and Expect, which share one reader.
type Port struct {
	// Device is the device of the console.
	Device Device

	file terminalFile
	ring *ring
	own  *Reader
	done chan struct{}
	once sync.Once
	mu   sync.Mutex // held by Write
}

// terminalFile is an *os.File or a connection.
type terminalFile interface {
	io.ReadWriteCloser
}

// Open opens a console and starts to read its output into a ring buffer of [DefaultRing] bytes.
// The caller must close the Port.
//
// A pseudo-terminal is set to raw mode. Open returns an error if the path is not /dev/pts/N, is
// a symbolic link, is not a pseudo-terminal, or belongs to another user. On systems other than
// Linux, the error wraps [errors.ErrUnsupported].
//
// A unix socket is connected to. Its server usually accepts one connection at a time. The path
// must be absolute.
func Open(d Device) (*Port, error) { return OpenSize(d, DefaultRing) }

// OpenSize is like [Open], with a ring buffer of size bytes. If size is less than 4096, 4096 is
// used.
func OpenSize(d Device, size int) (*Port, error) {
	if d.Kind == Unix {
		if !filepath.IsAbs(d.Path) {
			return nil, fmt.Errorf("console: open %q: the path of a socket must be absolute", d.Path)
		}
		conn, err := net.DialTimeout("unix", d.Path, socketTime)
		if err != nil {
			return nil, wrap(err)
		}
		return newPort(d, conn, size), nil
	}
	if !isPts(d.Path) {
		return nil, &UntrustedError{d.Label, d.Path[:min(len(d.Path), 64)]}
	}
	file, err := openRaw(d.Path)
	if err != nil {
		return nil, wrap(err)
	}
	return newPort(d, file, size), nil
}

// socketTime is the time limit for the connection to a socket.
const socketTime = 10 * time.Second

func newPort(d Device, file terminalFile, size int) *Port {
	p := &Port{Device: d, file: file, ring: newRing(max(size, 4096)), done: make(chan struct{})}
	p.own = p.NewReader()
	go p.drain()
	return p
}

// drain reads all output, so that the guest is not blocked.
func (p *Port) drain() {
	defer close(p.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := p.file.Read(buf)
		p.ring.write(buf[:n])
		if err != nil {
			if gone(err) || err == io.EOF || errors.Is(err, os.ErrClosed) || errors.Is(err, net.ErrClosed) {
				p.ring.finish(io.EOF)
				return
			}
			p.ring.finish(wrap(err))
			return
		}
	}
}

// NewReader returns a reader that starts with the output from now on. Each reader of a Port gets
// the whole output.
func (p *Port) NewReader() *Reader {
	p.ring.mu.Lock()
	defer p.ring.mu.Unlock()
	return &Reader{ring: p.ring, at: p.ring.end}
}

// History returns a reader that starts with the oldest byte in the ring buffer.
func (p *Port) History() *Reader {
	p.ring.mu.Lock()
	defer p.ring.mu.Unlock()
	return &Reader{ring: p.ring, at: max(0, p.ring.end-int64(len(p.ring.buf)))}
}

// Read reads the output since Open. It returns io.EOF if the guest has closed the console.
func (p *Port) Read(b []byte) (int, error) { return p.own.Read(b) }

// Write sends b to the guest as terminal input.
func (p *Port) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.file.Write(b)
	if err != nil && gone(err) {
		err = fmt.Errorf("console: write to %s: closed by the guest: %w", p.Device.Path, io.ErrClosedPipe)
	}
	return n, wrap(err)
}

// SetSize sets the size of a pseudo-terminal, which the guest can read. For a socket, it returns
// an error that wraps [errors.ErrUnsupported].
func (p *Port) SetSize(columns, rows uint16) error {
	file, ok := p.file.(*os.File)
	if !ok {
		return fmt.Errorf("console: set the size of %s: a socket has none: %w", p.Device.Path, errors.ErrUnsupported)
	}
	return wrap(setSize(file, columns, rows))
}

// Done returns a channel that is closed when the output has ended.
func (p *Port) Done() <-chan struct{} { return p.done }

// Close closes the terminal or socket and waits for the end of the reading goroutine. Further
// calls have no effect.
func (p *Port) Close() error {
	var err error
	p.once.Do(func() { err = p.file.Close() })
	<-p.done
	return wrap(err)
}
