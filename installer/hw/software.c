/* SPDX-License-Identifier: MIT */
/*
 * What is installed or configured in the root and gets in the way of the GPU.
 * Each is a list of the places that were found; none is an empty list, and a
 * folder that is not there holds none.
 */
#include <errno.h>

#include "hw/internal.h"

int sp_hw_list_paths(struct sp_facts *f, const char *dir, const char *begin, const char *end, struct sp_strv *ret)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(f->root, dir, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (names.v[i][0] != '.' && sp_startswith(names.v[i], begin) && sp_endswith(names.v[i], end))
			sp_strv_addf(ret, "%s/%s", dir, names.v[i]);
	return r;
}

/* --- Vulkan drivers -------------------------------------------------------------------------------------------- */

/* Where the loader looks for manifests of drivers (Vulkan-Loader, LoaderDriverInterface), without XDG's. */
static const char *const icd_dirs[] = { "/etc/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/usr/share/vulkan/icd.d" };

void sp_read_vulkan(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv paths = { 0 };

	for (size_t i = 0; i < SP_ELEMENTS(icd_dirs); i++) {
		int r = sp_hw_list_paths(f, icd_dirs[i], arg, ".json", &paths);
		if (r < 0) {
			sp_fact_set_errno(f, fact, icd_dirs[i], r);
			return;
		}
	}
	sp_fact_set_list(f, fact, icd_dirs[SP_ELEMENTS(icd_dirs) - 1], &paths);
}

/* --- variables of the environment ------------------------------------------------------------------------------ */

static const struct {
	const char *dir, *end;
} environment_dirs[] = {
	{ "/usr/lib/environment.d", ".conf" },	       { "/etc/environment.d", ".conf" },
	{ "/etc/profile.d", ".sh" },		       { "/etc/systemd/system.conf.d", ".conf" },
	{ "/etc/systemd/user.conf.d", ".conf" },
};

/* Files in which people set variables for programs, without those in homes; 0 or negative errno. */
static int environment_files(struct sp_facts *f, struct sp_strv *ret)
{
	sp_autostrv struct sp_strv units = { 0 };
	int r = 0;

	sp_strv_add(ret, "/etc/environment");
	sp_strv_add(ret, "/etc/profile");
	for (size_t i = 0; i < SP_ELEMENTS(environment_dirs) && r == 0; i++)
		r = sp_hw_list_paths(f, environment_dirs[i].dir, "", environment_dirs[i].end, ret);
	if (r == 0) /* /etc/systemd/system/ollama.service.d/override.conf */
		r = sp_hw_list_paths(f, "/etc/systemd/system", "", ".service.d", &units);
	for (size_t i = 0; i < units.n && r == 0; i++)
		r = sp_hw_list_paths(f, units.v[i], "", ".conf", ret);
	return r;
}

/* Is this the name in an assignment, as environment files, shells and units write it, and not in a comment? */
static bool is_assigned(const char *text, const char *hit, const char *name)
{
	const char *line = hit;

	if (hit[strlen(name)] != '=' || (hit > text && !strchr("\n \t\"'=", hit[-1])))
		return false;
	while (line > text && line[-1] != '\n')
		line--;
	line += strspn(line, " \t");
	return *line != '#' && *line != ';';
}

static unsigned line_number(const char *text, const char *at)
{
	unsigned n = 1;

	for (; text < at; text++)
		n += *text == '\n';
	return n;
}

int sp_hw_find_variable(struct sp_facts *f, const char *path, const char *name, struct sp_strv *ret)
{
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_root_read(f->root, path, SP_FILE_MAX, &b, NULL);

	if (r == -ENOENT)
		return 0;
	for (const char *hit = b.data ? strstr(b.data, name) : NULL; hit; hit = strstr(hit + 1, name)) {
		sp_autofree char *place = sp_xasprintf("%s:%u", path, line_number(b.data, hit));
		if (is_assigned(b.data, hit, name) && !sp_strv_has(ret, place))
			sp_strv_add(ret, place);
	}
	return r;
}

void sp_read_variable(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv files = { 0 }, found = { 0 };
	const char *where = "/etc/environment.d";
	int r = environment_files(f, &files);

	for (size_t i = 0; i < files.n && r == 0; i++) {
		r = sp_hw_find_variable(f, files.v[i], arg, &found);
		where = r < 0 ? files.v[i] : where;
	}
	if (r < 0 && found.n == 0)
		sp_fact_set_errno(f, fact, where, r);
	else
		sp_fact_set_list(f, fact, "/etc/environment", &found);
}

/* --- amd-ttm --------------------------------------------------------------------------------------------------- */

/* amd-ttm and amd-smi keep their limit in a file of the module's name (amd-debug-tools ttm.py; rocm-systems #6425). */
static const char *const ttm_files[] = { "/etc/modprobe.d/ttm.conf", "/etc/modprobe.d/amdttm.conf",
					 "/etc/modprobe.d/amd_ttm.conf", "/etc/modprobe.d/amd-ttm.conf" };

bool sp_hw_is_amd_ttm(const char *path)
{
	for (size_t i = 0; i < SP_ELEMENTS(ttm_files); i++)
		if (sp_streq(path, ttm_files[i]))
			return true;
	return false;
}

void sp_read_amd_ttm(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv found = { 0 };

	for (size_t i = 0; i < SP_ELEMENTS(ttm_files); i++) {
		sp_autobuf struct sp_buf b = { 0 };
		int r = sp_root_read(f->root, ttm_files[i], SP_FILE_MAX, &b, NULL);
		if (r == -ENOENT)
			continue;
		if (r < 0) {
			sp_fact_set_errno(f, fact, ttm_files[i], r);
			return;
		}
		if (b.data && strstr(b.data, arg))
			sp_strv_add(&found, ttm_files[i]);
	}
	sp_fact_set_list(f, fact, "/etc/modprobe.d", &found);
}
