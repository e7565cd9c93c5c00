/* SPDX-License-Identifier: MIT */
/* Setups whose entries are generated: what counts beside our own file, and whether a generator may run. */
#include "boot/internal.h"

struct sp_source *sp_source_add(struct sp_boot *boot, const char *path)
{
	boot->sources = sp_xrealloc(boot->sources, boot->n_sources + 1, sizeof(*boot->sources));
	struct sp_source *s = &boot->sources[boot->n_sources++];

	*s = (struct sp_source){ .path = sp_xstrdup(path) };
	return s;
}

void sp_sources_clear(struct sp_boot *boot)
{
	for (size_t i = 0; i < boot->n_sources; i++) {
		free(boot->sources[i].path);
		free(boot->sources[i].text);
		free(boot->sources[i].why);
	}
	free(boot->sources);
	boot->sources = NULL;
	boot->n_sources = 0;
}

static bool has_key(const struct sp_source *s, const char *key)
{
	sp_autofree char *value = s->text ? sp_cmdline_value(s->text, key) : NULL;

	return value != NULL;
}

const struct sp_source *sp_source_before(const struct sp_boot *boot, const char *key)
{
	for (size_t i = boot->n_sources; i > 0; i--)
		if (!boot->sources[i - 1].behind && has_key(&boot->sources[i - 1], key))
			return &boot->sources[i - 1];
	return NULL;
}

const struct sp_source *sp_source_behind(const struct sp_boot *boot, const char *key)
{
	for (size_t i = boot->n_sources; i > 0 && boot->sources[i - 1].behind; i--)
		if (boot->sources[i - 1].anew || has_key(&boot->sources[i - 1], key))
			return &boot->sources[i - 1];
	return NULL;
}

/* mountinfo is what grub-probe reads; /sys has folders only where it is mounted. */
const char *sp_generators_refusal(const struct sp_root *root)
{
	struct stat st;

	if (!sp_root_is_host(root))
		return "programs of another tree are not run";
	if (!sp_root_exists(root, "/proc/self/mountinfo"))
		return "/proc is not mounted here";
	if (!sp_root_exists(root, "/sys/devices"))
		return "/sys is not mounted here";
	if (sp_root_stat(root, "/dev/null", &st) < 0 || !S_ISCHR(st.st_mode))
		return "/dev has no devices here";
	return NULL;
}
