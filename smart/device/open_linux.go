package device

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"dougu.internal/smart"
)

// Open opens a device file for reading: /dev/sdX, /dev/sgN or /dev/nvmeN. It sends no
// command yet. The error wraps [ErrPermission] when the file may not be opened.
func Open(path string) (*Device, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, errs.Errorf("%s: %w", path, refused(err))
	}
	id := smart.DeviceID{Node: path}
	if strings.HasPrefix(filepath.Base(path), "nvme") {
		// Never tried on a SCSI node: some bridges hang on requests that they do not know.
		id.Protocol, id.Type = "NVMe", "nvme"
	}
	d := New(&kernel{fd: fd}, id)
	d.done = func() error { return unix.Close(fd) }
	return d, nil
}

// refused gives an error of the system our own meaning as well.
func refused(err error) error {
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return errs.Errorf("%w (%w)", ErrPermission, err)
	}
	return err
}

// kernel is the transport of Linux.
type kernel struct{ fd int }

// The requests and constants of scsi/sg.h and linux/nvme_ioctl.h.
const (
	sgIO           = 0x2285
	sgNone         = -1
	sgToDevice     = -2
	sgFromDevice   = -3
	nvmeAdminCmd   = 0xc0484e41
	checkCondition = 2
	defaultTimeout = 20 * time.Second
)

// sgHeader is struct sg_io_hdr. Go lays it out as C does, for 32 and 64 bits.
type sgHeader struct {
	interfaceID  int32
	direction    int32
	cmdLen       uint8
	maxSense     uint8
	iovecCount   uint16
	dataLen      uint32
	data         unsafe.Pointer
	cmd          unsafe.Pointer
	sense        unsafe.Pointer
	timeout      uint32 // milliseconds
	flags        uint32
	packID       int32
	userPtr      unsafe.Pointer
	status       uint8
	maskedStatus uint8
	msgStatus    uint8
	senseLen     uint8
	hostStatus   uint16
	driverStatus uint16
	resid        int32
	duration     uint32
	info         uint32
}

// nvmeCommand is struct nvme_admin_cmd, 72 bytes.
type nvmeCommand struct {
	opcode, flags        uint8
	_                    uint16
	nsid, cdw2, cdw3     uint32
	metadata, addr       uint64
	metadataLen, dataLen uint32
	cdw10, cdw11         uint32
	cdw12, cdw13         uint32
	cdw14, cdw15         uint32
	timeout, result      uint32
}

// milliseconds returns the time that the context leaves.
func milliseconds(ctx context.Context) uint32 {
	left := defaultTimeout
	if t, ok := ctx.Deadline(); ok {
		left = min(left, time.Until(t))
	}
	return uint32(max(left, time.Millisecond) / time.Millisecond)
}

// sg sends one command block and returns the sense data, if there is any.
func (k *kernel) sg(ctx context.Context, cdb, buf []byte, out bool) ([]byte, error) {
	sense := make([]byte, 64)
	h := sgHeader{
		interfaceID: 'S', direction: sgNone, cmdLen: uint8(len(cdb)), maxSense: uint8(len(sense)),
		cmd: unsafe.Pointer(&cdb[0]), sense: unsafe.Pointer(&sense[0]), timeout: milliseconds(ctx),
	}
	if len(buf) > 0 {
		h.direction, h.dataLen, h.data = sgFromDevice, uint32(len(buf)), unsafe.Pointer(&buf[0])
		if out {
			h.direction = sgToDevice
		}
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&cdb[0])
	pin.Pin(&sense[0])
	if len(buf) > 0 {
		pin.Pin(&buf[0])
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(k.fd), sgIO, uintptr(unsafe.Pointer(&h)))
	runtime.KeepAlive(&h)
	if errno != 0 {
		return nil, refused(errno)
	}
	if h.hostStatus != 0 {
		return nil, errs.Errorf("the host adapter failed with status %02Xh", h.hostStatus)
	}
	s := sense[:min(int(h.senseLen), len(sense))]
	if h.status != 0 && h.status != checkCondition {
		return s, errs.Errorf("the device answered with SCSI status %02Xh", h.status)
	}
	if h.status == checkCondition && len(s) == 0 {
		return nil, errs.New("the device reports an error without a reason")
	}
	return s, nil
}

// SCSI implements [Transport].
func (k *kernel) SCSI(ctx context.Context, cdb, buf []byte) error {
	sense, err := k.sg(ctx, cdb, buf, false)
	if err != nil {
		return err
	}
	if e, _, ok := parseSense(sense); ok && e.Key > 1 {
		return &e
	}
	return nil
}

// ATA implements [Transport]. Sense data is how the registers come back, and no error
// by itself.
func (k *kernel) ATA(ctx context.Context, c ATACommand, buf []byte) (smart.Registers, error) {
	cdb := ataCDB(c, len(buf))
	sense, err := k.sg(ctx, cdb[:], buf, c.Out)
	if err != nil {
		return smart.Registers{}, err
	}
	e, regs, ok := parseSense(sense)
	switch {
	case ok && e.Key > 1:
		return regs.V, &e
	case regs.OK && regs.V.Status&0x21 != 0: // device fault or error
		return regs.V, &SenseError{Key: 0xb}
	case c.WantRegisters && !regs.OK:
		return smart.Registers{}, errs.New("the registers were not returned: a bridge is in between")
	}
	return regs.V, nil
}

// NVMe implements [Transport].
func (k *kernel) NVMe(ctx context.Context, c NVMeCommand, buf []byte) error {
	m := nvmeCommand{
		opcode: c.Opcode, nsid: c.NSID, addr: uint64(uintptr(unsafe.Pointer(&buf[0]))), dataLen: uint32(len(buf)),
		cdw10: c.CDW10, cdw11: c.CDW11, cdw12: c.CDW12, cdw13: c.CDW13, timeout: milliseconds(ctx),
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(&buf[0])
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(k.fd), nvmeAdminCmd, uintptr(unsafe.Pointer(&m)))
	runtime.KeepAlive(buf)
	switch {
	case errno != 0:
		return refused(errno)
	case r != 0:
		return NVMeError(r)
	}
	return nil
}
