package smart_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"dougu.internal/smart"
	"dougu.internal/smart/device"
)

// fakeDrive is a transport over pages. It refuses what it does not have, and notes
// every command.
type fakeDrive struct {
	*ataDrive
	nvme map[uint32][]byte
	scsi map[[2]byte][]byte
	// power is the answer to CHECK POWER MODE; fail is given for every command.
	power uint8
	fail  error
	sent  []string
}

var unsupported = &device.SenseError{Key: 5, ASC: 0x20}

func (f *fakeDrive) ATA(_ context.Context, c device.ATACommand, buf []byte) (smart.Registers, error) {
	if f.fail != nil {
		return smart.Registers{}, f.fail
	}
	page := func(b []byte, off int) (smart.Registers, error) {
		if b == nil || off >= len(b) {
			return smart.Registers{}, unsupported
		}
		copy(buf, b[off:])
		return smart.Registers{}, nil
	}
	switch {
	case c.Command == 0xe5:
		return smart.Registers{Count: uint16(f.power), Status: 0x50}, nil
	case c.Command == 0xec:
		return page(f.identify, 0)
	case c.Command == 0x2f && c.LBA&0xff == 0:
		dir := make([]byte, 512)
		for log, n := range map[int]int{3: len(f.extErrorLog) / 512, 4: 8, 7: len(f.extSelfTestLog) / 512} {
			binary.LittleEndian.PutUint16(dir[2*log:], uint16(n))
		}
		return page(dir, 0)
	case c.Command == 0x2f && c.LBA&0xff == 3:
		return page(f.extErrorLog, 0)
	case c.Command == 0x2f && c.LBA&0xff == 7:
		return page(f.extSelfTestLog, 0)
	case c.Command == 0x2f && c.LBA&0xff == 4:
		return page(f.devStats, int(c.LBA>>8&0xff)*512)
	case c.Features == 0xd0:
		return page(f.values, 0)
	case c.Features == 0xd1:
		return page(f.thresholds, 0)
	case c.Features == 0xda:
		return f.status().V, nil
	case c.Features == 0xd6:
		f.sent = append(f.sent, "SCT request")
		return smart.Registers{}, nil
	case c.Features == 0xd5:
		return page(map[byte][]byte{1: f.errorLog, 6: f.selfTestLog, 0xe0: f.sctStatus, 0xe1: f.sctHistory}[byte(c.LBA)], 0)
	}
	return smart.Registers{}, errors.New("unexpected command")
}

func (f *fakeDrive) SCSI(_ context.Context, cdb, buf []byte) error {
	if f.fail != nil {
		return f.fail
	}
	switch cdb[0] {
	case 0x00:
		if f.power == 0 {
			return &device.SenseError{Key: 2, ASC: 4, ASCQ: 2}
		}
		return nil
	case 0x12:
		if cdb[1]&1 != 0 {
			copy(buf, "\x00\x80\x00\x04SN12")
			return nil
		}
		if f.ataDrive != nil {
			copy(buf[8:], "ATA     DISK")
		} else {
			copy(buf[8:], "MAKER   PRODUCT         R1  ")
		}
		return nil
	case 0x4d:
		if b, ok := f.scsi[[2]byte{cdb[2] & 0x3f, cdb[3]}]; ok {
			copy(buf, b)
			return nil
		}
	}
	return unsupported
}

func (f *fakeDrive) NVMe(_ context.Context, c device.NVMeCommand, buf []byte) error {
	if f.fail != nil {
		return f.fail
	}
	if b, ok := f.nvme[uint32(c.Opcode)<<8|c.CDW10&0xff]; ok {
		copy(buf, b)
		return nil
	}
	return device.NVMeError(0x4002)
}

// TestDeviceReadsWhatThePagesSay: a device read through a transport gives the model of
// its pages, for all three protocols.
func TestDeviceReadsWhatThePagesSay(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(3, 4))}
	for range 20 {
		d := g.drive()
		f := &fakeDrive{ataDrive: d, power: 0xff}
		s, err := device.New(f, smart.DeviceID{Node: "/dev/fake"}).Snapshot(t.Context())
		require.NoError(t, err)
		require.Equal(t, smart.FormatDevice, s.Source.Format)
		want := &smart.Snapshot{}
		p := smart.ATAPages{
			Identify: d.identify, Values: d.values, Thresholds: d.thresholds, ExtErrorLog: d.extErrorLog, ExtSelfTestLog: d.extSelfTestLog,
			SCTStatus: d.sctStatus, SCTHistory: d.sctHistory, DeviceStats: d.devStats[512:], Status: d.status(),
		}
		require.NoError(t, smart.DecodeATA(want, p, nil))
		require.Equal(t, viewOf(want, false), viewOf(s, false))
		require.Equal(t, []string{"SCT request"}, f.sent)
	}
	id, log := g.nvmeIdentify(), g.nvmeLog()
	s, err := device.New(&fakeDrive{nvme: map[uint32][]byte{0x601: id, 0x202: log}}, smart.DeviceID{Node: "/dev/nvme0", Protocol: "NVMe"}).Snapshot(t.Context())
	require.NoError(t, err)
	require.Empty(t, slices.DeleteFunc(s.Warnings, leftOut), "a log that the controller refuses is absent, no error")
	var n smart.NVMeHealth
	require.NoError(t, smart.DecodeNVMe(&n, log))
	require.Equal(t, n.PowerOnHours, s.NVMe.PowerOnHours)
	require.Equal(t, n.Temperature, s.NVMe.Temperature)

	f := &fakeDrive{power: 1, scsi: map[[2]byte][]byte{{0x0d, 0}: scsiPage(0x0d, 0, scsiParam(0, 3, []byte{0, 38})),
		{0x2f, 0}: scsiPage(0x2f, 0, scsiParam(0, 3, []byte{0x5d, 0x10, 0, 0}))}}
	s, err = device.New(f, smart.DeviceID{Node: "/dev/sdz"}).Snapshot(t.Context())
	require.NoError(t, err)
	require.Equal(t, "MAKER PRODUCT", s.Identity.Model)
	require.Equal(t, "SN12", s.Identity.Serial)
	require.Equal(t, smart.Failed, s.Health.Status)
	require.Equal(t, smart.TempValue{C: 38, OK: true, From: smart.FromSCSI}, s.Temp.Current)
}

func TestDeviceLeavesSleepingDiskAlone(t *testing.T) {
	g := gen{rand.New(rand.NewPCG(5, 6))}
	f := &fakeDrive{ataDrive: g.drive(), power: 0}
	d := device.New(f, smart.DeviceID{Node: "/dev/fake", Protocol: "ATA"})
	_, err := d.Snapshot(t.Context())
	require.ErrorIs(t, err, device.ErrStandby)
	d.WakeUp = true
	_, err = d.Snapshot(t.Context())
	require.NoError(t, err)
	_, err = device.New(&fakeDrive{power: 0}, smart.DeviceID{}).Snapshot(t.Context())
	require.ErrorIs(t, err, device.ErrStandby, "a SCSI disk in standby")
}

func TestDeviceNamesMissingRights(t *testing.T) {
	for _, protocol := range []string{"ATA", "SCSI", "NVMe"} {
		_, err := device.New(&fakeDrive{fail: device.ErrPermission}, smart.DeviceID{Node: "/dev/x", Protocol: protocol}).Snapshot(t.Context())
		require.ErrorIs(t, err, device.ErrPermission)
		require.ErrorContains(t, err, "CAP_SYS_RAWIO")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	g := gen{rand.New(rand.NewPCG(7, 8))}
	_, err := device.New(&fakeDrive{ataDrive: g.drive(), power: 0xff}, smart.DeviceID{Protocol: "ATA"}).Snapshot(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// TestOnlyReadingCommandsPass: the list of commands has nothing that writes.
func TestOnlyReadingCommandsPass(t *testing.T) {
	request := make([]byte, 512)
	copy(request, []byte{5, 0, 1, 0, 2, 0})
	allowed := 0
	for command := range 256 {
		for feature := range 256 {
			for _, out := range []bool{false, true} {
				c := device.ATACommand{Command: uint8(command), Features: uint8(feature), LBA: 0xc24fe0, Out: out}
				switch err := c.Allowed(request); {
				case err != nil:
					require.ErrorIs(t, err, device.ErrNotAllowed)
				case command == 0xb0 && feature == 0xd6:
					require.True(t, out)
					allowed++
				default:
					require.False(t, out)
					require.Contains(t, []int{0x2f, 0xb0, 0xe5, 0xec}, command)
				}
			}
		}
	}
	require.Equal(t, 1, allowed)
	for _, b := range [][]byte{nil, make([]byte, 512), append([]byte{4, 0, 1, 0, 2, 0}, make([]byte, 506)...), append([]byte{5, 0, 1, 0, 2, 1}, make([]byte, 506)...)} {
		require.Error(t, device.ATACommand{Command: 0xb0, Features: 0xd6, LBA: 0xc24fe0, Out: true}.Allowed(b), "WRITE LOG with other data")
	}
	for op := range 256 {
		cdb := make([]byte, 16)
		cdb[0], cdb[1] = byte(op), 0x10
		if device.AllowedSCSI(cdb) == nil {
			require.Contains(t, []int{0x00, 0x03, 0x12, 0x1a, 0x25, 0x4d, 0x5a, 0x9e}, op)
		}
		if (device.NVMeCommand{Opcode: uint8(op)}).Allowed() == nil {
			require.Contains(t, []int{2, 6}, op)
		}
	}
	require.Error(t, device.AllowedSCSI([]byte{0x4d, 1, 0, 0, 0, 0, 0, 0, 0, 0}), "LOG SENSE that saves")
	require.Error(t, device.AllowedSCSI(nil))
}
