/* SPDX-License-Identifier: MIT */
/*
 * Who else in the root says what the kernel is told: programs that keep kernel arguments of their own, and files that size
 * the GTT, too. Each is a list of what was found; none is an empty list.
 */
#include <errno.h>

#include <jansson.h>

#include "format/assign.h"
#include "format/grubenv.h"
#include "format/shellvar.h"
#include "hw/internal.h"

/* Known with what was found, also where something else could not be read; else unknown. */
static void conclude(struct sp_facts *f, enum sp_fact fact, const char *source, int r, const struct sp_strv *found)
{
	if (r < 0 && found->n == 0)
		sp_fact_set_errno(f, fact, source, r);
	else
		sp_fact_set_list(f, fact, source, found);
}

/* --- modprobe.d ------------------------------------------------------------------------------------------------ */

#define OWN "zz-strix-provision.conf"

static const char *const modprobe_dirs[] = { "/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
					     "/usr/lib/modprobe.d", "/lib/modprobe.d" };

/* -1 and 0 are how the drivers say "as if it was not there". */
bool sp_hw_sizes_gtt(const struct sp_assign *a)
{
	bool limit = false;

	for (const char *const *name = sp_ttm_names; *name; name++) {
		sp_autofree char *key = sp_xasprintf("%s.pages_limit", *name);
		limit = limit || sp_streq(a->key, key);
	}
	return (limit || sp_streq(a->key, "amdgpu.gttsize")) && a->value && !sp_streq(a->value, "-1") &&
	       !sp_streq(a->value, "0");
}

static int find_sizes(struct sp_facts *f, const char *path, struct sp_strv *found)
{
	sp_autobuf struct sp_buf b = { 0 };
	sp_autoassigns struct sp_assigns a = { 0 };
	int r = sp_root_read(f->root, path, SP_FILE_MAX, &b, NULL);

	if (r < 0)
		return r == -ENOENT || r == -ENXIO ? 0 : r; /* a link to /dev/null hides a file */
	sp_modprobe_parse(&b, &a);
	for (size_t i = 0; i < a.n; i++) {
		sp_autofree char *place = sp_xasprintf("%s:%u", path, a.v[i].line);
		if (sp_hw_sizes_gtt(&a.v[i]) && !sp_strv_has(found, place))
			sp_strv_add(found, place);
	}
	return 0;
}

/* A name in an earlier folder hides the same name in a later one; /lib is /usr/lib on most systems. */
void sp_read_modprobe_sizes(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv found = { 0 }, seen = { 0 };
	const char *source = modprobe_dirs[0];
	int r = 0;

	(void) arg;
	for (size_t i = 0; i < SP_ELEMENTS(modprobe_dirs) && r == 0; i++) {
		sp_autostrv struct sp_strv paths = { 0 };
		source = modprobe_dirs[i];
		r = sp_hw_list_paths(f, source, "", ".conf", &paths);
		for (size_t k = 0; k < paths.n && r == 0; k++) {
			const char *name = strrchr(paths.v[k], '/') + 1;
			if (!sp_strv_has(&seen, name) && !sp_streq(name, OWN) && !sp_hw_is_amd_ttm(paths.v[k]))
				r = find_sizes(f, paths.v[k], &found);
			sp_strv_add(&seen, name);
		}
	}
	conclude(f, fact, source, r, &found);
}

/* --- TuneD ----------------------------------------------------------------------------------------------------- */

/* Its plug-in for boot loaders keeps what it adds in a file for itself, and in GRUB's variables for entries. */
#define BOOTCMDLINE "/etc/tuned/bootcmdline"
static const struct {
	const char *path, *var;
	int (*get)(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err);
} tuned_places[] = {
	{ BOOTCMDLINE, "TUNED_BOOT_CMDLINE", sp_shellvar_get },
	{ "/boot/grub2/grubenv", "tuned_params", sp_grubenv_get },
	{ "/boot/grub/grubenv", "tuned_params", sp_grubenv_get },
};

static void add_arguments(struct sp_strv *found, const char *arguments, const char *path)
{
	sp_autofree char *copy = sp_xstrdup(arguments);
	const char *text = sp_strip(copy);

	if (*text)
		sp_strv_addf(found, "'%s' (%s)", text, path);
}

void sp_read_tuned(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autostrv struct sp_strv found = { 0 };
	const char *source = BOOTCMDLINE;
	int r = 0;

	(void) arg;
	for (size_t i = 0; i < SP_ELEMENTS(tuned_places) && found.n == 0; i++) {
		sp_autobuf struct sp_buf b = { 0 };
		sp_autofree char *value = NULL;
		int one = sp_root_read(f->root, tuned_places[i].path, SP_FILE_MAX, &b, NULL);

		if (one == 0)
			one = tuned_places[i].get(&b, tuned_places[i].var, &value, NULL);
		if (one == 0)
			add_arguments(&found, value, tuned_places[i].path);
		if (one == 0 || one == -ENOENT || r < 0)
			continue;
		r = one;
		source = tuned_places[i].path;
	}
	conclude(f, fact, source, r, &found);
}

/* --- kernelstub ------------------------------------------------------------------------------------------------ */

#define KERNELSTUB "/etc/kernelstub/configuration"

/* Its file is JSON; what counts is user.kernel_options, a list of texts. */
static int kernelstub_options(const struct sp_buf *file, struct sp_strv *ret)
{
	json_t *all = json_loadb(file->data ? file->data : "", file->len, 0, NULL), *option = NULL;
	json_t *options = json_object_get(json_object_get(all, "user"), "kernel_options");
	const int r = json_is_array(options) ? 0 : -EBADMSG;
	size_t i;

	json_array_foreach (options, i, option)
		if (json_is_string(option))
			sp_strv_add(ret, json_string_value(option));
	json_decref(all);
	return r;
}

void sp_read_kernelstub(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autobuf struct sp_buf b = { 0 };
	sp_autostrv struct sp_strv options = { 0 }, found = { 0 };
	int r = sp_root_read(f->root, KERNELSTUB, SP_FILE_MAX, &b, NULL);

	(void) arg;
	if (r == 0)
		r = kernelstub_options(&b, &options);
	sp_autofree char *line = sp_strv_join(&options, " ");
	add_arguments(&found, line, KERNELSTUB);
	conclude(f, fact, KERNELSTUB, r == -ENOENT ? 0 : r, &found);
}

/* --- /etc/default/grub.d --------------------------------------------------------------------------------------- */

void sp_read_grub_d(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	static const char dir[] = "/etc/default/grub.d", own[] = "/etc/default/grub.d/zz-strix-provision.cfg";
	static const char *const vars[] = { "GRUB_CMDLINE_LINUX", "GRUB_CMDLINE_LINUX_DEFAULT" };
	sp_autostrv struct sp_strv files = { 0 }, found = { 0 };
	int r = sp_hw_list_paths(f, dir, "", ".cfg", &files);

	(void) arg;
	for (size_t i = 0; i < files.n && r == 0; i++)
		for (size_t k = 0; k < SP_ELEMENTS(vars) && r == 0 && !sp_streq(files.v[i], own); k++)
			r = sp_hw_find_variable(f, files.v[i], vars[k], &found);
	conclude(f, fact, dir, r, &found);
}
