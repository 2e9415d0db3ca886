package keepalived_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"testing/fstest"

	"dougu.internal/diag"
	"dougu.internal/keepalived"
)

const story = `global_defs
{
    notification_email
    {
        root@example.com
    }
    notification_email_from lb1@example.com
    smtp_server 192.0.2.25
}
`

func Example() {
	old, err := keepalived.ParseProfile("1.1.13")
	if err != nil {
		fmt.Println(err)
		return
	}
	c := keepalived.Loader{Profile: old}.Parse("keepalived.conf", []byte(story))
	list, err := keepalived.Lint(context.Background(), c, keepalived.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range list {
		if d.Severity == diag.Error {
			fmt.Println(d)
		}
	}
	fmt.Println("mail goes to:", keepalived.Recipients(c, keepalived.Options{}))
	c = keepalived.Loader{}.Parse("keepalived.conf", []byte(story))
	fmt.Println("today:", keepalived.Recipients(c, keepalived.Options{}))
	// Output:
	// keepalived.conf:4:5: error: the { of notification_email is taken for a mail address [KA016]
	// mail goes to: [{ root@example.com]
	// today: [root@example.com]
}

func ExampleLoader_Load() {
	l := keepalived.Loader{FS: fstest.MapFS{
		"keepalived.conf": {Data: []byte("$IF=eth0\ninclude conf.d/*.conf\n")},
		"conf.d/v1.conf":  {Data: []byte("vrrp_instance V1 {\n    interface $IF\n    virtual_router_id 51\n}\n")},
	}}
	c, err := l.Load("keepalived.conf")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Files(), c.Model(keepalived.Options{}).Instances[0].Interface)
	// Output:
	// [keepalived.conf conf.d/v1.conf] eth0
}

func ExampleLint() {
	src := []byte("vrrp_instance V1 {\n    interface eth0\n    virtual_router_id 51\n    priority 300\n    virtual_ipaddress {\n        10.0.0.1/24\n    }\n}\n")
	c := keepalived.Loader{}.Parse("keepalived.conf", src)
	list, err := keepalived.Lint(context.Background(), c, keepalived.Options{Host: keepalived.NewHost("eth0")})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := diag.WriteText(os.Stdout, list, c.Masked); err != nil {
		fmt.Println(err)
	}
	fixed, n, err := diag.ApplyFixes(src, "keepalived.conf", list)
	fmt.Printf("%d fixed, %v:\n%s", n, err, fixed)
	// Output:
	// keepalived.conf:1:1: info: no state: it begins as BACKUP [KA068]
	//     1 | vrrp_instance V1 {
	//       | ^~~~~~~~~~~~~~~~
	//       = fix: add state BACKUP
	// keepalived.conf:4:14: error: priority: "300" is out of range: 1 to 255 [KA043]
	//     4 |     priority 300
	//       |              ^~~
	// 1 fixed, <nil>:
	// vrrp_instance V1 {
	//     state BACKUP
	//     interface eth0
	//     virtual_router_id 51
	//     priority 300
	//     virtual_ipaddress {
	//         10.0.0.1/24
	//     }
	// }
}

func ExampleVerdict() {
	c := keepalived.Loader{}.Parse("keepalived.conf", []byte("vrrp_instance V1 {\n    interface eth7\n    virtual_router_id 51\n    virtual_ipaddress {\n        10.0.0.1/24\n    }\n}\n"))
	for _, host := range []*keepalived.Host{nil, keepalived.NewHost("eth0", "eth7"), keepalived.NewHost("eth0")} {
		r, err := keepalived.Verdict(context.Background(), c, keepalived.Options{Host: host})
		fmt.Println(r.Result, r.Reasons, err)
	}
	// Output:
	// accepted no findings <nil>
	// accepted no findings <nil>
	// refused keepalived.conf:2:15: error: there is no interface "eth7" [KA064] <nil>
}

func node(name, addr, state string, priority int) keepalived.Node {
	src := fmt.Sprintf("vrrp_script web {\n    script \"/usr/bin/curl -fs localhost\"\n    weight -20\n}\nvrrp_instance V1 {\n    state %s\n    interface eth0\n"+
		"    virtual_router_id 51\n    priority %d\n    virtual_ipaddress {\n        10.0.0.1/24\n    }\n    track_script {\n        web\n    }\n}\n", state, priority)
	return keepalived.Node{Name: name, Config: keepalived.Loader{}.Parse(name+".conf", []byte(src)), Addr: netip.MustParseAddr(addr)}
}

func ExampleSimulate() {
	nodes := []keepalived.Node{node("a", "10.0.0.2", "MASTER", 150), node("b", "10.0.0.3", "BACKUP", 100)}
	out, err := keepalived.Simulate(nodes, [][]keepalived.Fault{
		{{Node: "a", Kind: keepalived.CheckFails, Subject: "web"}},
		{{Node: "a", Kind: keepalived.NodeStopped}},
	}, keepalived.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, o := range out {
		fmt.Println(o.Phase, o.Masters, o.Nodes[0].Effective, o.Nodes[1].Effective, o.Reason)
	}
	// Output:
	// 0 [a] 150 100 a has the highest priority, 150
	// 1 [a] 130 100 a has the highest priority, 130; the failure of web does not move the address; the smallest weight that would is -51
	// 2 [b] 150 100 only b can be master; a is stopped
}

func ExampleLintCluster() {
	nodes := []keepalived.Node{node("a", "10.0.0.2", "MASTER", 150), node("b", "10.0.0.3", "MASTER", 150)}
	list, err := keepalived.LintCluster(context.Background(), nodes, keepalived.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range list {
		fmt.Println(d)
	}
	// Output:
	// b.conf:6:11: warning: V1: state MASTER here and on a [KA207]
	// b.conf:9:14: warning: V1: the priority is 150, as on a [KA205]
}

func ExampleFormat() {
	out, err := keepalived.Format([]byte("vrrp_instance V1\n{\ninterface eth0 # uplink\n\tvirtual_router_id   51\n}\n"))
	fmt.Printf("%s%v\n", out, err)
	// Output:
	// vrrp_instance V1 {
	//     interface eth0 # uplink
	//     virtual_router_id   51
	// }
	// <nil>
}

func ExampleFile_Set() {
	src := []byte("vrrp_instance V1 {   # first\n\tpriority  100\n}\n")
	f := keepalived.Parse("keepalived.conf", src)
	edit := f.Set(f.Find("priority")[0], 1, "150")
	out, err := diag.Apply(src, "keepalived.conf", []diag.Edit{edit})
	fmt.Printf("%s%v\n", out, err)
	// Output:
	// vrrp_instance V1 {   # first
	// 	priority  150
	// }
	// <nil>
}

func ExampleConfig_Masked() {
	c := keepalived.Loader{}.Parse("f", []byte("$PW=s3cret\nvrrp_instance V1 {\n    authentication {\n        auth_pass $PW\n    }\n}\n"))
	fmt.Printf("%s", c.Masked("f"))
	// Output:
	// $PW=******
	// vrrp_instance V1 {
	//     authentication {
	//         auth_pass ***
	//     }
	// }
}

func ExampleConfig_Model() {
	c := keepalived.Loader{}.Parse("f", []byte("vrrp_instance V1 {\n    interface eth0\n    virtual_router_id 51\n    advert_int 2\n    virtual_ipaddress {\n        10.0.0.1/24 dev eth1\n    }\n}\n"))
	for _, i := range c.Model(keepalived.Options{}).Instances {
		fmt.Println(i.Name, i.VRID, i.Priority, i.Advert, i.Addresses[0].Prefix, i.Addresses[0].Dev)
	}
	// Output:
	// V1 51 100 2s 10.0.0.1/24 eth1
}

func ExampleKeywords() {
	for _, k := range keepalived.Keywords() {
		if k.Name == "virtual_router_id" || k.Name == "track_process" {
			fmt.Printf("%q %s: %s, since %s\n", k.Block, k.Name, k.Value, k.Since)
		}
	}
	// Output:
	// "vrrp_instance" track_process: values, since 2.0.11
	// "vrrp_instance" virtual_router_id: number 1..255, since 1.1.0
	// "vrrp_sync_group" track_process: values, since 2.0.11
}

func ExampleRuleInfos() {
	for _, r := range keepalived.RuleInfos() {
		if r.ID == "KA016" {
			fmt.Println(r.ID, r.Severity, r.Judged, r.Releases())
			fmt.Println(r.Summary)
		}
	}
	// Output:
	// KA016 error silent -1.2.19
	// { of a block of values on the next line
}

func ExampleRecipients() {
	c := keepalived.Loader{}.Parse("f", []byte("global_defs {\n    notification_email {\n        root at example.com\n    }\n}\n"))
	for _, to := range keepalived.Recipients(c, keepalived.Options{}) {
		fmt.Println(to)
	}
	// Output:
	// root
	// at
	// example.com
}

func ExampleParseVersion() {
	v, err := keepalived.ParseVersion("2.2.7")
	fmt.Println(v, err, v.Compare(keepalived.Version{Major: 2, Minor: 3}))
	// Output:
	// 2.2.7 <nil> -1
}
