/* SPDX-License-Identifier: MIT */
/*
 * Unified kernel images (type #2): kernel, initrd and command line are one program in EFI/Linux, which systemd-boot finds
 * by itself or the firmware starts. Ours goes into a small addon in the folder that belongs to each image,
 * "NAME.efi.extra.d", which its systemd-stub adds to the line: no image is written anew, and undoing is to delete a file.
 * What a kernel has that comes later: where the name of the image stays (mkinitcpio), the addon; where kernel-install makes
 * a new one, /etc/kernel/cmdline. (systemd-stub(7), 60-ukify.install)
 */
#include <errno.h>

#include "boot/internal.h"

#define GLOBAL_ADDONS "/loader/addons"
#define ADDON_END     ".addon.efi"
#define IMAGE_END     ".efi"

enum { COUNTER_STUB = 255 }; /* the first that looks for an image's folder without the boot counter in its name */

/* What reading the setup goes by. */
struct reader {
	struct sp_sd_boot sd; /* the partitions, and whose entries are whose: as with systemd-boot's own entries */
	struct sp_strv prefixes;
	char *os; /* ID of this system's os-release; NULL: unknown */
};

static void reader_clear(struct reader *rd)
{
	sp_sd_boot_clear(&rd->sd);
	sp_strv_clear(&rd->prefixes);
	free(rd->os);
}

/* --- recognise --------------------------------------------------------------------------------------------------- */

/* FAT has no case, and names that begin with a dot are passed over. */
static bool is_called(const char *name, const char *end)
{
	const size_t n = strlen(name), m = strlen(end);

	return name[0] != '.' && n > m && strcasecmp(name + n - m, end) == 0;
}

static bool is_program(const char *name)
{
	return is_called(name, IMAGE_END);
}

static size_t count_images(const struct sp_root *root, const char *dir)
{
	sp_autostrv struct sp_strv names = { 0 };
	size_t n = 0;

	if (sp_root_list(root, dir, &names) < 0)
		return 0; /* not there, or only root may look into it */
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, names.v[i]);
		sp_autouki struct sp_uki image = { 0 };

		n += is_program(names.v[i]) && sp_uki_read(root, path, &image, NULL) == 0 && image.is_image;
	}
	return n;
}

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	sp_autostrv struct sp_strv folders = { 0 };

	(void) err;
	if (sp_boot_is_ostree(root))
		return 0;
	sp_sd_boot_folders(root, &folders);
	for (size_t i = 0; i < folders.n; i++) {
		sp_autofree char *dir = sp_xasprintf("%s" SP_UKI_FOLDER, folders.v[i]);
		const size_t n = count_images(root, dir);

		if (n > 0)
			sp_strv_addf(seen, "%zu unified kernel image%s in %s", n, n == 1 ? "" : "s", dir);
	}
	return seen->n > 0;
}

/* --- one image --------------------------------------------------------------------------------------------------- */

static void append(struct sp_buf *line, const char *text)
{
	if (*text)
		sp_buf_addf(line, "%s%s", line->len ? " " : "", text);
}

/*
 * What addons of a folder add, in the order of their names. One that is for another kernel adds nothing, where the image
 * says which it has, nor does one with a kernel of its own. (systemd: stub.c)
 */
static int add_addons(const struct reader *rd, const char *dir, const struct sp_entry *e, struct sp_buf *line,
		      struct sp_buf *fixed, struct sp_error **err)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = 0;

	if (sp_root_list(rd->sd.root, dir, &names) < 0)
		return 0; /* most have none */
	for (size_t i = 0; i < names.n && r == 0; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, names.v[i]);
		sp_autoerror struct sp_error *why = NULL;
		sp_autouki struct sp_uki addon = { 0 };

		if (!is_called(names.v[i], ADDON_END))
			continue;
		int read = sp_uki_read(rd->sd.root, path, &addon, &why);
		if (read == -EACCES || read == -EPERM) {
			r = sp_boot_fail(err, &why);
		} else if (read < 0) {
			sp_strv_addf(&rd->sd.boot->warnings, "an addon is passed over: %s", why->message);
		} else if (!addon.is_image && (!addon.version || !e->version || sp_streq(addon.version, e->version))) {
			append(line, addon.line);
			if (!sp_streq(path, e->product))
				append(fixed, addon.line);
		}
	}
	return r;
}

/* "name+3-1.efi": the loader counts in the name. Where that begins; NULL: it does not. */
static const char *find_counter(const char *name)
{
	static const char digits[] = "0123456789";
	const char *plus = strrchr(name, '+');
	size_t n = plus ? 1 + strspn(plus + 1, digits) : 0;

	if (n < 2)
		return NULL;
	if (plus[n] == '-')
		n += 1 + strspn(plus + n + 1, digits);
	return strcasecmp(plus + n, IMAGE_END) == 0 ? plus : NULL;
}

/* The folder of an image's addons, which keeps its name while the loader counts. Owned. */
static char *folder_of(const char *path, const struct sp_uki *image)
{
	const char *counter = image->stub >= COUNTER_STUB ? find_counter(path) : NULL;

	return counter ? sp_xasprintf("%.*s%s" SP_UKI_EXTRA, (int) (counter - path), path,
				      path + strlen(path) - strlen(IMAGE_END)) :
			 sp_xasprintf("%s" SP_UKI_EXTRA, path);
}

static bool has_prefix(const struct reader *rd, const char *name)
{
	for (size_t i = 0; i < rd->prefixes.n; i++)
		if (sp_startswith(name, rd->prefixes.v[i]))
			return true;
	return false;
}

static bool has_other_id(const char *name)
{
	return strspn(name, "0123456789abcdefABCDEF") == 32 && name[32] == '-';
}

static void judge(const struct reader *rd, const struct sp_uki *image, struct sp_entry *e)
{
	const bool same = sp_streq(image->os, rd->os);

	e->rescue = sp_sd_boot_is_way_out(e);
	if (find_counter(e->id) && image->stub < COUNTER_STUB)
		e->why = sp_xstrdup("its name has a boot counter, and its systemd-stub is too old to look for addons without it");
	else if (image->os && rd->os && !same)
		e->why = sp_xasprintf("its os-release says ID=%s, and this system's ID=%s", image->os, rd->os);
	else
		e->named = has_prefix(rd, e->id) || (same && !has_other_id(e->id));
}

static int add_image(const struct reader *rd, const char *folder, const char *name, struct sp_error **err)
{
	struct sp_boot *boot = rd->sd.boot;
	sp_autofree char *path = sp_xasprintf("%s" SP_UKI_FOLDER "/%s", folder, name);
	sp_autofree char *global = sp_xasprintf("%s" GLOBAL_ADDONS, folder);
	sp_autobuf struct sp_buf line = { 0 }, fixed = { 0 };
	sp_autouki struct sp_uki image = { 0 };
	int r = sp_uki_read(rd->sd.root, path, &image, err);

	if (r == -EBADMSG || (r == 0 && !image.is_image))
		return 0; /* another program, or one that has its line from elsewhere */
	if (r < 0)
		return r;
	sp_autofree char *extra = folder_of(path, &image);
	boot->entries = sp_xrealloc(boot->entries, boot->n_entries + 1, sizeof(*boot->entries));
	struct sp_entry *e = &boot->entries[boot->n_entries++];
	*e = (struct sp_entry){
		.id = sp_xstrdup(name), .path = sp_xstrdup(path), .title = sp_xstrdup(image.title ? image.title : name),
		.version = sp_xstrdup(image.version), .sort_key = sp_xstrdup(image.sort_key),
		.linux_path = sp_xasprintf(SP_UKI_FOLDER "/%s", name), .options = sp_xstrdup(image.line),
		.product = sp_xasprintf("%s/" SP_UKI_ADDON, extra),
	};
	judge(rd, &image, e);
	append(&line, image.line);
	append(&fixed, image.line);
	r = add_addons(rd, global, e, &line, &fixed, err);
	if (r == 0)
		r = add_addons(rd, extra, e, &line, &fixed, err);
	e->line = sp_buf_steal(&line);
	e->fixed = sp_buf_steal(&fixed);
	return r;
}

/* --- all of them ------------------------------------------------------------------------------------------------- */

static int read_folder(const struct reader *rd, const char *folder, struct sp_error **err)
{
	sp_autofree char *dir = sp_xasprintf("%s" SP_UKI_FOLDER, folder);
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(rd->sd.root, dir, &names);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	if (r < 0) {
		(void) sp_error_errno(err, r, "cannot list '%s'", dir);
		return sp_error_path(err, dir);
	}
	for (size_t i = 0; i < names.n && r == 0; i++)
		if (is_program(names.v[i]))
			r = add_image(rd, folder, names.v[i], err);
	return r;
}

static int read_images(const struct reader *rd, struct sp_error **err)
{
	struct sp_boot *boot = rd->sd.boot;
	int r = 0;

	for (size_t i = 0; i < rd->sd.folders.n && r == 0; i++)
		r = read_folder(rd, rd->sd.folders.v[i], err);
	if (r == -EACCES || r == -EPERM)
		return sp_error_hint(err, "only root may read it: run this as root");
	if (boot->n_entries > 0 && r == 0)
		qsort(boot->entries, boot->n_entries, sizeof(*boot->entries), sp_sd_boot_rules.compare);
	if (boot->n_entries > 0 || r < 0)
		return r;
	(void) sp_error_set(err, -ENOTSUP, "there is no unified kernel image with a command line in it");
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return sp_error_hint(err, "is the EFI system partition mounted, at /efi, /boot or /boot/efi?");
}

/* Without an id in their names, images of one distribution may be of two systems: that is known by root= alone. */
static void doubt_names(const struct reader *rd)
{
	const struct sp_boot *boot = rd->sd.boot;
	sp_autostrv struct sp_strv roots = { 0 };

	for (size_t i = 0; i < boot->n_entries; i++) {
		sp_autofree char *value = boot->entries[i].named ? sp_cmdline_value(boot->entries[i].line, "root") : NULL;

		if (value && !sp_strv_has(&roots, value))
			sp_strv_add(&roots, value);
	}
	for (size_t i = 0; i < boot->n_entries && roots.n > 1; i++)
		boot->entries[i].named = boot->entries[i].named && has_prefix(rd, boot->entries[i].id);
}

static void read_os(struct reader *rd)
{
	static const char *const files[] = { "/etc/os-release", "/usr/lib/os-release" };
	static const struct sp_host host = { .kind = SP_HOST_SHELL, .var = (char *) "ID" };

	for (size_t i = 0; i < SP_ELEMENTS(files) && !rd->os; i++) {
		sp_autobuf struct sp_buf file = { 0 };

		if (sp_root_read(rd->sd.root, files[i], SP_FILE_MAX, &file, NULL) < 0 ||
		    sp_host_get(&host, &file, &rd->os, NULL) < 0)
			rd->os = NULL; /* then names and root= have to do */
	}
}

/* --- where the line comes from ----------------------------------------------------------------------------------- */

static const struct sp_entry *first_ours(const struct sp_boot *boot)
{
	const struct sp_entry *found = NULL;

	for (size_t i = 0; i < boot->n_entries; i++)
		if (sp_entry_changes(&boot->entries[i]) && (!found || boot->entries[i].by_default))
			found = &boot->entries[i];
	return found;
}

/* Images that kernel-install makes are named so, and have their line from /etc/kernel/cmdline. */
static bool made_by_kernel_install(const struct reader *rd)
{
	const struct sp_boot *boot = rd->sd.boot;
	bool found = false;

	for (size_t i = 0; i < boot->n_entries; i++)
		found = found || (boot->entries[i].ours && has_prefix(rd, boot->entries[i].id));
	return found;
}

/* What the image itself says stands before ours. Where it is built from our own file, that is no source of anybody's. */
static int add_sources(const struct reader *rd, struct sp_error **err)
{
	struct sp_boot *boot = rd->sd.boot;
	const struct sp_entry *e = first_ours(boot);
	const struct sp_future f = { .line = rd->sd.future, .booted = e ? e->options : NULL };

	if (!e)
		return 0; /* then it was refused before */
	if (made_by_kernel_install(rd))
		return sp_future_add(rd->sd.root, boot, &f, err);
	struct sp_source *s = sp_source_add(boot, e->path);
	s->text = sp_xstrdup(e->fixed);
	if (e->version && strstr(e->id, e->version))
		sp_strv_addf(&boot->warnings, "a kernel that is installed later gets an image of another name, which has none of "
			     "our arguments: 'strix-provision apply' adds them, and verify tells");
	return 0;
}

static int add_own(const struct reader *rd, struct sp_error **err)
{
	static const struct sp_host host = { .kind = SP_HOST_PLAIN };
	struct sp_place *p = sp_place_add(rd->sd.root, rd->sd.boot, SP_PLACE_GENERATOR, &host, SP_UKI_SOURCE);

	p->whole = true;
	return sp_line_read(rd->sd.root, SP_UKI_SOURCE, &p->line, err);
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	sp_cleanup(reader_clear) struct reader rd = { .sd = { .root = root, .boot = boot } };

	sp_sd_boot_folders(root, &rd.sd.folders);
	sp_entries_prefixes(root, &rd.prefixes);
	read_os(&rd);
	int r = sp_line_read(root, SP_FUTURE, &rd.sd.future, err);
	if (r == 0)
		r = read_images(&rd, err);
	if (r == 0)
		r = sp_sd_boot_mark_default(&rd.sd, err);
	if (r < 0)
		return r;
	if (!rd.sd.future && !boot->started.cmdline)
		doubt_names(&rd);
	r = sp_sd_boot_claim(&rd.sd, err);
	if (r == 0)
		r = add_sources(&rd, err);
	if (r == 0)
		r = add_own(&rd, err);
	if (r == 0)
		boot->refusal = sp_uki_refusal(root, boot);
	return r;
}

/* --- our file ---------------------------------------------------------------------------------------------------- */

/* A line, and nothing else: ukify takes it as it is, and a comment would be arguments. */
static void render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	sp_buf_clear(ret);
	for (size_t i = 0; i < n; i++)
		sp_buf_addf(ret, "%s%s=%s", i > 0 ? " " : "", lines[i].key, lines[i].value);
	if (n > 0)
		sp_buf_adds(ret, "\n");
}

const struct sp_boot_ops sp_boot_uki = {
	.name = "uki",
	.title = "unified kernel images with addons",
	.loader = "systemd-stub",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.own_file = SP_UKI_SOURCE,
	.render = render,
	.product = SP_UKI_ADDON,
	.command = "ukify build --cmdline=@" SP_UKI_SOURCE " --output=IMAGE" SP_UKI_EXTRA "/" SP_UKI_ADDON,
	.later = "strix-provision apply",
	.generate = sp_uki_generate,
};
