// Package machine is the host computer: a virtual clock with a typed event heap,
// main storage as mapped segments, processors that run enabled or disabled (with
// or without I/O interruptions), and the dispatcher with its prioritised queue of
// SRBs (service request blocks, units of work).
//
// It knows nothing of channels, devices or detours. It never reads a wall clock,
// starts a goroutine, ranges over a map or draws a random number, so a run is a
// function of its inputs. A Machine belongs to one goroutine; many machines run
// side by side without sharing anything.
package machine
