package media

// ckd makes a row of the table of CKD devices.
func ckd(name string, device uint16, model, code byte, cylinders, alternates, heads int, t tracks) Geometry {
	return Geometry{
		Name: name, Type: device, Model: model, Code: code,
		Cylinders: cylinders, Alternates: alternates, Heads: heads,
		TrackSize:   roundUp(homeSize+countSize+zeroData+countSize+t.data+countSize, 512),
		TrackLength: t.length, DataLength: t.data, ZeroLength: t.zero, HomeLength: t.home,
		Sectors: t.sectors, Formula: t.formula, Factors: t.factors,
	}
}

func fba(name string, device uint16, model, code byte, blocks int64, perTrack, perCylinder int) Geometry {
	return Geometry{
		Name: name, Type: device, Model: model, Code: code,
		Blocks: blocks, BlocksPerTrack: perTrack, BlocksPerCylinder: perCylinder,
	}
}

// tracks holds the properties that all models of a type share.
type tracks struct {
	data, zero, length, home, sectors int
	formula                           Formula
	factors                           [6]int
}

// The tracks by device type: the longest record 1 and record zero, the length of
// the track, the length of home address and record zero if it is documented,
// sectors and the capacity formula. Sources: the reference summaries of the
// devices; the values of the 3390 agree with its Read Device Characteristics.
var (
	tracks2305a = tracks{14136, 14136, 14568, 0, 90, FormulaGap, [6]int{202, 432}}
	tracks2305b = tracks{14660, 14660, 14858, 0, 90, FormulaGap, [6]int{91, 198}}
	tracks2311  = tracks{3625, 3625, 3625, 0, 0, FormulaLast, [6]int{20, 61, 537, 512}}
	tracks2314  = tracks{7294, 7294, 7294, 0, 0, FormulaLast, [6]int{45, 101, 2137, 2048}}
	tracks3330  = tracks{13030, 13165, 13165, 0, 128, FormulaGap, [6]int{56, 135}}
	tracks3340  = tracks{8368, 8368, 8535, 0, 64, FormulaGap, [6]int{75, 167}}
	tracks3350  = tracks{19069, 19254, 19254, 0, 128, FormulaGap, [6]int{82, 185}}
	tracks3375  = tracks{35616, 35616, 36000, 832, 196, Formula1, [6]int{32, 384, 160}}
	tracks3380  = tracks{47476, 47988, 47968, 1088, 222, Formula1, [6]int{32, 492, 236}}
	tracks3390  = tracks{56664, 57326, 58786, 1428, 224, Formula2, [6]int{34, 19, 9, 6, 116, 6}}
	tracks9345  = tracks{46456, 48174, 48280, 0, 213, Formula2, [6]int{34, 18, 7, 6, 116, 6}}
)

// models lists the devices, a type's models in order of size. CKD: type, model,
// code, cylinders, alternates, heads. FBA: type, model, code, blocks, blocks of a
// track and of a cylinder.
var models = [...]Geometry{
	ckd("2305-1", 0x2305, 0x00, 0x00, 48, 0, 8, tracks2305a),
	ckd("2305-2", 0x2305, 0x02, 0x00, 96, 0, 8, tracks2305b),
	ckd("2311-1", 0x2311, 0x00, 0x00, 200, 3, 10, tracks2311),
	ckd("2314-1", 0x2314, 0x00, 0x00, 200, 3, 20, tracks2314),
	ckd("3330-1", 0x3330, 0x01, 0x00, 404, 7, 19, tracks3330),
	ckd("3330-11", 0x3330, 0x11, 0x00, 808, 7, 19, tracks3330),
	ckd("3340-35", 0x3340, 0x01, 0x00, 348, 1, 12, tracks3340),
	ckd("3340-70", 0x3340, 0x02, 0x00, 696, 2, 12, tracks3340),
	ckd("3350-1", 0x3350, 0x00, 0x00, 555, 5, 30, tracks3350),
	ckd("3375-1", 0x3375, 0x02, 0x0E, 959, 3, 12, tracks3375),
	ckd("3380-A", 0x3380, 0x02, 0x0E, 885, 1, 15, tracks3380),
	ckd("3380-B", 0x3380, 0x02, 0x0E, 885, 1, 15, tracks3380),
	ckd("3380-D", 0x3380, 0x06, 0x0E, 885, 1, 15, tracks3380),
	ckd("3380-J", 0x3380, 0x16, 0x0E, 885, 1, 15, tracks3380),
	ckd("3380-E", 0x3380, 0x0A, 0x0E, 1770, 2, 15, tracks3380),
	ckd("3380-K", 0x3380, 0x1E, 0x0E, 2655, 3, 15, tracks3380),
	ckd("3390-1", 0x3390, 0x02, 0x26, 1113, 1, 15, tracks3390),
	ckd("3390-2", 0x3390, 0x06, 0x27, 2226, 1, 15, tracks3390),
	ckd("3390-3", 0x3390, 0x0A, 0x24, 3339, 1, 15, tracks3390),
	ckd("3390-9", 0x3390, 0x0C, 0x32, 10017, 3, 15, tracks3390),
	ckd("3390-27", 0x3390, 0x0C, 0x32, 32760, 3, 15, tracks3390),
	ckd("3390-54", 0x3390, 0x0C, 0x32, 65520, 3, 15, tracks3390),
	ckd("3390-A", 0x3390, 0x0C, 0x32, 262668, 0, 15, tracks3390),
	ckd("9345-1", 0x9345, 0x04, 0x04, 1440, 0, 15, tracks9345),
	ckd("9345-2", 0x9345, 0x04, 0x04, 2156, 0, 15, tracks9345),

	fba("3310-1", 0x3310, 0x01, 0x01, 125664, 32, 352),
	fba("3370-1", 0x3370, 0x00, 0x02, 558000, 62, 744),
	fba("3370-2", 0x3370, 0x04, 0x05, 712752, 62, 744),
	fba("9313-1", 0x9313, 0x00, 0x08, 246240, 96, 480),
	fba("9332-400", 0x9332, 0x00, 0x07, 360036, 73, 292),
	fba("9332-600", 0x9332, 0x01, 0x07, 554800, 73, 292),
	fba("9335-1", 0x9335, 0x01, 0x06, 804714, 71, 426),
	fba("9336-10", 0x9336, 0x00, 0x11, 920115, 63, 315),
	fba("9336-20", 0x9336, 0x10, 0x11, 1672881, 111, 777),
	fba("0671-08", 0x0671, 0x08, 0x12, 513072, 63, 504),
	fba("0671-1", 0x0671, 0x00, 0x12, 574560, 63, 504),
	fba("0671-04", 0x0671, 0x04, 0x12, 624456, 63, 504),
}

// otherNames lists further names of models, which Hercules knows. A type alone is
// here if it does not mean the smallest model.
var otherNames = [...]struct{ name, model string }{
	{"3330-2", "3330-11"},
	{"3340-1", "3340-35"},
	{"3340-2", "3340-70"},
	{"3380-1", "3380-A"},
	{"3380-2", "3380-E"},
	{"3380-3", "3380-K"},
	{"3390-J", "3390-27"},
	{"3390-JJ", "3390-54"},
	{"3370-A1", "3370-1"},
	{"3370-B1", "3370-1"},
	{"3370-A2", "3370-2"},
	{"3370-B2", "3370-2"},
	{"9336-25", "9336-20"},
	{"0671", "0671-1"},
}
