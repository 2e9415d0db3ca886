package logfmt_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"dougu.internal/examples/accesslog/logfmt"
)

// printer is a LineWriter.
type printer struct{}

func (printer) WriteLine(line []byte) error {
	_, err := fmt.Printf("%s\n", line)
	return err
}

func ExampleMiddleware() {
	format, err := logfmt.Parse(`%h \"%r\" %>s %b \"%{User-Agent}i\"`)
	if err != nil {
		fmt.Println(err)
		return
	}
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	h := logfmt.Middleware(format, printer{}, nil)(hello)

	r := httptest.NewRequest("GET", "/index.html", nil)
	r.Header.Set("User-Agent", `evil" 200 0 "forged`)
	h.ServeHTTP(httptest.NewRecorder(), r)
	// Output:
	// 192.0.2.1 "GET /index.html HTTP/1.1" 200 5 "evil\" 200 0 \"forged"
}

func ExampleParse() {
	_, err := logfmt.Parse(`%h %l %u %t \"%r\" %y`)
	fmt.Println(err)
	// Output:
	// logfmt: column 21: Unrecognized LogFormat directive %y
}
