/* fakedev: preloaded into a disk tool, it answers the tool's SCSI, ATA and NVMe requests from one file of pages.
 *
 *   cc -shared -fPIC -O1 -o fakedev.so fakedev.c -ldl
 *   FAKEDEV=pages LD_PRELOAD=./fakedev.so smartctl -x -j -d sat pages
 *
 * The file holds records: a key of 16 bytes (text, padded with NUL), a length of 4 bytes (little endian), the data.
 *   "ata ec"     IDENTIFY DEVICE          "ata b0 d0", "ata b0 d1"  SMART READ DATA, READ THRESHOLDS
 *   "log LL"     SMART READ LOG           "gpl LL"     READ LOG EXT, all pages one after the other
 *   "write LL"   SMART WRITE LOG is taken for that log; the SCT status repeats what E0h was last asked
 *                       "status"  5 bytes: sense key, mid, high, ATA status, error
 *   "sense PP SS", "mode PP", "mode10 PP", "vpd PP", "inquiry", "capacity", "capacity16", "defects"   SCSI
 *   "nlog LL", "nid CC"  NVMe Get Log Page and Identify
 * A request without a record is refused as a device refuses it. Nothing is ever written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY = 16, HEAD = 20 };

static unsigned char *pages;
static size_t npages;

static void slurp(void) {
	const char *path = getenv("FAKEDEV");
	struct stat st;
	int fd;
	if (pages || !path || (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0)
		return;
	if (!fstat(fd, &st) && (pages = malloc(st.st_size + 1)))
		for (ssize_t n; (n = read(fd, pages + npages, st.st_size - npages)) > 0;)
			npages += n;
	close(fd);
}

/* find returns the data of a record and sets its length; NULL when there is none. */
static const unsigned char *find(const char *key, size_t *len) {
	slurp();
	for (size_t at = 0; at + HEAD <= npages;) {
		const unsigned char *p = pages + at;
		size_t n = p[16] | p[17] << 8 | p[18] << 16 | (size_t)p[19] << 24;
		if (n > npages - at - HEAD)
			break;
		if (!strncmp((const char *)p, key, KEY)) {
			*len = n;
			return p + HEAD;
		}
		at += HEAD + n;
	}
	if (getenv("FAKEDEV_TRACE"))
		fprintf(stderr, "fakedev: no \"%s\"\n", key);
	return NULL;
}

/* give copies a record from an offset on and fills with zeros; -1 when there is no such record. */
static long give(const char *key, size_t off, void *dst, size_t want) {
	size_t len;
	const unsigned char *p = find(key, &len);
	if (!p)
		return -1;
	if (dst)
		memset(dst, 0, want);
	if (off >= len)
		return 0;
	if (len - off < want)
		want = len - off;
	if (dst)
		memcpy(dst, p + off, want);
	return (long)want;
}

static void check(struct sg_io_hdr *h, const unsigned char *sense, unsigned n) {
	h->status = 2;
	h->masked_status = 1;
	h->driver_status = 8;
	if (!h->sbp)
		return;
	h->sb_len_wr = n < h->mx_sb_len ? n : h->mx_sb_len;
	memcpy(h->sbp, sense, h->sb_len_wr);
}

static void refuse(struct sg_io_hdr *h, int key, int asc) {
	unsigned char s[18] = {0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc};
	check(h, s, sizeof s);
}

static void ata(struct sg_io_hdr *h, const unsigned char *c) {
	int wide = c[0] == 0x85;
	int cmd = wide ? c[14] : c[9], feature = wide ? c[4] : c[3], log = wide ? c[8] : c[5];
	char key[KEY + 1];
	size_t off = 0, len;
	if (cmd == 0xb0 && feature == 0xda) {
		unsigned char s[22] = {0x72, 1, 0, 0x1d, 0, 0, 0, 14, 9, 12, 0, 0, 0, 0, 0, 0, 0, 0x4f, 0, 0xc2, 0, 0x50};
		const unsigned char *st = find("status", &len);
		if (st && len == 5) {
			s[1] = st[0];
			s[17] = st[1];
			s[19] = st[2];
			s[21] = st[3];
			s[11] = st[4];
		}
		check(h, s, sizeof s);
		return;
	}
	if (cmd == 0xb0 && feature == 0xd5)
		snprintf(key, sizeof key, "log %02x", log);
	else if (cmd == 0xb0 && feature == 0xd6)
		snprintf(key, sizeof key, "write %02x", log);
	else if (cmd == 0x2f) {
		snprintf(key, sizeof key, "gpl %02x", log);
		off = (size_t)(c[10] | c[9] << 8) * 512;
	} else if (cmd == 0xb0)
		snprintf(key, sizeof key, "ata b0 %02x", feature);
	else
		snprintf(key, sizeof key, "ata %02x", cmd);
	int in = h->dxfer_direction == SG_DXFER_FROM_DEV;
	static unsigned char asked[4]; /* action and function of the last SCT command */
	if (!strcmp(key, "write e0") && !in && h->dxfer_len >= 4)
		memcpy(asked, h->dxferp, 4);
	if (give(key, off, in ? h->dxferp : NULL, in ? h->dxfer_len : 0) < 0)
		refuse(h, 0x0b, 0);
	else if (!strcmp(key, "log e0") && in && h->dxfer_len >= 20 && (asked[0] || asked[1]))
		memcpy((unsigned char *)h->dxferp + 16, asked, 4);
}

static void scsi(struct sg_io_hdr *h) {
	const unsigned char *c = h->cmdp;
	char key[KEY + 1] = "";
	h->status = h->masked_status = h->host_status = h->driver_status = h->sb_len_wr = 0;
	h->resid = 0;
	h->info = 0;
	switch (c[0]) {
	case 0x00:
		return;
	case 0x85:
	case 0xa1:
		ata(h, c);
		return;
	case 0x12:
		if (c[1] & 1)
			snprintf(key, sizeof key, "vpd %02x", c[2]);
		else
			strcpy(key, "inquiry");
		break;
	case 0x1a:
		snprintf(key, sizeof key, "mode %02x", c[2] & 0x3f);
		break;
	case 0x5a:
		snprintf(key, sizeof key, "mode10 %02x", c[2] & 0x3f);
		break;
	case 0x4d:
		snprintf(key, sizeof key, "sense %02x %02x", c[2] & 0x3f, c[3]);
		break;
	case 0x25:
		strcpy(key, "capacity");
		break;
	case 0x9e:
		strcpy(key, "capacity16");
		break;
	case 0x37:
	case 0xb7:
		strcpy(key, "defects");
		break;
	}
	long got = give(key, 0, h->dxferp, h->dxfer_len);
	if (got < 0)
		refuse(h, 5, c[0] == 0x4d || c[0] == 0x12 || c[0] == 0x1a || c[0] == 0x5a ? 0x24 : 0x20);
	else
		h->resid = (int)(h->dxfer_len - got);
}

struct nvme {
	uint8_t opcode, flags;
	uint16_t id;
	uint32_t nsid, dw2, dw3;
	uint64_t metadata, addr;
	uint32_t metalen, len, dw10, dw11, dw12, dw13, dw14, dw15, timeout, result;
};

static int nvme(struct nvme *n) {
	char key[KEY + 1];
	size_t off = 0;
	if (n->opcode == 2) {
		snprintf(key, sizeof key, "nlog %02x", n->dw10 & 0xff);
		off = (size_t)n->dw13 << 32 | n->dw12;
	} else if (n->opcode == 6)
		snprintf(key, sizeof key, "nid %02x", n->dw10 & 0xff);
	else
		return 1;
	n->result = 0;
	return give(key, off, (void *)(uintptr_t)n->addr, n->len) < 0 ? 0x4002 : 0;
}

/* nvme-cli asks for a character device: a file of one byte is shown as one. */
static int disguise(int rc, struct stat *st) {
	if (!rc && getenv("FAKEDEV") && S_ISREG(st->st_mode) && st->st_size == 1)
		st->st_mode = (st->st_mode & ~S_IFMT) | S_IFCHR;
	return rc;
}

/* The C library up to 2.32 has __fxstat and __xstat in place of fstat and stat. The
 * structures with 64-bit offsets are alike. */
#define BY_FD(name, old, type) \
	int name(int fd, struct type *st) { \
		int (*real)(int, struct type *) = dlsym(RTLD_NEXT, #name); \
		int (*before)(int, int, struct type *) = dlsym(RTLD_NEXT, #old); \
		return disguise(real ? real(fd, st) : before(1, fd, st), (struct stat *)st); \
	} \
	int old(int version, int fd, struct type *st) { \
		int (*real)(int, int, struct type *) = dlsym(RTLD_NEXT, #old); \
		return disguise(real(version, fd, st), (struct stat *)st); \
	}
#define BY_PATH(name, old, type) \
	int name(const char *path, struct type *st) { \
		int (*real)(const char *, struct type *) = dlsym(RTLD_NEXT, #name); \
		int (*before)(int, const char *, struct type *) = dlsym(RTLD_NEXT, #old); \
		return disguise(real ? real(path, st) : before(1, path, st), (struct stat *)st); \
	} \
	int old(int version, const char *path, struct type *st) { \
		int (*real)(int, const char *, struct type *) = dlsym(RTLD_NEXT, #old); \
		return disguise(real(version, path, st), (struct stat *)st); \
	}

BY_FD(fstat, __fxstat, stat)
BY_FD(fstat64, __fxstat64, stat64)
BY_PATH(stat, __xstat, stat)
BY_PATH(stat64, __xstat64, stat64)

int ioctl(int fd, unsigned long request, ...) {
	va_list list;
	va_start(list, request);
	void *arg = va_arg(list, void *);
	va_end(list);
	if (getenv("FAKEDEV")) {
		if (request == 0xC0484E41UL)
			return nvme(arg);
		if (request == 0x4E40UL)
			return 1;
		if (request == SG_IO) {
			scsi(arg);
			return 0;
		}
	}
	int (*real)(int, unsigned long, void *) = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, arg);
}
