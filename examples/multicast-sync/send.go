package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"dougu.internal/multicast"
)

// sender contains the flags of send.
type sender struct {
	common
	o            multicast.SendOptions
	dir          string
	dirSet       bool
	verbose      count
	members      bool
	status       bool
	json         bool
	to           list
	rules        []string
	rate         string
	fixed        bool
	commit, slow string
	bar          *bar
}

func (c *common) send(ctx context.Context, args []string) int {
	s := &sender{common: *c}
	f := flag.NewFlagSet("send", flag.ContinueOnError)
	s.common.flags(f)
	f.StringVar(&s.dir, "C", ".", "")
	f.BoolVar(&s.o.Recursive, "r", false, "")
	f.Var(&s.verbose, "v", "")
	f.BoolVar(&s.o.DryRun, "n", false, "")
	f.BoolVar(&s.o.Delete, "delete", false, "")
	f.IntVar(&s.o.MaxDelete, "max-delete", 0, "")
	f.BoolVar(&s.o.Check, "check", false, "")
	f.BoolVar(&s.o.Checksum, "checksum", false, "")
	f.BoolVar(&s.o.Owner, "owner", false, "")
	f.BoolVar(&s.o.Fsync, "fsync", false, "")
	s.ruleFlags(f)
	f.Var(&s.to, "t", "")
	f.IntVar(&s.o.MinMembers, "min-members", 0, "")
	f.StringVar(&s.rate, "rate", "0", "")
	f.IntVar(&s.o.Symbol, "symbol", 0, "")
	f.BoolVar(&s.fixed, "fixed", false, "")
	f.StringVar(&s.commit, "commit", "all", "")
	f.StringVar(&s.slow, "slow", "wait", "")
	f.BoolVar(&s.members, "members", false, "")
	f.BoolVar(&s.status, "status", false, "")
	f.BoolVar(&s.json, "json", false, "")
	paths, err := parseAnywhere(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return statusGood
	case err != nil:
		return statusUsage
	}
	s.o.Paths, s.o.To, s.o.Exclude = paths, s.to, s.rules
	f.Visit(func(g *flag.Flag) { s.dirSet = s.dirSet || g.Name == "C" })
	return s.run(ctx)
}

func (s *sender) run(ctx context.Context) int {
	config, err := s.config()
	if err != nil {
		return s.fail(statusUsage, err)
	}
	if config.Rate, err = s.limits(); err != nil {
		return s.fail(statusUsage, err)
	}
	asks := s.members || s.status
	switch {
	case s.members && s.status:
		return s.usage("-members and -status cannot be used together")
	case asks && len(s.o.Paths) > 0:
		return s.usage("unexpected PATH with -members or -status")
	case !asks && len(s.o.Paths) == 0:
		return s.usage("missing PATH")
	}
	// Missing paths are reported, and the others are sent. The exit status is statusUsage.
	missing := 0
	if !asks {
		if missing, err = s.present(); err != nil {
			return s.fail(statusUsage, err)
		}
		if len(s.o.Paths) == 0 {
			return statusUsage
		}
	}
	n, err := multicast.Join(ctx, config)
	if err != nil {
		return s.fail(statusFailed, err)
	}
	defer n.Close()
	if asks {
		return s.query(ctx, n)
	}
	s.bar = newBar(s.stderr)
	if s.bar != nil {
		s.o.Progress = s.bar.show
	}
	report, err := n.Send(ctx, s.dir, s.o)
	s.bar.clear()
	return max(s.report(report, err), min(missing, 1)*statusUsage)
}

func (s *sender) limits() (r multicast.Rate, err error) {
	if r.Bits, err = parseRate(s.rate); err != nil {
		return r, fmt.Errorf("-rate: %w", err)
	}
	if s.fixed {
		r.Mode = multicast.Fixed
	}
	switch n, err := strconv.Atoi(s.commit); {
	case s.commit == "all":
	case s.commit == "reached":
		s.o.Commit = multicast.Reached
	case err == nil && n > 0:
		s.o.Commit = multicast.Quorum(n)
	default:
		return r, fmt.Errorf("invalid -commit %q, want all, reached or a number of hosts", s.commit)
	}
	if s.slow == "wait" {
		return r, nil
	}
	words := strings.Split(s.slow, ":")
	if len(words) != 3 || words[0] != "evict" && words[0] != "later" {
		return r, fmt.Errorf("invalid -slow %q, want wait, evict:RATE:TIME or later:RATE:TIME", s.slow)
	}
	rate, err := parseRate(words[1])
	if err != nil {
		return r, fmt.Errorf("-slow: %w", err)
	}
	grace, err := time.ParseDuration(words[2])
	if err != nil {
		return r, fmt.Errorf("-slow: %w", err)
	}
	s.o.Slow = multicast.EvictBelow(rate, grace)
	if words[0] == "later" {
		s.o.Slow = multicast.Background(rate, grace)
	}
	return r, nil
}

// present removes the paths that do not exist and prints an error for each of them.
func (s *sender) present() (missing int, err error) {
	if err := s.absolute(); err != nil {
		return 0, err
	}
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return 0, fmt.Errorf("-C: %w", err)
	}
	defer root.Close()
	var there []string
	for _, p := range s.o.Paths {
		if err := multicast.CheckPath(p); err != nil {
			return 0, err
		}
		if _, err := root.Lstat(p); errors.Is(err, os.ErrNotExist) {
			fmt.Fprintf(s.stderr, "error: No such file or directory %s\n", show(p))
			missing++
			continue
		}
		there = append(there, p)
	}
	s.o.Paths = there
	return missing, nil
}

// query prints the members or their status.
func (s *sender) query(ctx context.Context, n *multicast.Node) int {
	if s.status {
		list, err := n.Status(ctx)
		if err != nil {
			return s.fail(statusFailed, err)
		}
		for _, st := range list[1:] {
			fmt.Fprintf(
				s.stdout,
				"%s\n  state    %s\n  transfer %s\n  progress %d of %d bytes\n  rate     %.1f Mbit/s\n  loss     %.2f %%\n  drops    %d\n  backlog  %d bytes\n",
				show(
					st.Name,
				),
				st.State,
				st.Detail,
				st.Done,
				st.Total,
				float64(st.Rate)/1e6,
				100*st.Loss,
				st.Drops,
				st.Backlog,
			)
		}
		if len(list) == 1 {
			return s.fail(statusNoMembers, multicast.ErrNoMembers)
		}
		return statusGood
	}
	if err := n.Query(ctx, 500*time.Millisecond); err != nil {
		return s.fail(statusFailed, err)
	}
	list := n.Members()
	for _, m := range list {
		if m.Protocol != 0 {
			fmt.Fprintf(s.stdout, "%s %s (incompatible: protocol %d)\n", show(m.Name), m.Addr, m.Protocol)
			continue
		}
		fmt.Fprintf(s.stdout, "%s %s (Ver%s)\n", show(m.Name), m.Addr, m.Version)
	}
	fmt.Fprintf(s.stdout, "Total: %d members\n", len(list))
	if len(list) == 0 {
		return statusNoMembers
	}
	return statusGood
}

// report prints the result and returns the exit status.
func (s *sender) report(r *multicast.Report, err error) int {
	if r != nil {
		s.skipped(r)
		if s.json {
			s.printJSON(r, err)
		} else {
			s.lines(r)
		}
	}
	status := statusGood
	switch {
	case err == nil:
	case errors.Is(err, multicast.ErrUnknownHost):
		status = statusUsage
	case errors.Is(err, multicast.ErrNoMembers) || errors.Is(err, multicast.ErrTooFew) && (r == nil || len(r.Hosts) == 0):
		status = statusNoMembers
	default:
		status = statusFailed
	}
	if s.o.Check && status == statusGood &&
		slices.ContainsFunc(r.Hosts, func(h multicast.HostReport) bool { return len(h.Differs) > 0 }) {
		status = statusFailed
	}
	if err != nil {
		s.explain(r, err)
	}
	return status
}

// explain prints each error in a line.
func (s *sender) explain(r *multicast.Report, err error) {
	var told bool
	for _, e := range flatten(err) {
		var h *multicast.HostError
		var p *multicast.PathError
		switch {
		case errors.As(e, &h) && errors.As(h.Err, &p):
			fmt.Fprintf(s.stderr, "error %s:%s: %s: %s\n", show(h.Host), show(p.Path), p.Op, p.Text)
		case errors.As(e, &h):
			fmt.Fprintf(s.stderr, "error %s: %s\n", show(h.Host), h.Text)
		case errors.As(e, &p):
			fmt.Fprintf(s.stderr, "error %s: %s: %s\n", show(p.Path), p.Op, p.Text)
		default:
			fmt.Fprintln(s.stderr, strings.TrimPrefix(strings.TrimPrefix(e.Error(), "multicast: "), "error: "))
		}
		told = true
	}
	if !told {
		s.fail(statusFailed, err)
	}
	if r != nil && len(r.OtherKeys) > 0 {
		text := make([]string, len(r.OtherKeys))
		for i, a := range r.OtherKeys {
			text[i] = a.String()
		}
		fmt.Fprintln(s.stderr, "note: these hosts have another key or group:", strings.Join(text, " "))
	}
	if r != nil && r.Note != "" {
		fmt.Fprintln(s.stderr, "note:", r.Note)
	}
}

// flatten returns the errors that err lists, or err itself.
func flatten(err error) []error {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return list.Unwrap()
	}
	return []error{err}
}

// lines prints the result like msync: deletions, then updates. The contents of a directory precede
// the directory, and hosts are sorted by name.
func (s *sender) lines(r *multicast.Report) {
	w := bufio.NewWriter(s.stdout)
	defer w.Flush()
	if s.o.Check {
		s.each(
			r,
			func(h *multicast.HostReport) []string { return h.Differs },
			func(host, p string) { fmt.Fprintf(w, "%s: NG %s\n", host, p) },
		)
		if s.verbose > 0 {
			s.each(
				r,
				func(h *multicast.HostReport) []string { return h.Skipped },
				func(host, p string) { fmt.Fprintf(w, "%s: OK %s\n", host, p) },
			)
		}
		return
	}
	// A host that has not committed has no lines, because it has not changed anything.
	done := func(list func(*multicast.HostReport) []string) func(*multicast.HostReport) []string {
		return func(h *multicast.HostReport) []string {
			if h.State != multicast.HostCommitted {
				return nil
			}
			return list(h)
		}
	}
	deleted := done(func(h *multicast.HostReport) []string { return h.Deleted })
	updated := done(func(h *multicast.HostReport) []string { return h.Updated })
	if s.o.DryRun && s.verbose == 0 {
		for _, kind := range []struct {
			word string
			list func(*multicast.HostReport) []string
		}{{"delete", deleted}, {"update", updated}} {
			last := ""
			s.each(r, kind.list, func(_, p string) {
				if p != last {
					fmt.Fprintf(w, "(dryrun) [%s:%s]\n", kind.word, p)
				}
				last = p
			})
		}
		return
	}
	if s.verbose == 0 {
		return
	}
	dry := ""
	if s.o.DryRun {
		dry = "(dryrun) "
	}
	s.each(r, deleted, func(host, p string) { fmt.Fprintf(w, "%sdelete %s:%s\n", dry, host, p) })
	s.each(r, updated, func(host, p string) { fmt.Fprintf(w, "%supdate %s:%s\n", dry, host, p) })
	if s.verbose > 1 {
		s.each(
			r,
			done(func(h *multicast.HostReport) []string { return h.Skipped }),
			func(host, p string) { fmt.Fprintf(w, "%sskip   %s:%s\n", dry, host, p) },
		)
		s.each(r, func(h *multicast.HostReport) []string {
			if h.State != multicast.HostReadOnly {
				return nil
			}
			return append(slices.Clone(h.Deleted), h.Updated...)
		}, func(host, p string) { fmt.Fprintf(w, "%sskipro %s:%s\n", dry, host, p) })
	}
}

// each calls f for each path of each host, sorted by path and host.
func (s *sender) each(r *multicast.Report, list func(*multicast.HostReport) []string, f func(host, path string)) {
	var all []string
	hosts := map[string][]string{}
	for i := range r.Hosts {
		h := &r.Hosts[i]
		for _, p := range list(h) {
			if hosts[p] == nil {
				all = append(all, p)
			}
			hosts[p] = append(hosts[p], h.Name)
		}
	}
	for _, p := range multicast.ChildrenFirst(all) {
		for _, host := range hosts[p] {
			f(show(host), show(p))
		}
	}
}

// skipped prints what is not sent as it is.
func (s *sender) skipped(r *multicast.Report) {
	for _, p := range r.Special {
		fmt.Fprintf(s.stderr, "skipping non-regular file %s\n", show(p))
	}
	for _, p := range r.SetID {
		fmt.Fprintf(s.stderr, "note: %s has set-user-id or set-group-id; a host drops it unless recv -setuid is set\n", show(p))
	}
}

type jsonError struct {
	Path string `json:"path"`
	Op   string `json:"op"`
	Text string `json:"text"`
}

type jsonHost struct {
	Name    string      `json:"name"`
	Addr    string      `json:"addr"`
	State   string      `json:"state"`
	Text    string      `json:"text,omitempty"`
	Atomic  bool        `json:"atomic"`
	Updated []string    `json:"updated"`
	Deleted []string    `json:"deleted"`
	Skipped []string    `json:"skipped"`
	Differs []string    `json:"differs,omitempty"`
	Errors  []jsonError `json:"errors"`
	Late    bool        `json:"late"`
	Evicted bool        `json:"evicted"`
	Loss    float64     `json:"loss"`
	Drops   int64       `json:"drops"`
}

type jsonPhase struct {
	Name string  `json:"name"`
	Took float64 `json:"took"` // seconds
}

type jsonReport struct {
	Epoch      uint64      `json:"epoch"`
	Committed  bool        `json:"committed"`
	Bytes      int64       `json:"bytes"`
	Sent       int64       `json:"sent"`
	Repair     int64       `json:"repair"`
	Wire       int64       `json:"wire"`
	Rounds     int         `json:"rounds"`
	Elapsed    float64     `json:"elapsed"`     // seconds
	FlipSpread float64     `json:"flip_spread"` // seconds
	Loss       float64     `json:"loss"`
	Phases     []jsonPhase `json:"phases"` // the durations of the states
	Hosts      []jsonHost  `json:"hosts"`
	Problems   []jsonError `json:"problems"`
	Special    []string    `json:"special,omitempty"` // devices, FIFOs and sockets, which are not sent
	SetID      []string    `json:"set_id,omitempty"`  // files with set-user-id or set-group-id
	Error      string      `json:"error,omitempty"`
}

// stateWord returns the word for a state in the JSON report.
func stateWord(s multicast.HostState) string {
	if s == multicast.HostInDoubt {
		return "in doubt"
	}
	return s.String()
}

func (s *sender) printJSON(r *multicast.Report, err error) {
	j := jsonReport{
		Epoch:      r.Epoch,
		Committed:  r.Committed,
		Bytes:      r.Bytes,
		Sent:       r.Sent,
		Repair:     r.Repair,
		Wire:       r.Wire,
		Rounds:     r.Rounds,
		Elapsed:    r.Elapsed.Seconds(),
		FlipSpread: r.FlipSpread.Seconds(),
		Loss:       r.Loss,
		Phases:     []jsonPhase{},
		Hosts:      []jsonHost{},
		Problems:   []jsonError{},
		Special:    r.Special,
		SetID:      r.SetID,
	}
	if err != nil {
		j.Error = err.Error()
	}
	for _, p := range r.Phases {
		j.Phases = append(j.Phases, jsonPhase{p.Name, p.Took.Seconds()})
	}
	some := func(l []string) []string { return append([]string{}, l...) }
	for i := range r.Hosts {
		h := &r.Hosts[i]
		x := jsonHost{
			Name:    h.Name,
			Addr:    h.Addr.String(),
			State:   stateWord(h.State),
			Text:    h.Text,
			Atomic:  h.Atomic,
			Updated: some(h.Updated),
			Deleted: some(h.Deleted),
			Skipped: some(
				h.Skipped,
			),
			Differs: h.Differs,
			Errors:  []jsonError{},
			Late:    h.Late,
			Evicted: h.Evicted,
			Loss:    h.Detail.Loss,
			Drops:   h.Detail.Drops,
		}
		for _, e := range h.Errors {
			x.Errors = append(x.Errors, jsonError{e.Path, e.Op, e.Text})
		}
		j.Hosts = append(j.Hosts, x)
	}
	for _, p := range r.Problems {
		j.Problems = append(j.Problems, jsonError{p.Path, p.Op, p.Text})
	}
	e := json.NewEncoder(s.stdout)
	e.SetEscapeHTML(false)
	if err := e.Encode(j); err != nil {
		fmt.Fprintln(s.stderr, "error:", err)
	}
}
