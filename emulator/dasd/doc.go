// Package dasd holds the storage subsystems for DASD (direct-access storage
// devices, disks): control units with cache and cache-fast-write identity, ECKD
// and fixed-block devices, the changed-track mask, links with a type and a
// distance, the service-time model, and faults.
//
// ECKD (extended count key data) devices have tracks of records, each with a count
// field, an optional key, and data. A channel program announces with define extent
// the tracks that it uses, and with locate record a domain: the next records or
// tracks and the operation on them.
//
// The package implements channel.Session and knows the machine, the channel and
// its own media. It knows nothing of unit control blocks, mirroring or detours.
package dasd
