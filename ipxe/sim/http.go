package sim

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// canOpen tells what iPXE says about a URI before it asks anyone.
func (r *runner) canOpen(u *uri) Status {
	p := r.p
	switch s := u.scheme.text; {
	case !u.scheme.is:
		return enotsupOpen
	case s == "http", s == "https" && p.HTTPS:
		if !u.host.is {
			return einvalHTTP
		}
		return OK
	case s == "tftp" && p.TFTP, s == "ftp" && p.FTP:
		if !u.host.is || !u.path.is || !strings.HasPrefix(u.path.text, "/") {
			return einvalTFTP
		}
		return OK
	}
	return enotsupOpen
}

// maxRedirects bounds what no iPXE bounds.
const maxRedirects = 100

// fetchImage asks the world for an image; redirects, retries and passwords are followed
// as iPXE follows them.
func (r *runner) fetchImage(i *image, timeout time.Duration) Status {
	u := i.uri
	auth := ""
	for n := 0; ; n++ {
		if n > maxRedirects {
			r.stop(HazardRedirect, fmt.Sprintf("%s: more than %d redirects or retries", r.formatURI(i.uri), maxRedirects))
			return OK
		}
		if !r.step() {
			return OK
		}
		if len(r.res.Requests) >= r.opts.MaxRequests {
			r.stop(HazardLoop, fmt.Sprintf("more than %d requests", r.opts.MaxRequests))
			return OK
		}
		q := r.request(u, auth)
		if !r.charge(len(q.URI) + len(q.Body) + 64) {
			return OK
		}
		a, err := r.world.Fetch(r.ctx, q)
		if err != nil {
			return r.unreachable(err)
		}
		if !r.charge(len(a.Body)) {
			return OK
		}
		took := max(a.Took, 0)
		if timeout > 0 && took >= timeout {
			r.elapsed += timeout
			return etimedoutJob
		}
		r.elapsed += took
		if q.Scheme == "tftp" || q.Scheme == "ftp" {
			if a.Status != 0 && a.Status != http.StatusOK {
				return enoentTFTP
			}
			i.data = a.Body
			return OK
		}
		status := httpStatus(a.Status)
		if status == OK {
			i.data = a.Body
			return OK
		}
		if location := a.Header.Get("Location"); location != "" {
			// iPXE looks at the header, not at the status.
			next := r.resolveURI(r.cwuri, r.resolveURI(u, r.parseURI(location)))
			i.uri, u, auth = next, next, ""
			if i.name == "" && next.path.is {
				i.name = basename(next.path.text)
			}
			if status := r.canOpen(next); status != OK {
				return status
			}
			continue
		}
		retry := a.Header.Get("Retry-After")
		switch {
		case basicChallenge(a.Header) && !u.user.is:
			return eaccesUser
		case basicChallenge(a.Header):
			auth = r.basic(u)
			continue
		case retry != "":
			s, err := strconv.Atoi(retry)
			if err != nil {
				s = 5
			}
			r.elapsed += time.Duration(min(max(s, 0), 1<<30)) * time.Second
			continue
		}
		return status
	}
}

func (r *runner) unreachable(err error) Status {
	switch {
	case errors.Is(err, ErrNoHost):
		return enxioRecord
	case errors.Is(err, ErrReset):
		return econnreset
	case errors.Is(err, ErrTimeout):
		return etimedoutTCP
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.fail(err)
		return OK
	}
	r.fail(errs.Errorf("fetch: %w", err))
	return OK
}

// httpStatus is what iPXE makes of an HTTP status.
func httpStatus(code int) Status {
	switch {
	case code == 0 || code >= 200 && code < 300:
		return OK
	case code >= 300 && code < 400:
		return exdevHTTP
	case code == http.StatusUnauthorized:
		return eaccesHTTP
	case code == http.StatusForbidden:
		return epermHTTP
	case code == http.StatusNotFound:
		return enoentHTTP
	case code >= 400 && code < 500:
		return eio4xx
	case code >= 500 && code < 600:
		return eio5xx
	}
	return eioOther
}

// request makes what is sent for a URI, as the next one of the run. A parameter list is
// used up by it.
func (r *runner) request(u *uri, auth string) *Request {
	// The whole URI is one text, and the parts are cut from it.
	out := append(append(r.uriText[:0], u.scheme.text...), "://"...)
	host := len(out)
	out = appendURI(out, r.p, &uri{host: u.host, port: u.port})
	end := len(out)
	out = appendURI(out, r.p, &uri{path: u.path, query: u.query})
	if !u.path.is {
		out = appendURI(append(out[:end], '/'), r.p, &uri{query: u.query})
	}
	r.uriText = out
	text := r.keepText(out)
	if cap(r.res.Requests) == 0 {
		r.res.Requests = make([]Request, 0, 4)
	}
	r.res.Requests = append(r.res.Requests, Request{Method: http.MethodGet, Scheme: u.scheme.text, URI: text, Host: text[host:end], Target: text[end:]})
	q := &r.res.Requests[len(r.res.Requests)-1]
	switch q.Scheme {
	case "tftp":
		q.Method = "RRQ"
		return q
	case "ftp":
		q.Method = "RETR"
		return q
	}
	if len(r.header) == 0 || r.header[0].Value != q.Host {
		r.header = []Header{{"Host", q.Host}, {"User-Agent", r.agent}, {"Connection", "keep-alive"}}
	}
	q.Header = r.header[:3:3]
	if auth != "" {
		q.Header = append(q.Header, Header{"Authorization", auth})
	}
	if p := u.params; p != nil {
		q.Method = http.MethodPost
		q.Body = []byte(r.form(p))
		for _, v := range p.list {
			if v.header {
				q.Header = append(q.Header, Header{v.key, v.value})
			}
		}
		if p.method != "" {
			q.Method = p.method
		}
		if p.method == "" || len(q.Body) > 0 {
			q.Header = append(q.Header, Header{"Content-Type", "application/x-www-form-urlencoded"},
				Header{"Content-Length", strconv.Itoa(len(q.Body))})
		}
	}
	return q
}

func basicChallenge(h http.Header) bool {
	return strings.HasPrefix(strings.ToLower(h.Get("Www-Authenticate")), "basic")
}

// basic is the header for the password in a URI.
func (r *runner) basic(u *uri) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(u.user.text+":"+u.password.text))
}

// params is a list of request parameters.
type params struct {
	name   field
	method string
	list   []param
}

type param struct {
	key, value string
	header     bool
}

// claimParams takes a list out of those that wait.
func (r *runner) claimParams(name field) *params {
	for i, p := range r.params {
		if p.name == name {
			r.params = append(r.params[:i:i], r.params[i+1:]...)
			return p
		}
	}
	return nil
}

// form encodes a list as a web form.
func (r *runner) form(p *params) string {
	var b strings.Builder
	for _, v := range p.list {
		if v.header {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.Write(appendEncoded(nil, r.p, uriDefault, v.key))
		b.WriteByte('=')
		b.Write(appendEncoded(nil, r.p, uriDefault, v.value))
	}
	return b.String()
}

func paramsCommand(r *runner, c *call) Status {
	r.claimParams(c.label)
	if !c.remove && r.charge(len(c.label.text)+64) {
		r.params = append(r.params, &params{name: c.label, method: c.method})
	}
	return OK
}

func paramCommand(r *runner, c *call) Status {
	for _, p := range r.params {
		if p.name == c.menu {
			value := r.join(c.rest[1:])
			if r.charge(len(c.rest[0]) + len(value) + 64) {
				p.list = append(p.list, param{c.rest[0], value, c.header})
			}
			return OK
		}
	}
	if c.menu.is {
		r.print(`"`, c.menu.text, "\": no such parameter list\n")
	} else {
		r.print("No default parameter list\n")
	}
	return enoentMenu
}
