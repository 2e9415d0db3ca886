package smart

import (
	"math/big"
	"math/bits"

	"dougu.internal/smart/internal/scan"
)

// Uint128 is an unsigned number of 128 bits, the size of NVMe's counters.
type Uint128 struct{ Hi, Lo uint64 }

// Uint64 returns the number and whether it fits 64 bits.
func (u Uint128) Uint64() (uint64, bool) { return u.Lo, u.Hi == 0 }

// Cmp returns -1, 0 or 1 as u is less than, equal to or greater than v.
func (u Uint128) Cmp(v Uint128) int {
	return u.Big().Cmp(v.Big())
}

// Big returns the number as a big integer.
func (u Uint128) Big() *big.Int {
	b := new(big.Int).SetUint64(u.Hi)
	return b.Lsh(b, 64).Or(b, new(big.Int).SetUint64(u.Lo))
}

// Float64 returns the nearest number of type float64.
func (u Uint128) Float64() float64 { return float64(u.Hi)*(1<<64) + float64(u.Lo) }

// String returns the decimal digits.
func (u Uint128) String() string { return string(u.Append(nil)) }

// MarshalText returns the decimal digits. In JSON the number is a string, because
// many readers of JSON represent numbers with 53 bits.
func (u Uint128) MarshalText() ([]byte, error) { return u.Append(nil), nil }

// UnmarshalText sets u from decimal digits.
func (u *Uint128) UnmarshalText(text []byte) error {
	v, ok := parseUint128(text)
	if !ok {
		return errs.Errorf("invalid number %.80q, want decimal digits of at most 128 bits", text)
	}
	*u = v
	return nil
}

// Append appends the decimal digits. It does not allocate when dst has room.
func (u Uint128) Append(dst []byte) []byte {
	if u.Hi == 0 {
		return appendDec(dst, u.Lo)
	}
	const chunk = 1e19 // the greatest power of ten in 64 bits
	hi := u.Hi / chunk
	mid, lo := bits.Div64(u.Hi%chunk, u.Lo, chunk)
	// hi*2^64 + mid is the quotient; it has at most 20 digits more.
	if hi == 0 {
		return appendPad(appendDec(dst, mid), lo, 19)
	}
	top, rest := bits.Div64(hi, mid, chunk)
	return appendPad(appendPad(appendDec(dst, top), rest, 19), lo, 19)
}

// parseUint128 reads decimal digits; false when there are none or too many.
func parseUint128[T string | []byte](s T) (u Uint128, ok bool) {
	if len(s) == 0 {
		return u, false
	}
	for i := range len(s) {
		if !scan.Digit(s[i]) {
			return Uint128{}, false
		}
		hi, lo := bits.Mul64(u.Lo, 10)
		over, top := bits.Mul64(u.Hi, 10)
		lo, carry := bits.Add64(lo, uint64(s[i]-'0'), 0)
		top, carry = bits.Add64(top, hi, carry)
		if over != 0 || carry != 0 {
			return Uint128{}, false
		}
		u = Uint128{top, lo}
	}
	return u, true
}
