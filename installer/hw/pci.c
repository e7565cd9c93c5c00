/* SPDX-License-Identifier: MIT */
/*
 * The GPU and the NPU among the PCI devices. Ids: 1002:1586 is every Strix
 * Halo GPU (display class 0300 or 0380), 1022:17f0 the XDNA NPU.
 */
#include <errno.h>
#include <limits.h>

#include "hw/internal.h"

struct wanted {
	const char *what;
	uint64_t vendor;
	uint64_t class;	 /* base class; 0: any */
	uint64_t device; /* 0: any */
	uint64_t prefer; /* with several, this one; else the first */
};

static const struct wanted gpu = { .what = "AMD display device", .vendor = 0x1002, .class = 0x03, .prefer = 0x1586 };
static const struct wanted npu = { .what = "device 1022:17f0", .vendor = 0x1022, .device = 0x17f0 };

struct group { /* where a device's facts go */
	enum sp_fact id, address, driver;
};
static const struct group gpu_facts = { SP_FACT_GPU_ID, SP_FACT_GPU_ADDRESS, SP_FACT_GPU_DRIVER };
static const struct group npu_facts = { SP_FACT_NPU_ID, SP_FACT_NPU_ADDRESS, SP_FACT_NPU_DRIVER };

static int read_hex(const struct sp_root *machine, const char *address, const char *file, uint64_t *ret)
{
	sp_autofree char *path = sp_xasprintf(SP_PCI_DEVICES "/%s/%s", address, file), *line = NULL;
	int r = sp_root_read_line(machine, path, &line);

	return r < 0 ? r : sp_parse_u64(sp_strip(line), ret);
}

/* 0: not what is wanted; 1: it is; 2: and the preferred one */
static int rate(const struct sp_root *machine, const char *address, const struct wanted *w, uint64_t *ret_device)
{
	uint64_t vendor = 0, device = 0, class = 0;

	if (read_hex(machine, address, "vendor", &vendor) < 0 || vendor != w->vendor)
		return 0;
	if (read_hex(machine, address, "device", &device) < 0 || (w->device && device != w->device))
		return 0;
	if (w->class && (read_hex(machine, address, "class", &class) < 0 || class >> 16 != w->class))
		return 0;
	*ret_device = device;
	return w->prefer && device == w->prefer ? 2 : 1;
}

/* -ENODEV: none is there; otherwise the devices could not be listed. */
static int find(const struct sp_root *machine, const struct wanted *w, char **ret_address, uint64_t *ret_device)
{
	sp_autostrv struct sp_strv names = { 0 };
	const char *best = NULL;
	int best_rate = 0, r = sp_root_list(machine, SP_PCI_DEVICES, &names);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names.n; i++) {
		uint64_t device = 0;
		int now = rate(machine, names.v[i], w, &device);
		if (now <= best_rate)
			continue;
		best_rate = now;
		best = names.v[i];
		*ret_device = device;
	}
	if (!best)
		return -ENODEV;
	*ret_address = sp_xstrdup(best);
	return 0;
}

/* The driver's name: the last component of the link's text; a recorded machine may hold it as a plain file. */
static int driver_name(const struct sp_root *machine, const char *path, char **ret)
{
	sp_autofree char *name = NULL;
	sp_autoclose int dir = sp_root_open_parent(machine, path, &name);
	char text[PATH_MAX];

	if (dir < 0)
		return dir;
	ssize_t n = readlinkat(dir, name, text, sizeof(text) - 1);
	if (n < 0)
		return errno == EINVAL ? sp_root_read_line(machine, path, ret) : -errno;
	text[n] = '\0';
	const char *slash = strrchr(text, '/');
	*ret = sp_xstrdup(slash ? slash + 1 : text);
	return 0;
}

static void set_driver(struct sp_facts *f, enum sp_fact fact, const char *address)
{
	sp_autofree char *path = sp_xasprintf(SP_PCI_DEVICES "/%s/driver", address), *name = NULL;
	int r = driver_name(f->machine, path, &name);

	if (r == -ENOENT)
		sp_fact_set_unknown(f, fact, path, "no driver is bound");
	else if (r < 0)
		sp_fact_set_errno(f, fact, path, r);
	else
		sp_fact_set_text(f, fact, path, sp_strip(name));
}

static int set_device(struct sp_facts *f, const struct wanted *w, const struct group *g)
{
	const enum sp_fact all[] = { g->id, g->address, g->driver };
	sp_autofree char *address = NULL;
	uint64_t device = 0;
	int r = find(f->machine, w, &address, &device);

	for (size_t i = 0; r < 0 && i < SP_ELEMENTS(all); i++) {
		if (r == -ENODEV)
			sp_fact_set_unknown(f, all[i], SP_PCI_DEVICES, "no %s", w->what);
		else
			sp_fact_set_errno(f, all[i], SP_PCI_DEVICES, r);
	}
	if (r < 0)
		return r;
	sp_autofree char *source = sp_xasprintf(SP_PCI_DEVICES "/%s", address);
	sp_autofree char *id =
		sp_xasprintf("%04llx:%04llx", (unsigned long long) w->vendor, (unsigned long long) device);
	sp_fact_set_text(f, g->id, source, id);
	sp_fact_set_text(f, g->address, source, address);
	set_driver(f, g->driver, address);
	return 0;
}

void sp_read_gpu(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	uint64_t revision = 0;

	(void) fact;
	(void) arg;
	if (set_device(f, &gpu, &gpu_facts) < 0) {
		const struct sp_value *id = &f->v[SP_FACT_GPU_ID];
		sp_fact_set_unknown(f, SP_FACT_GPU_REVISION, id->source, "%s", id->why);
		return;
	}
	const char *address = sp_fact_text(f, SP_FACT_GPU_ADDRESS);
	sp_autofree char *path = sp_xasprintf(SP_PCI_DEVICES "/%s/revision", address);
	int r = read_hex(f->machine, address, "revision", &revision);
	if (r < 0) {
		sp_fact_set_errno(f, SP_FACT_GPU_REVISION, path, r);
		return;
	}
	sp_autofree char *text = sp_xasprintf("%02llx", (unsigned long long) revision);
	sp_fact_set_text(f, SP_FACT_GPU_REVISION, path, text);
}

void sp_read_npu(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	int r = set_device(f, &npu, &npu_facts);

	(void) arg;
	if (r < 0 && r != -ENODEV)
		sp_fact_set_errno(f, fact, SP_PCI_DEVICES, r);
	else
		sp_fact_set_num(f, fact, f->v[SP_FACT_NPU_ID].source, r == 0);
}

void sp_read_gpu_number(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	const struct sp_value *address = &f->v[SP_FACT_GPU_ADDRESS];

	if (!address->known) {
		sp_fact_set_unknown(f, fact, address->source, "%s", address->why);
		return;
	}
	sp_autofree char *path = sp_xasprintf(SP_PCI_DEVICES "/%s/%s", address->text, arg);
	sp_read_number(f, fact, path);
}
