// Package engine is the front-end detour of FIGs. 5 to 11, from which the
// detours beside it are made: they differ in what the application waits for and
// in where reads go. It looks at the frame and fills the response; it keeps
// nothing from call to call and reaches no host.
package engine
