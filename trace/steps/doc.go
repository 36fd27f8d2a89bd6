// Package steps is the table of the method's steps, and recorders that a
// machine tells of the steps it takes: how often each, and the way that one I/O
// took.
package steps
