module dougu.internal

go 1.26.0
