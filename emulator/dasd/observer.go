package dasd

// Observer is told of the changes that commands make on a device's medium. It
// serves checks of the machine from outside.
type Observer interface {
	// Changed says that a command has written records first to last of a track, by
	// their ordinals; on a device of blocks, blocks first to last of a group. The
	// value WholeTrack for last stands for everything behind first, the end of the
	// track included.
	Changed(d *Device, track, first, last int)
	// Moved says that the command of the last call of Changed has moved so many
	// bytes.
	Moved(d *Device, bytes int)
}

// WholeTrack is the last record of a change that goes on to the end of the track.
const WholeTrack = 1<<16 - 1

// Observe has o told from now on; nil is the usual value and costs a comparison
// for each command.
func (d *Device) Observe(o Observer) { d.observer = o }

// tell tells the observer, if there is one.
func (d *Device) tell(track, first, last int) {
	if d.observer != nil {
		d.changing = true
		d.observer.Changed(d, track, first, last)
	}
}
