// Package frames makes frames for tests of detours, the same ones for the same
// seed: most are such as a host fills, some are such as no host should, because
// a detour must answer those soundly, too.
package frames
