// Package dasd is the storage subsystems: control units with cache and
// cache-fast-write identity, ECKD and fixed-block devices, the changed-track
// mask, links with a type and a distance, the service-time model, and faults.
//
// It implements channel.Session and knows the machine, the channel and its own
// media. It knows nothing of unit control blocks, mirroring or detours.
package dasd
