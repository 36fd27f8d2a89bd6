package intercept

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/ios"
	"github.com/iosrun/iosrun/emulator/machine"
)

// TestRiskAgainstWrites holds what a pair and its mirrors keep of the data at risk
// against the list of writes itself, whatever order writes are told, arrive, are
// missed and are brought over in.
func TestRiskAgainstWrites(t *testing.T) {
	type write struct {
		r       *Request
		lacking [3]bool
	}
	m, err := machine.New(1)
	require.NoError(t, err)
	x := New(ios.New(m, channel.New(m)), nil)
	x.Illegal = func(of, from, to string, _ uint64) { t.Errorf("%s goes from %s to %s", of, from, to) }
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		p := &Pair{}
		for i := range 3 {
			p.mirrors = append(p.mirrors, &Mirror{pair: p, index: uint8(i), account: newAccount(1)})
		}
		var all []*write
		var now machine.Time
		var maxIOs, maxBytes [3]uint64
		var oldest [3]machine.Time
		ends := func(w *write, i int) {
			if w.lacking[i] {
				w.lacking[i] = false
				oldest[i] = max(oldest[i], now-w.r.ackedAt)
			}
		}
		for range 300 {
			now += machine.Time(1 + random.IntN(50))
			i := random.IntN(3)
			m := p.mirrors[i]
			var w *write
			if len(all) > 0 {
				w = all[random.IntN(len(all))]
			}
			switch random.IntN(6) {
			case 0, 1:
				w = &write{r: x.newRequest()}
				w.r.pair, w.r.block, w.r.ackedAt = p, &ios.IOSB{}, now
				w.r.program.Written = uint32(1 + random.IntN(9000))
				for j, m := range p.mirrors {
					if random.IntN(4) != 0 {
						w.lacking[j] = true
						w.r.lacks(m)
					}
				}
				all = append(all, w)
			case 2:
				if w != nil && w.r.pair != nil {
					w.r.arrived(m, now)
					ends(w, i)
				}
			case 3:
				if w != nil && w.r.pair != nil {
					w.r.missed(m) // it may still be copied while the host has the request
				}
			case 4:
				if w != nil && w.r.pair != nil {
					w.r.forgetRisk()
					r := *w.r
					r.pair = nil // the host has another use for it
					w.r = &r
				}
			case 5:
				if random.IntN(15) == 0 {
					m.safe(now, nil)
					for _, w := range all {
						ends(w, i)
					}
				}
			}
			var some uint32
			var ios, bytes [3]uint64
			age := oldest
			for _, w := range all {
				if w.lacking != [3]bool{} {
					some++
				}
				for j := range w.lacking {
					if w.lacking[j] {
						ios[j]++
						bytes[j] += uint64(w.r.program.Written)
						age[j] = max(age[j], now-w.r.ackedAt)
					}
				}
			}
			require.Equal(t, some, p.risk.count, "seed %d", seed)
			for j, m := range p.mirrors {
				maxIOs[j], maxBytes[j] = max(maxIOs[j], ios[j]), max(maxBytes[j], bytes[j])
				got := m.Risk(now)
				require.Equal(t, [4]uint64{ios[j], bytes[j], maxIOs[j], maxBytes[j]}, [4]uint64{got.IOs, got.Bytes, got.MaxIOs, got.MaxBytes}, "seed %d", seed)
				require.Equal(t, age[j], got.MaxAge, "seed %d", seed)
			}
		}
	}
}
