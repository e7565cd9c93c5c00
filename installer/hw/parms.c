/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a module file, by libkmod, which undoes the compression
 * (told by its magic number, whatever the file is called). The host's
 * modprobe.d is not read: the list of configuration paths is empty.
 */
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>

#include "hw/internal.h"

static void cleanup_ctx(struct kmod_ctx **ctx)
{
	(void) kmod_unref(*ctx);
}

static void cleanup_module(struct kmod_module **module)
{
	(void) kmod_module_unref(*module);
}

/* Failures come back as numbers; libkmod is not to write to the terminal, too. */
static void discard(void *data, int priority, const char *file, int line, const char *fn, const char *format,
		    va_list args)
{
	(void) data;
	(void) priority;
	(void) file;
	(void) line;
	(void) fn;
	(void) format;
	(void) args;
}

void sp_parms_add(struct sp_strv *parms, const char *text)
{
	sp_autofree char *raw = sp_xstrndup(text, strcspn(text, ":"));
	char *name = sp_module_name(raw);

	if (sp_strv_has(parms, name))
		free(name);
	else
		sp_strv_take(parms, name);
}

static int read_info(struct kmod_ctx *ctx, const char *path, struct sp_strv *ret)
{
	sp_cleanup(cleanup_module) struct kmod_module *module = NULL;
	struct kmod_list *info = NULL, *i = NULL;
	int r = kmod_module_new_from_path(ctx, path, &module);

	if (r < 0)
		return r;
	r = kmod_module_get_info(module, &info);
	if (r < 0)
		return r;
	kmod_list_foreach(i, info)
	{
		const char *key = kmod_module_info_get_key(i);
		if (sp_streq(key, "parm") || sp_streq(key, "parmtype"))
			sp_parms_add(ret, kmod_module_info_get_value(i));
	}
	kmod_module_info_free_list(info);
	return 0;
}

/*
 * libkmod wants a path. That of the open descriptor is the file that was found inside the root, whatever links there
 * are; without /proc it is the resolved path.
 */
static int path_for_library(const struct sp_root *root, const char *path, int fd, char **ret)
{
	sp_autofree char *own = sp_xasprintf("/proc/self/fd/%d", fd), *clean = NULL;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (access(own, R_OK) == 0) {
		*ret = sp_steal(own);
		return 0;
	}
	int r = sp_root_resolve(root, path, &clean);
	if (r == 0)
		*ret = sp_root_join(root, clean);
	return r;
}

static int read_file(const struct sp_root *root, const char *path, struct sp_strv *ret)
{
	static const char *const no_config[] = { NULL };
	sp_cleanup(cleanup_ctx) struct kmod_ctx *ctx = NULL;
	sp_autofree char *dir = sp_root_join(root, "/"), *file = NULL;
	sp_autoclose int fd = sp_root_openat(root, path, O_RDONLY);

	if (fd < 0)
		return fd;
	int r = path_for_library(root, path, fd, &file);
	if (r < 0)
		return r;
	ctx = kmod_new(dir, no_config);
	if (!ctx)
		return -ENOMEM;
	kmod_set_log_fn(ctx, discard, NULL);
	return read_info(ctx, file, ret);
}

int sp_parms_of_file(const struct sp_root *root, const char *path, struct sp_strv *ret, char **why)
{
	int r = read_file(root, path, ret);

	if (r < 0)
		*why = sp_xasprintf("cannot read the module '%s': %s", path, strerror(-r));
	return r < 0 ? r : 0;
}
