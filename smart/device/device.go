package device

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"dougu.internal/smart"
)

// Device reads one disk through a transport. Its methods must not be called concurrently.
type Device struct {
	t    Transport
	id   smart.DeviceID
	done func() error
	// DB contains names and formats of attributes. If nil, the usual ones are used.
	DB *smart.DriveDB
	// WakeUp allows a read to wake a disk in standby.
	WakeUp bool
	buf    [8 * sector]byte
}

// New returns a device that uses a transport. The protocol is "ATA", "SCSI" or "NVMe".
// If it is empty, the device is asked.
func New(t Transport, id smart.DeviceID) *Device { return &Device{t: t, id: id} }

// Close closes the device file. It does nothing for a device that [New] returned.
func (d *Device) Close() error {
	if d.done == nil {
		return nil
	}
	return d.done()
}

// Snapshot reads the health of the device with commands that only read; see
// [ATACommand.Allowed]. Pages that the device does not support are absent. If the disk is
// in standby, it is not woken, and the error is [ErrStandby]. The error wraps
// [ErrPermission] if the system does not permit the commands.
func (d *Device) Snapshot(ctx context.Context) (*smart.Snapshot, error) {
	s := &smart.Snapshot{Device: d.id, Source: smart.Source{Format: smart.FormatDevice},
		Taken: time.Now().UTC().Truncate(time.Second)}
	var err error
	switch d.id.Protocol {
	case "NVMe":
		err = d.nvme(ctx, s)
	case "ATA":
		err = d.ata(ctx, s)
	default:
		err = d.scsi(ctx, s)
	}
	switch {
	case err == nil:
		return s, nil
	case d.id.Node == "":
		return nil, errs.Wrap(err)
	}
	return nil, errs.Errorf("%s: %w", d.id.Node, err)
}

// optional keeps what a device does not support from being an error. Only the end of
// the context and missing rights are one.
func (d *Device) optional(s *smart.Snapshot, page string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrPermission), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, ErrNotAllowed):
		return errs.Errorf("%s: %w", page, err)
	}
	var sense *SenseError
	if errors.As(err, &sense) && sense.Unsupported() {
		return nil
	}
	var status NVMeError
	if errors.As(err, &status) {
		return nil
	}
	s.Warnings = append(s.Warnings, smart.Warning{Path: page, Msg: errs.Trim(err)})
	return nil
}

func (d *Device) send(ctx context.Context, c ATACommand, buf []byte) (smart.Registers, error) {
	if err := c.Allowed(buf); err != nil {
		return smart.Registers{}, err
	}
	if err := ctx.Err(); err != nil {
		return smart.Registers{}, err
	}
	return d.t.ATA(ctx, c, buf)
}

func (d *Device) ata(ctx context.Context, s *smart.Snapshot) error {
	if !d.WakeUp {
		// 00h standby, 01h standby_y; other values are awake. A bridge that does not
		// answer leaves the question open, and the disk is taken for awake.
		r, err := d.send(ctx, ATACommand{Command: ataCheckPower, WantRegisters: true}, nil)
		if errors.Is(err, ErrPermission) {
			return err
		}
		if err == nil && (r.Count&0xff == 0 || r.Count&0xff == 1) && r.Status != 0 {
			return ErrStandby
		}
	}
	var p smart.ATAPages
	page := func(c ATACommand, n int) ([]byte, error) {
		b := make([]byte, n*sector)
		c.Count = uint16(n)
		if _, err := d.send(ctx, c, b); err != nil {
			return nil, err
		}
		return b, nil
	}
	var err error
	if p.Identify, err = page(ATACommand{Command: ataIdentify}, 1); err != nil {
		return errs.Errorf("IDENTIFY DEVICE: %w", err)
	}
	command := func(feature uint8, log uint64) ([]byte, error) {
		return page(ATACommand{Command: ataSMART, Features: feature, LBA: smartSignature | log}, 1)
	}
	for _, r := range []struct {
		name    string
		dst     *[]byte
		feature uint8
		log     uint64
	}{
		{"SMART READ DATA", &p.Values, smartReadData, 0}, {"SMART READ THRESHOLDS", &p.Thresholds, smartReadThresh, 1},
		{"SMART log 01h", &p.ErrorLog, smartReadLog, 1}, {"SMART log 06h", &p.SelfTestLog, smartReadLog, 6},
	} {
		if *r.dst, err = command(r.feature, r.log); err != nil {
			if err := d.optional(s, r.name, err); err != nil {
				return err
			}
		}
	}
	regs, err := d.send(ctx, ATACommand{Command: ataSMART, Features: smartReturnStatus, LBA: smartSignature,
		WantRegisters: true}, nil)
	if err == nil {
		p.Status = smart.Some(regs)
	} else if err := d.optional(s, "SMART RETURN STATUS", err); err != nil {
		return err
	}
	if err := d.extended(ctx, s, &p, page, command); err != nil {
		return err
	}
	return smart.DecodeATA(s, p, d.DB)
}

// extended reads the logs that only newer drives have: those that IDENTIFY announces.
func (d *Device) extended(ctx context.Context, s *smart.Snapshot, p *smart.ATAPages,
	page func(ATACommand, int) ([]byte, error), command func(uint8, uint64) ([]byte, error)) error {
	word := func(i int) uint16 { return binary.LittleEndian.Uint16(p.Identify[2*i:]) }
	if w := word(87); w&0xc000 == 0x4000 && w&0x20 != 0 { // general purpose logging
		dir, err := page(ATACommand{Command: ataReadLogExt}, 1)
		if err := d.optional(s, "GP log 00h", err); err != nil {
			return err
		}
		size := func(log int) int {
			if dir == nil {
				return 0
			}
			return int(binary.LittleEndian.Uint16(dir[2*log:]))
		}
		read := func(log uint8, n int) []byte {
			b, err := page(ATACommand{Command: ataReadLogExt, LBA: uint64(log)}, n)
			_ = d.optional(s, fmt.Sprintf("GP log %02Xh", log), err)
			return b
		}
		if n := min(size(3), 16); n > 0 {
			p.ExtErrorLog = read(3, n)
		}
		if n := min(size(7), 4); n > 0 {
			p.ExtSelfTestLog = read(7, n)
		}
		for i := 1; i < min(size(4), 8); i++ {
			b, err := page(ATACommand{Command: ataReadLogExt, LBA: 4 | uint64(i)<<8}, 1)
			if err := d.optional(s, "GP log 04h", err); err != nil {
				return err
			}
			p.DeviceStats = append(p.DeviceStats, b...)
		}
	}
	if word(206)&1 == 0 { // SCT
		return ctx.Err()
	}
	var err error
	if p.SCTStatus, err = command(smartReadLog, logSCTStatus); err != nil {
		return d.optional(s, "SCT status", err)
	}
	if word(206)&0x20 == 0 { // data tables
		return nil
	}
	request := make([]byte, sector)
	copy(request, historyRequest[:])
	if _, err = d.send(ctx, ATACommand{Command: ataSMART, Features: smartWriteLog, Count: 1,
		LBA: smartSignature | logSCTStatus, Out: true}, request); err == nil {
		p.SCTHistory, err = command(smartReadLog, logSCTData)
	}
	return d.optional(s, "SCT temperature history", err)
}

func (d *Device) nvme(ctx context.Context, s *smart.Snapshot) error {
	get := func(c NVMeCommand, buf []byte) error {
		if err := c.Allowed(); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		clear(buf)
		return d.t.NVMe(ctx, c, buf)
	}
	log := func(id uint32, buf []byte) error {
		return get(NVMeCommand{Opcode: 2, NSID: 0xffffffff, CDW10: id | uint32(len(buf)/4-1)<<16}, buf)
	}
	if err := get(NVMeCommand{Opcode: 6, CDW10: 1}, d.buf[:4096]); err != nil {
		return errs.Errorf("reading Identify Controller: %w", err)
	}
	if err := smart.DecodeNVMeIdentify(s, d.buf[:4096]); err != nil {
		return err
	}
	tests := d.buf[256]&0x10 != 0 // Device Self-test is supported
	entries := min(int(d.buf[262])+1, 16)
	if err := log(2, d.buf[:512]); err != nil {
		return errs.Errorf("reading the health log: %w", err)
	}
	if err := smart.DecodeNVMe(s.NVMe, d.buf[:512]); err != nil {
		return err
	}
	err := log(1, d.buf[:64*entries])
	if err == nil {
		smart.DecodeNVMeErrors(&s.Errors, d.buf[:64*entries])
	} else if err := d.optional(s, "NVMe log 01h", err); err != nil {
		return err
	}
	if tests {
		err := log(6, d.buf[:564])
		if err == nil {
			s.SelfTests = smart.DecodeNVMeSelfTests(s.SelfTests, d.buf[:564])
		} else if err := d.optional(s, "NVMe log 06h", err); err != nil {
			return err
		}
	}
	s.Conclude()
	return nil
}

// scsiLogs are the pages that are read of a SCSI disk, page and subpage.
var scsiLogs = [][2]byte{{0x02, 0}, {0x03, 0}, {0x05, 0}, {0x06, 0}, {0x0d, 0}, {0x0d, 1}, {0x0e, 0}, {0x10, 0},
	{0x11, 0}, {0x15, 0}, {0x2f, 0}}

func (d *Device) scsi(ctx context.Context, s *smart.Snapshot) error {
	send := func(cdb, buf []byte) error {
		if err := AllowedSCSI(cdb); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		clear(buf)
		return d.t.SCSI(ctx, cdb, buf)
	}
	inquiry := d.buf[:96]
	if err := send([]byte{0x12, 0, 0, 0, byte(len(inquiry)), 0}, inquiry); err != nil {
		return errs.Errorf("INQUIRY: %w", err)
	}
	if string(inquiry[8:16]) == "ATA     " {
		s.Device.Protocol = "ATA"
		return d.ata(ctx, s)
	}
	s.Device.Protocol = "SCSI"
	id := &s.Identity
	id.Vendor = text(inquiry[8:16])
	id.Model = text(inquiry[8:32])
	product := text(inquiry[16:32])
	id.Model = id.Vendor + " " + product
	id.Firmware = text(inquiry[32:36])
	vpd := d.buf[:252]
	if err := send([]byte{0x12, 1, 0x80, 0, byte(len(vpd)), 0}, vpd); err == nil && vpd[1] == 0x80 {
		id.Serial = text(vpd[4:min(4+int(vpd[3]), len(vpd))])
	}
	if !d.WakeUp {
		err := send(make([]byte, 6), nil)
		if sense := (*SenseError)(nil); errors.As(err, &sense) && sense.Key == 2 && sense.ASC == 4 && sense.ASCQ == 2 {
			return ErrStandby
		}
	}
	capacity := d.buf[:32]
	if err := send([]byte{0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32, 0, 0}, capacity); err == nil {
		last, size := binary.BigEndian.Uint64(capacity), binary.BigEndian.Uint32(capacity[8:])
		if last < 1<<52 && size > 0 && size < 1<<20 {
			id.Capacity, id.LogicalSector = smart.Some((last+1)*uint64(size)), smart.Some(size)
		}
	}
	s.SCSI = &smart.SCSIHealth{}
	for _, l := range scsiLogs {
		page := d.buf[:4*sector]
		err := send([]byte{0x4d, 0, 0x40 | l[0], l[1], 0, 0, 0, byte(len(page) >> 8), byte(len(page)), 0}, page)
		name := fmt.Sprintf("log page %02Xh/%02Xh", l[0], l[1])
		if err == nil && page[0]&0x3f == l[0] {
			err = smart.DecodeSCSI(s.SCSI, page)
		}
		if err := d.optional(s, name, err); err != nil {
			return err
		}
	}
	s.Conclude()
	return nil
}

// text returns a string of a page without the spaces and NUL bytes around it.
func text(b []byte) string { return string(bytes.Trim(b, " \x00")) }
