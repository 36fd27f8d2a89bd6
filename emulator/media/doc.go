// Package media is what a device stores on: tracks of records (CKD) and fixed
// blocks (FBA), with the geometries of the devices.
//
// A medium in memory keeps content as tags (machine.Tag, one per 512 bytes)
// for as long as nobody stores real bytes, so that a run of a million writes
// costs eight bytes a unit; see package image for files in other emulators'
// formats. Media know nothing of channels and of time.
package media
