package steps

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/iosrun/iosrun/emulator/machine"
)

// MaxDrawn is the largest number of events that are drawn.
const MaxDrawn = 2000

// The measures of a drawing, in pixels.
const (
	margin     = 16
	timeWidth  = 96 // width of the column of times
	laneWidth  = 74
	rowHeight  = 20
	headHeight = 128
	pauseRoom  = 14 // height of a pause
	textWidth  = 700
	dotRadius  = 4
	// pause is the shortest time without an event that is drawn as a pause.
	pause = 20 * machine.Microsecond
	// longest is the largest number of characters of a step's text that are drawn.
	longest = 98
)

// WriteSVG draws events as a sequence diagram: a lane for each component, in the
// order of their first events, with time running downwards, not to scale; lines are
// dashed in a pause. Each event is a dot on its component's lane with its number and
// text at the right; an arrow shows control passing from one component to another.
func WriteSVG(w io.Writer, title string, events []Event) error {
	switch {
	case len(events) == 0:
		return fmt.Errorf("drawing: no events: the I/O was not seen")
	case len(events) > MaxDrawn:
		return fmt.Errorf("drawing: %d events: at most %d", len(events), MaxDrawn)
	}
	d := drawing{lanes: map[string]int{}}
	for _, e := range events {
		if _, ok := d.lanes[e.Who]; !ok {
			d.lanes[e.Who] = len(d.lanes)
			d.names = append(d.names, e.Who)
		}
	}
	d.rows(events)
	width := d.textAt() + textWidth + margin
	height := d.ys[len(events)-1] + rowHeight + margin
	d.open(width, height, title)
	d.lines(height)
	d.marks(events)
	d.printf("</svg>\n")
	if _, err := w.Write(d.out.Bytes()); err != nil {
		return fmt.Errorf("drawing: %w", err)
	}
	return nil
}

type drawing struct {
	out   bytes.Buffer
	lanes map[string]int
	names []string
	ys    []int
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

// rows computes the position of each event.
func (d *drawing) rows(events []Event) {
	y := headHeight + rowHeight
	for i, e := range events {
		if i > 0 {
			y += rowHeight
			if e.At-events[i-1].At >= pause {
				y += pauseRoom
			}
		}
		d.ys = append(d.ys, y)
	}
}

func (d *drawing) x(lane int) int { return margin + timeWidth + laneWidth*lane + laneWidth/2 }

func (d *drawing) textAt() int { return margin + timeWidth + laneWidth*len(d.names) + margin }

const style = `text{font:12px system-ui,"Segoe UI",Helvetica,Arial,sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}
.name{font-weight:600}
.time{fill:#59636e;text-anchor:end;font-variant-numeric:tabular-nums}
.number{font-weight:600;text-anchor:end}
.lane{stroke:#d1d9e0}
.pause{stroke:#afb8c1;stroke-dasharray:2 4}
.way{stroke:#0969da;stroke-width:1.5;fill:none}
.later{stroke-dasharray:3 3;opacity:.5}
.dot{fill:#0969da}
`

func (d *drawing) open(width, height int, title string) {
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", width, height, width, height)
	d.printf("<title>%s</title>\n<style>%s</style>\n", escape(title), style)
	d.printf(`<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#0969da"/></marker></defs>` + "\n")
	d.printf(`<rect width="100%%" height="100%%" fill="#fff"/>` + "\n")
	d.printf(`<text class="title" x="%d" y="%d">%s</text>`+"\n", margin, margin+12, escape(title))
	d.printf(`<text class="time" x="%d" y="%d">virtual time</text>`+"\n", margin+timeWidth-12, headHeight-4)
}

// lines draws the lanes and their names.
func (d *drawing) lines(height int) {
	for i, name := range d.names {
		x := d.x(i)
		d.printf(`<line class="lane" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", x, headHeight, x, height-margin)
		d.printf(`<text class="name" transform="translate(%d %d) rotate(-35)">%s</text>`+"\n", x, headHeight-8, escape(name))
	}
}

// marks draws the events.
func (d *drawing) marks(events []Event) {
	last := d.textAt() + textWidth
	for i, e := range events {
		x, y := d.x(d.lanes[e.Who]), d.ys[i]
		if i > 0 {
			class := "way"
			if e.At-events[i-1].At >= pause {
				class = "way later"
			}
			d.passage(class, d.x(d.lanes[events[i-1].Who]), d.ys[i-1], x, y)
		}
		if i > 0 && e.At-events[i-1].At >= pause {
			at := d.ys[i-1] + (y-d.ys[i-1])/2
			d.printf(`<line class="pause" x1="%d" y1="%d" x2="%d" y2="%d"/>`+"\n", margin, at, last, at)
		}
		if i == 0 || e.At != events[i-1].At {
			d.printf(`<text class="time" x="%d" y="%d">%s</text>`+"\n", margin+timeWidth-12, y+4, Microseconds(e.At))
		}
		d.printf(`<circle class="dot" cx="%d" cy="%d" r="%d"><title>%s</title></circle>`+"\n", x, y, dotRadius, escape(e.Who+": "+e.What))
		d.printf(`<text class="number" x="%d" y="%d">%s</text><text x="%d" y="%d">%s</text>`+"\n",
			d.textAt()+26, y+4, escape(e.Step), d.textAt()+36, y+4, escape(shorten(e.What)))
	}
}

// passage draws the way of control from one event to the next.
func (d *drawing) passage(class string, x0, y0, x, y int) {
	if x0 == x {
		d.printf(`<path class="%s" d="M%d %dV%d"/>`+"\n", class, x, y0, y)
		return
	}
	tip := x - dotRadius - 1
	if x0 > x {
		tip = x + dotRadius + 1
	}
	d.printf(`<path class="%s" marker-end="url(#tip)" d="M%d %dV%dH%d"/>`+"\n", class, x0, y0, y, tip)
}

// Microseconds returns the text of a time, in microseconds.
func Microseconds(t machine.Time) string {
	return fmt.Sprintf("%d.%03d µs", t/machine.Microsecond, t%machine.Microsecond)
}

func shorten(s string) string {
	r := []rune(s)
	if len(r) <= longest {
		return s
	}
	cut := string(r[:longest])
	if i := strings.LastIndexByte(cut, ' '); i > 0 {
		cut = cut[:i]
	}
	return cut + " …"
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // writing to a Builder does not fail
	return b.String()
}
