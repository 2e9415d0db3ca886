package judge

import (
	"fmt"
	"strconv"

	"dougu.internal/diag"
	"dougu.internal/smart"
)

// Judge returns the findings for a drive, most severe first. It keeps no state between
// calls. For several snapshots of one drive, see [Series].
func Judge(s *smart.Snapshot, p Policy) smart.Findings {
	return check(s, nil, &p)
}

func check(s *smart.Snapshot, h *history, p *Policy) smart.Findings {
	c := checker{s: s, p: p, h: h}
	c.counts.read(s)
	for _, theme := range themes {
		theme(&c)
	}
	for _, more := range p.More {
		for _, f := range more(s) {
			c.add(f)
		}
	}
	return p.apply(c.list)
}

// themes are the groups of rules. Each is in a file of its own.
var themes = [...]func(*checker){
	(*checker).source, (*checker).status, (*checker).attributes, (*checker).media, (*checker).connection,
	(*checker).mechanics,
	(*checker).wear, (*checker).nvme, (*checker).scsi, (*checker).selfTests, (*checker).errorLog, (*checker).age,
	(*checker).temperature, (*checker).oddities,
}

// checker applies the rules to one snapshot.
type checker struct {
	s      *smart.Snapshot
	h      *history // the earlier snapshots, or nil
	p      *Policy
	counts counts
	list   smart.Findings
}

func (c *checker) add(f smart.Finding) {
	if f.Since.IsZero() {
		f.Since = c.s.Taken
	}
	c.list = append(c.list, f)
}

// count adds the finding of a counter.
func (c *checker) count(k counter, severity diag.Severity, detail string) {
	n := &c.counts[k]
	f := smart.Finding{
		Rule: rules[k].id, Severity: severity, Detail: detail, Evidence: strconv.FormatUint(n.n,
			10), Source: n.source, Key: n.key(k),
		Attribute: n.attribute, Value: smart.Some(float64(n.n)), Unit: rules[k].unit,
	}
	if n.attribute != 0 {
		f.Source = attributeSource(n.attribute, n.name)
	}
	if c.h != nil {
		c.h.describe(k, n.n, &f)
	}
	c.add(f)
}

// key returns the thing that the finding is about.
func (n *count) key(k counter) string {
	switch {
	case n.attribute != 0:
		return attributeKey(n.attribute)
	case k == readErrors:
		return "read"
	case k == writeErrors:
		return "write"
	case k == verifyErrors:
		return "verify"
	case k == mediaErrors || k == grownDefects:
		return ""
	case n.source == "pending defects log":
		return "log"
	}
	return "statistics"
}

// simple adds a finding for a counter whose severity depends on its limits alone.
func (c *checker) simple(k counter) {
	l, _ := c.p.limits(&rules[k])
	if s := severity(c.counts[k].n, l); s != 0 {
		c.count(k, s, rules[k].detail)
	}
}

func attributeKey(id uint8) string { return "attribute-" + strconv.Itoa(int(id)) }

func attributeSource(id uint8, name string) string {
	return "attribute " + strconv.Itoa(int(id)) + " " + name
}

// completeKeys puts the rule in front of each key, which contains the thing or nothing,
// and makes the keys of a list distinct.
func completeKeys(l smart.Findings) {
	for i := range l {
		f := &l[i]
		if f.Key != "" {
			f.Key = f.Rule + "/" + f.Key
		} else {
			f.Key = f.Rule
		}
	}
	if len(l) < 2 {
		return
	}
	used := make(map[string]int, len(l))
	for i := range l {
		f := &l[i]
		key := f.Key
		for n := max(2, used[key]+1); used[f.Key] > 0; n++ {
			f.Key = key + "#" + strconv.Itoa(n)
			used[key] = n
		}
		used[f.Key]++
	}
}

func celsius(t int16) string { return fmt.Sprintf("%d C", t) }
