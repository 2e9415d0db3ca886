package device

import (
	"context"
	"fmt"
	"slices"

	"dougu.internal/smart"
)

// Transport sends read-only commands to a device. [Open] uses the transport of the Linux
// kernel. A Transport does not have to be safe for concurrent use.
type Transport interface {
	// ATA sends an ATA command and reads its data into buf. The registers are valid if
	// WantRegisters is set.
	ATA(ctx context.Context, c ATACommand, buf []byte) (smart.Registers, error)
	// SCSI sends a command block and fills buf.
	SCSI(ctx context.Context, cdb, buf []byte) error
	// NVMe sends an admin command and fills buf.
	NVMe(ctx context.Context, c NVMeCommand, buf []byte) error
}

// ATACommand holds the registers of a command that reads.
type ATACommand struct {
	Command  uint8
	Features uint8
	Count    uint16
	LBA      uint64
	// WantRegisters asks for the registers after the command.
	WantRegisters bool
	// Out means that buf is sent to the device. Only the request for the SCT temperature
	// history uses it.
	Out bool
}

// NVMeCommand holds the fields of an admin command that reads.
type NVMeCommand struct {
	Opcode       uint8
	NSID         uint32
	CDW10, CDW11 uint32
	CDW12, CDW13 uint32
}

// ErrNotAllowed means that a command is not on the list of those that only read.
var ErrNotAllowed = errs.New("the command is not on the list of read-only commands")

// The ATA commands that are used.
const (
	ataReadLogExt     = 0x2f
	ataSMART          = 0xb0
	ataCheckPower     = 0xe5
	ataIdentify       = 0xec
	smartReadData     = 0xd0
	smartReadThresh   = 0xd1
	smartReadLog      = 0xd5
	smartWriteLog     = 0xd6
	smartReturnStatus = 0xda
	smartSignature    = 0xc24f00
	logSCTStatus      = 0xe0
	logSCTData        = 0xe1
)

// Allowed reports whether the command only reads. It is the list that every command
// of a [Device] has to pass.
func (c ATACommand) Allowed(buf []byte) error {
	switch {
	case c.Command == ataIdentify || c.Command == ataCheckPower || c.Command == ataReadLogExt:
		if !c.Out {
			return nil
		}
	case c.Command == ataSMART && !c.Out:
		switch c.Features {
		case smartReadData, smartReadThresh, smartReadLog, smartReturnStatus:
			return nil
		}
	case c.Command == ataSMART && c.Features == smartWriteLog && c.LBA == smartSignature|logSCTStatus &&
		isHistoryRequest(buf):
		return nil
	}
	return errs.Errorf("ATA command %02Xh, feature %02Xh: %w", c.Command, c.Features, ErrNotAllowed)
}

// Allowed reports whether the command only reads: Identify and Get Log Page.
func (c NVMeCommand) Allowed() error {
	if c.Opcode == 2 || c.Opcode == 6 {
		return nil
	}
	return errs.Errorf("NVMe admin command %02Xh: %w", c.Opcode, ErrNotAllowed)
}

// AllowedSCSI reports whether a command block only reads: TEST UNIT READY, REQUEST
// SENSE, INQUIRY, MODE SENSE, LOG SENSE and READ CAPACITY. ATA commands do not pass
// here: they go through [Transport.ATA].
func AllowedSCSI(cdb []byte) error {
	if len(cdb) >= 6 {
		switch cdb[0] {
		case 0x00, 0x03, 0x12, 0x1a, 0x25:
			return nil
		case 0x5a:
			return nil
		case 0x4d:
			if len(cdb) >= 10 && cdb[1]&1 == 0 { // SP would save parameters
				return nil
			}
		case 0x9e:
			if cdb[1]&0x1f == 0x10 {
				return nil
			}
		}
		return errs.Errorf("SCSI command %02Xh: %w", cdb[0], ErrNotAllowed)
	}
	return errs.Errorf("SCSI command block of %d bytes: %w", len(cdb), ErrNotAllowed)
}

// historyRequest is the data of the request for the SCT temperature history: action 5
// (data table), function 1 (read), table 2 (ACS-4, 8.3.6).
var historyRequest = [6]byte{5, 0, 1, 0, 2, 0}

func isHistoryRequest(b []byte) bool {
	return len(b) == sector && [6]byte(b[:6]) == historyRequest &&
		!slices.ContainsFunc(b[6:], func(c byte) bool { return c != 0 })
}

// SenseError is a SCSI command that ended with CHECK CONDITION.
type SenseError struct{ Key, ASC, ASCQ uint8 }

// Error returns the cause, the sense key and the additional codes.
func (e *SenseError) Error() string {
	what := "the command failed"
	switch {
	case e.Key == 5 && (e.ASC == 0x20 || e.ASC == 0x24):
		what = "the device does not support the command"
	case e.Key == 2:
		what = "the device is not ready"
	case e.Key == 0xb:
		what = "the device aborted the command"
	}
	return fmt.Sprintf("device: %s (sense key %Xh, code %02Xh/%02Xh)", what, e.Key, e.ASC, e.ASCQ)
}

// Unsupported reports whether the device does not support the command.
func (e *SenseError) Unsupported() bool { return e.Key == 5 || e.Key == 0xb && e.ASC == 0 }

// NVMeError is the status of an NVMe command that failed.
type NVMeError uint16

// Error returns the status code type and the status code.
func (e NVMeError) Error() string {
	return fmt.Sprintf("device: the NVMe controller refused the command (status code type %Xh, code %02Xh)",
		uint16(e)>>8&7, uint16(e)&0xff)
}

// parseSense reads sense data in fixed (70h, 71h) and descriptor (72h, 73h) format. The
// registers of an ATA command are in a descriptor of type 09h, and shortened in the
// fixed format (SAT-4, 12.2.2.7).
func parseSense(b []byte) (e SenseError, regs smart.Opt[smart.Registers], ok bool) {
	if len(b) < 4 {
		return e, regs, false
	}
	switch b[0] & 0x7f {
	case 0x72, 0x73:
		e = SenseError{b[1] & 15, b[2], b[3]}
		if len(b) < 8 {
			return e, regs, true
		}
		for d := b[8:min(len(b), 8+int(b[7]))]; len(d) >= 2; {
			n := 2 + int(d[1])
			if d[0] == 9 && len(d) >= 14 {
				regs = smart.Some(smart.Registers{
					Error: d[3], Count: uint16(d[4])<<8 | uint16(d[5]), Device: d[12], Status: d[13],
					LBA: uint64(d[7]) | uint64(d[9])<<8 | uint64(d[11])<<16 |
						uint64(d[6])<<24 | uint64(d[8])<<32 | uint64(d[10])<<40,
				})
			}
			if n > len(d) {
				break
			}
			d = d[n:]
		}
		return e, regs, true
	case 0x70, 0x71:
		e.Key = b[2] & 15
		if len(b) >= 14 {
			e.ASC, e.ASCQ = b[12], b[13]
		}
		if len(b) >= 12 && e.ASC == 0 && e.ASCQ == 0x1d { // ATA PASS THROUGH INFORMATION AVAILABLE
			regs = smart.Some(smart.Registers{
				Error: b[3], Status: b[4], Device: b[5], Count: uint16(b[6]),
				LBA: uint64(b[9]) | uint64(b[10])<<8 | uint64(b[11])<<16,
			})
		}
		return e, regs, true
	}
	return e, regs, false
}

// ataCDB builds the ATA PASS-THROUGH (16) block (SAT-4, 12.2.2.3).
func ataCDB(c ATACommand, n int) [16]byte {
	cdb := [16]byte{0x85}
	switch {
	case n == 0:
		cdb[1], cdb[2] = 3<<1, 0x20 // no data; CK_COND returns the registers
	case c.Out:
		cdb[1], cdb[2] = 5<<1, 0x06 // PIO data-out, blocks, length in the count
	default:
		cdb[1], cdb[2] = 4<<1, 0x0e // PIO data-in
		if c.WantRegisters {
			cdb[2] |= 0x20
		}
	}
	if c.Command == ataReadLogExt {
		cdb[1] |= 1 // 48-bit registers
	}
	cdb[4] = c.Features
	cdb[5], cdb[6] = byte(c.Count>>8), byte(c.Count)
	cdb[7], cdb[8] = byte(c.LBA>>24), byte(c.LBA)
	cdb[9], cdb[10] = byte(c.LBA>>32), byte(c.LBA>>8)
	cdb[11], cdb[12] = byte(c.LBA>>40), byte(c.LBA>>16)
	cdb[14] = c.Command
	return cdb
}

// sector is the size of an ATA page.
const sector = 512
