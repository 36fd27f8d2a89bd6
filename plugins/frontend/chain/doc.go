// Package chain analyses channel programs, the lists of channel-command words (CCWs)
// that a device executes, for front-end detours: which of the seven classes of FIG.
// 8 a chain belongs to, which special features it has, and which of its data areas
// it changes itself. It knows the command codes of the device classes and the fields
// of a CCW. It never looks at mirrors, and asks the host only for the part of a
// chain that does not fit into the frame.
package chain
