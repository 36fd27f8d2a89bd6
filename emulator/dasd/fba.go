package dasd

import (
	"encoding/binary"
	"errors"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/machine"
	"github.com/iosrun/iosrun/emulator/media"
)

// fba is a session of a fixed-block device.
type fba struct {
	session

	defined  bool
	loaded   bool // read IPL was used
	mask     byte
	factor   int64 // number of 512-byte blocks in one block of the device
	physical int64 // first block of the extent on the device
	logical  int64 // the program's number for that block; limit: for the last one
	limit    int64
	located  bool
	action   byte
	block    int64 // next 512-byte block to read or write
	left     int64 // number of 512-byte blocks of the locate still to come
	tags     [media.GroupBlocks]machine.Tag
	bytes    []byte
}

// Begin starts a chain. It keeps nothing of an earlier chain.
func (s *fba) Begin(now machine.Time, orb *channel.ORB) arch.UnitStatus {
	s.defined, s.loaded, s.located = false, false, false
	s.mask = 0
	return s.begin(now, orb)
}

// Reset drops the chain, and after a clear also the sense bytes.
func (s *fba) Reset(clear bool) {
	s.defined, s.located = false, false
	if clear {
		s.sensed, s.owed.is = false, false
	}
}

// Command executes a command.
func (s *fba) Command(op *channel.Operation) arch.UnitStatus {
	s.command(op)
	status := s.execute(op)
	s.moved(op, status)
	return status
}

func (s *fba) execute(op *channel.Operation) arch.UnitStatus {
	if op.Command != arch.CommandBasicSense {
		s.sensed = false
		if status := s.broken(0); status != 0 {
			return status
		}
	}
	if op.Command != arch.CommandFBAWrite && op.Command != arch.CommandFBARead {
		s.located = false // reads and writes must follow the locate at once
	}
	if run := fbaCommands[op.Command]; run != nil {
		return run(s, op)
	}
	return s.reject()
}

// fbaCommands holds the commands of a fixed-block device.
var fbaCommands = [256]func(*fba, *channel.Operation) arch.UnitStatus{
	arch.CommandReadIPL:              (*fba).readIPL,
	arch.CommandNoOperation:          (*fba).noOperation,
	arch.CommandBasicSense:           (*fba).sense,
	arch.CommandUnconditionalReserve: (*fba).reserve,
	arch.CommandFBAWrite:             (*fba).write,
	arch.CommandFBARead:              (*fba).read,
	arch.CommandFBALocate:            (*fba).locate,
	arch.CommandDefineExtent:         (*fba).defineExtent,
	arch.CommandReadCharacteristics:  (*fba).readCharacteristics,
	arch.CommandRelease:              (*fba).release,
	arch.CommandReadLog:              (*fba).readLog,
	arch.CommandReserve:              (*fba).reserve,
	arch.CommandSenseID:              (*fba).senseIdentity,
}

// reject makes the unit check of a command reject, for which sense byte 0
// suffices.
func (s *fba) reject() arch.UnitStatus { return s.check(arch.SenseCommandReject, messageNone, 0) }

// damaged makes the unit check for an error of the medium.
func (s *fba) damaged(err error) arch.UnitStatus {
	if errors.Is(err, media.ErrReadOnly) {
		return s.check(arch.SenseEquipmentCheck|arch.SenseWriteInhibited, messageNone, 0)
	}
	return s.check(arch.SenseEquipmentCheck, messageNone, 0)
}

// defineExtent is Define Extent (63): the file mask, the extent's first block on
// the device, and the program's own numbers for the first and last block of the
// extent. The file mask has the form of an ECKD device's (IBM, VM's control block
// DXDA), and ICKDSF formats a 3370 with seeks to cylinder and head permitted (48);
// Hercules 3.13 refuses bits for which it has no use.
func (s *fba) defineExtent(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.FBAExtentSize)
	var p [arch.FBAExtentSize]byte
	if op.Data.Read(p[:]) < len(p) || s.defined || s.loaded {
		return s.reject()
	}
	physical := int64(binary.BigEndian.Uint32(p[arch.FBAExtentPhysical:]))
	first, last := int64(binary.BigEndian.Uint32(p[arch.FBAExtentFirst:])), int64(binary.BigEndian.Uint32(p[arch.FBAExtentLast:]))
	blocks := s.device.geometry.Blocks / s.factor
	if p[arch.FBAExtentMask]&arch.MaskReserved != 0 ||
		first > last || physical+last-first >= blocks {
		return s.reject()
	}
	s.defined, s.located = true, false
	s.mask, s.physical, s.logical, s.limit = p[arch.FBAExtentMask], physical, first, last
	s.touch(int(physical*s.factor/media.GroupBlocks), int(((physical+last-first+1)*s.factor-1)/media.GroupBlocks), p[arch.FBAExtentMask]&arch.MaskWrite != arch.MaskWriteNone)
	return done
}

// locate is Locate (43): operation, replication count, number of blocks, first
// block.
func (s *fba) locate(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(arch.FBALocateSize)
	var p [arch.FBALocateSize]byte
	if op.Data.Read(p[:]) < len(p) || !s.defined {
		return s.reject()
	}
	count := int64(binary.BigEndian.Uint16(p[arch.FBALocateCount:]))
	block := int64(binary.BigEndian.Uint32(p[arch.FBALocateBlock:]))
	action := p[arch.FBALocateOperation] & arch.FBAOperationMask
	writes := false
	switch action {
	case arch.FBAOperationWrite, arch.FBAOperationWriteVerify, arch.FBAOperationFormat:
		writes = true
	case arch.FBAOperationRead:
	case arch.FBAOperationReadReplicated:
		// The same blocks lie there several times, in as many blocks as the replication
		// count says; the first copy is read.
		if replicas := int64(p[arch.FBALocateReplication]); replicas == 0 || count == 0 || replicas%count != 0 {
			return s.reject()
		}
	default:
		return s.reject()
	}
	if count == 0 || block < s.logical || block+count-1 > s.limit || writes && s.mask&arch.MaskWrite == arch.MaskWriteNone ||
		action == arch.FBAOperationFormat && s.mask&arch.MaskWrite != arch.MaskWriteAll {
		return s.reject()
	}
	if writes && s.device.inhibited {
		return s.damaged(media.ErrReadOnly)
	}
	s.located, s.action = true, action
	s.staged = place{} // the arm waits for the first block again
	s.block, s.left = (s.physical+block-s.logical)*s.factor, count*s.factor
	return done
}

// write is Write (41): all blocks of the locate. Blocks behind the end of the data
// become zero.
func (s *fba) write(op *channel.Operation) arch.UnitStatus {
	if !s.located || s.action != arch.FBAOperationWrite && s.action != arch.FBAOperationWriteVerify {
		return s.reject()
	}
	s.located = false
	op.Data.Expect(int(s.left) * media.BlockSize)
	for s.left > 0 {
		n := s.part()
		at := int(s.block % media.GroupBlocks)
		s.device.tell(int(s.block/media.GroupBlocks), at, at+n-1)
		tags := s.tags[:n]
		var err error
		if op.Data.Remaining() >= n*media.BlockSize && op.Data.ReadTags(tags) {
			err = s.device.fba.WriteTags(s.block, tags)
		} else {
			p := s.buffer(n * media.BlockSize)
			m := op.Data.Read(p)
			clear(p[m:])
			err = s.device.fba.WriteBlocks(s.block, p)
		}
		if err != nil {
			return s.damaged(err)
		}
		if group := int(s.block / media.GroupBlocks); s.wrote(group, n*media.BlockSize) {
			s.moveArm(group, s.placeOf(n))
		}
		s.block += int64(n)
		s.left -= int64(n)
	}
	return done
}

// read is Read (42): all blocks of the locate.
func (s *fba) read(op *channel.Operation) arch.UnitStatus {
	if !s.located || s.action != arch.FBAOperationRead && s.action != arch.FBAOperationReadReplicated {
		return s.reject()
	}
	s.located = false
	return s.send(op)
}

// send sends the blocks of the locate.
func (s *fba) send(op *channel.Operation) arch.UnitStatus {
	op.Data.Expect(int(s.left) * media.BlockSize)
	st := &s.device.stats
	st.Reads++
	for s.left > 0 && op.Data.Remaining() > 0 {
		n := s.part()
		s.visit(int(s.block / media.GroupBlocks))
		s.pass(s.placeOf(n))
		tags := s.tags[:n]
		if op.Data.Remaining() < n*media.BlockSize || !s.device.fba.ReadTags(s.block, tags) || !op.Data.WriteTags(tags) {
			p := s.buffer(n * media.BlockSize)
			if err := s.device.fba.ReadBlocks(s.block, p); err != nil {
				return s.damaged(err)
			}
			op.Data.Write(p)
		}
		st.BytesRead += uint64(n * media.BlockSize)
		s.block += int64(n)
		s.left -= int64(n)
	}
	return done
}

// part returns the number of blocks of the locate from the next one on that lie in
// the same group.
func (s *fba) part() int {
	return int(min(s.left, media.GroupBlocks-s.block%media.GroupBlocks))
}

// placeOf returns the place of the next n blocks on their track or tracks.
func (s *fba) placeOf(n int) place {
	perTrack := s.device.geometry.BlocksPerTrack
	at := int(s.block % int64(perTrack))
	last := min(s.device.mechanics.span(media.BlockSize), turn/perTrack)
	return place{at * turn / perTrack, (n-1)*turn/perTrack + last}
}

func (s *fba) buffer(n int) []byte {
	if s.bytes == nil {
		s.bytes = make([]byte, media.GroupBlocks*media.BlockSize)
	}
	return s.bytes[:n]
}

// readIPL is Read IPL (02): block 0.
func (s *fba) readIPL(op *channel.Operation) arch.UnitStatus {
	if s.defined {
		return s.reject()
	}
	s.loaded = true
	s.block, s.left = 0, s.factor
	s.touch(0, 0, false)
	return s.send(op)
}

func (s *fba) noOperation(op *channel.Operation) arch.UnitStatus {
	op.Data.Immediate()
	return done
}

func (s *fba) sense(op *channel.Operation) arch.UnitStatus { return s.giveSense(op) }

func (s *fba) reserve(op *channel.Operation) arch.UnitStatus {
	if s.defined || op.Command == arch.CommandUnconditionalReserve && op.Index > 0 {
		return s.reject()
	}
	return s.doReserve(op)
}

func (s *fba) release(op *channel.Operation) arch.UnitStatus {
	if s.defined {
		return s.reject()
	}
	return s.doRelease(op)
}

func (s *fba) readLog(op *channel.Operation) arch.UnitStatus {
	return give(op, make([]byte, s.device.unit.senseLength))
}

func (s *fba) readCharacteristics(op *channel.Operation) arch.UnitStatus {
	return give(op, s.device.characteristics())
}

func (s *fba) senseIdentity(op *channel.Operation) arch.UnitStatus {
	return give(op, s.device.senseID(nil))
}
