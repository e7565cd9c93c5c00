/* SPDX-License-Identifier: MIT */
/*
 * rEFInd, which finds kernels by itself and takes their options from refind_linux.conf in the folder of the kernels.
 * Ours goes into the first line, which boots when nobody chooses; the other lines stay as a way back. Kernels that come
 * later are started with the same file. Stanzas that somebody wrote into refind.conf have options of their own: they are
 * told, and not touched. (rEFInd's manual)
 */
#include <errno.h>

#include "boot/internal.h"
#include "format/refind.h"

#define LINES "/boot/refind_linux.conf"

static const char *const folders[] = { "/boot/efi/EFI/refind", "/efi/EFI/refind", "/boot/EFI/refind" };

/* --- recognise --------------------------------------------------------------------------------------------------- */

static const char *find_folder(const struct sp_root *root)
{
	for (size_t i = 0; i < SP_ELEMENTS(folders); i++)
		if (sp_root_exists(root, folders[i]))
			return folders[i];
	return NULL;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	const char *folder = find_folder(root);

	(void) err;
	if (!folder || !sp_root_exists(root, LINES))
		return 0;
	sp_strv_addf(seen, "%s, and rEFInd in %s", LINES, folder);
	return 1;
}

/* --- entries ----------------------------------------------------------------------------------------------------- */

static void add_entry(const struct sp_refind_line *line, struct sp_boot *boot)
{
	const bool first = boot->n_entries == 0;

	boot->entries = sp_xrealloc(boot->entries, boot->n_entries + 1, sizeof(*boot->entries));
	boot->entries[boot->n_entries++] = (struct sp_entry){
		.id = sp_xasprintf("line-%u", line->number), .path = sp_xstrdup(LINES), .title = sp_xstrdup(line->label),
		.options = sp_xstrdup(line->options),
		.line = sp_xstrdup(line->options), .named = true, .rescue = !first, .by_default = first,
	};
}

static int read_lines(const struct sp_root *root, struct sp_buf *file, struct sp_boot *boot, struct sp_error **err)
{
	sp_autorefind struct sp_refind lines = { 0 };
	int r = sp_root_read(root, LINES, SP_FILE_MAX, file, err);

	if (r < 0)
		return r;
	r = sp_refind_parse(file, &lines, err);
	if (r == 0 && lines.n == 0)
		r = sp_error_set(err, -ENOTSUP, "it has no line with options");
	if (r < 0) {
		(void) sp_error_wrap(err, "'" LINES "'");
		(void) sp_error_path(err, LINES);
		(void) sp_error_hint(err, "'mkrlconf' of rEFInd writes one for this system");
		return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	}
	for (size_t i = 0; i < lines.n; i++)
		add_entry(&lines.v[i], boot);
	return 0;
}

static void note_stanzas(const struct sp_root *root, struct sp_boot *boot)
{
	const char *folder = find_folder(root);
	sp_autofree char *path = sp_xasprintf("%s/refind.conf", folder ? folder : folders[0]);
	sp_autobuf struct sp_buf file = { 0 };
	char *save = NULL;
	unsigned n = 0;

	if (sp_root_read(root, path, SP_FILE_MAX, &file, NULL) < 0)
		return;
	for (char *line = strtok_r(file.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		n += sp_startswith(line + strspn(line, " \t"), "menuentry");
	if (n > 0)
		sp_strv_addf(&boot->warnings, "%s has %u %s of somebody's own; their options are left as they are", path, n,
			     n == 1 ? "entry" : "entries");
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_REFIND };
	sp_autobuf struct sp_buf file = { 0 };
	int r = read_lines(root, &file, boot, err);

	if (r < 0)
		return r;
	sp_autofree char *value = sp_cmdline_value(boot->entries[0].line, "root");
	if (!value || !*value) {
		(void) sp_error_set(err, -ENOTSUP, "the first line of '" LINES "' has no root=");
		(void) sp_error_hint(err, "'mkrlconf' of rEFInd writes one for this system");
		return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	}
	sp_entries_claim(boot, value);
	boot->root_arg = sp_xasprintf("root=%s", value);
	struct sp_place *p = sp_place_add(root, boot, SP_PLACE_ENTRY, &host, LINES);
	p->line = sp_xstrdup(boot->entries[0].line);
	note_stanzas(root, boot);
	return 0;
}

/* --- check ------------------------------------------------------------------------------------------------------- */

static int check(const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_error **err)
{
	const char *line = boot->entries[0].line;

	for (size_t i = 0; i < wanted->n; i++)
		if (sp_cmdline_presence(line, wanted->v[i].text) != SP_PRESENT)
			return sp_error_set(err, -EBADMSG, "'" LINES "': '%s' is not in effect on its first line",
					    wanted->v[i].text);
	return 0; /* that root= is there is looked at when it is read */
}

const struct sp_boot_ops sp_boot_refind = {
	.name = "refind",
	.title = "rEFInd with refind_linux.conf",
	.loader = "rEFInd",
	.probe = probe,
	.read = read_setup,
	.check = check,
};
