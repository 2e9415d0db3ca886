package logfmt

import (
	"crypto/tls"
	"crypto/x509"
	"strconv"
	"strings"
)

// sslVariables has the variables of mod_ssl for %{VARIABLE}x, by their names in upper case. A
// function returns "" for a value that does not exist.
var sslVariables = map[string]func(e *Entry, s *tls.ConnectionState) string{
	"SSL_PROTOCOL":           func(_ *Entry, s *tls.ConnectionState) string { return sslProtocol(s.Version) },
	"SSL_CIPHER":             func(_ *Entry, s *tls.ConnectionState) string { return sslCipher(s.CipherSuite) },
	"SSL_CIPHER_USEKEYSIZE":  func(_ *Entry, s *tls.ConnectionState) string { return sslKeySize(s.CipherSuite) },
	"SSL_CIPHER_ALGKEYSIZE":  func(_ *Entry, s *tls.ConnectionState) string { return sslKeySize(s.CipherSuite) },
	"SSL_CIPHER_EXPORT":      func(*Entry, *tls.ConnectionState) string { return "false" },
	"SSL_COMPRESS_METHOD":    func(*Entry, *tls.ConnectionState) string { return "NULL" },
	"SSL_SECURE_RENEG":       func(*Entry, *tls.ConnectionState) string { return "true" },
	"SSL_TLS_SNI":            func(_ *Entry, s *tls.ConnectionState) string { return s.ServerName },
	"SSL_SESSION_RESUMED":    func(_ *Entry, s *tls.ConnectionState) string { return sslResumed(s.DidResume) },
	"SSL_CLIENT_VERIFY":      func(_ *Entry, s *tls.ConnectionState) string { return sslVerify(s) },
	"SSL_CLIENT_S_DN":        client(func(c *x509.Certificate) string { return c.Subject.String() }),
	"SSL_CLIENT_S_DN_CN":     client(func(c *x509.Certificate) string { return c.Subject.CommonName }),
	"SSL_CLIENT_I_DN":        client(func(c *x509.Certificate) string { return c.Issuer.String() }),
	"SSL_CLIENT_I_DN_CN":     client(func(c *x509.Certificate) string { return c.Issuer.CommonName }),
	"SSL_CLIENT_M_VERSION":   client(func(c *x509.Certificate) string { return strconv.Itoa(c.Version) }),
	"SSL_CLIENT_M_SERIAL":    client(func(c *x509.Certificate) string { return serial(c) }),
	"SSL_CLIENT_V_START":     client(func(c *x509.Certificate) string { return c.NotBefore.UTC().Format(sslTime) }),
	"SSL_CLIENT_V_END":       client(func(c *x509.Certificate) string { return c.NotAfter.UTC().Format(sslTime) }),
	"SSL_CLIENT_CERT_SERIAL": client(func(c *x509.Certificate) string { return serial(c) }),
}

// sslTime is the layout of times in certificates as mod_ssl prints them.
const sslTime = "Jan _2 15:04:05 2006 GMT"

// requestVariables has the variables of the request that %{VARIABLE}x prints with and without
// TLS.
var requestVariables = map[string]func(e *Entry) string{
	"HTTPS": func(e *Entry) string {
		if e.TLS != nil {
			return "on"
		}
		return "off"
	},
	"SERVER_NAME": func(e *Entry) string { return e.ServerName },
	"SERVER_PORT": func(e *Entry) string { return string(putPort(nil, &item{key: "canonical"}, e)) },
	"REMOTE_ADDR": func(e *Entry) string {
		if !e.Client.IsValid() {
			return ""
		}
		return string(address(nil, e.Client))
	},
	"REQUEST_SCHEME": func(e *Entry) string {
		if e.TLS != nil {
			return "https"
		}
		return "http"
	},
	"REQUEST_METHOD":  requestPart(func(e *Entry) string { return e.Request.Method }),
	"REQUEST_URI":     requestPart(func(e *Entry) string { return e.Request.URL.Path }),
	"QUERY_STRING":    requestPart(func(e *Entry) string { return e.Request.URL.RawQuery }),
	"SERVER_PROTOCOL": requestPart(func(e *Entry) string { return e.Request.Proto }),
	"HTTP_HOST":       requestPart(func(e *Entry) string { return e.Request.Host }),
	"HTTP_USER_AGENT": requestPart(func(e *Entry) string { return e.Request.Header.Get("User-Agent") }),
	"HTTP_REFERER":    requestPart(func(e *Entry) string { return e.Request.Header.Get("Referer") }),
	"HTTP_COOKIE":     requestPart(func(e *Entry) string { return strings.Join(e.Request.Header["Cookie"], ", ") }),
}

func requestPart(f func(e *Entry) string) func(e *Entry) string {
	return func(e *Entry) string {
		if e.Request == nil {
			return ""
		}
		return f(e)
	}
}

func client(f func(*x509.Certificate) string) func(*Entry, *tls.ConnectionState) string {
	return func(_ *Entry, s *tls.ConnectionState) string {
		if len(s.PeerCertificates) == 0 {
			return ""
		}
		return f(s.PeerCertificates[0])
	}
}

func serial(c *x509.Certificate) string {
	text := strings.ToUpper(c.SerialNumber.Text(16))
	if len(text)%2 == 1 {
		text = "0" + text
	}
	return text
}

// sslProtocol returns the name of a version of TLS as OpenSSL has it.
func sslProtocol(version uint16) string {
	switch version {
	case tls.VersionTLS10:
		return "TLSv1"
	case tls.VersionTLS11:
		return "TLSv1.1"
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return ""
}

// sslCipher returns the name of a cipher suite as OpenSSL has it (ciphers(1)). The names of
// TLS 1.3 are those of the RFC.
func sslCipher(suite uint16) string {
	name := tls.CipherSuiteName(suite)
	rest, ok := strings.CutPrefix(name, "TLS_")
	if !ok {
		return ""
	}
	exchange, cipher, ok := strings.Cut(rest, "_WITH_")
	if !ok {
		return name
	}
	switch {
	case strings.HasPrefix(cipher, "3DES_EDE_CBC"):
		cipher = "DES-CBC3" + strings.TrimPrefix(cipher, "3DES_EDE_CBC")
	case strings.HasPrefix(cipher, "CHACHA20_POLY1305"):
		cipher = "CHACHA20-POLY1305"
	case strings.HasPrefix(cipher, "AES_") && strings.Contains(cipher, "_CBC_"):
		cipher = strings.Replace("AES"+cipher[4:], "_CBC", "", 1)
	case strings.HasPrefix(cipher, "AES_"):
		cipher = "AES" + cipher[4:]
	}
	cipher = strings.ReplaceAll(cipher, "_", "-")
	if exchange == "RSA" {
		return cipher
	}
	return strings.ReplaceAll(exchange, "_", "-") + "-" + cipher
}

func sslKeySize(suite uint16) string {
	name := tls.CipherSuiteName(suite)
	switch {
	case strings.Contains(name, "AES_128"), strings.Contains(name, "RC4_128"):
		return "128"
	case strings.Contains(name, "AES_256"), strings.Contains(name, "CHACHA20"):
		return "256"
	case strings.Contains(name, "3DES"):
		return "168"
	}
	return ""
}

func sslResumed(resumed bool) string {
	if resumed {
		return "Resumed"
	}
	return "Initial"
}

func sslVerify(s *tls.ConnectionState) string {
	switch {
	case len(s.PeerCertificates) == 0:
		return "NONE"
	case len(s.VerifiedChains) == 0:
		return "GENEROUS"
	}
	return "SUCCESS"
}

// putVariable prints %{VARIABLE}x.
func putVariable(dst []byte, it *item, e *Entry) []byte {
	if f, ok := requestVariables[it.key]; ok {
		return text(dst, f(e))
	}
	if f, ok := sslVariables[it.key]; ok && e.TLS != nil {
		return text(dst, f(e, e.TLS))
	}
	return append(dst, '-')
}

// putWord prints %{word}c, the older spelling of two variables.
func putWord(dst []byte, it *item, e *Entry) []byte {
	if e.TLS != nil {
		switch it.text {
		case "version":
			return text(dst, sslProtocol(e.TLS.Version))
		case "cipher":
			return text(dst, sslCipher(e.TLS.CipherSuite))
		}
	}
	return append(dst, '-')
}

func variable(it *item) string {
	it.key = strings.ToUpper(it.text)
	_, request := requestVariables[it.key]
	_, ssl := sslVariables[it.key]
	switch {
	case it.text == "":
		return "prints -: the name of the variable is missing"
	case !request && !ssl:
		return "prints -: the value of this variable is not known"
	}
	return ""
}

func word(it *item) string {
	if it.text == "version" || it.text == "cipher" {
		return ""
	}
	return "prints -: known are version and cipher; use %{SSL_...}x for others"
}
