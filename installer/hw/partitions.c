/* SPDX-License-Identifier: MIT */
#include "hw/partitions.h"

#include "hw/blkid.h"
#include "hw/internal.h"

#define BLOCK "/sys/class/block"
#define UDEV "/run/udev/data"

/* UAPI.2, the Boot Loader Specification; the short ones are of an MBR. */
static const struct {
	const char *type, *name;
} types[] = {
	{ "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "ESP" },
	{ "bc13c2ff-59e6-4262-a352-b275fd6f7172", "XBOOTLDR" },
	{ "0xef", "ESP" },
	{ "0xea", "XBOOTLDR" },
};

static char *attribute(const struct sp_root *machine, const char *device, const char *name)
{
	sp_autofree char *path = sp_xasprintf(BLOCK "/%s/%s", device, name);
	char *value = NULL;

	return sp_root_read_line(machine, path, &value) < 0 ? NULL : value;
}

/* "nvme0n1" of "nvme0n1p1": the longest name of a whole disk that it begins with. */
static const char *disk_of(const struct sp_root *machine, const struct sp_strv *all, const char *partition)
{
	const char *best = NULL;

	for (size_t i = 0; i < all->n; i++) {
		sp_autofree char *number = NULL;
		if (sp_streq(all->v[i], partition) || !sp_startswith(partition, all->v[i]) ||
		    (best && strlen(best) > strlen(all->v[i])))
			continue;
		number = attribute(machine, all->v[i], "partition");
		if (!number)
			best = all->v[i];
	}
	return best;
}

static char *type_from_udev(const struct sp_root *machine, const char *device_number)
{
	static const char key[] = "\nE:ID_PART_ENTRY_TYPE=";
	sp_autofree char *path = sp_xasprintf(UDEV "/b%s", device_number);
	sp_autobuf struct sp_buf b = { 0 };
	const char *at = sp_root_read(machine, path, SP_FILE_MAX, &b, NULL) == 0 && b.data ? strstr(b.data, key) : NULL;

	return at ? sp_xstrndup(at + strlen(key), strcspn(at + strlen(key), "\n")) : NULL;
}

static char *type_from_table(const struct sp_root *machine, const char *disk, const char *number)
{
	uint64_t n = 0;
	char *type = NULL;

	if (!disk || sp_parse_u64(number, &n) < 0 || n == 0 || n > 128)
		return NULL;
	sp_autoclose int fd = sp_hw_open_block(machine, disk);
	return fd < 0 || sp_blkid_type(fd, (int) n, &type) < 0 ? NULL : type;
}

/* "29 1 259:1 / /efi rw,...": the third word. */
static bool is_mounted(const struct sp_root *machine, const char *device_number)
{
	sp_autofree char *word = sp_xasprintf(" %s ", device_number);
	sp_autobuf struct sp_buf b = { 0 };

	return sp_root_read(machine, "/proc/self/mountinfo", SP_FILE_MAX, &b, NULL) == 0 && b.data && strstr(b.data, word);
}

void sp_partitions_unmounted(const struct sp_root *machine, struct sp_strv *ret)
{
	sp_autostrv struct sp_strv all = { 0 };

	if (sp_root_list(machine, BLOCK, &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		sp_autofree char *number = attribute(machine, all.v[i], "partition"), *device = attribute(machine, all.v[i], "dev");
		if (!number || !device || is_mounted(machine, device))
			continue;
		sp_autofree char *known = type_from_udev(machine, device);
		sp_autofree char *type = known ? NULL : type_from_table(machine, disk_of(machine, &all, all.v[i]), number);
		for (size_t k = 0; k < SP_ELEMENTS(types); k++)
			if (sp_streq(known ? known : type, types[k].type))
				sp_strv_addf(ret, "/dev/%s (%s)", all.v[i], types[k].name);
	}
}
