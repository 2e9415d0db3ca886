package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/ipxe"
	"dougu.internal/ipxe/lint"
	"dougu.internal/ipxe/sim"
)

func runLint(ctx context.Context, p *program, args []string) error {
	f := p.flags("lint")
	name := f.String("profile", "debian2019", "the build of iPXE: debian2019, 2021, or 2021-all")
	with := f.String("with", "", "comma-separated commands that the build has in addition, or all")
	format := f.String("format", "text", "text, json or sarif")
	fix := f.Bool("fix", false, "apply the fixes and write the script to standard output")
	rules := f.Bool("rules", false, "list the rules")
	var dhcp list
	f.Var(&dhcp, "dhcp", "the configuration of a DHCP server to check; can be repeated")
	if err := parse(f, args); err != nil {
		return err
	}
	if *rules {
		for _, r := range lint.Rules() {
			fmt.Fprintf(p.out, "%s %-7s %s\n", r.ID, r.Severity, r.Summary)
		}
		return nil
	}
	switch {
	case f.NArg() == 0 && len(dhcp) == 0:
		return p.wrong(f, "no SCRIPT is given, and no -dhcp; - is standard input")
	case *format != "text" && *format != "json" && *format != "sarif":
		return p.wrong(f, "-format %q: text, json or sarif", *format)
	case *fix && f.NArg() != 1:
		return p.wrong(f, "-fix writes one script, and %d are given", f.NArg())
	}
	prof, err := profile(*name, *with)
	if err != nil {
		return err
	}
	var found diag.List
	sources := map[string][]byte{}
	for _, name := range f.Args() {
		src, err := p.read(name)
		if err != nil {
			return err
		}
		sources[name] = src
		l, err := lint.Script(ctx, ipxe.Parse(name, src), lint.Options{Profile: prof})
		if err != nil {
			return err
		}
		if *fix {
			fixed, _, err := diag.ApplyFixes(src, name, l)
			if err != nil {
				return err
			}
			if _, err := p.out.Write(fixed); err != nil {
				return err
			}
		}
		found = append(found, l...)
	}
	for _, name := range dhcp {
		src, err := p.read(name)
		if err != nil {
			return err
		}
		sources[name] = src
		l, err := lint.DHCP(ctx, name, src, lint.Options{Profile: prof})
		if err != nil {
			return err
		}
		found = append(found, l...)
	}
	if !*fix {
		if err := p.findings(*format, found, sources); err != nil {
			return err
		}
	}
	if found.Count(diag.Error) > 0 {
		return errNo
	}
	return nil
}

func (p *program) findings(format string, found diag.List, sources map[string][]byte) error {
	switch format {
	case "json":
		return diag.WriteJSON(p.out, found)
	case "sarif":
		return diag.WriteSARIF(p.out, diag.Tool{Name: "ipxe-boot", Rules: lint.Rules()}, found)
	}
	return diag.WriteText(p.out, found, func(file string) []byte { return sources[file] })
}

// jsonPlace returns the line and column of an error in a JSON text.
func jsonPlace(data []byte, at int64, err error) string {
	var syntax *json.SyntaxError
	var typ *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = syntax.Offset - 1 // it counts the byte at fault
	case errors.As(err, &typ):
		at = typ.Offset
	}
	before := data[:min(max(at, 0), int64(len(data)))]
	return fmt.Sprintf("%d:%d", 1+bytes.Count(before, []byte("\n")), len(before)-bytes.LastIndexByte(before, '\n'))
}

// jsonCause describes an error of package json, whose texts differ between releases of Go.
func jsonCause(err error) string {
	var typ *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected end of input"
	case errors.As(err, &typ) && typ.Field != "":
		return fmt.Sprintf("field %s: unexpected %s", diag.Sanitize(typ.Field), typ.Value)
	case errors.As(err, &typ):
		return "unexpected " + typ.Value
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return "unknown field " + name
	}
	return "invalid JSON"
}

// readTemplateMachines reads the list of machines of render and explore.
func readTemplateMachines(data []byte) ([]ipxe.Machine, error) {
	var list []ipxe.Machine
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.DisallowUnknownFields()
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("%s: %s", jsonPlace(data, d.InputOffset(), err), jsonCause(err))
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%s: more text after the list", jsonPlace(data, d.InputOffset(), err))
	}
	for i := range list {
		if list[i].Name == "" {
			return nil, fmt.Errorf(" machine %d has no name", i+1)
		}
		if list[i].MAC != "" {
			if _, ok := ipxe.ParseMAC(list[i].MAC); !ok {
				return nil, fmt.Errorf(" machine %s: %q is no MAC address", list[i].Name, list[i].MAC)
			}
		}
	}
	return list, nil
}

func runRender(_ context.Context, p *program, args []string) error {
	f := p.flags("render")
	machines := f.String("machines", "", `a JSON list of {"name","mac","product","serial","labels":{},"vars":{}}`)
	file := f.String("template", "", "the template; see ipxe.NewTemplate for its language")
	dir := f.String(
		"o",
		"",
		"write one file per machine into this directory; the name is its MAC address: 52-54-00-12-34-56.ipxe",
	)
	var sets list
	f.Var(&sets, "set", "K=V: a variable for all machines; can be repeated")
	if err := parse(f, args); err != nil {
		return err
	}
	if err := p.noArguments(f); err != nil {
		return err
	}
	if *machines == "" || *file == "" {
		return p.wrong(f, "-machines and -template are both wanted")
	}
	vars := map[string]string{}
	for _, s := range sets {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("-set %q: K=V", s)
		}
		vars[k] = v
	}
	data, err := p.read(*machines)
	if err != nil {
		return err
	}
	rows, err := readTemplateMachines(data)
	if err != nil {
		return fmt.Errorf("%s:%w", *machines, err)
	}
	text, err := p.read(*file)
	if err != nil {
		return err
	}
	t, err := ipxe.NewTemplate(*file, string(text))
	if err != nil {
		return err
	}
	// All scripts are rendered before the first one is written.
	scripts := make([][]byte, len(rows))
	var bad []error
	shape := true
	for i := range rows {
		if scripts[i], err = t.Render(&rows[i], vars); err != nil {
			var t *ipxe.TemplateError
			shape = shape && errors.As(err, &t)
			bad = append(bad, fmt.Errorf("%s: machine %s: %w", *machines, diag.Sanitize(rows[i].Name), bare(err)))
		}
	}
	if len(bad) > 0 {
		last := len(bad) - 1
		for _, err := range bad[:last] {
			fmt.Fprintln(p.err, "ipxe-boot:", err)
		}
		if err = bad[last]; shape {
			err = noError{err}
		}
		return err
	}
	for i := range rows {
		if err := p.emit(*dir, &rows[i], scripts[i]); err != nil {
			return err
		}
	}
	return nil
}

// emit writes a script to standard output after a line with the name of the machine. If dir
// is set, it writes the script to a file there. The name of the file is the MAC address.
func (p *program) emit(dir string, m *ipxe.Machine, script []byte) error {
	if dir == "" {
		_, err := fmt.Fprintf(p.out, "== %s\n%s", diag.Sanitize(m.Name), script)
		return err
	}
	mac, ok := ipxe.ParseMAC(m.MAC)
	if !ok {
		return fmt.Errorf("machine %s has no MAC address to name its file by", m.Name)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return root.WriteFile(ipxe.MACText(mac, "-")+".ipxe", script, 0o644)
}

type jsonOutcome struct {
	Machine  string   `json:"machine"`
	Choices  []string `json:"choices"`
	Status   string   `json:"status"`
	Boots    jsonBoot `json:"boots"`
	Hang     *string  `json:"hang"`
	Requests []string `json:"requests"`
}

type jsonExploration struct {
	Outcomes        []jsonOutcome `json:"outcomes"`
	UnreachedLabels []string      `json:"unreached_labels"`
	UnreachedItems  []string      `json:"unreached_items"`
	Truncated       bool          `json:"truncated"`
}

func runExplore(ctx context.Context, p *program, args []string) error {
	f := p.flags("explore")
	var m machineFlags
	m.add(f)
	file := f.String(
		"machines",
		"",
		`a JSON list of {"name","mac","product","serial","vars":{"SETTING":"VALUE"}}; without it there is one machine`,
	)
	cancel := f.Bool("cancel", false, "also follow users who leave a menu with Escape")
	format := f.String("format", "text", "text or json")
	if err := parse(f, args); err != nil {
		return err
	}
	if err := p.oneScript(f, *format); err != nil {
		return err
	}
	src, err := p.read(f.Arg(0))
	if err != nil {
		return err
	}
	machines, err := exploreMachines(p, &m, *file)
	if err != nil {
		return err
	}
	world, err := m.world(p)
	if err != nil {
		return err
	}
	x, err := sim.Explore(ctx, ipxe.Parse(f.Arg(0), src), machines, world, sim.ExploreOptions{Cancel: *cancel})
	if err != nil {
		return err
	}
	if *format == "json" {
		if err := exploreJSON(p, x); err != nil {
			return err
		}
	} else {
		p.printExploration(x)
	}
	for i := range x.Outcomes {
		if o := &x.Outcomes[i]; o.Hang != nil || o.Boot.Kind == sim.Returned && o.Status != sim.OK {
			return errNo
		}
	}
	return nil
}

func exploreMachines(p *program, m *machineFlags, file string) ([]sim.NamedMachine, error) {
	base, err := m.machine()
	if err != nil || file == "" {
		return []sim.NamedMachine{{Name: "machine", Machine: base}}, err
	}
	data, err := p.read(file)
	if err != nil {
		return nil, err
	}
	rows, err := readTemplateMachines(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", file, err)
	}
	var list []sim.NamedMachine
	for _, r := range rows {
		one, err := m.machine()
		if err != nil {
			return nil, err
		}
		if r.MAC != "" {
			one.NICs[0].MAC, _ = ipxe.ParseMAC(r.MAC)
		}
		if r.Product != "" {
			one.SMBIOS["product"] = r.Product
		}
		if r.Serial != "" {
			one.SMBIOS["serial"] = r.Serial
		}
		for k, v := range r.Vars {
			one.Settings = append(one.Settings, sim.Assignment{Name: k, Value: v})
		}
		list = append(list, sim.NamedMachine{Name: r.Name, Machine: one})
	}
	return list, nil
}

func exploreJSON(p *program, x *sim.Exploration) error {
	j := jsonExploration{
		Outcomes:        []jsonOutcome{},
		UnreachedLabels: append([]string{}, x.UnreachedLabels...),
		UnreachedItems:  append([]string{}, x.UnreachedItems...),
		Truncated:       x.Truncated,
	}
	for i := range x.Outcomes {
		o := &x.Outcomes[i]
		row := jsonOutcome{
			o.Machine,
			append([]string{}, o.Choices...),
			o.Status.String(),
			bootJSON(&o.Boot),
			nil,
			append([]string{}, o.Requests...),
		}
		if o.Hang != nil {
			reason := string(o.Hang.Kind) + ": " + o.Hang.Text
			row.Hang = &reason
		}
		j.Outcomes = append(j.Outcomes, row)
	}
	e := json.NewEncoder(p.out)
	e.SetEscapeHTML(false)
	return e.Encode(j)
}

func (p *program) printExploration(x *sim.Exploration) {
	for i := range x.Outcomes {
		o := &x.Outcomes[i]
		choices := "no choice"
		if len(o.Choices) > 0 {
			choices = strings.Join(o.Choices, ", ")
		}
		end := bootText(&o.Boot)
		switch {
		case o.Hang != nil:
			end = "HANGS: " + o.Hang.Text
		case o.Boot.Kind == sim.Returned && o.Status != sim.OK:
			end = "FAILS: " + o.Status.Text()
		}
		fmt.Fprintf(p.out, "%s | %s | %s\n", diag.Sanitize(o.Machine), diag.Sanitize(choices), end)
	}
	for _, l := range x.UnreachedLabels {
		fmt.Fprintf(p.out, "never reached: label :%s\n", diag.Sanitize(l))
	}
	for _, l := range x.UnreachedItems {
		fmt.Fprintf(p.out, "never chosen: %s\n", diag.Sanitize(l))
	}
	if x.Truncated {
		fmt.Fprintln(p.out, "stopped after the most outcomes that are followed")
	}
}
