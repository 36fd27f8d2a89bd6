package world

import (
	"context"
	"fmt"
	"sync"

	"github.com/iosrun/iosrun/policy/catalog"
)

// Each runs the worlds of count seeds from first on, jobs of them at a time, and
// passes their results to f in the order of the seeds. It ends with the first error
// of f, or with that of a world that cannot be played, which names the seed.
func Each(ctx context.Context, l *catalog.Loader, first uint64, count, jobs int, limits Limits, f func(*World, *Result) error) error {
	if err := limits.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	type played struct {
		w   *World
		r   *Result
		err error
	}
	results := make(chan chan played, max(0, jobs-1)) // results of the worlds under way, in order
	var workers sync.WaitGroup
	defer workers.Wait()
	defer cancel()
	workers.Go(func() {
		defer close(results)
		for i := range count {
			done := make(chan played, 1)
			select {
			case results <- done:
			case <-ctx.Done():
				return
			}
			workers.Go(func() {
				w := New(first+uint64(i), limits)
				r, err := Run(ctx, l, w)
				done <- played{w, r, err}
			})
		}
	})
	for done := range results {
		p := <-done
		if p.err != nil {
			return fmt.Errorf("world of seed %d: %w", p.w.Seed, p.err)
		}
		if err := f(p.w, p.r); err != nil {
			return err
		}
	}
	return ctx.Err()
}
