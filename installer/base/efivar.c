/* SPDX-License-Identifier: MIT */
#include "base/efivar.h"

#include <dlfcn.h>
#include <efivar/efivar.h>
#include <errno.h>

#define LIBRARY "libefivar.so.1"
#define VARIABLES SP_EFI_DIR "/efivars"
#define VARIABLE_MAX (64 * 1024) /* bytes, with the four of its attributes in front */

struct sp_efi {
	const struct sp_root *machine; /* borrowed */
	void *library;
	typeof(&efi_get_variable) get;
	typeof(&efi_set_variable) set;
	int (*del)(efi_guid_t, const char *);
};

static const struct {
	efi_guid_t guid;
	const char *text;
} vendors[] = {
	[SP_EFI_GLOBAL] = { EFI_GLOBAL_GUID, "8be4df61-93ca-11d2-aa0d-00e098032b8c" },
	[SP_EFI_LOADER] = { EFI_GUID(0x4a67b082, 0x0a4c, 0x41cf, 0xb6c7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f),
			    "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" },
};

char *sp_efi_path(enum sp_efi_vendor vendor, const char *name)
{
	return sp_xasprintf(VARIABLES "/%s-%s", name, vendors[vendor].text);
}

/* The folder with every link resolved inside the machine, so that the library walks the same way. */
static int find_folder(const struct sp_root *machine, char **ret, struct sp_error **err)
{
	sp_autofree char *inside = NULL;
	int r = sp_root_exists(machine, SP_EFI_DIR) ? sp_root_resolve(machine, VARIABLES, &inside) : -ENOTSUP;

	if (r == 0 && !sp_root_exists(machine, inside))
		r = -ENOENT;
	if (r == -ENOTSUP)
		return sp_error_set(err, r, "the machine was not started by UEFI, so there are no EFI variables");
	if (r < 0)
		return sp_error_errno(err, r, "cannot find EFI variables in '%s'", VARIABLES);
	sp_autofree char *whole = sp_root_join(machine, inside);
	*ret = sp_xasprintf("%s/", whole);
	return 0;
}

static int load(struct sp_efi *e, const char *folder, struct sp_error **err)
{
	if (setenv("EFIVARFS_PATH", folder, 1) < 0 || unsetenv("LIBEFIVAR_OPS") < 0)
		return sp_error_errno(err, -errno, "cannot tell libefivar where the EFI variables are");
	e->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
	(void) unsetenv("EFIVARFS_PATH"); /* the library has read it, and no child shall */
	if (!e->library) {
		(void) sp_error_set(err, -ELIBACC, "EFI variables cannot be read: %s", dlerror());
		return sp_error_hint(err, "install libefivar");
	}
	e->get = (typeof(e->get)) dlsym(e->library, "efi_get_variable");
	e->set = (typeof(e->set)) dlsym(e->library, "efi_set_variable");
	e->del = (typeof(e->del)) dlsym(e->library, "efi_del_variable");
	return e->get && e->set && e->del ? 0 : sp_error_set(err, -ELIBACC, "'%s' is not the library that is meant", LIBRARY);
}

int sp_efi_open(const struct sp_root *machine, struct sp_efi **ret, struct sp_error **err)
{
	sp_autoefi struct sp_efi *e = sp_xcalloc(1, sizeof(*e));
	sp_autofree char *folder = NULL;
	int r = find_folder(machine, &folder, err);

	e->machine = machine;
	if (r == 0)
		r = load(e, folder, err);
	if (r == 0)
		*ret = sp_steal(e);
	return r;
}

void sp_efi_close(struct sp_efi *e)
{
	if (e && e->library)
		(void) dlclose(e->library);
	free(e);
}

/* What is no file of its own is not followed, which the library would, nor is what cannot be a variable read. */
static int check_file(const struct sp_efi *e, const char *path)
{
	struct stat st;
	int r = sp_root_lstat(e->machine, path, &st);

	if (r < 0)
		return r;
	if (!S_ISREG(st.st_mode))
		return -ENXIO;
	return st.st_size < (off_t) sizeof(uint32_t) || st.st_size > VARIABLE_MAX ? -EBADMSG : 0;
}

int sp_efi_get(const struct sp_efi *e, enum sp_efi_vendor vendor, const char *name, struct sp_buf *ret,
	       uint32_t *attributes, struct sp_error **err)
{
	sp_autofree char *path = sp_efi_path(vendor, name);
	sp_autofree uint8_t *data = NULL;
	uint32_t unused = 0;
	size_t n = 0;
	int r = check_file(e, path);

	errno = 0;
	if (r == 0 && e->get(vendors[vendor].guid, name, &data, &n, attributes ? attributes : &unused) < 0)
		r = errno ? -errno : -EIO;
	if (r < 0)
		return sp_error_errno(err, r, "cannot read the EFI variable '%s'", name);
	sp_buf_add(ret, data, n);
	return 0;
}

/* A variable that says something else than was written is no success. */
static int read_back(const struct sp_efi *e, enum sp_efi_vendor vendor, const char *name, const void *data, size_t len,
		     struct sp_error **err)
{
	sp_autobuf struct sp_buf now = { 0 };
	int r = sp_efi_get(e, vendor, name, &now, NULL, err);

	if (r == 0 && (now.len != len || memcmp(now.data, data, len) != 0))
		r = sp_error_set(err, -EIO, "the EFI variable '%s' does not read back as it was written", name);
	return r;
}

int sp_efi_set(const struct sp_efi *e, enum sp_efi_vendor vendor, const char *name, const void *data, size_t len,
	       uint32_t attributes, struct sp_error **err)
{
	sp_autofree char *path = sp_efi_path(vendor, name);
	sp_autobuf struct sp_buf copy = { 0 }; /* the library takes no constant */
	int r = check_file(e, path);

	sp_buf_add(&copy, data, len);
	errno = 0;
	if ((r == 0 || r == -ENOENT) &&
	    e->set(vendors[vendor].guid, name, (uint8_t *) copy.data, len, attributes, 0644) < 0)
		r = errno ? -errno : -EIO;
	else if (r == -ENOENT)
		r = 0;
	if (r < 0)
		return sp_error_errno(err, r, "cannot set the EFI variable '%s'", name);
	return read_back(e, vendor, name, data, len, err);
}

int sp_efi_delete(const struct sp_efi *e, enum sp_efi_vendor vendor, const char *name, struct sp_error **err)
{
	sp_autofree char *path = sp_efi_path(vendor, name);
	int r = check_file(e, path);

	if (r == -ENOENT)
		return 0;
	errno = 0;
	if (r == 0 && e->del(vendors[vendor].guid, name) < 0)
		r = errno ? -errno : -EIO;
	if (r == 0 && sp_root_exists(e->machine, path))
		r = -EIO;
	return r < 0 ? sp_error_errno(err, r, "cannot delete the EFI variable '%s'", name) : 0;
}
