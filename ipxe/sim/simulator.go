package sim

import (
	"context"
	"errors"
	"strings"

	"dougu.internal/ipxe"
)

// Simulator runs scripts one after another and keeps its memory, and what it found out
// about the scripts, from one run to the next: for whoever runs many. The zero value is
// ready to use. It is not safe for use by several goroutines.
type Simulator struct{ r runner }

// Run is the function [Run], with one difference: the Result, and the requests that the
// World has seen, are good until the next Run of this Simulator.
func (s *Simulator) Run(ctx context.Context, m *Machine, script *ipxe.Script, w World, o Options) (*Result, error) {
	return s.r.run(ctx, m, script, w, o)
}

// memory is what a runner keeps between runs.
type memory struct {
	// programs are of the scripts that ran last, for the build profile.
	programs map[*ipxe.Script]*program
	profile  ipxe.Profile
	features ipxe.Features // of the profile
	agent    string

	// texts and bytes are chunks that strings and values are cut from: what was cut stays
	// as it is.
	texts   strings.Builder
	data    []byte
	scratch []byte
	uriText []byte

	calls    []*call // that wait for use
	uris     []uri
	imageRow []image
	cardRow  [2]card
	room     [8]block
	root     block
	children [12]*block
	header   []Header // of the last host
	requests []Request
	list     []*image
	screen   []byte
	result   Result
}

// forget makes the memory ready for another run.
func (m *memory) forget(p ipxe.Profile) {
	if m.profile != p || m.agent == "" || len(m.programs) > keptPrograms {
		m.profile, m.features = p, p.Features()
		m.agent = "iPXE/" + m.features.Version
		clear(m.programs)
		m.header = nil
	}
	if m.programs == nil {
		m.programs = map[*ipxe.Script]*program{}
	}
	m.root = block{values: m.root.values[:0], children: m.children[:0]}
	m.uris, m.imageRow = m.uris[:0], m.imageRow[:0]
	clear(m.requests)
	clear(m.list)
	m.requests, m.list, m.screen = m.requests[:0], m.list[:0], m.screen[:0]
	for i := range m.room {
		b := &m.room[i]
		*b = block{values: b.values[:0], children: b.children[:0]}
	}
}

const (
	// keptPrograms bounds the scripts whose programs are kept.
	keptPrograms = 256

	firstChunk = 512
	largeChunk = 16 << 10
)

// keepText makes a string that stays.
func (m *memory) keepText(b []byte) string {
	switch room := m.texts.Cap() - m.texts.Len(); {
	case len(b) == 0:
		return ""
	case len(b) > largeChunk/4:
		return string(b)
	case room < len(b):
		size := min(max(firstChunk, 2*m.texts.Cap()), largeChunk)
		m.texts = strings.Builder{}
		m.texts.Grow(max(size, len(b)))
	}
	at := m.texts.Len()
	m.texts.Write(b)
	return m.texts.String()[at:]
}

// keepBytes makes room for n bytes that stay.
func (m *memory) keepBytes(n int) []byte {
	if n > largeChunk/4 {
		return make([]byte, n)
	}
	if cap(m.data)-len(m.data) < n {
		m.data = make([]byte, 0, max(min(max(firstChunk, 2*cap(m.data)), largeChunk), n))
	}
	at := len(m.data)
	m.data = m.data[:at+n]
	return m.data[at : at+n : at+n]
}

// keepCopy keeps the bytes of a text.
func (m *memory) keepCopy(s string) []byte {
	b := m.keepBytes(len(s))
	copy(b, s)
	return b
}

func (m *memory) newURI() *uri {
	if len(m.uris) == cap(m.uris) {
		m.uris = make([]uri, 0, min(max(2*cap(m.uris), 4), 64))
	}
	m.uris = append(m.uris, uri{})
	return &m.uris[len(m.uris)-1]
}

func (m *memory) newImage() *image {
	if len(m.imageRow) == cap(m.imageRow) {
		m.imageRow = make([]image, 0, min(max(2*cap(m.imageRow), 4), 64))
	}
	m.imageRow = append(m.imageRow, image{})
	return &m.imageRow[len(m.imageRow)-1]
}

// takeCall returns a call for a command; giveCall takes it back.
func (m *memory) takeCall() *call {
	if n := len(m.calls); n > 0 {
		k := m.calls[n-1]
		m.calls = m.calls[:n-1]
		return k
	}
	return &call{}
}

func (m *memory) giveCall(k *call) {
	k.y, k.args, k.rest = nil, nil, nil
	if k.optioned {
		k.optionValues, k.optioned = optionValues{}, false
	}
	m.calls = append(m.calls, k)
}

// run is one run; see Run.
func (r *runner) run(ctx context.Context, m *Machine, s *ipxe.Script, w World, o Options) (*Result, error) {
	if m == nil {
		m = &Machine{}
	}
	if w == nil {
		w = MapWorld(nil)
	}
	r.memory.forget(m.Profile)
	r.state = state{ctx: ctx, m: m, p: &r.features, build: r.profile, world: w, opts: o, lastOpened: -1, keys: o.Keys}
	r.memory.result = Result{r: r, Boot: Boot{Kind: Returned}}
	r.res = &r.memory.result
	r.res.Requests, r.console, r.images = r.requests, r.screen, r.list
	r.opts.defaults()
	if err := r.boot(); err != nil {
		return nil, err
	}
	first := r.newImage()
	*first = image{name: s.Name(), data: s.Bytes(), script: s, typ: imageScript}
	if m.URI != "" {
		first.uri = r.parseURI(m.URI)
		r.cwuri = first.uri
		if !first.uri.scheme.is {
			return nil, errs.Errorf("machine's URI %q is not absolute", m.URI)
		}
		if p := first.uri.path; p.is {
			first.name = basename(p.text)
		}
	}
	if !ipxe.IsScript(s.Bytes()) {
		first.typ = probe(s.Bytes(), r.p)
	}
	r.register(first)
	r.res.Status = r.exec(first)
	r.res.Console, r.res.Elapsed = r.console, r.elapsed
	r.requests, r.screen, r.list = r.res.Requests, r.console, r.images
	if r.fatal != nil && !errors.Is(r.fatal, errStop) {
		return nil, errs.Wrap(r.fatal)
	}
	if err := ctx.Err(); err != nil {
		return nil, errs.Errorf("run %s: %w", s.Name(), err)
	}
	return r.res, nil
}

// defaults fills in the bounds.
func (o *Options) defaults() {
	def := func(v *int, n int) {
		if *v <= 0 {
			*v = n
		}
	}
	def(&o.MaxSteps, 100_000)
	def(&o.MaxBytes, 256<<20)
	def(&o.MaxDepth, 64)
	def(&o.MaxRequests, 10_000)
}
