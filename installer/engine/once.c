/* SPDX-License-Identifier: MIT */
/* The loader's choice for the next start alone: in a file of the root, or in an EFI variable of the machine. */
#include <efivar/efivar.h>
#include <errno.h>

#include "base/efivar.h"
#include "engine/trial.h"

#define ATTRIBUTES (EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

/* UTF-16 of a text without anything that is not ASCII, up to a NUL. */
static char *from_wide(const struct sp_buf *b)
{
	struct sp_buf text = { 0 };

	for (size_t i = 0; i + 1 < b->len && (b->data[i] || b->data[i + 1]); i += 2)
		sp_buf_add(&text, b->data[i + 1] ? "?" : &b->data[i], 1);
	return sp_buf_steal(&text);
}

static void to_wide(const char *text, struct sp_buf *ret)
{
	static const char zero = '\0';

	do {
		sp_buf_add(ret, text, 1);
		sp_buf_add(ret, &zero, 1);
	} while (*text++);
}

static int get_variable(const struct sp_session *s, const char *name, char **ret, struct sp_error **err)
{
	sp_autoefi struct sp_efi *efi = NULL;
	sp_autobuf struct sp_buf value = { 0 };
	sp_autoerror struct sp_error *why = NULL;
	int r = sp_efi_open(s->machine, &efi, err);

	if (r == 0)
		r = sp_efi_get(efi, SP_EFI_LOADER, name, &value, NULL, &why);
	if (r == 0)
		*ret = from_wide(&value);
	else if (r != -ENOENT && why && err)
		*err = sp_steal(why);
	return r == -ENOENT ? 0 : r;
}

int sp_once_get(const struct sp_session *s, const struct sp_boot *boot, char **ret, struct sp_error **err)
{
	const struct sp_once_ops *once = boot->ops->once;

	*ret = NULL;
	if (!once)
		return 0;
	return once->variable ? get_variable(s, once->variable, ret, err) : once->get(s->root, boot, ret, err);
}

static int set_variable(const struct sp_session *s, const char *name, const char *value, struct sp_error **err)
{
	sp_autoefi struct sp_efi *efi = NULL;
	sp_autobuf struct sp_buf wide = { 0 };
	int r = sp_efi_open(s->machine, &efi, err);

	if (value)
		to_wide(value, &wide);
	if (r == 0 && sp_machine_is_foreign(s->machine))
		r = sp_error_set(err, -EINVAL, "the firmware of a recorded machine is not written");
	if (r == 0)
		r = value ? sp_efi_set(efi, SP_EFI_LOADER, name, wide.data, wide.len, ATTRIBUTES, err) :
			    sp_efi_delete(efi, SP_EFI_LOADER, name, err);
	return r;
}

static int set_in_file(const struct sp_session *s, const struct sp_boot *boot, const char *value, struct sp_error **err)
{
	sp_autoedits struct sp_edits edits = { 0 };
	int r = boot->ops->once->edit(s->root, boot, value, &edits, err);

	for (size_t i = 0; i < edits.n && r == 0; i++) {
		struct sp_edit *e = &edits.v[i];

		sp_meta_clear(&e->after.meta); /* the loader writes there, too, and no times */
		sp_meta_copy(&e->after.meta, &e->before.meta);
		e->exact_meta = true;
		r = sp_replace_durably(s->root, e, err);
	}
	return r;
}

int sp_once_set(const struct sp_session *s, const struct sp_boot *boot, const char *value, struct sp_error **err)
{
	sp_autofree char *now = NULL;
	int r = boot->ops->once->variable ? set_variable(s, boot->ops->once->variable, value, err) :
					    set_in_file(s, boot, value, err);

	if (r == 0)
		r = sp_once_get(s, boot, &now, err);
	if (r == 0 && !sp_streq(now ? now : "", value ? value : ""))
		r = sp_error_set(err, -EIO, "the boot loader's choice for the next start does not read back as it was set");
	return r;
}
