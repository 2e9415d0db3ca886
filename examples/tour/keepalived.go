package main

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

//go:embed testdata/keepalived.conf
var keepalivedMail []byte

//go:embed testdata/keepalived-node.conf
var keepalivedNode []byte

// tourKeepalived finds the recipients of mail, and the reason why a pair of nodes does not
// fail over.
func tourKeepalived(w io.Writer) error {
	fmt.Fprintln(w, "A mail server returns mail to the user {. The configuration has the braces where the manual has them:")
	for _, v := range []string{"1.1.13", "2.2.7"} {
		profile, err := keepalived.ParseProfile(v)
		if err != nil {
			return err
		}
		c := keepalived.Loader{Profile: profile}.Parse("keepalived.conf", keepalivedMail)
		fmt.Fprintf(
			w,
			"keepalived %s sends mail to: %s\n",
			v,
			strings.Join(keepalived.Recipients(c, keepalived.Options{}), ", "),
		)
		var bad diag.List
		list, err := keepalived.Lint(context.Background(), c, keepalived.Options{})
		if err != nil {
			return err
		}
		for _, d := range list {
			if d.Severity == diag.Error {
				bad = append(bad, d)
			}
		}
		if err := diag.WriteText(w, bad, c.Masked); err != nil {
			return err
		}
	}

	fmt.Fprintln(w, "\nTwo nodes share an address. The web server of the master fails. Which node takes over?")
	var nodes []keepalived.Node
	for i, name := range []string{"lb1", "lb2"} {
		c := keepalived.Loader{ConfigID: name}.Parse("keepalived.conf", keepalivedNode)
		nodes = append(
			nodes,
			keepalived.Node{Name: name, Config: c, Addr: netip.AddrFrom4([4]byte{192, 0, 2, byte(10 + i)})},
		)
	}
	phases, err := keepalived.Simulate(nodes, [][]keepalived.Fault{
		{{Node: "lb1", Kind: keepalived.CheckFails, Subject: "web"}},
		{{Node: "lb1", Kind: keepalived.NodeStopped}},
	}, keepalived.Options{})
	if err != nil {
		return err
	}
	for i, o := range phases {
		fmt.Fprintf(
			w,
			"%-18s master %s (lb1 %d, lb2 %d)\n    %s\n",
			[]string{"no failure", "web fails on lb1", "lb1 stops"}[i],
			strings.Join(o.Masters, ","),
			o.Nodes[0].Effective,
			o.Nodes[1].Effective,
			strings.ReplaceAll(o.Reason, "; ", "\n    "),
		)
	}
	return nil
}
