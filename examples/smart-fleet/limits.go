package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// scrutinyLimit is the failure rate of one range of raw values.
type scrutinyLimit struct {
	id        uint8
	critical  bool
	low, high float64
	rate      float64
}

// The yearly failure rates from which scrutiny reports a failed attribute.
const (
	criticalRate = 0.10
	otherRate    = 0.20
)

func readLimits(name string) ([]scrutinyLimit, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var list []scrutinyLimit
	for i, l := range strings.Split(string(b), "\n") {
		f := strings.Split(l, "\t")
		if i == 0 || len(f) < 6 || f[2] != "raw" || f[5] == "" {
			continue
		}
		id, err := strconv.ParseUint(f[0], 10, 8)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: invalid attribute %q", name, i+1, f[0])
		}
		t := scrutinyLimit{id: uint8(id), critical: f[1] == "1"}
		for k, dst := range []*float64{&t.low, &t.high, &t.rate} {
			if *dst, err = strconv.ParseFloat(f[3+k], 64); err != nil {
				return nil, fmt.Errorf("%s:%d: invalid number %q", name, i+1, f[3+k])
			}
		}
		list = append(list, t)
	}
	return list, nil
}

func (m *measure) scrutiny(values map[uint8]uint64) bool {
	for i := range m.limits {
		t := &m.limits[i]
		raw, ok := values[t.id]
		v := float64(raw)
		if !ok || !(v > t.low && v <= t.high || t.low == t.high && v == t.low) {
			continue
		}
		if t.critical && t.rate >= criticalRate || !t.critical && t.rate >= otherRate {
			return true
		}
	}
	return false
}
