// Package experiment runs policies on a workload: it builds a machine with its
// storage subsystems and pairs from a description, lets a policy's detours stand
// on the slots, plays the workload, and at the end checks what must hold and
// says what it cost.
//
// A run is a function of the description, the workload, the modules and the
// seed. Machines share nothing, so several policies run side by side.
package experiment
