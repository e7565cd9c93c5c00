/* SPDX-License-Identifier: MIT */
/* The GPU's scheduler firmware (MES), from the driver; else the date of the package that brought it. */
#include <errno.h>
#include <fcntl.h>

#include "hw/internal.h"

#define DRI "/sys/kernel/debug/dri"
#define PACMAN "/var/lib/pacman/local"
#define DPKG "/var/lib/dpkg/status"

/* --- debugfs: root only, and closed by kernel lockdown ---------------------------------------------------------- */

/* "MES feature version: 1, firmware version: 0x00000080"; the line "MES_KIQ ..." is of another part. */
static bool parse_mes(const char *text, uint64_t *ret)
{
	static const char before[] = "firmware version: ";
	const char *line = sp_startswith(text, "MES ") ? text : strstr(text, "\nMES ");
	const char *number = line ? strstr(line, before) : NULL;

	if (!number)
		return false;
	number += strlen(before);
	sp_autofree char *word = sp_xstrndup(number, strcspn(number, " ,\n"));
	return sp_parse_u64(word, ret) == 0;
}

void sp_read_mes(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(f->machine, DRI, &names);

	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s/%s", DRI, names.v[i], arg);
		sp_autobuf struct sp_buf b = { 0 };
		uint64_t version = 0;
		int rc = sp_root_read(f->machine, path, SP_FILE_MAX, &b, NULL);
		if (rc == 0 && b.data && parse_mes(b.data, &version)) {
			sp_fact_set_num(f, fact, path, version);
			return;
		}
		if (rc < 0 && rc != -ENOENT && rc != -ENOTDIR)
			r = rc;
	}
	sp_fact_set_errno(f, fact, DRI, r < 0 ? r : -ENOENT);
}

/* --- packages --------------------------------------------------------------------------------------------------- */

/* "linux-firmware-amdgpu-20251125-1": what is behind the name, when it is a version. */
static const char *pacman_version(const char *dir)
{
	static const char *const packages[] = { "linux-firmware-amdgpu-", "linux-firmware-" };

	for (size_t i = 0; i < SP_ELEMENTS(packages); i++) {
		const char *version = dir + strlen(packages[i]);
		if (sp_startswith(dir, packages[i]) && *version >= '0' && *version <= '9')
			return version;
	}
	return NULL;
}

static bool from_pacman(struct sp_facts *f, enum sp_fact fact)
{
	sp_autostrv struct sp_strv names = { 0 };
	const char *best = NULL;

	if (sp_root_list(f->root, PACMAN, &names) < 0)
		return false;
	for (size_t i = 0; i < names.n; i++)
		if (pacman_version(names.v[i]) && (!best || sp_startswith(names.v[i], "linux-firmware-amdgpu-")))
			best = names.v[i];
	if (!best)
		return false;
	sp_autofree char *source = sp_xasprintf("%s/%s", PACMAN, best);
	sp_fact_set_text(f, fact, source, pacman_version(best));
	return true;
}

/* The version in the paragraph that begins here; owned, NULL: none, not installed, or its end is not in view. */
static char *paragraph_version(const char *text, bool last)
{
	static const char version[] = "\nVersion: ", installed[] = "\nStatus: install ok installed\n";
	const char *end = strstr(text + 1, "\n\n");
	sp_autofree char *paragraph = sp_xstrndup(text, end ? (size_t) (end - text) + 1 : strlen(text));
	const char *found = strstr(paragraph, version);

	if ((!end && !last) || !found || !strstr(paragraph, installed))
		return NULL;
	found += strlen(version);
	return sp_xstrndup(found, strcspn(found, "\n"));
}

static char *first_version(const char *text, bool last)
{
	static const char *const packages[] = { "\nPackage: firmware-amd-graphics\n", "\nPackage: linux-firmware\n" };

	for (size_t i = 0; i < SP_ELEMENTS(packages); i++) {
		const char *at = strstr(text, packages[i]);
		char *version = at ? paragraph_version(at, last) : NULL;
		if (version)
			return version;
	}
	return NULL;
}

/*
 * dpkg's list is some megabytes long, so it passes through a window of two blocks, of which the second is the first of
 * the next look. A paragraph is shorter than a block. The window begins with the end of a line that nobody wrote.
 */
static char *find_package(int fd)
{
	enum { BLOCK = 64 * 1024, LONGEST = 64 * 1024 * 1024 };
	sp_autofree char *window = sp_xcalloc(1, 2 * BLOCK + 1);
	size_t have = 1, all = 0;
	ssize_t got = 1;

	window[0] = '\n';
	while (got > 0 && all < LONGEST) {
		while (have < 2 * BLOCK && (got = read(fd, window + have, 2 * BLOCK - have)) > 0)
			have += (size_t) got;
		all += BLOCK;
		window[have] = '\0';
		char *version = first_version(window, got <= 0);
		if (version)
			return version;
		if (got > 0) {
			memmove(window, window + BLOCK, BLOCK);
			have = BLOCK;
		}
	}
	return NULL;
}

static bool from_dpkg(struct sp_facts *f, enum sp_fact fact)
{
	sp_autoclose int fd = sp_root_open_file(f->root, DPKG);
	sp_autofree char *version = fd < 0 ? NULL : find_package(fd);

	if (version)
		sp_fact_set_text(f, fact, DPKG, version);
	return version != NULL;
}

void sp_read_firmware_package(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	(void) arg;
	if (sp_fact_known(f, SP_FACT_MES))
		sp_fact_set_unknown(f, fact, f->v[SP_FACT_MES].source, "the driver tells the version itself");
	else if (!from_pacman(f, fact) && !from_dpkg(f, fact))
		sp_fact_set_unknown(f, fact, PACMAN, "no package list that could be read names it");
}
