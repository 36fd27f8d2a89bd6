package workload

import (
	"math"
	"math/rand/v2"
)

// zipf draws ranks 1 to n with probabilities proportional to rank^-s, for any
// s above 0, in constant time and memory: rejection-inversion (Hörmann and
// Derflinger, "Rejection-inversion to generate variates from monotone discrete
// distributions", ACM TOMACS 6(3), 1996). math/rand's Zipf needs s above 1, which
// excludes most measured storage workloads.
//
// Under the curve h(x) = x^-s, the strip from k-1/2 to k+1/2 is at least as large as
// h(k), since h is convex. A point is drawn uniformly from the area, and kept when
// it falls into the last h(k) of its strip.
type zipf struct {
	n         float64
	s         float64
	areaFirst float64 // left end of the area: rank 1 has exactly h(1) of it
	areaLast  float64 // area up to n + 1/2
	accept    float64 // points this close left of their rank are always kept
}

func newZipf(n int64, s float64) zipf {
	z := zipf{n: float64(n), s: s}
	z.areaFirst = z.area(1.5) - 1
	z.areaLast = z.area(z.n + 0.5)
	z.accept = 2 - z.inverse(z.area(2.5)-z.height(2))
	return z
}

func (z *zipf) draw(r *rand.Rand) int64 {
	for {
		u := z.areaLast + r.Float64()*(z.areaFirst-z.areaLast)
		x := z.inverse(u)
		k := min(max(math.Floor(x+0.5), 1), z.n)
		if k-x <= z.accept || u >= z.area(k+0.5)-z.height(k) {
			return int64(k)
		}
	}
}

func (z *zipf) height(x float64) float64 { return math.Exp(-z.s * math.Log(x)) }

// area returns the integral of the curve from 1 to x, (x^(1-s) - 1) / (1-s), in a
// form that stays exact when s is at or near 1.
func (z *zipf) area(x float64) float64 {
	l := math.Log(x)
	return l * expm1Ratio((1-z.s)*l)
}

// inverse returns the x up to which the area is y. For s above 1 the area has an
// upper bound, which rounding must not cross.
func (z *zipf) inverse(y float64) float64 {
	t := max((1-z.s)*y, -1)
	return math.Exp(y * log1pRatio(t))
}

// nearZero is the size of an argument below which the ratios below are computed from
// their series.
const nearZero = 1e-8

func expm1Ratio(t float64) float64 {
	if math.Abs(t) > nearZero {
		return math.Expm1(t) / t
	}
	return 1 + t/2
}

func log1pRatio(t float64) float64 {
	if math.Abs(t) > nearZero {
		return math.Log1p(t) / t
	}
	return 1 - t/2
}

// scatter is a permutation of 0 to n-1 that looks random, so that the most
// popular ranks lie apart on the volume. It takes no memory: two rounds of
// multiplication and shift are one-to-one on numbers of bits bits, and numbers
// of n and above are sent round again until they fall below n.
type scatter struct {
	n, mask, key uint64
	shift        uint
}

func newScatter(n int64, key uint64) scatter {
	bits := uint(1)
	for bits < 63 && uint64(1)<<bits < uint64(n) {
		bits++
	}
	return scatter{n: uint64(n), mask: 1<<bits - 1, key: key, shift: (bits + 1) / 2}
}

func (s *scatter) at(i uint64) uint64 {
	for {
		i = (i ^ s.key) & s.mask
		i = i * 0xBF58476D1CE4E5B9 & s.mask
		i ^= i >> s.shift
		i = (i + s.key>>32) * 0x94D049BB133111EB & s.mask
		i ^= i >> s.shift
		if i < s.n {
			return i
		}
	}
}
