package workload

import (
	"fmt"
	"io"

	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/trace"
)

// Limits of the factor by which requests arrive faster.
const (
	MinSpeed = 1e-9
	MaxSpeed = 1e9
)

// CheckSpeed returns an error about a factor that Speedup does not accept, or nil.
func CheckSpeed(factor float64) error {
	if !(factor >= MinSpeed && factor <= MaxSpeed) {
		return fmt.Errorf("%v: want more than 0, from %v to %v", factor, MinSpeed, MaxSpeed)
	}
	return nil
}

// Speedup returns a source whose requests arrive factor times as fast; a factor
// below 1 slows them down. It does not touch offsets or lengths. Closing it closes
// the source.
func Speedup(source trace.Source, factor float64) (trace.Source, error) {
	if err := CheckSpeed(factor); err != nil {
		return nil, fmt.Errorf("speedup %w", err)
	}
	if factor == 1 {
		return source, nil
	}
	return &speedup{source, factor}, nil
}

type speedup struct {
	trace.Source
	factor float64
}

func (s *speedup) Next(q *trace.Request) error {
	if err := s.Source.Next(q); err != nil {
		return err
	}
	at := float64(q.At) / s.factor
	if at > float64(trace.MaxSpan) {
		return fmt.Errorf("speedup %v: request at %v would arrive after more than %d days", s.factor, q.At, trace.MaxSpanDays)
	}
	q.At = machine.Time(at)
	return nil
}

// Limit ends a source after n reads and writes; other requests between them do
// not count. Closing it closes the source.
func Limit(source trace.Source, n int64) (trace.Source, error) {
	if n < 0 {
		return nil, fmt.Errorf("limit of %d requests: want 0 or more", n)
	}
	return &limit{source, n}, nil
}

type limit struct {
	trace.Source
	left int64
}

func (l *limit) Next(q *trace.Request) error {
	if l.left == 0 {
		return io.EOF
	}
	if err := l.Source.Next(q); err != nil {
		return err
	}
	if q.Op == trace.Read || q.Op == trace.Write {
		l.left--
	}
	return nil
}
