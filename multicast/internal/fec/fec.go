// Package fec makes parity symbols of a block and rebuilds what was lost.
//
// A block has k data symbols, 1 to 64, and up to 191 parity symbols. Parity i is the
// sum over j of data symbol j times the inverse of (64+i) XOR j, in GF(256) with the
// polynomial 0x11D: a Cauchy matrix, so that any k symbols of a block give the others.
// A parity symbol depends on its number and the data alone, not on how many are made.
//
// The heavy work, multiplying whole symbols, is klauspost/reedsolomon's; the matrix
// is ours. Rebuilding solves only for the symbols that are missing, at most as many
// equations as there are losses.
package fec

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/reedsolomon"
)

// Limits of a block.
const (
	K         = 64
	MaxParity = 191
)

const polynomial = 0x11D

var tables = sync.OnceValue(func() *field {
	f := &field{}
	x := 1
	for i := range 255 {
		f.exp[i], f.exp[i+255] = byte(x), byte(x)
		f.log[x] = i
		if x <<= 1; x >= 256 {
			x ^= polynomial
		}
	}
	return f
})

type field struct {
	exp [510]byte
	log [256]int
}

func (f *field) mul(a, b byte) byte {
	if a == 0 || b == 0 {
		return 0
	}
	return f.exp[f.log[a]+f.log[b]]
}

func (f *field) inv(a byte) byte { return f.exp[255-f.log[a]] }

// coefficient returns what data symbol j counts in parity symbol i.
func (f *field) coefficient(i, j int) byte { return f.inv(byte(K+i) ^ byte(j)) }

// A Coder makes and uses parity. The zero value is ready. It is not safe for
// concurrent use; it keeps the matrices of the last calls.
type Coder struct {
	runs    map[run]reedsolomon.Encoder
	scratch []byte
}

// run is a number of consecutive parity symbols of blocks of k.
type run struct{ k, first, n int }

// Encode makes parity symbols first to first+len(out)-1 of a block of k = len(data)
// symbols, all of one size.
func (c *Coder) Encode(data [][]byte, first int, out [][]byte) error {
	k := len(data)
	if k == 0 || k > K || first < 0 || first+len(out) > MaxParity {
		return fmt.Errorf("fec: no parity %d to %d of %d symbols", first, first+len(out), k)
	}
	e, err := c.encoder(run{k, first, len(out)})
	if err != nil {
		return err
	}
	return e.Encode(append(append(make([][]byte, 0, k+len(out)), data...), out...))
}

func (c *Coder) encoder(r run) (reedsolomon.Encoder, error) {
	if e := c.runs[r]; e != nil {
		return e, nil
	}
	f := tables()
	rows := make([][]byte, r.n)
	for i := range rows {
		rows[i] = make([]byte, r.k)
		for j := range rows[i] {
			rows[i][j] = f.coefficient(r.first+i, j)
		}
	}
	e, err := newEncoder(r.k, rows)
	if err != nil {
		return nil, err
	}
	if c.runs == nil || len(c.runs) > 512 {
		c.runs = map[run]reedsolomon.Encoder{}
	}
	c.runs[r] = e
	return e, nil
}

func newEncoder(k int, rows [][]byte) (reedsolomon.Encoder, error) {
	return reedsolomon.New(k, len(rows), reedsolomon.WithCustomMatrix(rows), reedsolomon.WithMaxGoroutines(1), reedsolomon.WithInversionCache(false))
}

// ErrTooFew is returned by Rebuild when there is less parity than loss.
var ErrTooFew = errors.New("fec: too few symbols")

// Rebuild fills in the data symbols that are nil, from parity, which is indexed by
// parity number and nil where a symbol is missing. New symbols have the same size as
// the others, and stay as they are until the next call.
func (c *Coder) Rebuild(data, parity [][]byte) error {
	k := len(data)
	var lost, rows []int
	size := 0
	for j, d := range data {
		if d == nil {
			lost = append(lost, j)
		} else {
			size = len(d)
		}
	}
	if len(lost) == 0 {
		return nil
	}
	for i, p := range parity {
		if p != nil && len(rows) < len(lost) {
			rows = append(rows, i)
			size = len(p)
		}
	}
	if k > K || len(rows) < len(lost) || len(parity) > MaxParity {
		return ErrTooFew
	}
	// What the lost symbols add up to in each parity symbol.
	n := len(lost)
	if len(c.scratch) < size*(2*n+1) {
		c.scratch = make([]byte, size*(2*n+1))
	}
	zero := c.scratch[:size*(n+1)]
	clear(zero[:size])
	shards := make([][]byte, 0, k+n)
	for _, d := range data {
		if d == nil {
			d = zero[:size]
		}
		shards = append(shards, d)
	}
	sums := make([][]byte, n)
	for i := range sums {
		sums[i] = zero[size*(i+1) : size*(i+2) : size*(i+2)]
	}
	f := tables()
	e, err := c.rows(f, k, rows)
	if err != nil {
		return err
	}
	if err := e.Encode(append(shards, sums...)); err != nil {
		return err
	}
	for i, p := range rows {
		subtle.XORBytes(sums[i], sums[i], parity[p])
	}
	inverse, err := f.invert(rows, lost)
	if err != nil {
		return err
	}
	e, err = newEncoder(n, inverse)
	if err != nil {
		return err
	}
	found := c.scratch[size*(n+1):]
	out := make([][]byte, n)
	for i := range out {
		out[i] = found[size*i : size*(i+1) : size*(i+1)]
	}
	if err := e.Encode(append(sums, out...)); err != nil {
		return err
	}
	for i, j := range lost {
		data[j] = out[i]
	}
	return nil
}

// rows returns the encoder of these parity numbers: a kept one when they are
// consecutive.
func (c *Coder) rows(f *field, k int, rows []int) (reedsolomon.Encoder, error) {
	if rows[len(rows)-1]-rows[0] == len(rows)-1 {
		return c.encoder(run{k, rows[0], len(rows)})
	}
	m := make([][]byte, len(rows))
	for i, p := range rows {
		m[i] = make([]byte, k)
		for j := range m[i] {
			m[i][j] = f.coefficient(p, j)
		}
	}
	return newEncoder(k, m)
}

// invert returns the inverse of the square part of the Cauchy matrix that belongs to
// these parity and data symbols.
func (f *field) invert(rows, columns []int) ([][]byte, error) {
	n := len(rows)
	m := make([][]byte, n)
	for i := range m {
		m[i] = make([]byte, 2*n)
		for j, c := range columns {
			m[i][j] = f.coefficient(rows[i], c)
		}
		m[i][n+i] = 1
	}
	for i := range n {
		p := i
		for p < n && m[p][i] == 0 {
			p++
		}
		if p == n {
			return nil, errors.New("fec: the matrix has no inverse")
		}
		m[i], m[p] = m[p], m[i]
		scale := f.inv(m[i][i])
		for j := range m[i] {
			m[i][j] = f.mul(m[i][j], scale)
		}
		for r := range n {
			if by := m[r][i]; r != i && by != 0 {
				for j := range m[r] {
					m[r][j] ^= f.mul(m[i][j], by)
				}
			}
		}
	}
	for i := range m {
		m[i] = m[i][n:]
	}
	return m, nil
}
