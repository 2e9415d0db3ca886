package sim

import (
	"fmt"
	"strconv"

	"dougu.internal/ipxe"
)

// Status is the exit status of a command or a script: iPXE's own number, in which the
// top byte is the POSIX class, the middle names the source file, and the last byte is
// the PXE code of a BIOS build. 0 is success.
type Status uint32

// The statuses of the language. Source: include/errno.h and include/ipxe/errfile.h of
// iPXE; each was seen on the firmware or follows from the same tables.
const (
	OK Status = 0

	enoentIsset   Status = 0x2d02203b
	erangeIseq    Status = 0x46022001
	enoexecExec   Status = 0x2e022001
	enomemExec    Status = 0x31022006
	einvalScript  Status = 0x1c028002
	enoentLabel   Status = 0x2d02803b
	canceledHelp  Status = 0x0b1621a0
	einvalInteger Status = 0x1c162102
	einvalOption  Status = 0x1c162202
	einvalMissing Status = 0x1c162302
	erangeCount   Status = 0x46162001
	enoentMenu    Status = 0x2d16203b
	enodevNet     Status = 0x2c16203b
	enotsupConf   Status = 0x3c162003
	einvalScope   Status = 0x1c162002

	enotsupSettings Status = 0x3c0c2003
	enodevSettings  Status = 0x2c0c203b
	enoentSettings  Status = 0x2d0c203b
	einvalSettings  Status = 0x1c0c2002
	enottySettings  Status = 0x3d0c2001
	erangeSettings  Status = 0x460c2001
	einvalHex       Status = 0x1c112002
	einvalBase64    Status = 0x1c102002
	einvalIPv4      Status = 0x1c056002
	einvalIPv6      Status = 0x1c066002
	einvalUUID      Status = 0x1c5c3002
	einvalMAC       Status = 0x1c146002
	enotsupNetdev   Status = 0x3c146003

	enoentImage  Status = 0x2d0ae03b
	enoexecImage Status = 0x2e008001
	enottyImage  Status = 0x3d008001
	enodevPXE    Status = 0x2c00803b

	einvalPing     Status = 0x1c1b2002
	etimedoutPing  Status = 0x4c1b2035
	einvalVLAN     Status = 0x1c306002
	enottyVLAN     Status = 0x3d306001
	enotsupArchive Status = 0x3c0a8003
	einvalGzip     Status = 0x1c0c8002
	einvalZlib     Status = 0x1c0b8002
	einvalDeflate  Status = 0x1c41e002

	enotsupOpen    Status = 0x3c092003
	einvalHTTP     Status = 0x1c416002
	enoentHTTP     Status = 0x2d0c613b
	eaccesHTTP     Status = 0x020c613c
	eaccesUser     Status = 0x0243613c
	epermHTTP      Status = 0x410c613c
	eio4xx         Status = 0x1d0c6439
	eio5xx         Status = 0x1d0c6539
	eioOther       Status = 0x1d0c6139
	exdevHTTP      Status = 0x4f0c6001
	econnreset     Status = 0x0f0a6039
	etimedoutTCP   Status = 0x4c0a6035
	enetunreach    Status = 0x280b6011
	enxioRecord    Status = 0x3e11613b
	enxioServer    Status = 0x3e11623b
	enoentTFTP     Status = 0x2d12603b
	einvalTFTP     Status = 0x1c126002
	etimedoutJob   Status = 0x4c072035
	ecanceledJob   Status = 0x0b0720a0
	etimedoutUser  Status = 0x4c22e035
	ecanceledUser  Status = 0x0b22e0a0
	ecanceledMenu  Status = 0x0b2ce0a0
	enoentUIMenu   Status = 0x2d2ce03b
	ecanceledRead  Status = 0x0b32e0a0
	ecanceledLogin Status = 0x0b17e0a0
	ecanceledExec  Status = 0x0b0220a0
	eioSAN         Status = 0x1d852039
	enodevIfmgmt   Status = 0x2c1de03b
	enoentCPUID    Status = 0x2d4bf03b
	enoentUIForm   Status = 0x2d5df03b
	etimedoutRead  Status = 0x4c32e035
	enotconnLink   Status = 0x38086101
	enoentBoot     Status = 0x2d03e03b
)

// texts are the messages that iPXE keeps, by number without file and detail.
var texts = map[Status]string{
	0x00000000: "Operation completed successfully",
	0x0200003c: "Permission denied",
	0x0b0000a0: "Operation canceled",
	0x0f000039: "Connection reset",
	0x1c000002: "Invalid argument",
	0x1d000039: "Input/output error",
	0x28000011: "Network unreachable",
	0x2c00003b: "No such device",
	0x2d00003b: "No such file or directory",
	0x2e000001: "Exec format error",
	0x31000006: "Not enough space",
	0x34000006: "No space left on device",
	0x38000001: "The socket is not connected",
	0x3c000003: "Operation not supported",
	0x4100003c: "Operation not permitted",
	0x46000001: "Result too large",
	0x4c000035: "Connection timed out",
}

// Name is the POSIX name of the class, such as ENOENT, and "" for a class that has none
// in scripts.
func (s Status) Name() string {
	switch s >> 24 & 0x7f {
	case 0:
		if s == 0 {
			return "OK"
		}
	case 0x02:
		return "EACCES"
	case 0x0b:
		return "ECANCELED"
	case 0x0f:
		return "ECONNRESET"
	case 0x1c:
		return "EINVAL"
	case 0x1d:
		return "EIO"
	case 0x28:
		return "ENETUNREACH"
	case 0x2c:
		return "ENODEV"
	case 0x2d:
		return "ENOENT"
	case 0x2e:
		return "ENOEXEC"
	case 0x31:
		return "ENOMEM"
	case 0x3c:
		return "ENOTSUP"
	case 0x3d:
		return "ENOTTY"
	case 0x3e:
		return "ENXIO"
	case 0x41:
		return "EPERM"
	case 0x46:
		return "ERANGE"
	case 0x4c:
		return "ETIMEDOUT"
	case 0x4f:
		return "EXDEV"
	}
	return ""
}

// String is the number as ${errno} prints it: 0x0, 0x2d02203b, 0xb1621a0.
func (s Status) String() string {
	if s == 0 {
		return "0x0"
	}
	return "0x" + strconv.FormatUint(uint64(s), 16)
}

// Text is the message that iPXE prints, without its number.
func (s Status) Text() string { return s.text(nil) }

func (s Status) text(p *ipxe.Features) string {
	switch s {
	case eio4xx:
		return "HTTP 4xx Client Error"
	case eio5xx:
		return "HTTP 5xx Server Error"
	case enoentHTTP:
		if p != nil && p.URI == ipxe.Keep {
			return "Not found" // from March 2024 on
		}
	}
	if t, ok := texts[s]; ok {
		return t
	}
	if t, ok := texts[s&0x7f0000ff]; ok {
		return t
	}
	return fmt.Sprintf("Error 0x%08x", uint32(s))
}

// message is the text with the address that iPXE puts behind it.
func (r *runner) message(s Status) string {
	const digits = "0123456789abcdef"
	var number [8]byte
	for i := range number {
		number[i] = digits[s>>(28-4*i)&15]
	}
	return s.text(r.p) + " (http://ipxe.org/" + string(number[:]) + ")"
}
