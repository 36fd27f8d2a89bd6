// Package scenario plays small experiments that show one behaviour each. A scenario
// lists the actions on the machine with their virtual times, down to single
// channel-command words, and the expected results. It is a YAML file; those of the
// project are embedded, and together they make every step of the method happen.
package scenario
