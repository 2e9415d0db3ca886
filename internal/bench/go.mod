module dougu.internal/internal/bench

go 1.26.0

replace dougu.internal => ../..

require (
	dougu.internal v0.0.0-00010101000000-000000000000
	github.com/kevinburke/ssh_config v1.6.0
)
