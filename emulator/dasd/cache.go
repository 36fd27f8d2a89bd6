package dasd

// cache is the control unit's cache. It lists the tracks that are in it, but holds
// no data; that is on the media. Tracks leave by second chance: the hand goes
// round the slots and takes the first one that was not used since it came by,
// which is close to least recently used and costs two words for each access.
type cache struct {
	slots []slot
	hand  int
}

type slot struct {
	device *Device
	track  int32
	used   bool
}

func newCache(tracks int) cache { return cache{slots: make([]slot, tracks)} }

// touch reports whether the track is in the cache, and notes its use.
func (c *cache) touch(d *Device, track int) bool {
	if i := d.cached[track]; i != 0 {
		c.slots[i-1].used = true
		return true
	}
	return false
}

// load puts the track into the cache.
func (c *cache) load(d *Device, track int) {
	if len(c.slots) == 0 || d.cached[track] != 0 {
		return
	}
	for c.slots[c.hand].used {
		c.slots[c.hand].used = false
		c.step()
	}
	s := &c.slots[c.hand]
	if s.device != nil {
		s.device.cached[s.track] = 0
	}
	*s = slot{device: d, track: int32(track), used: true}
	d.cached[track] = int32(c.hand + 1)
	c.step()
}

func (c *cache) step() {
	if c.hand++; c.hand == len(c.slots) {
		c.hand = 0
	}
}

// drop takes the device's tracks out of the cache.
func (c *cache) drop(d *Device) {
	for i := range c.slots {
		if s := &c.slots[i]; s.device == d {
			d.cached[s.track] = 0
			*s = slot{}
		}
	}
}

// clear empties the cache.
func (c *cache) clear() {
	for i := range c.slots {
		if s := &c.slots[i]; s.device != nil {
			s.device.cached[s.track] = 0
			*s = slot{}
		}
	}
	c.hand = 0
}
