package sim

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"dougu.internal/ipxe"
)

// imageType is what iPXE takes a file for.
type imageType struct {
	name   string
	script bool
	kind   Kind
}

var (
	imageScript    = &imageType{name: "script", script: true}
	imageBzImage   = &imageType{name: "bzImage", kind: Linux}
	imageELF       = &imageType{name: "ELF", kind: Program}
	imageMultiboot = &imageType{name: "Multiboot", kind: Program}
	imageGzip      = &imageType{name: "gzip"}
	imagePXE       = &imageType{name: "PXE-NBP", kind: Program}
)

// image is a file in the machine's memory.
type image struct {
	name     string
	uri      *uri
	data     []byte
	args     field
	typ      *imageType
	script   *ipxe.Script
	autofree bool
	selected bool

	registered bool
	// replacement runs when this script ends.
	replacement *image
}

// pxeRoom is the base memory that a PXE program must fit into.
const pxeRoom = 0xa0000 - 0x7c00

// probe tells what a BIOS build takes a file for: nil when it is nothing it can start.
func probe(b []byte, p *ipxe.Features) *imageType {
	le32 := func(i int) uint32 {
		return uint32(b[i]) | uint32(b[i+1])<<8 | uint32(b[i+2])<<16 | uint32(b[i+3])<<24
	}
	multiboot := func() bool {
		if !bytes.Contains(b[:min(len(b), 8192+4)], []byte("\x02\xb0\xad\x1b")) {
			return false
		}
		for i := 0; i+12 <= len(b) && i < 8192; i += 4 {
			if le32(i) == 0x1badb002 && le32(i)+le32(i+4)+le32(i+8) == 0 {
				return true
			}
		}
		return false
	}
	switch {
	case multiboot():
		return imageMultiboot
	case ipxe.IsScript(b):
		return imageScript
	case len(b) >= 0x264 && string(b[0x202:0x206]) == "HdrS":
		return imageBzImage
	case p.Gzip && isGzip(b):
		return imageGzip
	case len(b) >= 52 && string(b[:4]) == "\x7fELF" && b[4] == 1:
		return imageELF
	case len(b) > 0 && len(b) <= pxeRoom && !(len(b) >= 2 && b[0] == 'M' && b[1] == 'Z'):
		return imagePXE
	}
	return nil
}

// program reports whether an image that iPXE takes for a PXE program can be one: text
// is none, and ends the machine.
func (i *image) program() bool {
	if len(i.data) < 512 {
		return false
	}
	for _, c := range i.data[:512] {
		if c < ' ' && !isSpace(c) || c > '~' {
			return true
		}
	}
	return false
}

// register adds an image to the list.
func (r *runner) register(i *image) {
	if i.name == "" && i.uri != nil && !i.uri.path.is {
		i.name = fmt.Sprintf("img%d", r.imgIndex)
		r.imgIndex++
	}
	if i.selected && r.picked() != nil {
		i.selected = false
	}
	i.registered = true
	r.images = append(r.images, i)
}

func (r *runner) unregister(i *image) {
	if !i.registered {
		return
	}
	i.registered = false
	for k, x := range r.images {
		if x == i {
			r.images = append(r.images[:k], r.images[k+1:]...)
			break
		}
	}
}

func (r *runner) findImage(name string) *image {
	for _, i := range r.images {
		if i.name == name {
			return i
		}
	}
	return nil
}

// picked is the image that boot without a name starts.
func (r *runner) picked() *image {
	for _, i := range r.images {
		if i.selected {
			return i
		}
	}
	return nil
}

// download fetches a URI into memory.
func (r *runner) download(text string, timeout time.Duration, quiet bool) (*image, Status) {
	u := r.parseURI(text)
	shown := *u
	shown.user, shown.password, shown.query, shown.fragment = field{}, field{}, field{}, field{}
	u = r.resolveURI(r.cwuri, u)
	i := r.newImage()
	*i = image{uri: u}
	switch {
	case u.path.is && r.p.URI == ipxe.Reencode:
		i.name = basename(u.path.text)
	case u.path.is:
		i.name = basename(cString(uriDecode(u.path.text)))
	case r.p.URI == ipxe.Keep && u.opaque.is:
		i.name = basename(u.opaque.text)
	}
	if status := r.canOpen(u); status != OK {
		r.print("Could not start download: ", r.message(status), "\n")
		return nil, status
	}
	if !quiet {
		r.uriText = append(appendURI(r.uriText[:0], r.p, &shown), "..."...)
		r.printBytes(r.uriText)
	}
	status := r.fetchImage(i, timeout)
	if r.fatal != nil {
		return nil, status
	}
	switch {
	case quiet && status == OK, quiet:
	case status != OK:
		r.print(" ", r.message(status), "\n")
	default:
		r.print(" ok\n")
	}
	if status != OK {
		return nil, status
	}
	r.adopt(i)
	return i, OK
}

// adopt finds out what a new image is, and adds it to the list.
func (r *runner) adopt(i *image) {
	if i.typ = probe(i.data, r.p); i.typ == imageScript {
		i.script = ipxe.Parse(r.formatURI(i.uri), i.data)
	}
	r.register(i)
}

// acquire returns the image of that name, or else fetches it as a URI.
func (r *runner) acquire(name string, timeout time.Duration, quiet bool) (*image, Status) {
	if i := r.findImage(name); i != nil {
		return i, OK
	}
	return r.download(name, timeout, quiet)
}

// exec starts an image.
func (r *runner) exec(i *image) Status {
	for {
		status, next := r.execOne(i)
		if next == nil || r.fatal != nil {
			return status
		}
		i = next
	}
}

func (r *runner) execOne(i *image) (Status, *image) {
	if r.depth++; r.depth > r.opts.MaxDepth {
		r.stop(HazardDepth, fmt.Sprintf("more than %d scripts wait for one another", r.opts.MaxDepth))
		r.depth--
		return OK, nil
	}
	savedCWURI, savedCurrent := r.cwuri, r.current
	if i.uri != nil || r.p.URI == ipxe.Reencode {
		r.cwuri = nil
		if i.uri != nil {
			r.cwuri = i.uri
		}
	}
	r.current = i
	status := enoexecImage
	if i.typ != nil {
		status = r.start(i)
	}
	next := i.replacement
	i.replacement = nil
	if i.autofree && r.fatal == nil {
		r.unregister(i)
	}
	r.depth--
	r.cwuri, r.current = savedCWURI, savedCurrent
	return status, next
}

// start runs a script, or ends the run with a program.
func (r *runner) start(i *image) Status {
	if i.typ.script {
		r.unregister(i)
		status := r.runScript(i.script)
		if i.replacement == nil && r.fatal == nil {
			r.register(i)
		}
		return status
	}
	if i.typ == imageGzip { // what it holds is started in its place
		x, status := r.extract(i, field{})
		if status == OK && r.fatal == nil {
			x.args, x.autofree = i.args, true
			i.replacement = x
		}
		return status
	}
	if i.typ == imagePXE {
		if r.lastOpened < 0 {
			return enodevPXE
		}
		if !i.program() {
			r.stop(HazardNotScript, fmt.Sprintf("%s is no script and no program: its %d bytes would run as machine code", i.name, len(i.data)))
			return OK
		}
	}
	b := Boot{Kind: i.typ.kind, Kernel: i.public(), Args: i.args.text}
	for _, x := range r.images {
		if x != i {
			b.Initrds = append(b.Initrds, *x.public())
		}
	}
	return r.end(b)
}

// newest decides how the URIs of images are shown.
var newest = ipxe.Newest().Features()

func (i *image) public() *Image {
	p := &Image{Name: i.name, Data: i.data, Args: i.args.text}
	if i.typ != nil {
		p.Type = i.typ.name
	}
	if i.uri != nil {
		p.URI = string(appendURI(nil, &newest, i.uri))
	}
	return p
}

// acquirer finds or fetches the image of a command.
type acquirer func(r *runner, name string, timeout time.Duration, quiet bool) (*image, Status)

// single runs the commands that take one image.
func (r *runner) single(c *call, acquire acquirer, clearArgs bool, act func(*runner, *image, *call) Status, verb string) Status {
	status := OK
	var i *image
	if len(c.rest) > 0 {
		if i, status = acquire(r, c.rest[0], c.timeout, c.quiet); status != OK || r.fatal != nil {
			return status
		}
	} else if i = r.picked(); i == nil {
		r.print("No image selected\n")
		return OK
	}
	if clearArgs {
		i.args = field{}
	}
	if c.label.is {
		i.name = c.label.text
	}
	if len(c.rest) > 1 {
		i.args = some(r.join(c.rest[1:]))
		if !r.charge(len(i.args.text)) {
			return OK
		}
	}
	if c.autofree {
		i.autofree = true
	}
	if act == nil {
		return OK
	}
	if status := act(r, i, c); status != OK {
		if r.fatal == nil {
			r.print("Could not ", verb, ": ", r.message(status), "\n")
		}
		return status
	}
	return OK
}

func imgfetch(r *runner, c *call) Status { return r.single(c, (*runner).download, false, nil, "") }

func imgselect(r *runner, c *call) Status {
	return r.single(c, (*runner).acquire, false, func(r *runner, i *image, _ *call) Status {
		old := r.p.URI == ipxe.Reencode
		if old {
			// A running script is not in the list and keeps its mark.
			for _, x := range r.images {
				x.selected = false
			}
		}
		if i.typ == nil {
			return enoexecImage
		}
		if !old {
			if r.marked != nil {
				r.marked.selected = false
			}
			r.marked = i
		}
		i.selected = true
		return OK
	}, "select")
}

func imgargs(r *runner, c *call) Status { return r.single(c, (*runner).acquire, true, nil, "") }

func imgexec(r *runner, c *call) Status {
	return r.single(c, (*runner).acquire, false, func(r *runner, i *image, c *call) Status {
		if !c.replace {
			return r.exec(i)
		}
		switch {
		case r.current == nil:
			return enottyImage
		case i.typ == nil:
			return enoexecImage
		}
		r.current.replacement = i
		r.stop1 = stopSequence
		return OK
	}, "boot")
}

// multi runs the commands that take any number of images.
func (r *runner) multi(c *call, do func(*runner, *image)) Status {
	if len(c.rest) == 0 {
		var room [8]*image
		for _, i := range append(room[:0], r.images...) {
			do(r, i)
		}
		return OK
	}
	for _, name := range c.rest {
		i := r.findImage(name)
		if i == nil {
			r.print(`"`, name, "\": no such image\n")
			return enoentImage
		}
		do(r, i)
	}
	return OK
}

func imgstat(r *runner, c *call) Status {
	return r.multi(c, imgstatOne)
}

func imgstatOne(r *runner, i *image) {
	r.scratch = append(strconv.AppendInt(append(r.scratch[:0], " : "...), int64(len(i.data)), 10), " bytes"...)
	r.print(i.name)
	r.printBytes(r.scratch)
	if i.typ != nil {
		r.print(" [", i.typ.name, "]")
	}
	if i == r.picked() {
		r.print(" [SELECTED]")
	}
	if i.autofree {
		r.print(" [AUTOFREE]")
	}
	if i.args.is {
		r.print(` "`, i.args.text, `"`)
	}
	r.print("\n")
}

func imgfree(r *runner, c *call) Status { return r.multi(c, (*runner).unregister) }

// imgset stores the content of an image in a setting.
func imgset(r *runner, c *call) Status {
	b, s, status := r.settingName(c.rest[0], true)
	if status != OK {
		return status
	}
	i, status := r.acquire(c.rest[1], c.timeout, c.quiet)
	if status != OK || r.fatal != nil {
		return status
	}
	status = r.store(b, &s, i.data)
	if status != OK {
		r.print(`Could not store "`, s.name, `": `, r.message(status), "\n")
	}
	if !c.keep {
		r.unregister(i)
	}
	return status
}
