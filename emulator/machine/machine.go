package machine

import "fmt"

// The machine's own event kinds.
const (
	kindSRBReady = KindMachine + iota
	kindProcessorFree
)

// MaxProcessors is the largest number of processors that a machine can have.
const MaxProcessors = 64

// Step is the number of a step of the interception method; package abi/step has
// their names.
type Step uint16

// StepRecorder is told of the steps that are taken. who names the component that
// took the step, io is the identity of the I/O. The recorder is also told of each
// change of state of anything that belongs to an I/O (its request, a leg, a mirror
// I/O ...), by the names in the tables of states; leg is 0 for the request and for
// the primary, else the number of the mirror.
type StepRecorder interface {
	Step(at Time, step Step, who string, io uint64)
	Transition(at Time, of string, leg int, from, to string, io uint64)
}

// Machine is a host computer.
type Machine struct {
	Clock      Clock
	Storage    Storage
	Processors []Processor
	Dispatcher Dispatcher
	// Steps is told of the method's steps; nil is the usual value and costs a
	// comparison for each step.
	Steps StepRecorder
}

// Now returns the time of the unit of work that is running at this moment, or the
// clock's time between units of work.
func (m *Machine) Now() Time {
	if p := m.Dispatcher.running; p != nil {
		return p.now
	}
	return m.Clock.now
}

// New makes a machine with the given number of processors, its clock at zero
// and no storage mapped.
func New(processors int) (*Machine, error) {
	if processors < 1 || processors > MaxProcessors {
		return nil, fmt.Errorf("machine: %d processors: want 1 to %d", processors, MaxProcessors)
	}
	m := &Machine{Processors: make([]Processor, processors)}
	for i := range m.Processors {
		m.Processors[i].ID = i
		m.Processors[i].m = m
	}
	m.Dispatcher.m = m
	return m, nil
}
