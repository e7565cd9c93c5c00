/* SPDX-License-Identifier: MIT */
/*
 * The parameters of a module file, by libkmod, which undoes the compression
 * (told by its magic number, whatever the file is called). The host's
 * modprobe.d is not read: the list of configuration paths is empty.
 *
 * Few runs come here, and libkmod brings three libraries along that take more
 * time to load than most commands to run: it is loaded when it is needed.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libkmod.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "hw/internal.h"

#define LIBRARY "libkmod.so.2"

enum { MODULE_MAX = 256 * 1024 * 1024 }; /* amdgpu, not compressed, has 30 MiB */

struct kmod {
	void *library;
	struct kmod_ctx *ctx;
	typeof(&kmod_new) new;
	typeof(&kmod_unref) unref;
	typeof(&kmod_set_log_fn) set_log_fn;
	typeof(&kmod_module_new_from_path) module_new_from_path;
	typeof(&kmod_module_unref) module_unref;
	typeof(&kmod_module_get_info) get_info;
	typeof(&kmod_module_info_get_key) get_key;
	typeof(&kmod_module_info_get_value) get_value;
	typeof(&kmod_module_info_free_list) free_list;
	typeof(&kmod_list_next) list_next;
};

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
	{ "kmod_new", offsetof(struct kmod, new) },
	{ "kmod_unref", offsetof(struct kmod, unref) },
	{ "kmod_set_log_fn", offsetof(struct kmod, set_log_fn) },
	{ "kmod_module_new_from_path", offsetof(struct kmod, module_new_from_path) },
	{ "kmod_module_unref", offsetof(struct kmod, module_unref) },
	{ "kmod_module_get_info", offsetof(struct kmod, get_info) },
	{ "kmod_module_info_get_key", offsetof(struct kmod, get_key) },
	{ "kmod_module_info_get_value", offsetof(struct kmod, get_value) },
	{ "kmod_module_info_free_list", offsetof(struct kmod, free_list) },
	{ "kmod_list_next", offsetof(struct kmod, list_next) },
};

static int load(struct kmod *k)
{
	k->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (!k->library)
		return -ELIBACC;
	for (size_t i = 0; i < SP_ELEMENTS(symbols); i++) {
		void *found = dlsym(k->library, symbols[i].name);
		if (!found)
			return -ELIBBAD;
		memcpy((char *) k + symbols[i].offset, &found, sizeof(found));
	}
	return 0;
}

static void unload(struct kmod *k)
{
	if (k->ctx)
		(void) k->unref(k->ctx);
	if (k->library)
		(void) dlclose(k->library);
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

static int read_info(const struct kmod *k, const char *path, struct sp_strv *ret)
{
	struct kmod_module *module = NULL;
	struct kmod_list *info = NULL;
	int r = k->module_new_from_path(k->ctx, path, &module);

	if (r < 0)
		return r;
	r = k->get_info(module, &info);
	for (struct kmod_list *i = r < 0 ? NULL : info; i; i = k->list_next(info, i)) {
		const char *key = k->get_key(i);
		if (sp_streq(key, "parm") || sp_streq(key, "parmtype"))
			sp_parms_add(ret, k->get_value(i));
	}
	k->free_list(info);
	(void) k->module_unref(module);
	return r < 0 ? r : 0;
}

/* A copy in memory: who wrote the tree could shorten the file while libkmod has it mapped, which would kill us. */
static int copy_to_memory(int fd)
{
	sp_autoclose int copy = memfd_create("module", MFD_CLOEXEC);
	struct stat st;
	ssize_t n = 1;

	if (copy < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > MODULE_MAX)
		return -EFBIG;
	for (off_t all = 0; n > 0 && all <= MODULE_MAX; all += n) {
		n = sendfile(copy, fd, NULL, MODULE_MAX);
		if (n < 0)
			return -errno;
	}
	return sp_steal_fd(&copy);
}

/*
 * libkmod wants a path: that of an open descriptor is what was found inside the root, whatever links there are. Without
 * /proc it is the path in the root, which only the running system's own is to be trusted with.
 */
static int path_for_library(const struct sp_root *root, const char *path, int fd, char **ret)
{
	sp_autofree char *own = sp_xasprintf("/proc/self/fd/%d", fd), *clean = NULL;

	if (access(own, R_OK) == 0) {
		*ret = sp_steal(own);
		return 0;
	}
	int r = sp_root_is_host(root) ? sp_root_resolve(root, path, &clean) : -ENOSYS;
	if (r == 0)
		*ret = sp_root_join(root, clean);
	return r;
}

static int read_file(const struct sp_root *root, const char *path, struct sp_strv *ret)
{
	static const char *const no_config[] = { NULL };
	sp_cleanup(unload) struct kmod k = { 0 };
	sp_autofree char *dir = sp_root_join(root, "/"), *file = NULL;
	sp_autoclose int fd = sp_root_open_file(root, path);
	sp_autoclose int copy = fd < 0 ? fd : copy_to_memory(fd);

	if (copy < 0)
		return copy;
	int r = path_for_library(root, path, copy, &file);
	if (r < 0)
		return r;
	r = load(&k);
	if (r < 0)
		return r;
	k.ctx = k.new(dir, no_config);
	if (!k.ctx)
		return -ENOMEM;
	k.set_log_fn(k.ctx, discard, NULL);
	return read_info(&k, file, ret);
}

int sp_parms_of_file(const struct sp_root *root, const char *path, struct sp_strv *ret, char **why)
{
	int r = read_file(root, path, ret);

	if (r == -ELIBACC || r == -ELIBBAD)
		*why = sp_xasprintf("cannot read the module '%s': " LIBRARY " cannot be loaded", path);
	else if (r < 0)
		*why = sp_xasprintf("cannot read the module '%s': %s", path, strerror(-r));
	return r < 0 ? r : 0;
}
