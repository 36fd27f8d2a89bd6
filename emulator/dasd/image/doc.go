// Package image is volumes in files: the formats of the Hercules emulator
// (CKD, also split over several files; compressed CKD with zlib or bzip2,
// shadow files; fixed-block images), opened read-only, read-write or
// copy-on-write. Foreign input is checked before it is believed.
package image
