// Package engine is the logic of FIGs. 5 to 11 of the method, which the front-end
// detours share. They differ in the mirrors that an application waits for, and in
// the device that serves a read. It looks at the frame and fills the response; it
// keeps nothing from call to call and calls no function of the host.
package engine
