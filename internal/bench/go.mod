module dougu.internal/internal/bench

go 1.26.0

replace dougu.internal => ../..

require dougu.internal v0.0.0

require golang.org/x/sys v0.50.0 // indirect
