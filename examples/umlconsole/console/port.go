package console

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// DefaultRing is how many bytes of a console are kept, 1 MiB.
const DefaultRing = 1 << 20

// Port is an open console. Write, SetSize, NewReader and Close are safe for many
// goroutines; Read is that of a reader made by Open, for one of them.
type Port struct {
	// Device is what was opened.
	Device Device

	file *os.File
	ring *ring
	own  *Reader
	done chan struct{}
	once sync.Once
	mu   sync.Mutex // held by Write
}

// Open opens a pseudo-terminal, sets it to raw mode, and begins to read into a ring of
// DefaultRing bytes. It refuses, with an error that says why, a path that is not
// /dev/pts/N, is a symbolic link, is no pseudo-terminal, or belongs to another user. On
// systems other than Linux the error wraps errors.ErrUnsupported.
func Open(d Device) (*Port, error) { return OpenSize(d, DefaultRing) }

// OpenSize is Open with a ring of that many bytes, at least 4096.
func OpenSize(d Device, size int) (*Port, error) {
	if !isPts(d.Path) {
		return nil, &UntrustedError{d.Label, d.Path[:min(len(d.Path), 64)]}
	}
	file, err := openRaw(d.Path)
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	return newPort(d, file, size), nil
}

func newPort(d Device, file *os.File, size int) *Port {
	p := &Port{Device: d, file: file, ring: newRing(max(size, 4096)), done: make(chan struct{})}
	p.own = p.NewReader()
	go p.drain()
	return p
}

// drain reads all that comes, so that the guest never waits.
func (p *Port) drain() {
	defer close(p.done)
	buf := make([]byte, 64<<10)
	for {
		n, err := p.file.Read(buf)
		p.ring.write(buf[:n])
		if err != nil {
			if gone(err) || errors.Is(err, os.ErrClosed) {
				err = io.EOF
			}
			p.ring.finish(err)
			return
		}
	}
}

// NewReader returns a reader of all that is printed from now on. Readers share the
// console: each gets everything.
func (p *Port) NewReader() *Reader {
	p.ring.mu.Lock()
	defer p.ring.mu.Unlock()
	return &Reader{ring: p.ring, at: p.ring.end}
}

// History returns a reader that begins with the oldest byte that is kept.
func (p *Port) History() *Reader {
	p.ring.mu.Lock()
	defer p.ring.mu.Unlock()
	return &Reader{ring: p.ring, at: max(0, p.ring.end-int64(len(p.ring.buf)))}
}

// Read reads what was printed since Open. io.EOF says that the guest has let go.
func (p *Port) Read(b []byte) (int, error) { return p.own.Read(b) }

// Write types.
func (p *Port) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, err := p.file.Write(b)
	if err != nil && gone(err) {
		err = fmt.Errorf("console: %s: the guest has let go: %w", p.Device.Path, io.ErrClosedPipe)
	}
	return n, err
}

// SetSize tells the guest how many columns and rows its terminal has.
func (p *Port) SetSize(columns, rows uint16) error { return setSize(p.file, columns, rows) }

// Done is closed when no more will be read.
func (p *Port) Done() <-chan struct{} { return p.done }

// Close closes the terminal and waits for the end of reading.
func (p *Port) Close() error {
	var err error
	p.once.Do(func() { err = p.file.Close() })
	<-p.done
	return err
}
