package keepalived

import (
	"context"

	"dougu.internal/diag"
)

func lintOf(c *Config, o Options) diag.List {
	list, err := Lint(context.Background(), c, o)
	if err != nil {
		panic(err)
	}
	return list
}

func lintClusterOf(nodes []Node, o Options) diag.List {
	list, err := LintCluster(context.Background(), nodes, o)
	if err != nil {
		panic(err)
	}
	return list
}

func verdictOf(c *Config, o Options) (ok bool, why diag.List) {
	r, err := Verdict(context.Background(), c, o)
	if err != nil {
		panic(err)
	}
	return r.Result == Accepted, r.Reasons
}
