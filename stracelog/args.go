package stracelog

// Args are the arguments of a call, not yet split. They belong to the reader's buffer, as their event does.
type Args struct {
	src []byte
}

// Raw returns the arguments as they stand in the line, without the outer brackets.
func (a Args) Raw() []byte { return a.src }

// Parse splits the arguments into t, whose memory is reused. On an error, a *ArgError, the tree holds what was read up to
// there and the rest as one value; spans never leave the arguments.
func (a Args) Parse(t *Tree) error { return t.parse(a.src) }

// Len returns the number of arguments. It parses them; for more than one question use Parse.
func (a Args) Len() int {
	var t Tree
	_ = t.parse(a.src)
	return t.Len()
}

// At returns argument i, from 0; an invalid Value when there are fewer. It parses the arguments; for more than one
// question use Parse.
func (a Args) At(i int) Value {
	var t Tree
	_ = t.parse(a.src)
	return t.At(i)
}

// Each calls f with each argument until it returns false.
func (a Args) Each(f func(i int, v Value) bool) {
	var t Tree
	_ = t.parse(a.src)
	i := 0
	for v := range t.All() {
		if !f(i, v) {
			return
		}
		i++
	}
}

// argScan is the state of one parse: a stack of open brackets, and no recursion, so that depth costs memory alone.
type argScan struct {
	t     *Tree
	s     []byte
	i     int
	fr    argFrame
	err   *ArgError
	stack []argFrame
}

// argFrame is one open bracket.
type argFrame struct {
	node  int32 // the container
	last  int32 // its last child, or -1
	head  int32 // the item that is open, or -1
	cur   int32 // head, or the value behind its "=>"
	close byte  // what closes the container; 0 for the arguments themselves
}

// The bounds of one tree. Past them the rest of the arguments is one value, and an error says so.
const (
	maxArgDepth = 1 << 16
	maxArgNodes = 1 << 21
)

func (t *Tree) parse(src []byte) error {
	t.src = src
	t.nodes = append(t.nodes[:0], node{kind: ValueStruct, end: int32(len(src)), first: -1, next: -1, out: -1})
	p := argScan{t: t, s: src, stack: t.stack[:0], fr: argFrame{node: 0, last: -1, head: -1, cur: -1}}
	for p.i < len(p.s) && p.item() {
		for p.after() {
		}
	}
	p.finish()
	t.stack = p.stack[:0]
	if p.err != nil {
		return p.err
	}
	return nil
}

// fail records the first error.
func (p *argScan) fail(at int, reason string) {
	if p.err == nil {
		p.err = &ArgError{Off: at, Reason: reason}
	}
}

// finish closes what is open at the end.
func (p *argScan) finish() {
	for {
		p.end(len(p.s))
		if len(p.stack) == 0 {
			return
		}
		n := &p.t.nodes[p.fr.node]
		n.valEnd, n.end = int32(len(p.s)), int32(len(p.s))
		p.fail(int(n.valStart), "the bracket is not closed")
		p.fr = p.stack[len(p.stack)-1]
		p.stack = p.stack[:len(p.stack)-1]
	}
}

// end closes the open item before index at.
func (p *argScan) end(at int) {
	if p.fr.head < 0 {
		return
	}
	for at > 0 && p.s[at-1] == ' ' && at-1 >= int(p.t.nodes[p.fr.cur].valEnd) {
		at--
	}
	for _, k := range [2]int32{p.fr.head, p.fr.cur} {
		n := &p.t.nodes[k]
		n.end = int32(at)
		if n.kind == ValueExpr || n.kind == ValueInvalid {
			n.valEnd = int32(at)
		}
	}
	if p.fr.head != p.fr.cur {
		// values between head and cur in a chain of "=>" end where the next begins; their ends were set there
		p.t.nodes[p.fr.head].end = int32(at)
	}
	p.fr.last, p.fr.head, p.fr.cur = p.fr.head, -1, -1
}

// add appends a node; false when there are too many.
func (p *argScan) add(start int) (int32, bool) {
	k := len(p.t.nodes)
	if k >= maxArgNodes {
		p.fail(start, "too many values")
		return 0, false
	}
	at := int32(start)
	p.t.nodes = append(p.t.nodes, node{start: at, valStart: at, valEnd: at, end: int32(len(p.s)), first: -1, next: -1, out: -1})
	return int32(k), true
}

// item opens the next item of the current container and reads its first value.
func (p *argScan) item() bool {
	for p.i < len(p.s) && p.s[p.i] == ' ' {
		p.i++
	}
	if p.i == len(p.s) {
		return false
	}
	if c := p.s[p.i]; c == p.fr.close && c != 0 {
		return p.pop()
	}
	k, ok := p.add(p.i)
	if !ok {
		p.i = len(p.s)
		return false
	}
	if p.fr.last < 0 {
		p.t.nodes[p.fr.node].first = k
	} else {
		p.t.nodes[p.fr.last].next = k
	}
	p.fr.head, p.fr.cur = k, k
	j := p.i
	for j < len(p.s) && wordByte[p.s[j]] {
		j++
	}
	if j > p.i && j+1 < len(p.s) && p.s[j] == '=' && p.s[j+1] != '=' && p.s[j+1] != '>' && !isDigit(p.s[p.i]) {
		p.t.nodes[k].nameEnd = int32(j)
		p.i = j + 1
		p.t.nodes[k].valStart = int32(p.i)
		return p.value(p.i)
	}
	return p.value(j)
}

// value reads the value that begins at p.i; word is the index behind the word characters there, or p.i when not known.
// It reports whether there is more to read.
func (p *argScan) value(word int) bool {
	n := &p.t.nodes[p.fr.cur]
	n.valStart = int32(p.i)
	if p.i == len(p.s) {
		return true
	}
	switch c := p.s[p.i]; {
	case c == '"' || c == '@' && p.i+1 < len(p.s) && p.s[p.i+1] == '"':
		q := p.i
		if c == '@' {
			q++
		}
		j := quoteEnd(p.s, q, len(p.s))
		n.kind = ValueString
		if j < 0 {
			p.fail(p.i, "the string is not closed")
			j = len(p.s)
		} else if j+2 < len(p.s) && p.s[j] == '.' && p.s[j+1] == '.' && p.s[j+2] == '.' {
			j += 3
		}
		p.i = j
	case c == '{':
		return p.push(ValueStruct, '}', 1)
	case c == '[':
		return p.push(ValueArray, ']', 1)
	case c == '~' && p.i+1 < len(p.s) && p.s[p.i+1] == '[':
		return p.push(ValueSet, ']', 2)
	case c == '.' && p.i+2 < len(p.s) && p.s[p.i+1] == '.' && p.s[p.i+2] == '.':
		n.kind = ValueElided
		p.i += 3
	case c == '/' && p.i+1 < len(p.s) && p.s[p.i+1] == '*':
		n.kind = ValueComment
		p.i = p.comment(p.i)
	case wordByte[c] || c == '-' && p.i+1 < len(p.s) && isDigit(p.s[p.i+1]):
		return p.word(n, max(word, p.i+1))
	default:
		n.kind = ValueExpr
		if c == '<' {
			if j := angleEnd(p.s, p.i, len(p.s)); j > 0 {
				p.i = j
				n.valEnd = int32(j)
				return true
			}
			p.i++
		} else if c == '&' || c == '!' || c == '~' {
			p.i++
		}
	}
	n.valEnd = int32(p.i)
	return true
}

// word reads a number, a name, or the name of a call.
func (p *argScan) word(n *node, j int) bool {
	for j < len(p.s) && wordByte[p.s[j]] {
		j++
	}
	n.kind = ValueWord
	if c := p.s[p.i]; isDigit(c) || c == '-' {
		n.kind = ValueNumber
	}
	if j < len(p.s) {
		switch p.s[j] {
		case '(':
			n.callEnd = int32(j)
			return p.push(ValueCall, ')', j+1-p.i)
		case '<':
			if opensAngle(p.s, j) {
				if k := angleEnd(p.s, j, len(p.s)); k > 0 {
					j = k
					if len(p.s)-j >= 9 && string(p.s[j:j+9]) == "(deleted)" {
						j += 9
					}
				}
			}
		}
	}
	p.i = j
	n.valEnd = int32(j)
	return true
}

// push opens a bracket of n bytes: the current value becomes a container.
func (p *argScan) push(k ValueKind, closer byte, n int) bool {
	cur := p.fr.cur
	p.t.nodes[cur].kind = k
	if len(p.stack) >= maxArgDepth {
		p.fail(p.i, "brackets are nested too deep")
		p.t.nodes[cur].kind = ValueExpr
		p.i = len(p.s)
		return true
	}
	p.i += n
	p.stack = append(p.stack, p.fr)
	p.fr = argFrame{node: cur, last: -1, head: -1, cur: -1, close: closer}
	return p.i < len(p.s) && p.item()
}

// pop closes the current container at its bracket.
func (p *argScan) pop() bool {
	p.end(p.i)
	p.i++
	p.t.nodes[p.fr.node].valEnd = int32(p.i)
	p.fr = p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	return true
}

// comment returns the index behind the comment at i. -X verbose nests them.
func (p *argScan) comment(i int) int {
	depth := 0
	for j := i; j+1 < len(p.s); j++ {
		switch {
		case p.s[j] == '/' && p.s[j+1] == '*':
			depth++
			j++
		case p.s[j] == '*' && p.s[j+1] == '/':
			depth--
			j++
			if depth == 0 {
				return j + 1
			}
		}
	}
	p.fail(i, "the comment is not closed")
	return len(p.s)
}

// after reads what follows a value, up to the start of the next item. It reports whether there is more.
func (p *argScan) after() bool {
	if p.i >= len(p.s) {
		return false
	}
	if p.fr.cur < 0 { // directly behind an opening bracket
		return p.item()
	}
	switch c := p.s[p.i]; c {
	case ',':
		p.end(p.i)
		p.i++
		return p.item()
	case ')', ']', '}':
		if c == p.fr.close {
			return p.pop()
		}
		p.fail(p.i, "a bracket closes that was not open")
		return p.expr(1)
	case ' ':
		return p.blank()
	case '"':
		j := quoteEnd(p.s, p.i, len(p.s))
		if j < 0 {
			p.fail(p.i, "the string is not closed")
			j = len(p.s)
		}
		return p.expr(j - p.i)
	case '<':
		if opensAngle(p.s, p.i) {
			if j := angleEnd(p.s, p.i, len(p.s)); j > 0 {
				return p.expr(j - p.i)
			}
		}
		return p.expr(1)
	case '(', '[', '{':
		return p.inner(c)
	}
	return p.expr(1)
}

// expr takes n bytes as a part of an expression such as O_RDWR|O_CREAT, and the plain bytes behind them.
func (p *argScan) expr(n int) bool {
	v := &p.t.nodes[p.fr.cur]
	v.kind = ValueExpr
	p.i += n
	for p.i < len(p.s) && (wordByte[p.s[p.i]] || p.s[p.i] == '|') {
		p.i++
	}
	v.valEnd = int32(p.i)
	return p.i < len(p.s)
}

// inner opens a bracket in the middle of an expression. What is in it is read, so that commas do not split the expression.
func (p *argScan) inner(c byte) bool {
	closer := byte(')')
	switch c {
	case '[':
		closer = ']'
	case '{':
		closer = '}'
	}
	p.push(ValueExpr, closer, 1)
	return p.i < len(p.s)
}

// blank reads what a blank after a value may introduce: "=> value", a comment, an operator, or the next item of a set.
func (p *argScan) blank() bool {
	j := p.i
	for j < len(p.s) && p.s[j] == ' ' {
		j++
	}
	if j == len(p.s) {
		p.i = j
		return false
	}
	switch c := p.s[j]; {
	case c == '=' && j+1 < len(p.s) && p.s[j+1] == '>':
		v := &p.t.nodes[p.fr.cur]
		v.end = int32(p.i)
		j += 2
		for j < len(p.s) && p.s[j] == ' ' {
			j++
		}
		k, ok := p.add(j)
		if !ok {
			p.i = len(p.s)
			return false
		}
		p.t.nodes[p.fr.cur].out = k
		p.fr.cur = k
		p.i = j
		return p.value(j)
	case c == '/' && j+1 < len(p.s) && p.s[j+1] == '*':
		k := p.comment(j)
		v := &p.t.nodes[p.fr.cur]
		v.comStart, v.comEnd = int32(j), int32(k)
		p.i = k
		return k < len(p.s)
	case c == ',' || c == p.fr.close && c != 0:
		p.i = j
		return true
	case p.fr.close == ']' && (wordByte[c] || c == '/' || c == '~' || c == '-'):
		if n := &p.t.nodes[p.fr.node]; n.kind == ValueArray {
			n.kind = ValueSet
		}
		p.end(p.i)
		p.i = j
		return p.item()
	}
	// An operator: what follows belongs to the same expression.
	n := j - p.i
	for k := j; k < len(p.s) && operatorByte[p.s[k]]; k++ {
		n++
	}
	for p.i+n < len(p.s) && p.s[p.i+n] == ' ' {
		n++
	}
	return p.expr(max(n, 1))
}

var wordByte = func() (t [256]bool) {
	for c := range t {
		t[c] = isAlnum(byte(c)) || c == '?'
	}
	return t
}()

var operatorByte = func() (t [256]bool) {
	for _, c := range "&|=<>+-*!^%" {
		t[c] = true
	}
	return t
}()
