package keepalived

import (
	"context"
	"net/netip"
	"time"
)

// Model is what keepalived makes of a configuration: values with their defaults, as
// its own dump shows them. See [Config.Model].
type Model struct {
	Global         Global
	Instances      []*Instance
	SyncGroups     []*SyncGroup
	Scripts        []*Script
	VirtualServers []*VirtualServer
	ServerGroups   []*ServerGroup
	BFD            []*BFD
	TrackFiles     []*TrackFile
	Processes      []*TrackProcess
}

// Model evaluates the configuration for a profile. Instances and servers to which
// keepalived objects are listed with what it makes of them.
func (c *Config) Model(o Options) *Model { return evaluate(context.Background(), c, o).m }

// Global holds the values of global_defs.
type Global struct {
	RouterID           string
	NotificationEmails []string
	EmailFrom          string
	SMTPServer         string
	SMTPPort           int
	SMTPTimeout        time.Duration
	SMTPHelo           string
	VRRPVersion        int
	Strict             bool
	ScriptSecurity     bool
	ScriptUser         string
	DynamicInterfaces  bool
	DefaultInterface   string
	Multicast4         netip.Addr
	Multicast6         netip.Addr
	GarpDelay          time.Duration
	GarpRepeat         int64
	GarpRefresh        int64
	GarpRefreshRepeat  int64
	GarpLowerRepeat    int64
	DownTimerAdverts   int64
	// AlertVRRP, AlertChecker and Alert are the settings of smtp_alert_vrrp,
	// smtp_alert_checker and smtp_alert; nil while they are not set.
	Alert, AlertVRRP, AlertChecker *bool

	at, emailsAt, fromAt, serverAt, securityAt, userAt, routerAt, strictAt span
	emailSpans                                                             []span
	alertAt                                                                span
	syncd, syncdInstance                                                   string
	syncdAt                                                                span
	vmacPrefix, vmacAddrPrefix                                             bool
	nft, nftIPVS                                                           bool
	allowIfChanges                                                         bool
	dirSet                                                                 bool
	fifo, fifoScript                                                       [3]*notify
	startup, shutdown                                                      *notify
	netns, instance, netnsIPVS                                             bool
	snmpSocket                                                             bool
	rxSize, rxMTU, rxAdvert                                                bool
	skipCheck, symlinks                                                    bool
	lowerNoAdvert, higherSend                                              bool
}

func (g *Global) defaults() {
	g.VRRPVersion = 2
	g.SMTPPort = 25
	g.GarpDelay = 5 * time.Second
	g.GarpRepeat, g.GarpRefreshRepeat = 5, 1
	g.GarpLowerRepeat = -1
	g.DownTimerAdverts = 3
	g.Multicast4 = netip.AddrFrom4([4]byte{224, 0, 0, 18})
	g.Multicast6 = netip.MustParseAddr("ff02::12")
	for _, s := range []*span{&g.at, &g.emailsAt, &g.fromAt, &g.serverAt, &g.securityAt, &g.userAt, &g.routerAt, &g.strictAt, &g.alertAt, &g.syncdAt} {
		*s = nowhere
	}
}

// Instance is a vrrp_instance.
type Instance struct {
	Name      string
	State     string // "MASTER", "BACKUP": the state it starts in
	Interface string
	VRID      int
	Priority  int
	Version   int
	Family    int // 4 or 6
	Advert    time.Duration
	AuthType  string // "", "PASS", "AH", "HMAC"
	NoPreempt bool
	// PreemptDelay, Strict, Accept as they hold after all checks.
	PreemptDelay time.Duration
	Strict       bool
	Accept       bool
	Addresses    []Address
	Excluded     []Address
	Peers        []netip.Addr
	Source       netip.Addr
	Unicast      bool
	DownAdverts  int64
	Group        string // the sync group
	Tracks       []Track
	DontTrack    bool // dont_track_primary
	// Fault reports that the instance cannot run as it is configured.
	Fault bool

	head, nameAt, stateAt, ifAt, vridAt, prioAt, advertAt, authAt, authTypeAt, authPassAt, versionAt, nopreemptAt, preemptAt  span
	preemptDelayAt, vipsAt, srcAt, peersAt, strictAt, acceptAt, xmitAt, smtpAt, dontTrackAt, ttlAt, mcastAt, evipsAt, closeAt span
	version, state, prio                                                                                                      int // as configured
	pass, longPass                                                                                                            string
	strict, accept                                                                                                            int // -1 unset
	ifp                                                                                                                       *netIf
	unicastSet, faultNoPeer                                                                                                   bool
	vmac, vmacAddr, xmit, ipvlan, ipvlanAddr                                                                                  bool
	mac, macVRID                                                                                                              bool
	vmacName                                                                                                                  string
	ttl                                                                                                                       int64
	ttlSet, promote, noVIP                                                                                                    bool
	srcSet                                                                                                                    bool
	peerSpans                                                                                                                 []span
	mcast                                                                                                                     netip.Addr
	garpLowerRepeat, garpLowerDelay, lowerNoAdvert, higherSend                                                                int64 // -1 unset
	garpAt                                                                                                                    [4]span
	vrf                                                                                                                       string
	vrfSet                                                                                                                    bool
	notify                                                                                                                    map[string]*notify
	sync                                                                                                                      *SyncGroup
	evipOther                                                                                                                 bool
	downAt                                                                                                                    span
	smtpAlert                                                                                                                 int
	broken                                                                                                                    bool
	hmac                                                                                                                      *hmac
}

// netIf is an interface that the configuration names.
type netIf struct {
	name   string
	exists bool
}

// Address is a virtual address with the interface it is put on; an empty Dev is the
// instance's own.
type Address struct {
	Prefix netip.Prefix
	Dev    string

	at       span
	vmac     bool
	noTrack  bool
	noLength bool
}

// Track is something an instance tracks.
type Track struct {
	// Kind is "script", "interface", "file", "process" or "bfd".
	Kind string
	Name string
	// Weight 0 means that the instance goes to FAULT; Reverse turns the meaning of
	// the check.
	Weight  int
	Reverse bool

	at       span
	weightAt span // where the weight is written, or nowhere
	deflt    bool // the weight comes from the default of a track_file
}

// SyncGroup is a vrrp_sync_group.
type SyncGroup struct {
	Name    string
	Members []string

	head, groupAt span
	set           bool
	spans         []span
	weights       bool
	tracks        []Track
	notify        map[string]*notify
	instances     []*Instance
	alert         int
}

// Script is a vrrp_script.
type Script struct {
	Name     string
	Command  []string
	Interval time.Duration
	Timeout  time.Duration
	Rise     int64
	Fall     int64
	Weight   int
	Reverse  bool

	head, scriptAt, timeoutAt, intervalAt, weightAt span
	user                                            string
	userSet, remove                                 bool
	tracked                                         bool
	insecure                                        bool
	timeoutSet                                      bool
}

// TrackFile is a track_file.
type TrackFile struct {
	Name    string
	File    string
	Weight  int
	Reverse bool
	head    span
}

// TrackProcess is a vrrp_track_process.
type TrackProcess struct {
	Name      string
	Process   string
	Weight    int
	Reverse   bool
	quorum    int64
	quorumMax int64
	head      span
}

// BFD is a bfd_instance.
type BFD struct {
	Name     string
	Neighbor netip.Addr
	Source   netip.Addr
	Weight   int
	Reverse  bool
	head     span
	ttl      int64
	maxHops  int64
	vrrp     bool
	checker  bool
	hopsAt   span
}

// notify is a script that is run on a change.
type notify struct {
	args []string
	user string
	at   span
	kind string
}

// ServerGroup is a virtual_server_group.
type ServerGroup struct {
	Name string

	head    span
	v4, v6  bool
	anyMark bool
	ranges  []vsgEntry
	marks   int
	removed bool
	used    bool
}

type vsgEntry struct {
	addr netip.Addr
	port uint16
	at   span
}

// VirtualServer is a virtual_server.
type VirtualServer struct {
	// Address and Port, or Mark, or Group say what the server is for.
	Address netip.Addr
	Port    uint16
	Mark    uint32
	Group   string
	// Family is 4 or 6, 0 when it is not known.
	Family    int
	Protocol  string
	Scheduler string
	Kind      string // NAT, DR, TUN
	DelayLoop time.Duration
	Quorum    int64
	// Hysteresis as it holds after all checks.
	Hysteresis  int64
	Persistence int64 // seconds, 0 without
	Sorry       *RealServer
	Servers     []*RealServer

	head, kindAt, protoAt, schedAt, quorumAt, hystAt, persistAt, granAt, sorryAt, fwmarkAt, suspendAt, opsAt, closeAt span
	tun                                                                                                               tunnel
	weight                                                                                                            int64
	suspend, ops, fwmark                                                                                              bool
	inhibit                                                                                                           bool
	up, down                                                                                                          *notify
	vsg                                                                                                               *ServerGroup
	removed                                                                                                           bool
	alert                                                                                                             int
}

type tunnel struct {
	typ  string
	port int64
	csum string
}

// RealServer is a real_server or a sorry_server.
type RealServer struct {
	Address  netip.Addr
	Port     uint16
	Weight   int64
	Kind     string
	Checkers []string

	head, weightAt, kindAt span
	tun                    tunnel
	weightSet              bool
	inhibit                int8 // -1 unset
	up, down               *notify
	bfds                   []string
	removed                bool
}
