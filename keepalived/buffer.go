package keepalived

// buffer is a line on its way through the reader: its text and, once it is no longer
// a stretch of the file, where each byte comes from.
type buffer struct {
	text   string
	file   int32
	off    int32 // of text[0] when plain
	plain  bool
	origin []int32
	ends   []int32
	def    span
	expand bool
}

func (b *buffer) at(i int) (from, to int32) {
	if b.plain {
		return b.off + int32(i), b.off + int32(i) + 1
	}
	return b.origin[i], b.ends[i]
}

// spread gives the buffer its own map.
func (b *buffer) spread() {
	if !b.plain {
		return
	}
	b.origin = make([]int32, len(b.text))
	b.ends = make([]int32, len(b.text))
	for i := range b.origin {
		b.origin[i] = b.off + int32(i)
		b.ends[i] = b.off + int32(i) + 1
	}
	b.plain = false
}

// cut returns the bytes [from, to) of the buffer.
func (b buffer) cut(from, to int) buffer {
	b.text = b.text[from:to]
	if b.plain {
		b.off += int32(from)
	} else {
		b.origin, b.ends = b.origin[from:to], b.ends[from:to]
	}
	return b
}

// all returns the place of the whole buffer.
func (b *buffer) all() span { return b.span(0, len(b.text)) }

func (b *buffer) span(from, to int) span {
	if len(b.text) == 0 || from >= len(b.text) {
		if b.plain {
			return span{b.file, b.off, b.off}
		}
		if len(b.ends) > 0 {
			return span{b.file, b.ends[len(b.ends)-1], b.ends[len(b.ends)-1]}
		}
		return span{b.file, b.off, b.off}
	}
	f, _ := b.at(from)
	_, t := b.at(max(from, min(to, len(b.text))-1))
	return span{b.file, f, max(f, t)}
}

// stamp returns a buffer with other text, all of which comes from the place of b.
func (b buffer) stamp(text string) buffer {
	s := b.all()
	out := buffer{text: text, file: b.file, off: b.off, def: b.def, expand: true}
	out.origin = make([]int32, len(text))
	out.ends = make([]int32, len(text))
	for i := range text {
		out.origin[i], out.ends[i] = s.from, s.to
	}
	return out
}
