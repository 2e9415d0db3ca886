package keepalived

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// baseConfigs are good configurations from which others are made.
var baseConfigs = []string{`! a pair of routers
global_defs {
    notification_email {
        root@example.com ops@example.com
        "Night Shift" night@example.com
    }
    notification_email_from keepalived@example.com
    smtp_server 192.0.2.25
    smtp_connect_timeout 30
    router_id lb1
    enable_script_security
    script_user root
    vrrp_garp_master_refresh 60
}

vrrp_script check {
    script "/usr/bin/test -e /etc/passwd"
    interval 2
    timeout 2
    weight -60
    rise 2
    fall 3
}

track_file load {
    file /var/run/load
    weight 2
}

vrrp_instance V1 {
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority 150
    advert_int 1
    nopreempt
    authentication {
        auth_type PASS
        auth_pass s3cret
    }
    virtual_ipaddress {
        10.0.0.1/24
        10.0.0.2/24 dev eth1 label eth1:v1
        10.0.0.3/32 scope global no_track
    }
    virtual_ipaddress_excluded {
        2001:db8::1/64
    }
    track_interface {
        eth1
        eth2 weight -10
    }
    track_script {
        check
    }
    track_file {
        load weight 5
    }
    virtual_routes {
        192.0.2.0/24 via 10.0.0.254 dev eth0
        default via 10.0.0.253 dev eth0 metric 5
    }
    virtual_rules {
        from 10.0.0.0/8 table 100 preference 1000
    }
    notify_master "/bin/true master"
    notify "/usr/bin/env x"
    smtp_alert
    garp_master_delay 5
}
`, `global_defs {
    router_id lb2
    vrrp_version 3
    vrrp_mcast_group4 224.0.0.18
}
vrrp_sync_group G1 {
    group {
        V1
        V2
    }
    smtp_alert no
}
vrrp_instance V1 {
    state MASTER
    interface eth0
    virtual_router_id 10
    priority 200
    advert_int 0.5
    virtual_ipaddress {
        192.0.2.10/24 brd 192.0.2.255
    }
    preempt
}
vrrp_instance V2 {
    state MASTER
    interface eth1
    virtual_router_id 10
    priority 200
    unicast_src_ip 192.168.201.2
    unicast_peer {
        192.168.201.3
        192.168.201.4
    }
    virtual_ipaddress {
        192.0.2.11/24
    }
    use_vmac vrrp.10
    vmac_xmit_base
    dont_track_primary
}
vrrp_instance V6 {
    state BACKUP
    interface eth2
    virtual_router_id 10
    priority 90
    virtual_ipaddress {
        fe80::1/64
        2001:db8::10/64
    }
}
static_ipaddress {
    192.168.9.1/24 dev eth3
}
static_routes {
    192.168.10.0/24 via 192.168.203.254 dev eth3
}
static_rules {
    from 192.168.9.0/24 table 7 preference 700
}
`, `virtual_server_group VG {
    10.1.0.1 80
    10.1.0.2-5 80
    fwmark 7 inet
}
virtual_server group VG {
    delay_loop 6
    lb_algo rr
    lb_kind NAT
    real_server 192.168.201.10 80 {
        weight 1
        TCP_CHECK {
            connect_timeout 3
            connect_port 80
        }
    }
}
virtual_server 10.2.0.1 443 {
    delay_loop 10
    lb_algo wlc
    lb_kind DR
    persistence_timeout 50
    persistence_granularity 255.255.255.0
    protocol TCP
    quorum 2
    hysteresis 1
    sorry_server 192.168.201.9 443
    virtualhost www.example.com
    alpha
    real_server 192.168.201.11 443 {
        weight 2
        inhibit_on_failure
        SSL_GET {
            url {
                path /a
                digest 640205b7b0fc66c1ea91c463fac6334d
                status_code 200 301-302
            }
            connect_timeout 3
            retry 3
            delay_before_retry 3
        }
    }
    real_server 192.168.201.12 443 {
        HTTP_GET {
            url {
                path /
                status_code 200
            }
            bindto 192.168.201.2
            connect_ip 192.168.201.12
            connect_port 8443
            http_protocol 1.1
        }
        SMTP_CHECK {
            connect_timeout 5
            helo_name lb
        }
    }
}
virtual_server fwmark 5 {
    lb_algo sh
    sh-port
    lb_kind TUN
    real_server 192.168.201.13 {
        weight 10
        DNS_CHECK {
            type A
            name example.com
            retry 2
        }
        PING_CHECK {
            connect_timeout 2
        }
    }
}
virtual_server 10.3.0.1 53 {
    lb_algo rr
    ops
    lb_kind NAT
    protocol UDP
    real_server 192.168.201.14 53 {
        UDP_CHECK {
            payload 00ff
            require_reply ab xx
            min_reply_length 1
        }
    }
}
`, `$ETH=eth0
$PRIO=120
$VIPS=\
    10.5.0.1/24 \
    10.5.0.2/24
bfd_instance B1 {
    neighbor_ip 192.168.200.9
    min_rx 100
    min_tx 100
    idle_tx 1000
    multiplier 5
    weight -20
}
vrrp_track_process nginx {
    process nginx
    weight 10
    quorum 1
    delay 2
}
vrrp_instance X1 {
    interface $ETH
    state BACKUP
    virtual_router_id 77
    priority ${PRIO}
    virtual_ipaddress {
        $VIPS
    }
    track_bfd {
        B1
    }
    track_process {
        nginx weight 5
    }
}
~SEQ(i, 1, 3) vrrp_instance S$i {
~SEQ(i, 1, 3) }
garp_group {
    garp_interval 0.5
    interfaces {
        eth1
        eth2
    }
}
`, `global_defs { router_id R1
  notification_email { a@x } }
vrrp_instance V1{ interface eth0
 state BACKUP
 virtual_router_id 9 # nine
 priority 100
 virtual_ipaddress { 10.0.0.1/24 } }
`, `vrrp_instance V1 {
    interface eth0
    state BACKUP
    virtual_router_id 1
    priority 100
    strict_mode on
    virtual_ipaddress {
        10.0.0.1/24
    }
}
vrrp_instance V2 {
    interface eth0
    virtual_router_id 2
    priority 255
    state MASTER
    version 3
    accept
    advert_int 1.5
    virtual_ipaddress {
        10.0.0.2/24
    }
}
@nosuchnode vrrp_instance V3 {
@^nosuchnode garp_group {
@^nosuchnode garp_interval 1
@^nosuchnode }
`}

// mutator makes faulty configurations of good ones.
type mutator struct{ r *rand.Rand }

func (m mutator) pick(s ...string) string { return s[m.r.IntN(len(s))] }

// words is what a value may be replaced by.
func (m mutator) word() string {
	switch m.r.IntN(12) {
	case 0:
		return fmt.Sprint(m.r.IntN(300))
	case 1:
		return m.pick("0", "-1", "+1", "1.5", "0.25", "0x10", "007", "65536", "4294967296", "99999999999999999999", "1000000", "255", "256", "-253", "-254", ".", "1.", "1.2345678", "", "1e3")
	case 2:
		return m.pick("eth0", "eth1", "eth9", "lo", "eth0.100", "averyverylonginterfacename", "bond0")
	case 3:
		return m.pick("10.0.0.1", "10.0.0.1/24", "10.0.0.1/33", "10.0.0.256", "fe80::1", "2001:db8::1/64", "2001:db8::1/129", "10.0.0.1-5", "10.0.0.9-3", "::", "1.2.3", "010.0.0.1", "224.0.0.1", "ff02::12", "10.0.0.1:80", "10.0.0.0/8", "10.0.0.1/")
	case 4:
		return m.pick("MASTER", "BACKUP", "master", "FAULT", "NAT", "DR", "TUN", "rr", "wlc", "sh", "mh", "TCP", "udp", "SCTP", "PASS", "AH", "inet", "inet6")
	case 5:
		return m.pick("true", "on", "yes", "false", "off", "no", "maybe", "all", "reverse", "noreverse", "weight", "default", "group", "fwmark")
	case 6:
		return m.pick(`"`, `"a b"`, `'a b'`, `a"b"c`, `\#`, "#", "!", `\`, "$X", "${PRIO}", "$PRIO", "${", "@x", "~", "{", "}", "a#b", `"{"`, `"}"`, `a\`, `""`)
	case 7:
		return m.pick("V1", "V2", "G1", "check", "load", "B1", "nginx", "nosuch", "VG", "a_very_long_name_of_more_than_thirty_two_bytes")
	case 8:
		return m.pick("/bin/true", "/usr/bin/test", "/no/such/script", "\"/bin/true 1\"", "true", "</etc/passwd")
	case 9:
		return m.pick("root", "nobody", "nosuchuser", "daemon")
	case 10:
		return m.pick("80", "443", "8080", "0", "53")
	}
	ks := Keywords()
	return ks[m.r.IntN(len(ks))].Name
}

// line is a keyword with arguments.
func (m mutator) line() string {
	ks := Keywords()
	k := ks[m.r.IntN(len(ks))]
	return m.keywordLine(k)
}

func (m mutator) keywordLine(k Keyword) string {
	var t strings.Builder
	t.WriteString(k.Name)
	for n := m.r.IntN(4); n > 0; n-- {
		t.WriteString(" " + m.word())
	}
	switch {
	case k.Value == "block" && m.r.IntN(3) > 0:
		t.WriteString(" {\n}")
	case k.Value == "values" && m.r.IntN(3) > 0:
		t.WriteString(" {\n" + m.word() + " " + m.word() + "\n}")
	}
	return t.String()
}

// mutate changes a configuration once to four times.
func (m mutator) mutate(s string) string {
	for n := 1 + m.r.IntN(2)*m.r.IntN(4); n > 0; n-- {
		s = m.once(s)
	}
	return s
}

func (m mutator) once(s string) string {
	lines := strings.Split(s, "\n")
	i := m.r.IntN(len(lines))
	words := strings.Fields(lines[i])
	switch m.r.IntN(24) {
	case 0:
		lines = append(lines[:i], lines[i+1:]...)
	case 1:
		lines = append(lines[:i], append([]string{lines[i]}, lines[i:]...)...)
	case 2:
		j := m.r.IntN(len(lines))
		lines[i], lines[j] = lines[j], lines[i]
	case 3:
		if i+1 < len(lines) {
			lines[i] += " " + lines[i+1]
			lines = append(lines[:i+1], lines[i+2:]...)
		}
	case 4:
		if len(words) > 1 {
			j := 1 + m.r.IntN(len(words)-1)
			lines[i] = strings.Join(words[:j], " ") + "\n" + strings.Join(words[j:], " ")
		}
	case 5, 6, 7, 8:
		if len(words) > 1 {
			words[1+m.r.IntN(len(words)-1)] = m.word()
			lines[i] = strings.Join(words, " ")
		}
	case 9:
		if len(words) > 0 {
			w := words[m.r.IntN(len(words))]
			if len(w) > 1 {
				j := m.r.IntN(len(w) - 1)
				b := []byte(w)
				b[j], b[j+1] = b[j+1], b[j]
				lines[i] = strings.Replace(lines[i], w, string(b), 1)
			}
		}
	case 10:
		if m.r.IntN(2) == 0 {
			lines[i] = strings.ToUpper(lines[i])
		} else {
			lines[i] = strings.ToLower(lines[i])
		}
	case 11, 12, 13, 14:
		lines = append(lines[:i], append([]string{m.line()}, lines[i:]...)...)
	case 15:
		lines[i] += " " + m.word()
	case 16:
		lines[i] = m.pick("{", "}", "@x ", "@^x ", "$A=", "~SEQ(i,1,2) ", "# ", "! ", "include ", "$PRIO ", "\xef\xbb\xbf", "\u00a0") + lines[i]
	case 17:
		lines[i] += m.pick("{", "}", " {", " }", "#", " # x", `\`, ` \`, `"`, ";", ",", "\r", "\x00", "$")
	case 18:
		return s[:m.r.IntN(len(s)+1)]
	case 19:
		lines = append(lines[:i], append([]string{m.pick("$PRIO=9", "$A = 1", "~LST(i,{1},{2}) # $i", "~SEQ(j,3) !$j", "@nosuchnode x", "include nosuch.conf", "includea nosuch.conf", "includer nosuch*.conf", "$B=a \\", "\\", "{", "}", strings.Repeat("x", 1020+m.r.IntN(8)), "# "+strings.Repeat("y", 1018+m.r.IntN(8))+" priority 3")}, lines[i:]...)...)
	case 20:
		if len(words) > 1 {
			lines[i] = words[0]
		}
	case 21:
		if len(s) > 0 {
			j := m.r.IntN(len(s))
			return s[:j] + string(s[m.r.IntN(len(s))]) + s[j+1:]
		}
	case 22:
		j := i + 1 + m.r.IntN(4)
		if j < len(lines) {
			lines = append(lines[:i], lines[j:]...)
		}
	case 23:
		return strings.ReplaceAll(s, "\n", "\r\n")
	}
	return strings.Join(lines, "\n")
}

// milder changes numbers and words so that the result is often still good.
func (m mutator) milder(s string) string {
	lines := strings.Split(s, "\n")
	for range 1 + m.r.IntN(3) {
		i := m.r.IntN(len(lines))
		words := strings.Fields(lines[i])
		if len(words) < 2 {
			continue
		}
		j := 1 + m.r.IntN(len(words)-1)
		w := words[j]
		switch {
		case strings.Trim(w, "0123456789.") == "" && !strings.Contains(w, "."):
			words[j] = m.pick("1", "2", "3", "5", "10", "50", "100", "200", "254", w)
		case w == "{" || w == "}":
			continue
		case strings.Count(w, ".") == 3:
			words[j] = strings.Replace(w, ".1", "."+m.pick("7", "8", "9"), 1)
		default:
			words[j] = m.pick(w, w, "on", "no", "eth1", "eth2", "V1", "V2", "TCP", "UDP", "rr", "sh", "NAT", "DR", "BACKUP")
		}
		lines[i] = strings.Join(words, " ")
	}
	if m.r.IntN(2) == 0 {
		i := m.r.IntN(len(lines))
		extra := m.pick("smtp_alert", "alpha", "omega", "quorum 1", "weight 1", "nopreempt", "preempt_delay 5", "version 3", "version 2", "strict_mode on", "accept", "use_vmac", "dont_track_primary",
			"garp_master_delay 3", "garp_lower_prio_repeat 0", "skip_check_adv_addr", "debug 2", "smtp_alert no", "native_ipv6", "unicast_ttl 5", "mcast_src_ip 192.168.200.2", "track_src_ip",
			"promote_secondaries", "down_timer_adverts 4", "linkbeat_use_polling", "persistence_timeout", "protocol TCP", "protocol UDP", "ip_family inet", "warmup 3", "retry 2", "inhibit_on_failure",
			"lvs_method DR", "lvs_method TUN", "ha_suspend", "ops", "hysteresis 0", "quorum_up \"/usr/bin/env x\"", "notify_up \"/usr/bin/env y\"", "vrrp_strict", "vrrp_version 3", "dynamic_interfaces",
			"enable_snmp_vrrp", "lvs_flush", "vrrp_iptables", "nftables", "umask 022", "max_auto_priority", "use_pid_dir", "instance x", "group {\nV1\nV2\n}", "track_interface {\neth1\n}",
			"virtual_ipaddress {\n10.77.0.1/24\n}", "virtual_ipaddress {\n2001:db8::77/64\n}", "auth_type AH", "authentication {\nauth_type PASS\nauth_pass x\n}", "priority 255", "state MASTER", "state BACKUP")
		lines = append(lines[:i], append([]string{extra}, lines[i:]...)...)
	}
	return strings.Join(lines, "\n")
}
