package stracelog

// rejoin puts together a line that a note of strace broke in two, as happens without -o:
//
//	clone(...|SIGCHLDstrace: Process 1320 attached
//	, child_tidptr=0x7f) = 1320
func (r *Reader) rejoin(e *Event, v []byte) bool { return false }
