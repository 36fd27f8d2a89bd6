package checks

import (
	"fmt"

	"github.com/iosrun/iosrun/abi/arch"
	"github.com/iosrun/iosrun/lab/player"
	"github.com/iosrun/iosrun/lab/report"
)

// Failed lists the requests that failed, by class and completion code.
func Failed(f *player.Failures) report.Failed {
	var out report.Failed
	for _, c := range []struct {
		class string
		codes *[256]int64
		total *int64
	}{{"read", &f.Reads, &out.Reads}, {"write", &f.Writes, &out.Writes}} {
		for code, n := range c.codes {
			if n != 0 {
				*c.total += n
				out.Codes = append(out.Codes, report.FailedCode{Class: c.class, Code: fmt.Sprintf("%02X", code), Meaning: completionText(uint8(code)), Count: n})
			}
		}
	}
	return out
}

// completionText explains a completion code to a person.
func completionText(code uint8) string {
	switch code {
	case arch.CompletionNormal:
		return "ended well"
	case arch.CompletionNoPath:
		return "no path, or no answer"
	case arch.CompletionRejected:
		return "rejected by a detour"
	case arch.CompletionExtent:
		return "outside the extent"
	}
	return fmt.Sprintf("permanent error (code %02X)", code)
}
