package workload

import (
	"fmt"
	"io"

	"github.com/iosrun/iosrun/emulator/machine"
)

// Limits of the factor by which requests arrive faster.
const (
	MinSpeed = 1e-9
	MaxSpeed = 1e9
)

// CheckSpeed reports a factor with which Speedup cannot work.
func CheckSpeed(factor float64) error {
	if !(factor >= MinSpeed && factor <= MaxSpeed) {
		return fmt.Errorf("%v: want more than 0, from %v to %v", factor, MinSpeed, MaxSpeed)
	}
	return nil
}

// Speedup has the requests of a source arrive factor times as fast; a factor
// below 1 slows them down. It does not touch offsets or lengths. Closing it
// closes the source.
func Speedup(source Source, factor float64) (Source, error) {
	if err := CheckSpeed(factor); err != nil {
		return nil, fmt.Errorf("speedup %w", err)
	}
	if factor == 1 {
		return source, nil
	}
	return &speedup{source, factor}, nil
}

type speedup struct {
	Source
	factor float64
}

func (s *speedup) Next(q *Request) error {
	if err := s.Source.Next(q); err != nil {
		return err
	}
	at := float64(q.At) / s.factor
	if at > float64(MaxSpan) {
		return fmt.Errorf("speedup %v: request at %v would arrive after more than %s", s.factor, q.At, spanText())
	}
	q.At = machine.Time(at)
	return nil
}

// Limit ends a source after n reads and writes; other requests between them do
// not count. Closing it closes the source.
func Limit(source Source, n int64) (Source, error) {
	if n < 0 {
		return nil, fmt.Errorf("limit of %d requests: want 0 or more", n)
	}
	return &limit{source, n}, nil
}

type limit struct {
	Source
	left int64
}

func (l *limit) Next(q *Request) error {
	if l.left == 0 {
		return io.EOF
	}
	if err := l.Source.Next(q); err != nil {
		return err
	}
	if q.Op == Read || q.Op == Write {
		l.left--
	}
	return nil
}
