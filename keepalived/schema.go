package keepalived

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

//go:embed schema.txt
var schemaText string

// kind says what may follow a keyword.
type kind uint8

const (
	kindFlag kind = iota + 1
	kindBlock
	kindValues
	kindWord
	kindUint
	kindInt
	kindDec
	kindBool
	kindFlagBool
	kindScript
	kindAddr
	kindInterface
	kindEnum
	kindName15
	kindOwn
)

var kindNames = map[string]kind{
	"flag": kindFlag, "block": kindBlock, "values": kindValues, "word": kindWord, "uint": kindUint, "int": kindInt,
	"dec": kindDec, "bool": kindBool, "flagbool": kindFlagBool, "script": kindScript, "addr": kindAddr,
	"iface": kindInterface, "enum": kindEnum, "name15": kindName15, "fn": kindOwn,
}

// need says what happens when the value of a keyword is missing.
type need uint8

const (
	needStop   need = iota // the parser stops with status 2
	needObject             // it objects and goes on
	needNone               // it is content
)

// keyword is one row of the schema.
type keyword struct {
	name         string
	since, until Version // until is zero while the keyword lives
	kind         kind
	need         need
	digits       int
	min, max     int64
	option       string
	sub          *block
	handler      handler
	index        int
}

// block is a table of keywords.
type block struct {
	path string
	name string // the last part of path
	keys map[string]*keyword
	list []*keyword
	end  func(*eval)
	// checker is set for the blocks of health checkers.
	checker bool
}

// schema holds the tables: the blocks by their path, and each keyword's blocks.
type schema struct {
	blocks map[string]*block
	root   *block
	where  map[string][]*block
}

var theSchema = sync.OnceValue(func() *schema {
	s, err := parseSchema(schemaText)
	if err != nil {
		panic(err) // the table is part of the program; a test reads it
	}
	return s
})

func parseSchema(text string) (*schema, error) {
	s := &schema{blocks: map[string]*block{}, where: map[string][]*block{}}
	var b *block
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			b = s.block(strings.Trim(line, "[]"))
			continue
		}
		f := strings.Fields(line)
		if b == nil || len(f) < 3 {
			return nil, fmt.Errorf("keepalived: schema line %d: %q", n, line)
		}
		k := &keyword{name: f[0], index: len(b.list)}
		first, last, gone := strings.Cut(f[1], "-")
		var err error
		if k.since, err = ParseVersion(first); err != nil {
			return nil, err
		}
		if gone {
			if k.until, err = ParseVersion(last); err != nil {
				return nil, err
			}
		}
		part := strings.Split(f[2], ":")
		switch {
		case strings.HasSuffix(part[0], "!"):
			k.need = needObject
		case strings.HasSuffix(part[0], "?"):
			k.need = needNone
		}
		k.kind = kindNames[strings.TrimRight(part[0], "!?")]
		if k.kind == 0 {
			return nil, fmt.Errorf("keepalived: schema line %d: unknown kind %q", n, f[2])
		}
		var v []int64
		for _, p := range part[1:] {
			x, err := strconv.ParseInt(p, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("keepalived: schema line %d: %w", n, err)
			}
			v = append(v, x)
		}
		switch {
		case k.kind == kindDec && len(v) == 3:
			k.digits, k.min, k.max = int(v[0]), v[1], v[2]
		case (k.kind == kindUint || k.kind == kindInt) && len(v) == 2:
			k.min, k.max = v[0], v[1]
		case len(v) > 0 || k.kind == kindDec || k.kind == kindUint || k.kind == kindInt:
			return nil, fmt.Errorf("keepalived: schema line %d: wrong number of bounds", n)
		}
		if len(f) > 3 {
			k.option = f[3]
		}
		if k.kind == kindBlock {
			path := k.name
			if b.path != "-" {
				path = b.path + "/" + k.name
			}
			k.sub = s.block(path)
		}
		k.handler = findHandler(b, k)
		b.keys[k.name] = k
		b.list = append(b.list, k)
		s.where[k.name] = append(s.where[k.name], b)
	}
	s.root = s.blocks["-"]
	for _, b := range s.blocks {
		if len(b.list) == 0 {
			return nil, fmt.Errorf("keepalived: the schema has no keywords for %s", b.path)
		}
	}
	return s, nil
}

func (s *schema) block(path string) *block {
	b := s.blocks[path]
	if b == nil {
		b = &block{path: path, name: path[strings.LastIndexByte(path, '/')+1:], keys: map[string]*keyword{}}
		b.checker = strings.HasSuffix(b.name, "_CHECK") || strings.HasSuffix(b.name, "_GET") || b.name == "host"
		b.end = blockEnds[b.name]
		s.blocks[path] = b
	}
	return b
}

// known reports whether a build knows the keyword.
func (k *keyword) known(p Profile) bool {
	v := p.Version()
	if v.before(k.since) || k.until != (Version{}) && k.until.before(v) {
		return false
	}
	return k.option == "" || !p.lacks(k.option)
}

// Keyword describes a keyword for completion and documentation.
type Keyword struct {
	// Block is the path of the block it stands in, such as
	// "virtual_server/real_server"; empty for the outermost level.
	Block string `json:"block,omitzero"`
	// Name as it is written.
	Name string `json:"name,omitzero"`
	// Since is the first release that knows the keyword, Until the last one; zero
	// while it lives.
	Since Version `json:"since,omitzero"`
	Until Version `json:"until,omitzero"`
	// Value describes what follows: "flag", "block", "values", "word",
	// "number 1..255", "seconds 0.01..255" and the like.
	Value string `json:"value,omitzero"`
	// Option is the build option that brings it, or empty.
	Option string `json:"option,omitzero"`
}

// Keywords returns the whole table, block by block in the order of the schema.
func Keywords() []Keyword {
	s := theSchema()
	var out []Keyword
	var walk func(b *block)
	walk = func(b *block) {
		path := b.path
		if path == "-" {
			path = ""
		}
		for _, k := range b.list {
			out = append(out, Keyword{path, k.name, k.since, k.until, k.value(), k.option})
		}
		for _, k := range b.list {
			if k.sub != nil {
				walk(k.sub)
			}
		}
	}
	walk(s.root)
	return out
}

// value describes in words what may follow a keyword.
func (k *keyword) value() string {
	bounds := func(unit string, format func(int64) string) string {
		if k.max == 0 {
			return fmt.Sprintf("%s from %s", unit, format(k.min))
		}
		return fmt.Sprintf("%s %s..%s", unit, format(k.min), format(k.max))
	}
	switch k.kind {
	case kindFlag:
		return "flag"
	case kindBlock:
		return "block"
	case kindValues:
		return "values"
	case kindUint, kindInt:
		return bounds("number", func(v int64) string { return strconv.FormatInt(v, 10) })
	case kindDec:
		unit := "seconds"
		if k.digits == 3 {
			unit = "milliseconds"
		}
		return bounds(unit, func(v int64) string { return formatDecimal(v, k.digits) })
	case kindBool, kindFlagBool:
		return "yes, no or nothing"
	case kindScript:
		return "script"
	case kindAddr:
		return "address"
	case kindInterface:
		return "interface"
	case kindName15:
		return "name of at most 15 bytes"
	}
	return "word"
}

// formatDecimal prints v, which counts units of the last of so many digits.
func formatDecimal(v int64, digits int) string {
	s := strconv.FormatInt(v, 10)
	for len(s) <= digits {
		s = "0" + s
	}
	whole, frac := s[:len(s)-digits], strings.TrimRight(s[len(s)-digits:], "0")
	if frac == "" {
		return whole
	}
	return whole + "." + frac
}
