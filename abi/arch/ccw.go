package arch

// A channel-command word (CCW) is one instruction of a channel program: a command
// code for the device, the address and the number of the bytes to move, and flags
// for the channel. It takes CCWSize bytes of main storage, on a multiple of that.
// (Principles of Operation, "Channel-Command Word".)
const CCWSize = 8

// The flags of a CCW.
const (
	// FlagCD (chain data) says that the next CCW continues this one's data area: the
	// command goes on, and the next command code means nothing.
	FlagCD = 0x80
	// FlagCC (chain command) says that the next CCW is executed when this one has
	// ended well. Without CD and CC a CCW is the last one of its program.
	FlagCC = 0x40
	// FlagSLI (suppress length indication) says that it is no error when the device
	// has more or fewer bytes than the count.
	FlagSLI = 0x20
	// FlagSkip says that a read takes the data from the device but stores none of it.
	FlagSkip = 0x10
	// FlagPCI (program-controlled interruption) asks for an interruption when the
	// channel reaches this CCW, while the program goes on.
	FlagPCI = 0x08
	// FlagIDA (indirect data address) says that the address leads to a list of
	// addresses.
	FlagIDA = 0x04
	// FlagS (suspend) stops the program in front of this CCW until it is resumed.
	FlagS = 0x02
	// FlagMIDA (modified indirect data address) says that the address leads to a list
	// of addresses with counts and flags.
	FlagMIDA = 0x01
)
