/* SPDX-License-Identifier: MIT */
#include "hw/blkid.h"

#include <blkid/blkid.h>
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>

#define LIBRARY "libblkid.so.1"

struct blkid {
	void *library;
	typeof(&blkid_new_probe) new_probe;
	typeof(&blkid_free_probe) free_probe;
	typeof(&blkid_probe_set_device) set_device;
	typeof(&blkid_probe_get_partitions) get_partitions;
	typeof(&blkid_partlist_get_partition_by_partno) get_by_number;
	typeof(&blkid_partition_get_type_string) type_string;
	typeof(&blkid_partition_get_type) type_number;
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{ "blkid_new_probe", offsetof(struct blkid, new_probe) },
	{ "blkid_free_probe", offsetof(struct blkid, free_probe) },
	{ "blkid_probe_set_device", offsetof(struct blkid, set_device) },
	{ "blkid_probe_get_partitions", offsetof(struct blkid, get_partitions) },
	{ "blkid_partlist_get_partition_by_partno", offsetof(struct blkid, get_by_number) },
	{ "blkid_partition_get_type_string", offsetof(struct blkid, type_string) },
	{ "blkid_partition_get_type", offsetof(struct blkid, type_number) },
};

static int load(struct blkid *b)
{
	b->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!b->library)
		return -ELIBACC;
	for (size_t i = 0; i < SP_ELEMENTS(symbols); i++) {
		void *found = dlsym(b->library, symbols[i].name);
		if (!found)
			return -ELIBBAD;
		memcpy((char *) b + symbols[i].offset, &found, sizeof(found));
	}
	return 0;
}

/* A GUID is text; the one byte of an MBR is a number. */
static int read_type(const struct blkid *b, blkid_probe probe, int number, char **ret)
{
	blkid_partlist all = b->get_partitions(probe);
	blkid_partition one = all ? b->get_by_number(all, number) : NULL;
	const char *text = one ? b->type_string(one) : NULL;

	if (!one)
		return -ENOENT;
	*ret = text ? sp_xstrdup(text) : sp_xasprintf("0x%x", (unsigned) b->type_number(one));
	return 0;
}

int sp_blkid_type(int fd, int number, char **ret)
{
	struct blkid b = { 0 };
	int r = load(&b);
	blkid_probe probe = r == 0 ? b.new_probe() : NULL;

	if (r == 0)
		r = !probe ? -ENOMEM : b.set_device(probe, fd, 0, 0) < 0 ? -EIO : read_type(&b, probe, number, ret);
	if (probe)
		b.free_probe(probe);
	if (b.library)
		(void) dlclose(b.library);
	return r;
}
