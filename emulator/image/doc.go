// Package image keeps volumes (the media of devices) in files. It reads and writes
// the formats of the Hercules emulator (CKD, also split over several files;
// compressed CKD and compressed FBA with zlib or bzip2, with shadow files, which
// hold only the changes to the image under them; raw fixed-block images), opened
// read-only, read-write or copy-on-write. Open tells the formats apart by their
// headers. Foreign input is checked before it is used: an image that fails a check
// is a DamageError, and nothing is written to it.
//
// Changed tracks stay in a cache, bounded by Options.CacheBytes, until they are
// evicted or Flush is called. Changes become durable as follows:
//
//   - Flush returns after fsync of every file that it wrote to. Until then a
//     crash of the machine may lose any change since the last Flush.
//   - A plain image (CKD or FBA) is updated in place. A crash can leave a track
//     or block that was being written half old and half new, as it can on the
//     device's own sectors.
//   - A compressed image is never updated in place. A changed track goes to
//     space that nothing refers to, then a new lookup table that refers to it,
//     both are made durable, and only then one aligned entry of the level 1
//     table is switched. A crash leaves each track wholly old or wholly new.
//     Space of old tracks is used again only after the Flush that freed it.
//   - A compressed image that is open for writing carries the OPENED bit in its
//     header until Close. An image found with it set has its free space rebuilt
//     from the lookup tables, and is written to only with Options.IgnoreOpened.
//
// A volume belongs to one machine and is used by one goroutine at a time. Its
// files are locked (package files): any number of programs of this project may
// read a volume, one may change it, and then no other reads it. Hercules does not
// lock its files, but sets the OPENED bit.
package image
