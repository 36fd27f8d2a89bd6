// Package media holds the storage media of devices: tracks of records (CKD, count
// key data) and fixed blocks (FBA, fixed-block architecture), with the geometries
// of the devices.
//
// A medium in memory keeps content as tags (machine.Tag, one for each 512 bytes)
// for as long as nobody stores real bytes, so that a run of a million writes needs
// eight bytes for each unit; see package image for files in other emulators'
// formats. Media know nothing of channels and of time.
package media
