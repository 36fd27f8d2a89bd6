// Package engine is the logic of FIG. 16 of the method, which the post-status
// detours share. They differ in whether an application waits for the mirrors. It
// looks at the frame and fills the response; it keeps nothing from call to call.
package engine
