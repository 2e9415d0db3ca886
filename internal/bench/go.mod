module dougu.internal/internal/bench

go 1.26.0

replace dougu.internal => ../..

require (
	dougu.internal v0.0.0-00010101000000-000000000000
	github.com/gorilla/handlers v1.5.2
	github.com/kevinburke/ssh_config v1.6.0
	github.com/lestrrat-go/apache-logformat/v2 v2.0.6
)

require (
	github.com/felixge/httpsnoop v1.0.3 // indirect
	github.com/lestrrat-go/strftime v1.0.4 // indirect
	github.com/pkg/errors v0.8.1 // indirect
	golang.org/x/sys v0.50.0 // indirect
)
