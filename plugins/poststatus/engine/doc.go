// Package engine is the post-status detour of FIG. 16, from which the detours
// beside it are made: they differ in whether an application waits for the
// mirrors. It looks at the frame and fills the response; it keeps nothing from
// call to call.
package engine
