/* SPDX-License-Identifier: MIT */
/*
 * What kernel-install gives to the entries of new kernels: /etc/kernel/cmdline, else what the distribution ships, else
 * what the running kernel was started with (without what the loader adds).
 */
#include <errno.h>

#include "boot/internal.h"

#define VENDOR_FUTURE "/usr/lib/kernel/cmdline"

char *sp_line_without_loader(const char *line, const char *but)
{
	sp_autoargs struct sp_args args = { 0 };
	sp_autostrv struct sp_strv keep = { 0 };

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++)
		if (!sp_key_eq(args.v[i].key, "BOOT_IMAGE") && !sp_key_eq(args.v[i].key, "initrd") &&
		    !(but && sp_streq(args.v[i].text, but)))
			sp_strv_add(&keep, args.v[i].text);
	return sp_strv_join(&keep, " ");
}

int sp_line_read(const struct sp_root *root, const char *path, char **ret, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_PLAIN };
	sp_autoerror struct sp_error *why = NULL;
	sp_autobuf struct sp_buf file = { 0 };
	struct stat st;
	int r = sp_root_read(root, path, SP_FILE_MAX, &file, &why);

	*ret = NULL;
	if (r == -ENOENT) {
		if (sp_root_lstat(root, path, &st) == 0)
			return sp_error_set(err, r, "'%s' is a link to a file that is not there", path);
		return 0;
	}
	if (r == 0) {
		r = sp_host_get(&host, &file, ret, &why);
		if (r == -ENOENT)
			return 0;
		if (r < 0)
			(void) sp_error_wrap(&why, "%s", path);
	}
	if (r == 0)
		return 0;
	(void) sp_error_path(&why, path);
	return sp_boot_fail(err, &why);
}

/* Rule R0: a file that kernel-install has not had so far begins with the complete line. */
int sp_future_add(const struct sp_root *root, struct sp_boot *boot, const struct sp_future *f, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_PLAIN };
	struct sp_place *p = sp_place_add(root, boot, SP_PLACE_FUTURE, &host, SP_FUTURE);
	sp_autofree char *vendor = NULL;
	sp_autofree char *value = f->line ? sp_cmdline_value(f->line, "root") : NULL;

	p->line = sp_xstrdup(f->line);
	p->extra = f->extra;
	if (p->line && !value)
		sp_strv_addf(&boot->warnings, "'%s' has no root=: kernels that are installed later would not find the root "
			     "file system", SP_FUTURE);
	if (p->line)
		return 0;
	int r = sp_line_read(root, VENDOR_FUTURE, &vendor, err);
	sp_autofree char *vendor_root = vendor ? sp_cmdline_value(vendor, "root") : NULL;
	if (vendor_root)
		p->create = sp_steal(vendor);
	else if (f->booted)
		p->create = sp_line_without_loader(f->booted, f->but);
	return r;
}
