package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/sshproxy"
)

func runLint(p *program, args []string) error {
	f := p.flags("lint")
	format := f.String("format", "text", "text, json or sarif")
	asJSON := f.Bool("json", false, "the same as -format json")
	profile := f.String(
		"profile",
		"",
		"the client to emulate: 10.5, 9.2p1-debian; default: the installed ssh, or the newest",
	)
	fix := f.Bool("fix", false, "apply the first fix of each finding to the files")
	rules := f.Bool("rules", false, "list the rules")
	if err := parse(f, args); err != nil {
		return err
	}
	if *rules {
		for _, r := range sshproxy.Rules() {
			fmt.Fprintf(p.out, "%s %-7s %s\n", r.ID, r.Severity, r.Summary)
		}
		return nil
	}
	if *asJSON {
		*format = "json"
	}
	if !slices.Contains([]string{"text", "json", "sarif"}, *format) {
		return usageError(fmt.Sprintf("-format %q is not text, json or sarif", *format))
	}
	if f.NArg() == 0 {
		return usageError("lint needs a file")
	}
	r, err := p.resolver("", *profile, false)
	if err != nil {
		return err
	}
	in := sshproxy.LintInput{Info: map[string]fs.FileInfo{}}
	o := sshproxy.LintOptions{Resolver: r, Default: []string{r.Local.Home + "/.ssh/config", "/etc/ssh/ssh_config"}}
	sources := map[string][]byte{}
	for _, name := range f.Args() {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		info, err := os.Stat(name)
		if err != nil {
			return err
		}
		if slices.Contains(o.Default[:1], name) || !slices.Contains(o.Default, name) {
			in.Info[name] = info
		}
		in.Files = append(in.Files, sshproxy.Parse(name, text))
		sources[name] = text
	}
	list, err := sshproxy.Lint(context.Background(), in, o)
	if err != nil {
		return err
	}
	if *fix {
		return p.fix(list, sources)
	}
	switch *format {
	case "json":
		err = diag.WriteJSON(p.out, list)
	case "sarif":
		err = diag.WriteSARIF(p.out, diag.Tool{Name: "ssh-route lint", Rules: sshproxy.Rules()}, list)
	default:
		err = diag.WriteText(p.out, list, func(name string) []byte { return sources[name] })
	}
	if err != nil {
		return err
	}
	if list.Count(diag.Error) > 0 {
		return status(statusFound)
	}
	return nil
}

// fix applies the fixes that do not overlap and prints their number for each file.
func (p *program) fix(list diag.List, sources map[string][]byte) error {
	for _, name := range slices.Sorted(keys(sources)) {
		fixed, n, err := diag.ApplyFixes(sources[name], name, list)
		if err != nil {
			return err
		}
		if n > 0 {
			if err := sshproxy.WriteFile(name, fixed, sshproxy.WriteOptions{}); err != nil {
				return err
			}
		}
		fmt.Fprintf(p.out, "%s: %d fixes\n", name, n)
	}
	return nil
}

func keys(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func runGenerate(p *program, args []string) error {
	f := p.flags("generate")
	topology := f.String("topology", "", "the topology, a JSON file")
	from := f.String("from", "", "the host that will use the configuration")
	client := f.String("client", "10.5", "the version of its ssh: 8.4, 9.2p1-debian")
	style := f.String("style", "auto", "auto, jump, stdio or netcat")
	out := f.String("o", "", "write to this file with mode 0600 instead of standard output; nested commands name it")
	if err := parse(f, args); err != nil {
		return err
	}
	if *topology == "" || *from == "" || f.NArg() > 0 {
		return usageError("generate needs -topology FILE and -from HOST")
	}
	profile, err := sshproxy.ParseProfile(*client)
	if err != nil {
		return usageError(plain(err))
	}
	st, err := sshproxy.ParseStyle(*style)
	if err != nil {
		return usageError("-style: " + plain(err))
	}
	in, err := os.Open(*topology)
	if err != nil {
		return err
	}
	defer in.Close()
	t, err := sshproxy.ParseTopology(*topology, in)
	if err != nil {
		return err
	}
	g, err := t.Generate(sshproxy.GenerateOptions{From: *from, Client: profile, Style: st, ConfigPath: *out})
	if err != nil {
		return err
	}
	if *out == "" {
		_, err = p.out.Write(g.Text)
	} else {
		err = sshproxy.WriteFile(*out, g.Text, sshproxy.WriteOptions{})
	}
	if err != nil {
		return err
	}
	for _, u := range g.Unreachable {
		fmt.Fprintln(p.err, "ssh-route:", plain(u))
	}
	if len(g.Unreachable) > 0 {
		return status(statusFound)
	}
	return nil
}

func runFmt(p *program, args []string) error {
	f := p.flags("fmt")
	write := f.Bool("w", false, "write the file instead of printing it")
	show := f.Bool("d", false, "print the lines that change")
	if err := parse(f, args); err != nil {
		return err
	}
	if f.NArg() != 1 {
		return usageError("fmt needs one file")
	}
	name := f.Arg(0)
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return p.changed(name, text, indent(text), *write, *show)
}

// indent indents the lines of Host and Match blocks by four blanks and removes blanks at the
// ends of lines. It changes nothing else, so the client reads the same configuration.
func indent(text []byte) []byte {
	var b bytes.Buffer
	inside := false
	for line := range strings.SplitAfterSeq(string(text), "\n") {
		body, eol := strings.TrimSuffix(line, "\n"), line[len(strings.TrimSuffix(line, "\n")):]
		if strings.HasSuffix(body, "\r") && eol != "" {
			body, eol = body[:len(body)-1], "\r\n"
		}
		if strings.IndexFunc(body, func(r rune) bool { return r < 0x20 && r != '\t' }) >= 0 {
			b.WriteString(line) // the client may refuse the line: leave it as it is
			continue
		}
		body = strings.Trim(body, " \t")
		word, _, _ := strings.Cut(strings.NewReplacer("=", " ", "\t", " ").Replace(body), " ")
		header := strings.EqualFold(word, "host") || strings.EqualFold(word, "match")
		inside = inside || header
		if inside && !header && body != "" && !strings.HasPrefix(body, "#") {
			b.WriteString("    ")
		}
		b.WriteString(body + eol)
	}
	return b.Bytes()
}

func runSet(p *program, args []string) error {
	f := p.flags("set")
	name := f.String("F", "", "the file to change")
	show := f.Bool("d", false, "print the lines that would change, and do not write the file")
	if err := parse(f, args); err != nil {
		return err
	}
	if *name == "" || f.NArg() != 3 {
		return usageError("set needs -F FILE and host, option, value")
	}
	text, err := os.ReadFile(*name)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	doc := sshproxy.Parse(*name, text)
	if err := doc.Set(f.Arg(0), f.Arg(1), f.Arg(2)); err != nil {
		return err
	}
	if err := p.effective(doc, *name, f.Arg(0), f.Arg(1)); err != nil {
		return err
	}
	return p.changed(*name, text, doc.Bytes(), !*show, *show)
}

// effective returns an error that names the line that wins if the block of a host does not
// set the option for that host.
func (p *program) effective(doc *sshproxy.File, file, host, option string) error {
	if host == "" || strings.ContainsAny(host, "*?!,% \t") || strings.EqualFold(option, "Include") {
		return nil // not the name of one host
	}
	r, err := p.resolver(file, "", false)
	if err != nil {
		return err
	}
	res, err := doc.Resolve(context.Background(), r, sshproxy.Target{Host: host})
	if err != nil {
		return fmt.Errorf("ssh would refuse the edited file, which is not written: %s", plain(err))
	}
	e, err := res.Explain(option)
	if err != nil {
		return err
	}
	for _, s := range e.Set {
		words := strings.Fields(strings.NewReplacer("=", " ", `"`, "").Replace(s.Block))
		if len(words) == 2 && strings.EqualFold(words[0], "Host") && words[1] == host {
			return nil
		}
	}
	for _, s := range e.Set {
		return fmt.Errorf("%s would have no effect for %s, and the file is not written: %s wins", option, host, s)
	}
	return nil
}

// changed writes or prints a changed file.
func (p *program) changed(name string, old, text []byte, write, show bool) error {
	switch {
	case show:
		p.diff(name, old, text)
		return nil
	case !write:
		_, err := p.out.Write(text)
		return err
	case bytes.Equal(old, text):
		return nil
	}
	return sshproxy.WriteFile(name, text, sshproxy.WriteOptions{})
}

// diff prints the lines between the common start and the common end.
func (p *program) diff(name string, old, text []byte) {
	a, b := strings.SplitAfter(string(old), "\n"), strings.SplitAfter(string(text), "\n")
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for _, l := range a[head : len(a)-tail] {
		fmt.Fprintf(p.out, "-%s\n", strings.TrimRight(l, "\r\n"))
	}
	for _, l := range b[head : len(b)-tail] {
		fmt.Fprintf(p.out, "+%s\n", strings.TrimRight(l, "\r\n"))
	}
}
