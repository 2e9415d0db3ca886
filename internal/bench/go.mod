module dougu.internal/internal/bench

go 1.26.0

replace dougu.internal => ../..
