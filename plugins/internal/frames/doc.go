// Package frames makes frames for tests of detours, the same ones for the same seed.
// Most are like those that a host fills, some are like no host should fill them,
// because a detour must give a valid response to those, too.
package frames
