// Package player plays a workload on a rig: requests arrive at their times and are
// followed to their ends, and faults, swaps of the policy and synchronisations
// happen meanwhile. It counts what it saw, and judges and reports nothing.
//
// A Loop lets the machine's events happen, and Copies makes mirrors identical to
// their primaries; both work without a workload.
package player
