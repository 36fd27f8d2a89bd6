package channelcase

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/emulator/channel"
	"github.com/iosrun/iosrun/emulator/media"
)

// Outcome is the result of a case, or the expected one. A part that is nil or empty
// in an expectation is not compared.
type Outcome struct {
	// CC holds the condition code of each instruction in order, as "ssch=0".
	CC []string `json:"cc,omitempty"`
	// IRB holds the interruption-response block that each TEST SUBCHANNEL stored.
	IRB []IRB `json:"irb,omitempty"`
	// Sense holds the 32 sense bytes after a unit check.
	Sense string `json:"sense,omitempty"`
	// SCHIB is the subchannel-information block that STORE SUBCHANNEL stored last, 52
	// bytes.
	SCHIB string `json:"schib,omitempty"`
	// Interruption holds the 12 bytes that TEST PENDING INTERRUPTION stored last.
	Interruption string `json:"interruption,omitempty"`
	// Dump holds storage afterwards, by address as the case spells it.
	Dump map[string]string `json:"dump,omitempty"`
	// Tracks holds tracks afterwards, by "cylinder/head".
	Tracks map[string]TrackContent `json:"tracks,omitempty"`
}

// IRB is the interruption-response block: the SCSW, and its parts in words.
type IRB struct {
	SCSW          string `json:"scsw"`
	CCWAddress    string `json:"ccw_addr,omitempty"`
	UnitStatus    string `json:"unit_status,omitempty"`
	ChannelStatus string `json:"channel_status,omitempty"`
	Residual      int    `json:"residual"`
	Status        string `json:"status,omitempty"`
	// ECW holds the concurrent sense bytes, if there are any.
	ECW string `json:"ecw,omitempty"`
}

// TrackContent is the content of a track in an image.
type TrackContent struct {
	HA      string   `json:"HA"`
	Records []Record `json:"records"`
	// Used is the offset of the end mark in bytes.
	Used int `json:"used,omitempty"`
}

// Record holds count, key and data of a record.
type Record struct {
	Count string `json:"count"`
	Key   string `json:"key"`
	Data  string `json:"data"`
}

// check checks the parts that are compared byte by byte.
func (o *Outcome) check() error {
	for i := range o.IRB {
		if p, err := hex.DecodeString(o.IRB[i].SCSW); err != nil || len(p) != channel.SCSWSize {
			return fmt.Errorf("expect: irb %d: scsw %q: want %d bytes in hexadecimal", i+1, o.IRB[i].SCSW, channel.SCSWSize)
		}
	}
	return nil
}

// flag is a bit and its name.
type flag struct {
	bit  uint16
	name string
}

// The names of the bits of an SCSW.
var (
	unitNames = []flag{
		{uint16(arch.Attention), "ATTN"}, {uint16(arch.StatusModifier), "SM"}, {uint16(arch.ControlUnitEnd), "CUE"},
		{uint16(arch.Busy), "BUSY"}, {uint16(arch.ChannelEnd), "CE"}, {uint16(arch.DeviceEnd), "DE"},
		{uint16(arch.UnitCheck), "UC"}, {uint16(arch.UnitException), "UX"},
	}
	channelNames = []flag{
		{uint16(arch.PCI), "PCI"}, {uint16(arch.IncorrectLength), "IL"}, {uint16(arch.ProgramCheck), "PROGCHK"},
		{uint16(arch.ProtectionCheck), "PROTCHK"}, {uint16(arch.ChannelDataCheck), "CHDATACHK"},
		{uint16(arch.ChannelControlCheck), "CHCTLCHK"}, {uint16(arch.InterfaceControlCheck), "INTFCTLCHK"},
		{uint16(arch.ChainingCheck), "CHAINCHK"},
	}
	statusNames = []flag{
		{arch.StatusAlert, "alert"}, {arch.StatusIntermed, "intermediate"}, {arch.StatusPrimary, "primary"},
		{arch.StatusSecond, "secondary"}, {arch.StatusPending, "pending"},
	}
)

func names(flags []flag, v uint16) string {
	var s []string
	for _, f := range flags {
		if v&f.bit != 0 {
			s = append(s, f.name)
		}
	}
	if s == nil {
		return "-"
	}
	return strings.Join(s, "+")
}

func present(irb *channel.IRB) IRB {
	w := &irb.SCSW
	var p [channel.SCSWSize]byte
	w.Put(p[:])
	return IRB{
		SCSW:          hex.EncodeToString(p[:]),
		CCWAddress:    fmt.Sprintf("%08x", w.CCWAddress),
		UnitStatus:    fmt.Sprintf("%02X %s", uint8(w.Unit), names(unitNames, uint16(w.Unit))),
		ChannelStatus: fmt.Sprintf("%02X %s", uint8(w.Channel), names(channelNames, uint16(w.Channel))),
		Residual:      int(w.Residual),
		Status:        names(statusNames, w.Control),
		ECW:           hex.EncodeToString(irb.Sense()),
	}
}

// homeSize is the size in bytes of the home address of a track image: flag, CC, HH.
const homeSize = 5

// endMark is the mark behind the last record of a track image.
const endMark = ^uint64(0)

func listTrack(t *media.Track) (TrackContent, error) {
	image := t.AppendImage(nil)
	if len(image) < homeSize {
		return TrackContent{}, fmt.Errorf("image of %d bytes: %w", len(image), media.ErrTrack)
	}
	l := TrackContent{HA: hex.EncodeToString(image[:homeSize])}
	for at := homeSize; ; {
		if at+media.CountSize > len(image) {
			return l, fmt.Errorf("no end mark: %w", media.ErrTrack)
		}
		if binary.BigEndian.Uint64(image[at:]) == endMark {
			l.Used = at
			return l, nil
		}
		c := media.ParseCount(image[at:])
		key := at + media.CountSize
		data := key + int(c.KeyLength)
		end := data + int(c.DataLength)
		if end > len(image) {
			return l, fmt.Errorf("record %d goes over the end of the image: %w", c.Number, media.ErrTrack)
		}
		l.Records = append(l.Records, Record{
			hex.EncodeToString(image[at:key]), hex.EncodeToString(image[key:data]), hex.EncodeToString(image[data:end]),
		})
		at = end
	}
}
