/* SPDX-License-Identifier: MIT */
/*
 * How the running system was started: the variables of the Boot Loader Interface, and /proc/cmdline. LoaderInfo alone does
 * not say systemd-boot: GRUB's module bli and Limine set it, too, so its text is looked at. GRUB puts BOOT_IMAGE= in
 * front of the command line; systemd-boot adds nothing but initrd=. A unified kernel image has its own line,
 * and its stub says that it was started, whoever did that.
 */
#include "base/efivar.h"
#include "boot/internal.h"

#define GRUB "GRUB"

/* Text of a variable: UTF-16, little-endian, up to the first NUL; surrogates are no text for us. */
static char *from_utf16(const struct sp_buf *b)
{
	struct sp_buf text = { 0 };

	for (size_t i = 0; i + 1 < b->len; i += 2) {
		const unsigned c = (unsigned char) b->data[i] | (unsigned) (unsigned char) b->data[i + 1] << 8;

		if (c == 0)
			break;
		if (c < 0x80)
			sp_buf_addf(&text, "%c", c < 0x20 || c == 0x7f ? '?' : (char) c);
		else if (c < 0x800)
			sp_buf_addf(&text, "%c%c", (char) (0xc0 | c >> 6), (char) (0x80 | (c & 0x3f)));
		else if (c >= 0xd800 && c < 0xe000)
			sp_buf_adds(&text, "?");
		else
			sp_buf_addf(&text, "%c%c%c", (char) (0xe0 | c >> 12), (char) (0x80 | (c >> 6 & 0x3f)),
				    (char) (0x80 | (c & 0x3f)));
	}
	return sp_buf_steal(&text);
}

/* A variable that is not there, or that cannot be read, tells nothing. libefivar is not loaded for the former. */
static char *read_variable(const struct sp_root *machine, struct sp_efi **efi, const char *name)
{
	sp_autofree char *path = sp_efi_path(SP_EFI_LOADER, name);
	sp_autobuf struct sp_buf value = { 0 };

	if (!sp_root_exists(machine, path) || (!*efi && sp_efi_open(machine, efi, NULL) < 0) ||
	    sp_efi_get(*efi, SP_EFI_LOADER, name, &value, NULL, NULL) < 0)
		return NULL;
	sp_autofree char *text = from_utf16(&value);
	return *text ? sp_steal(text) : NULL;
}

/* Read as a file, where four bytes of attributes are in front: libefivar is not loaded for it. */
static bool read_secure_boot(const struct sp_root *machine)
{
	sp_autofree char *path = sp_efi_path(SP_EFI_GLOBAL, "SecureBoot");
	sp_autobuf struct sp_buf value = { 0 };

	return sp_root_read(machine, path, SP_FILE_MAX, &value, NULL) == 0 && value.len == 5 && value.data[4] == 1;
}

void sp_started_read(const struct sp_root *machine, struct sp_started *ret)
{
	sp_autoefi struct sp_efi *efi = NULL;

	*ret = (struct sp_started){ 0 };
	if (!machine)
		return;
	if (sp_root_read_line(machine, "/proc/cmdline", &ret->cmdline) < 0)
		ret->cmdline = NULL;
	ret->stub = read_variable(machine, &efi, "StubInfo");
	ret->secure_boot = read_secure_boot(machine);
	ret->loader = read_variable(machine, &efi, "LoaderInfo");
	if (!ret->loader)
		return;
	ret->partition = read_variable(machine, &efi, "LoaderDevicePartUUID");
	ret->entry_default = read_variable(machine, &efi, "LoaderEntryDefault");
	ret->entry_last = read_variable(machine, &efi, "LoaderEntryLastBooted");
}

void sp_started_clear(struct sp_started *s)
{
	free(s->loader);
	free(s->stub);
	free(s->partition);
	free(s->entry_default);
	free(s->entry_last);
	free(s->cmdline);
	*s = (struct sp_started){ 0 };
}

/* "systemd-boot 257.9" */
static bool is_called(const char *info, const char *name)
{
	const size_t n = strlen(name);

	return info && strncmp(info, name, n) == 0 && (!info[n] || info[n] == ' ');
}

int sp_started_by(const struct sp_started *s, const char *loader)
{
	if ((!s->loader && !s->stub) || !loader)
		return 0;
	if (s->stub) /* the line is the image's, not that of an entry of the loader's */
		return is_called(s->stub, loader) ? 1 : -1;
	return is_called(s->loader, loader) ? 1 : -1;
}

static bool has_boot_image(const struct sp_started *s)
{
	sp_autofree char *image = s->cmdline ? sp_cmdline_value(s->cmdline, "BOOT_IMAGE") : NULL;

	return image;
}

int sp_started_like(const struct sp_started *s, const char *loader)
{
	const bool grub = sp_streq(loader, GRUB);

	if (!s->cmdline || !loader)
		return 0;
	if (has_boot_image(s))
		return grub ? 1 : -1;
	return grub ? -1 : 0;
}

char *sp_started_text(const struct sp_started *s)
{
	if (s->stub)
		return sp_xasprintf("StubInfo says '%s'", s->stub);
	if (s->loader)
		return sp_xasprintf("LoaderInfo says '%s'", s->loader);
	if (s->cmdline)
		return sp_xasprintf("/proc/cmdline has %s BOOT_IMAGE=", has_boot_image(s) ? "a" : "no");
	return NULL;
}
