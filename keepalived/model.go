package keepalived

import (
	"context"
	"net/netip"
	"time"
)

// Model is what keepalived makes of a configuration: values with their defaults, as
// its own dump shows them. See [Config.Model].
type Model struct {
	Global         Global           `json:"global,omitzero"`
	Instances      []*Instance      `json:"instances,omitzero"`
	SyncGroups     []*SyncGroup     `json:"syncGroups,omitzero"`
	Scripts        []*Script        `json:"scripts,omitzero"`
	VirtualServers []*VirtualServer `json:"virtualServers,omitzero"`
	ServerGroups   []*ServerGroup   `json:"serverGroups,omitzero"`
	BFD            []*BFD           `json:"bfd,omitzero"`
	TrackFiles     []*TrackFile     `json:"trackFiles,omitzero"`
	Processes      []*TrackProcess  `json:"processes,omitzero"`
}

// Model evaluates the configuration for a profile. Instances and servers to which
// keepalived objects are listed with what it makes of them.
func (c *Config) Model(o Options) *Model { return evaluate(context.Background(), c, o).m }

// Global holds the values of global_defs.
type Global struct {
	RouterID           string        `json:"routerID,omitzero"`
	NotificationEmails []string      `json:"notificationEmails,omitzero"`
	EmailFrom          string        `json:"emailFrom,omitzero"`
	SMTPServer         string        `json:"smtpServer,omitzero"`
	SMTPPort           int           `json:"smtpPort,omitzero"`
	SMTPTimeout        time.Duration `json:"smtpTimeout,omitzero"`
	SMTPHelo           string        `json:"smtpHelo,omitzero"`
	VRRPVersion        int           `json:"vrrpVersion,omitzero"`
	Strict             bool          `json:"strict,omitzero"`
	ScriptSecurity     bool          `json:"scriptSecurity,omitzero"`
	ScriptUser         string        `json:"scriptUser,omitzero"`
	DynamicInterfaces  bool          `json:"dynamicInterfaces,omitzero"`
	DefaultInterface   string        `json:"defaultInterface,omitzero"`
	Multicast4         netip.Addr    `json:"multicast4,omitzero"`
	Multicast6         netip.Addr    `json:"multicast6,omitzero"`
	GarpDelay          time.Duration `json:"garpDelay,omitzero"`
	GarpRepeat         int64         `json:"garpRepeat,omitzero"`
	GarpRefresh        int64         `json:"garpRefresh,omitzero"`
	GarpRefreshRepeat  int64         `json:"garpRefreshRepeat,omitzero"`
	GarpLowerRepeat    int64         `json:"garpLowerRepeat,omitzero"`
	DownTimerAdverts   int64         `json:"downTimerAdverts,omitzero"`
	// AlertVRRP, AlertChecker and Alert are the settings of smtp_alert_vrrp,
	// smtp_alert_checker and smtp_alert; nil while they are not set.
	Alert        *bool `json:"alert,omitzero"`
	AlertVRRP    *bool `json:"alertVRRP,omitzero"`
	AlertChecker *bool `json:"alertChecker,omitzero"`

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
	multicast4At, multicast6At                                             span
}

func (g *Global) defaults() {
	g.VRRPVersion = 2
	g.multicast4At, g.multicast6At = nowhere, nowhere
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
	Name      string        `json:"name,omitzero"`
	State     string        `json:"state,omitzero"` // "MASTER", "BACKUP": the state it starts in
	Interface string        `json:"interface,omitzero"`
	VRID      int           `json:"vrid,omitzero"`
	Priority  int           `json:"priority,omitzero"`
	Version   int           `json:"version,omitzero"`
	Family    int           `json:"family,omitzero"` // 4 or 6
	Advert    time.Duration `json:"advert,omitzero"`
	AuthType  string        `json:"authType,omitzero"` // "", "PASS", "AH", "HMAC"
	NoPreempt bool          `json:"noPreempt,omitzero"`
	// PreemptDelay, Strict, Accept as they hold after all checks.
	PreemptDelay time.Duration `json:"preemptDelay,omitzero"`
	Strict       bool          `json:"strict,omitzero"`
	Accept       bool          `json:"accept,omitzero"`
	Addresses    []Address     `json:"addresses,omitzero"`
	Excluded     []Address     `json:"excluded,omitzero"`
	Peers        []netip.Addr  `json:"peers,omitzero"`
	Source       netip.Addr    `json:"source,omitzero"`
	Unicast      bool          `json:"unicast,omitzero"`
	DownAdverts  int64         `json:"downAdverts,omitzero"`
	Group        string        `json:"group,omitzero"` // the sync group
	Tracks       []Track       `json:"tracks,omitzero"`
	DontTrack    bool          `json:"dontTrack,omitzero"` // dont_track_primary
	// Fault reports that the instance cannot run as it is configured.
	Fault bool `json:"fault,omitzero"`

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
	Prefix netip.Prefix `json:"prefix,omitzero"`
	Dev    string       `json:"dev,omitzero"`

	at       span
	vmac     bool
	noTrack  bool
	noLength bool
}

// Track is something an instance tracks.
type Track struct {
	// Kind is "script", "interface", "file", "process" or "bfd".
	Kind string `json:"kind,omitzero"`
	Name string `json:"name,omitzero"`
	// Weight 0 means that the instance goes to FAULT; Reverse turns the meaning of
	// the check.
	Weight  int  `json:"weight,omitzero"`
	Reverse bool `json:"reverse,omitzero"`

	at       span
	weightAt span // where the weight is written, or nowhere
	deflt    bool // the weight comes from the default of a track_file
}

// SyncGroup is a vrrp_sync_group.
type SyncGroup struct {
	Name    string   `json:"name,omitzero"`
	Members []string `json:"members,omitzero"`

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
	Name     string        `json:"name,omitzero"`
	Command  []string      `json:"command,omitzero"`
	Interval time.Duration `json:"interval,omitzero"`
	Timeout  time.Duration `json:"timeout,omitzero"`
	Rise     int64         `json:"rise,omitzero"`
	Fall     int64         `json:"fall,omitzero"`
	Weight   int           `json:"weight,omitzero"`
	Reverse  bool          `json:"reverse,omitzero"`

	head, scriptAt, timeoutAt, intervalAt, weightAt span
	user                                            string
	userSet, remove                                 bool
	tracked                                         bool
	insecure                                        bool
	timeoutSet                                      bool
}

// TrackFile is a track_file.
type TrackFile struct {
	Name    string `json:"name,omitzero"`
	File    string `json:"file,omitzero"`
	Weight  int    `json:"weight,omitzero"`
	Reverse bool   `json:"reverse,omitzero"`
	head    span
}

// TrackProcess is a vrrp_track_process.
type TrackProcess struct {
	Name      string `json:"name,omitzero"`
	Process   string `json:"process,omitzero"`
	Weight    int    `json:"weight,omitzero"`
	Reverse   bool   `json:"reverse,omitzero"`
	quorum    int64
	quorumMax int64
	head      span
}

// BFD is a bfd_instance.
type BFD struct {
	Name     string     `json:"name,omitzero"`
	Neighbor netip.Addr `json:"neighbor,omitzero"`
	Source   netip.Addr `json:"source,omitzero"`
	Weight   int        `json:"weight,omitzero"`
	Reverse  bool       `json:"reverse,omitzero"`
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
	Name string `json:"name,omitzero"`

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
	Address netip.Addr `json:"address,omitzero"`
	Port    uint16     `json:"port,omitzero"`
	Mark    uint32     `json:"mark,omitzero"`
	Group   string     `json:"group,omitzero"`
	// Family is 4 or 6, 0 when it is not known.
	Family    int           `json:"family,omitzero"`
	Protocol  string        `json:"protocol,omitzero"`
	Scheduler string        `json:"scheduler,omitzero"`
	Kind      string        `json:"kind,omitzero"` // NAT, DR, TUN
	DelayLoop time.Duration `json:"delayLoop,omitzero"`
	Quorum    int64         `json:"quorum,omitzero"`
	// Hysteresis as it holds after all checks.
	Hysteresis  int64         `json:"hysteresis,omitzero"`
	Persistence int64         `json:"persistence,omitzero"` // seconds, 0 without
	Sorry       *RealServer   `json:"sorry,omitzero"`
	Servers     []*RealServer `json:"servers,omitzero"`

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
	Address  netip.Addr `json:"address,omitzero"`
	Port     uint16     `json:"port,omitzero"`
	Weight   int64      `json:"weight,omitzero"`
	Kind     string     `json:"kind,omitzero"`
	Checkers []string   `json:"checkers,omitzero"`

	head, weightAt, kindAt span
	tun                    tunnel
	weightSet              bool
	inhibit                int8 // -1 unset
	up, down               *notify
	bfds                   []string
	removed                bool
}
