/* SPDX-License-Identifier: MIT */
/*
 * Encrypted disks that are open, and whose key the TPM gives out only while what it measured is the same: a changed command
 * line is measured, too. The kernel says which devices are LUKS2 (dm/uuid), and their headers what the TPM wants.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>

#include "format/luks2.h"
#include "hw/internal.h"

#define BLOCK "/sys/class/block"

/*
 * PCRs in which a command line, or what carries it, ends up: GRUB measures lines into 8 and the files that it reads into 9;
 * systemd-boot and its stub measure a line, and addons, into 12, and an image and its parts into 4 and 11.
 */
enum { LINE_PCRS = 1 << 4 | 1 << 8 | 1 << 9 | 1 << 11 | 1 << 12 };

static int read_some(int fd, size_t want, struct sp_buf *ret)
{
	char chunk[4096];

	while (ret->len < want) {
		const size_t left = want - ret->len;
		ssize_t n = pread(fd, chunk, left < sizeof(chunk) ? left : sizeof(chunk), (off_t) ret->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		sp_buf_add(ret, chunk, (size_t) n);
	}
	return 0;
}

int sp_hw_open_block(const struct sp_root *machine, const char *name)
{
	sp_autofree char *path = sp_xasprintf("/dev/%s", name), *number_path = sp_xasprintf(BLOCK "/%s/dev", name);
	sp_autofree char *number = NULL;
	struct stat st;

	if (!sp_root_is_host(machine))
		return sp_root_open_file(machine, path);
	int r = sp_root_read_line(machine, number_path, &number);
	if (r < 0)
		return r;
	sp_autoclose int fd = sp_root_openat(machine, path, O_RDONLY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	sp_autofree char *opened = sp_xasprintf("%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return S_ISBLK(st.st_mode) && sp_streq(opened, number) ? sp_steal_fd(&fd) : -ENODEV;
}

static int read_seals(const struct sp_facts *f, const char *name, struct sp_seals *ret)
{
	sp_autobuf struct sp_buf header = { 0 };
	sp_autoclose int fd = sp_hw_open_block(f->machine, name);
	int r = fd < 0 ? fd : read_some(fd, SP_LUKS2_START, &header);

	if (r == 0)
		r = read_some(fd, sp_luks2_wants(&header), &header);
	return r < 0 ? r : sp_luks2_read(&header, ret, NULL);
}

/* "nvme0n1p3 (systemd-tpm2, PCR 8+9)" */
static void describe(const char *name, const struct sp_seal *seal, struct sp_strv *found)
{
	sp_autobuf struct sp_buf pcrs = { 0 };

	if (!(seal->pcrs & LINE_PCRS) && !seal->policy)
		return;
	for (unsigned i = 0; i < 24; i++)
		if (seal->pcrs >> i & 1)
			sp_buf_addf(&pcrs, "%s%u", pcrs.len ? "+" : "", i);
	sp_strv_addf(found, "%s (%s, %s%s)", name, seal->token, pcrs.len ? "PCR " : "a policy", pcrs.len ? pcrs.data : "");
}

static int look_at_slaves(const struct sp_facts *f, const char *dm, struct sp_strv *found)
{
	sp_autofree char *path = sp_xasprintf(BLOCK "/%s/slaves", dm);
	sp_autostrv struct sp_strv slaves = { 0 };
	int r = sp_root_list(f->machine, path, &slaves), first = 0;

	for (size_t i = 0; r == 0 && i < slaves.n; i++) {
		sp_autoseals struct sp_seals seals = { 0 };
		const int one = read_seals(f, slaves.v[i], &seals);
		first = first ? first : one;
		for (size_t k = 0; k < seals.n; k++)
			describe(slaves.v[i], &seals.v[k], found);
	}
	return r < 0 ? r : first;
}

void sp_read_sealed(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv devices = { 0 }, found = { 0 };
	int r = sp_root_list(f->machine, BLOCK, &devices);

	(void) arg;
	if (r < 0) {
		sp_fact_set_errno(f, fact, BLOCK, r);
		return;
	}
	for (size_t i = 0; i < devices.n; i++) {
		sp_autofree char *path = sp_xasprintf(BLOCK "/%s/dm/uuid", devices.v[i]), *uuid = NULL;
		if (!sp_startswith(devices.v[i], "dm-") || sp_root_read_line(f->machine, path, &uuid) < 0 ||
		    !sp_startswith(uuid, "CRYPT-LUKS2-"))
			continue;
		const int one = look_at_slaves(f, devices.v[i], &found);
		r = r < 0 ? r : one;
	}
	if (r < 0 && found.n == 0)
		sp_fact_set_unknown(f, fact, BLOCK, "a LUKS2 header cannot be read: %s", sp_hw_reason(r));
	else
		sp_fact_set_list(f, fact, BLOCK, &found);
}
