package hooks_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/iosrun/iosrun/abi"
	"github.com/iosrun/iosrun/hooks"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// native is a detour that knows whether it has been closed.
type native struct {
	frame  abi.Frame
	closed atomic.Int32
	err    error // of Close
}

func (n *native) Frame() *abi.Frame { return &n.frame }

func (n *native) Call(abi.Hook) error {
	if n.closed.Load() != 0 {
		return errors.New("called after it was closed")
	}
	return nil
}

func (n *native) Renew() error { return nil }

func (n *native) Close() error {
	n.closed.Add(1)
	return n.err
}

func attachment(name string) (*hooks.Attachment, *native) {
	n := new(native)
	return &hooks.Attachment{Name: name, Detour: n}, n
}

func names(g *hooks.Generation, s hooks.Slot) string {
	out := ""
	for _, a := range g.Sequence(s) {
		out += a.Name
	}
	return out
}

func attach(t *testing.T, table *hooks.Table, s hooks.Slot, name string, at hooks.Anchor) (*hooks.Link, *native) {
	t.Helper()
	a, n := attachment(name)
	l, err := table.Attach(s, a, hooks.AttachOptions{At: at})
	require.NoError(t, err)
	return l, n
}

func TestPositions(t *testing.T) {
	var table hooks.Table
	assert.True(t, table.Current().Empty())
	b, _ := attach(t, &table, hooks.DDTSIO, "b", hooks.Tail())
	attach(t, &table, hooks.DDTSIO, "d", hooks.Tail())
	attach(t, &table, hooks.DDTSIO, "a", hooks.Head())
	attach(t, &table, hooks.DDTSIO, "c", hooks.After(b))
	attach(t, &table, hooks.DDTSIO, "x", hooks.Before(b))
	attach(t, &table, hooks.SRBEP, "s", hooks.Anchor{})
	g := table.Current()
	assert.Equal(t, "axbcd", names(g, hooks.DDTSIO))
	assert.Equal(t, "s", names(g, hooks.SRBEP))
	assert.Empty(t, names(g, hooks.ReturnAddress))
	assert.False(t, g.Empty())
	assert.Equal(t, hooks.Info{Slot: hooks.DDTSIO, Name: "b", Position: 2, Revision: g.ID}, b.Info())
	require.NoError(t, b.Detach())
	assert.Equal(t, "axcd", names(table.Current(), hooks.DDTSIO))
	assert.Equal(t, "axbcd", names(g, hooks.DDTSIO), "a generation does not change")
	assert.Equal(t, -1, b.Info().Position)
	require.NoError(t, table.Close())
	assert.True(t, table.Current().Empty())
}

func TestAttachErrors(t *testing.T) {
	var table, other hooks.Table
	l, _ := attach(t, &table, hooks.DDTSIO, "a", hooks.Tail())
	foreign, _ := attach(t, &other, hooks.DDTSIO, "f", hooks.Tail())
	gone, _ := attach(t, &table, hooks.DDTSIO, "g", hooks.Tail())
	require.NoError(t, gone.Detach())
	revision := table.Current().ID

	a, _ := attachment("n")
	for _, c := range []struct {
		name string
		slot hooks.Slot
		opt  hooks.AttachOptions
		is   error
		want string
	}{
		{"slot", hooks.Slots, hooks.AttachOptions{}, nil, "attach n: slot 3 does not exist"},
		{"stale revision", hooks.DDTSIO, hooks.AttachOptions{Revision: revision - 1}, hooks.ErrStale, fmt.Sprintf("revision %d, now %d", revision-1, revision)},
		{"detached anchor", hooks.DDTSIO, hooks.AttachOptions{At: hooks.After(gone)}, hooks.ErrDetached, "anchor"},
		{"anchor of another table", hooks.DDTSIO, hooks.AttachOptions{At: hooks.Before(foreign)}, hooks.ErrDetached, "anchor"},
		{"anchor on another slot", hooks.SRBEP, hooks.AttachOptions{At: hooks.Before(l)}, hooks.ErrDetached, "anchor"},
		{"no anchor", hooks.DDTSIO, hooks.AttachOptions{At: hooks.Before(nil)}, hooks.ErrDetached, "anchor"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := table.Attach(c.slot, a, c.opt)
			require.ErrorContains(t, err, c.want)
			if c.is != nil {
				assert.ErrorIs(t, err, c.is)
			}
		})
	}
	assert.Equal(t, revision, table.Current().ID, "a failed attach changes nothing")
	_, err := table.Attach(hooks.DDTSIO, a, hooks.AttachOptions{Revision: revision})
	require.NoError(t, err)
	_, err = table.Attach(hooks.SRBEP, a, hooks.AttachOptions{})
	assert.ErrorContains(t, err, "attach n to SRBEP: is attached to DDTSIO already")
	for range hooks.MaxDetours - 2 {
		attach(t, &table, hooks.DDTSIO, "x", hooks.Tail())
	}
	full, _ := attachment("full")
	_, err = table.Attach(hooks.DDTSIO, full, hooks.AttachOptions{})
	assert.ErrorIs(t, err, hooks.ErrFull)
}

func TestUpdate(t *testing.T) {
	var table hooks.Table
	attach(t, &table, hooks.SRBEP, "a", hooks.Tail())
	l, old := attach(t, &table, hooks.SRBEP, "b", hooks.Tail())
	attach(t, &table, hooks.SRBEP, "c", hooks.Tail())
	was := l.Attachment()
	next, _ := attachment("B")
	require.NoError(t, l.Update(was, next))
	assert.Equal(t, "aBc", names(table.Current(), hooks.SRBEP))
	assert.Same(t, next, l.Attachment())
	assert.Equal(t, int32(1), old.closed.Load(), "no I/O held it")

	third, _ := attachment("x")
	err := l.Update(was, third)
	require.ErrorIs(t, err, hooks.ErrStale)
	assert.ErrorContains(t, err, "update x on SRBEP: B stands there")
	assert.ErrorContains(t, l.Update(next, next), "is attached to SRBEP already")
	require.NoError(t, l.Detach())
	require.NoError(t, l.Detach())
	assert.ErrorIs(t, l.Update(next, third), hooks.ErrDetached)
}

func TestInstall(t *testing.T) {
	var table hooks.Table
	l, gone := attach(t, &table, hooks.DDTSIO, "old", hooks.Tail())
	a, _ := attachment("a")
	b, _ := attachment("b")
	c, _ := attachment("c")
	links, err := table.Install([hooks.Slots][]*hooks.Attachment{hooks.DDTSIO: {a, b}, hooks.SRBEP: {c}})
	require.NoError(t, err)
	assert.Equal(t, "ab", names(table.Current(), hooks.DDTSIO))
	assert.Equal(t, "c", names(table.Current(), hooks.SRBEP))
	assert.Equal(t, "b", links[hooks.DDTSIO][1].Info().Name)
	assert.Equal(t, 1, links[hooks.DDTSIO][1].Info().Position)
	assert.Equal(t, int32(1), gone.closed.Load())
	assert.Equal(t, -1, l.Info().Position)
	next, _ := attachment("n")
	assert.ErrorIs(t, l.Update(l.Attachment(), next), hooks.ErrDetached)
	require.NoError(t, l.Detach(), "of what Install has replaced")

	id := table.Current().ID
	_, err = table.Install([hooks.Slots][]*hooks.Attachment{hooks.SRBEP: {a}})
	assert.ErrorContains(t, err, "install a on SRBEP: is attached to DDTSIO already")
	_, err = table.Install([hooks.Slots][]*hooks.Attachment{hooks.SRBEP: {next, next}})
	assert.ErrorContains(t, err, "install n on SRBEP: is there twice")
	_, err = table.Install([hooks.Slots][]*hooks.Attachment{make([]*hooks.Attachment, hooks.MaxDetours+1)})
	assert.ErrorIs(t, err, hooks.ErrFull)
	assert.Equal(t, id, table.Current().ID, "a failed install changes nothing")
	_, err = table.Install([hooks.Slots][]*hooks.Attachment{hooks.SRBEP: {next}})
	assert.NoError(t, err, "a failed install leaves its attachments free")
}

// TestGenerationOutlivesItsReplacement: an I/O keeps its detours open until it
// leaves, however often the table changes meanwhile, and no longer.
func TestGenerationOutlivesItsReplacement(t *testing.T) {
	var table hooks.Table
	_, stays := attach(t, &table, hooks.DDTSIO, "s", hooks.Tail())
	l, goes := attach(t, &table, hooks.DDTSIO, "g", hooks.Tail())
	first := table.Enter()
	second := table.Enter()
	require.Same(t, first, second)
	assert.Equal(t, 2, first.Inflight())
	require.NoError(t, l.Detach())
	attach(t, &table, hooks.DDTSIO, "n", hooks.Head())
	later := table.Enter()
	assert.Equal(t, "sg", names(first, hooks.DDTSIO))
	assert.Equal(t, "ns", names(later, hooks.DDTSIO))
	first.Leave()
	assert.Zero(t, goes.closed.Load(), "one I/O holds it")
	first.Enter()
	first.Leave()
	assert.Zero(t, goes.closed.Load())
	second.Leave()
	assert.Equal(t, int32(1), goes.closed.Load())
	require.NoError(t, table.Close())
	assert.Zero(t, stays.closed.Load(), "an I/O of the later generation holds it")
	later.Leave()
	assert.Equal(t, int32(1), stays.closed.Load())
	assert.Equal(t, int32(1), goes.closed.Load(), "closed once")
}

func TestCloseReportsWhatCouldNotBeClosed(t *testing.T) {
	var table hooks.Table
	a, n := attachment("a")
	n.err = errors.New("stuck")
	l, err := table.Attach(hooks.DDTSIO, a, hooks.AttachOptions{})
	require.NoError(t, err)
	require.NoError(t, l.Detach())
	assert.EqualError(t, table.Close(), "close a: stuck")
}

// TestHammer changes a table from many goroutines while an event loop runs I/Os
// over it. No I/O may find a detour closed, every detour that was attached is
// closed exactly once in the end, and an update that reports success has
// replaced what it named.
func TestHammer(t *testing.T) {
	const admins, changes = 6, 400
	var table hooks.Table
	var stop atomic.Bool
	var mu sync.Mutex
	var attached []*native
	made := func(name string) *hooks.Attachment {
		a, n := attachment(name)
		mu.Lock()
		attached = append(attached, n)
		mu.Unlock()
		return a
	}
	unused := make(map[*native]bool)
	refused := func(a *hooks.Attachment) {
		mu.Lock()
		unused[a.Detour.(*native)] = true
		mu.Unlock()
	}

	loop := make(chan error, 1)
	go func() { // the event loop: up to 8 I/Os in flight
		random := rand.New(rand.NewPCG(1, 1))
		var inflight []*hooks.Generation
		var failed error
		for ios := 0; !stop.Load() || ios < 10000; ios++ {
			g := table.Enter()
			inflight = append(inflight, g)
			if len(inflight) == 8 {
				k := random.IntN(len(inflight))
				inflight[k].Leave()
				inflight = append(inflight[:k], inflight[k+1:]...)
			}
			for _, g := range inflight {
				for s := range hooks.Slots {
					for _, a := range g.Sequence(s) {
						if err := a.Detour.Call(s.Hook()); err != nil && failed == nil {
							failed = fmt.Errorf("%s of generation %d: %w", a.Name, g.ID, err)
						}
						a.Counters.Calls++
					}
				}
			}
		}
		for _, g := range inflight {
			g.Leave()
		}
		loop <- failed
	}()

	var wait sync.WaitGroup
	for n := range admins {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(2, uint64(n)))
			var links []*hooks.Link
			for c := range changes {
				a := made(fmt.Sprintf("%d/%d", n, c))
				var l *hooks.Link
				if len(links) > 0 {
					l = links[random.IntN(len(links))]
				}
				switch random.IntN(8) {
				case 0, 1, 2:
					at := []hooks.Anchor{hooks.Tail(), hooks.Head(), hooks.Before(l), hooks.After(l)}[random.IntN(4)]
					link, err := table.Attach(hooks.Slot(random.IntN(3)), a, hooks.AttachOptions{At: at})
					if err != nil {
						refused(a)
						continue
					}
					links = append(links, link)
				case 3, 4, 5:
					if l == nil || l.Update(l.Attachment(), a) != nil {
						refused(a)
					} else if got := l.Attachment(); got != a {
						t.Errorf("update put %s where %s stands", a.Name, got.Name)
					}
				case 6:
					refused(a)
					if l != nil && l.Detach() != nil {
						t.Error("detach failed")
					}
				case 7:
					if random.IntN(4) != 0 {
						refused(a)
						continue
					}
					got, err := table.Install([hooks.Slots][]*hooks.Attachment{{a}})
					if err != nil {
						t.Error(err)
						continue
					}
					links = append(links, got[0]...)
				}
			}
		})
	}
	wait.Wait()
	stop.Store(true)
	require.NoError(t, <-loop)
	require.NoError(t, table.Close())
	closed := 0
	for _, n := range attached {
		want := int32(1)
		if unused[n] {
			want = 0
		}
		if !assert.Equal(t, want, n.closed.Load()) {
			break
		}
		closed += int(n.closed.Load())
	}
	assert.Greater(t, closed, 100)
}

// TestEnterAgainstUpdate has readers that take a generation, call its detour and
// give it back as fast as they can, against somebody who replaces the detour as
// fast as he can: the moment between looking at a generation and taking it is
// short.
func TestEnterAgainstUpdate(t *testing.T) {
	const updates, readers = 30000, 3
	var table hooks.Table
	a, _ := attachment("first")
	l, err := table.Attach(hooks.DDTSIO, a, hooks.AttachOptions{})
	require.NoError(t, err)
	var stop atomic.Bool
	var wait sync.WaitGroup
	for range readers {
		wait.Go(func() {
			for !stop.Load() {
				g := table.Enter()
				if err := g.Sequence(hooks.DDTSIO)[0].Detour.Call(abi.FrontEnd); err != nil {
					t.Error(err)
					stop.Store(true)
				}
				g.Leave()
			}
		})
	}
	for range updates {
		if stop.Load() {
			break
		}
		next, _ := attachment("next")
		if err := l.Update(a, next); err != nil {
			t.Error(err)
			break
		}
		if a.Detour.(*native).closed.Load() > 1 {
			t.Error("closed twice")
		}
		a = next
	}
	stop.Store(true)
	wait.Wait()
	require.NoError(t, table.Close())
	assert.Equal(t, int32(1), a.Detour.(*native).closed.Load())
}

func TestNames(t *testing.T) {
	for _, c := range []hooks.Containment{hooks.Bypass, hooks.FailIO, hooks.SuspendMirroring} {
		got, err := hooks.ParseContainment(c.String())
		require.NoError(t, err)
		assert.Equal(t, c, got)
	}
	_, err := hooks.ParseContainment("ignore")
	assert.ErrorContains(t, err, `containment "ignore" is unknown: want one of [bypass fail-io suspend-mirroring]`)
	assert.Equal(t, "containment 9", hooks.Containment(9).String())
	for s := range hooks.Slots {
		assert.Equal(t, abi.Hook(s), s.Hook())
	}
	assert.Equal(t, "return address", hooks.ReturnAddress.String())
}

// BenchmarkEnterLeave is what a generation costs an I/O.
func BenchmarkEnterLeave(b *testing.B) {
	var table hooks.Table
	b.ReportAllocs()
	for b.Loop() {
		table.Enter().Leave()
	}
}
