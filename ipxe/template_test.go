package ipxe_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/ipxe"
)

const templateText = `#!ipxe
# {{.Name}}
set host {{word .Name}}
:{{.Label.role}} echo {{.Product}}
kernel http://h/{{url .Var.path}}?m={{mac .MAC "-"}} {{args .Var.args}} root={{.Var.root}} ${net0/ip} || goto {{.Label.role}}
{{if eq .Label.role "db"}}set db 1{{end}}
set s:hexraw {{hex .Serial}}
`

func templateMachine() *ipxe.Machine {
	return &ipxe.Machine{
		Name: "web1", MAC: "52:54:00:12:34:56", Product: "X200", Serial: "S #1", Labels: map[string]string{"role": "db"},
		Vars: map[string]string{"path": "a b/c", "args": "quiet console=ttyS0", "root": "/dev/sda1"},
	}
}

func TestPart4TemplateKeepsItsShape(t *testing.T) {
	tmpl, err := ipxe.NewTemplate("t", templateText)
	require.NoError(t, err)
	out, err := tmpl.Render(templateMachine(), nil)
	require.NoError(t, err)
	require.Equal(t, `#!ipxe
# web1
set host web1
:db echo X200
kernel http://h/a%20b%2Fc?m=52-54-00-12-34-56 quiet console=ttyS0 root=/dev/sda1 ${net0/ip} || goto db
set db 1
set s:hexraw 53202331
`, string(out))
	out, err = tmpl.Render(templateMachine(), map[string]string{"root": "/dev/vda"})
	require.NoError(t, err)
	require.Contains(t, string(out), "root=/dev/vda ")
}

// TestPart4TemplateRefusesInjection: each row changes one value into something hostile.
func TestPart4TemplateRefusesInjection(t *testing.T) {
	tmpl, err := ipxe.NewTemplate("t", templateText)
	require.NoError(t, err)
	for _, row := range []struct {
		change func(*ipxe.Machine)
		err    string
	}{
		{func(m *ipxe.Machine) { m.Vars["root"] = "x\nreboot" }, `line 5 of the script: var root = "x\nreboot": it`},
		{func(m *ipxe.Machine) { m.Vars["root"] = "x reboot" }, "it changes the number of words"},
		{func(m *ipxe.Machine) { m.Vars["root"] = "x || reboot" }, "it is an operator"},
		{func(m *ipxe.Machine) { m.Vars["root"] = "${serial}" }, "it holds ${ or }"},
		{func(m *ipxe.Machine) { m.Vars["root"] = "x #" }, "it begins a comment"},
		{func(m *ipxe.Machine) { m.Product = "#x" }, "it begins a comment"},
		{func(m *ipxe.Machine) { m.Product = "" }, "it changes the number of words"},
		{func(m *ipxe.Machine) { m.Product = "-n" }, "it begins with a hyphen"},
		{func(m *ipxe.Machine) { m.Product = "&&" }, "it is an operator"},
		{func(m *ipxe.Machine) { m.Product = "a\\" }, "it"},
		{func(m *ipxe.Machine) { m.Product = "a\x7fb" }, "control character"},
		{func(m *ipxe.Machine) { m.Product = "a\x01b" }, "the byte 0x1"},
		{func(m *ipxe.Machine) { m.Product = "a\x00b" }, "the byte 0x0"},
		{func(m *ipxe.Machine) { m.Name = "x\nreboot" }, "is not one plain word"},
		{func(m *ipxe.Machine) { m.Vars["args"] = "a || b" }, "is not plain words"},
		{func(m *ipxe.Machine) { m.Vars["args"] = "a  b" }, "is not plain words"},
		{func(m *ipxe.Machine) { m.MAC = "x" }, "is no MAC address"},
		{func(m *ipxe.Machine) { delete(m.Vars, "root") }, `no entry for key "root"`},
	} {
		m := templateMachine()
		row.change(m)
		_, err := tmpl.Render(m, nil)
		require.ErrorContains(t, err, row.err)
	}
	m := templateMachine()
	m.Vars["args"] = ""
	out, err := tmpl.Render(m, nil)
	require.NoError(t, err, "a list may be empty")
	require.Contains(t, string(out), "?m=52-54-00-12-34-56  root=/dev/sda1 ")
	for _, text := range []string{"{{args .Var.args}} reboot", "echo x || {{args .Var.args}} reboot", ":l {{args .Var.args}} reboot", "echo x ; {{args .Var.args}}{{args .Var.args}} reboot"} {
		first, err := ipxe.NewTemplate("t", "#!ipxe\n"+text+"\n")
		require.NoError(t, err)
		_, err = first.Render(m, nil)
		require.ErrorContains(t, err, "line 2 of the script", text)
		require.ErrorContains(t, err, "an empty list begins a command", text)
	}

	m = templateMachine()
	m.Vars["root"] = "a b"
	_, err = tmpl.Render(m, nil)
	var te *ipxe.TemplateError
	require.ErrorAs(t, err, &te)
	require.Equal(t, []string{"var root"}, te.Names)
	require.Equal(t, 5, te.Line)
	require.True(t, errors.Is(err, ipxe.ErrUnrepresentable))
}

func TestBadInputTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"#!ipxe\n{{.Nope": "unclosed action",
		"#!ipxe\n\x01":    "bytes 1 to 3",
	} {
		_, err := ipxe.NewTemplate("t", text)
		require.ErrorContains(t, err, want)
	}
	for text, want := range map[string]string{
		"echo x\n":                                                   "the first line is not #!ipxe",
		"#!ipxe\necho {{html .Name}}\n":                              "not for boot scripts",
		"#!ipxe\necho {{.Nope}}\n":                                   "can't evaluate field Nope",
		"#!ipxe\n{{.Name}} x\n":                                      "it is the name of a command",
		"#!ipxe\necho {{slice (print .Name) 0 2}}\n":                 "cut a value in two",
		"#!ipxe\necho {{range $i, $c := .Label}}{{end}}{{.Var.x}}\n": `no entry for key "x"`,
	} {
		tmpl, err := ipxe.NewTemplate("t", text)
		require.NoError(t, err, text)
		_, err = tmpl.Render(&ipxe.Machine{Name: "a"}, nil)
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzTemplate(f *testing.F) {
	tmpl, err := ipxe.NewTemplate("t", "#!ipxe\nset a {{.Var.v}}\n:{{.Var.v}}\nkernel http://h/{{.Var.v}} x{{.Var.v}}y || echo {{.Var.v}} # {{.Var.v}}\nexit\n")
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range hostileValues {
		f.Add(v)
	}
	want := ipxe.Parse("w", []byte("#!ipxe\nset a x\n:x\nkernel http://h/x xxy || echo x # x\nexit\n"))
	f.Fuzz(func(t *testing.T, v string) {
		out, err := tmpl.Render(&ipxe.Machine{Name: "m"}, map[string]string{"v": v})
		if err != nil {
			return
		}
		s := ipxe.Parse("out", out)
		if s.Len() != want.Len() {
			t.Fatalf("%q: %d lines:\n%s", v, s.Len(), out)
		}
		for i, a := range s.Lines() {
			b := want.Line(i)
			if len(a.Cmds) != len(b.Cmds) || a.HasLabel != b.HasLabel || (a.Comment >= 0) != (b.Comment >= 0) {
				t.Fatalf("%q changed line %d:\n%s", v, i+1, out)
			}
			for k := range a.Cmds {
				if len(a.Cmds[k].Words) != len(b.Cmds[k].Words) {
					t.Fatalf("%q changed the words of line %d:\n%s", v, i+1, out)
				}
			}
		}
	})
}
