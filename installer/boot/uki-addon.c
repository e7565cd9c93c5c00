/* SPDX-License-Identifier: MIT */
/* Make the addon of our images with the system's own ukify, sign it where Secure Boot asks for that, and look at it. */
#include <errno.h>

#include "base/child.h"
#include "boot/internal.h"
#include "format/lines.h"
#include "format/pe.h"
#include "txn/scratch.h"

enum {
	BUILD_SECONDS = 60,
	FIRST_STUB = 254, /* that adds the addons of an image's own folder */
};

static const char *const tools[] = { "/usr/bin/ukify", "/usr/lib/systemd/ukify" };

/* --- keys -------------------------------------------------------------------------------------------------------- */

struct keys {
	char *key, *certificate; /* paths as ukify takes them; NULL: none */
};

static void keys_clear(struct keys *k)
{
	free(k->key);
	free(k->certificate);
	*k = (struct keys){ 0 };
}

/* "Name=value" of a file with sections, the last one; NULL: none. */
static char *setting(const struct sp_buf *file, const char *name)
{
	struct sp_textline l = { 0 };
	char *found = NULL;

	while (sp_text_next(file, &l)) {
		sp_autofree char *line = sp_xstrndup(file->data + l.start, l.end - l.start);
		char *text = sp_strip(line), *equals = strchr(text, '=');

		if (!equals || *text == '#')
			continue;
		*equals = '\0';
		if (strcmp(sp_strip(text), name) != 0)
			continue;
		free(found);
		found = sp_xstrdup(sp_strip(equals + 1));
	}
	return found;
}

/* Those that the system's own images are signed with: ukify's configuration, or sbctl's. */
static void find_keys(const struct sp_root *root, struct keys *ret)
{
	static const char *const files[] = { "/etc/kernel/uki.conf", "/etc/systemd/ukify.conf", "/usr/lib/kernel/uki.conf" };
	static const char *const sbctl[] = { "/var/lib/sbctl/keys/db/db", "/usr/share/secureboot/keys/db/db" };

	for (size_t i = 0; i < SP_ELEMENTS(files); i++) {
		sp_autobuf struct sp_buf file = { 0 };

		if (sp_root_read(root, files[i], SP_FILE_MAX, &file, NULL) < 0)
			continue;
		ret->key = setting(&file, "SecureBootPrivateKey");
		ret->certificate = setting(&file, "SecureBootCertificate");
		if (ret->key && ret->certificate)
			return;
		keys_clear(ret);
	}
	for (size_t i = 0; i < SP_ELEMENTS(sbctl); i++) {
		sp_autofree char *key = sp_xasprintf("%s.key", sbctl[i]), *certificate = sp_xasprintf("%s.pem", sbctl[i]);

		if (!sp_root_exists(root, key) || !sp_root_exists(root, certificate))
			continue;
		*ret = (struct keys){ sp_root_join(root, key), sp_root_join(root, certificate) };
		return;
	}
}

/* --- what keeps us from it ---------------------------------------------------------------------------------------- */

static const char *find_tool(const struct sp_root *root)
{
	for (size_t i = 0; i < SP_ELEMENTS(tools); i++)
		if (sp_root_exists(root, tools[i]))
			return tools[i];
	return NULL;
}

static struct sp_error *refuse(const char *hint, char *what)
{
	struct sp_error *e = NULL;

	(void) sp_error_set(&e, -ENOTSUP, "%s", what);
	(void) sp_error_exit(&e, SP_EXIT_UNSUPPORTED);
	(void) sp_error_hint(&e, "%s", hint);
	free(what);
	return e;
}

static struct sp_error *refuse_stub(const struct sp_root *root, const struct sp_entry *e)
{
	sp_autouki struct sp_uki image = { 0 };

	if (sp_uki_read(root, e->path, &image, NULL) < 0 || image.stub >= FIRST_STUB)
		return NULL;
	if (image.stub == 0)
		return refuse("build the image with systemd-stub of systemd 254 or later",
			      sp_xasprintf("'%s' does not say that it has a systemd-stub, which is what reads addons", e->path));
	return refuse("build the image anew with systemd 254 or later",
		      sp_xasprintf("the systemd-stub in '%s' is of version %u, and reads no addons beside it: %d does", e->path,
				   image.stub, FIRST_STUB));
}

struct sp_error *sp_uki_refusal(const struct sp_root *root, const struct sp_boot *boot)
{
	sp_cleanup(keys_clear) struct keys keys = { 0 };

	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_error *e = sp_entry_changes(&boot->entries[i]) ? refuse_stub(root, &boot->entries[i]) : NULL;
		if (e)
			return e;
	}
	if (sp_generators_refusal(root))
		return NULL; /* nothing is made here */
	if (!find_tool(root))
		return refuse("install ukify: the package is systemd-ukify",
			      sp_xstrdup("there is no ukify, which makes addons of unified kernel images"));
	find_keys(root, &keys);
	if (boot->started.secure_boot && !keys.key)
		return refuse("name the key that signs your images in /etc/kernel/uki.conf (SecureBootPrivateKey=, "
			      "SecureBootCertificate=), or make keys with sbctl",
			      sp_xstrdup("Secure Boot is on and no key is configured: an addon without a signature is not read"));
	return NULL;
}

/* --- make it ----------------------------------------------------------------------------------------------------- */

static int run(const struct sp_root *root, const struct sp_boot *boot, const char *output, struct sp_error **err)
{
	static const char *const env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
					   NULL };
	sp_cleanup(keys_clear) struct keys keys = { 0 };
	sp_autofree char *source = sp_root_join(root, SP_UKI_SOURCE);
	const char *tool = find_tool(root);

	if (!tool)
		return sp_error_set(err, -ENOENT, "'%s' is not there any more", tools[0]);
	if (boot->started.secure_boot)
		find_keys(root, &keys);
	sp_autofree char *path = sp_root_join(root, tool), *line = sp_xasprintf("--cmdline=@%s", source);
	sp_autofree char *out = sp_xasprintf("--output=%s", output);
	sp_autofree char *key = keys.key ? sp_xasprintf("--secureboot-private-key=%s", keys.key) : NULL;
	sp_autofree char *certificate = keys.key ? sp_xasprintf("--secureboot-certificate=%s", keys.certificate) : NULL;
	/* What the configuration says is for images: a kernel, an initrd, a picture. */
	const char *const argv[] = { path, "build", "--config=/dev/null", line, out, key, certificate, NULL };
	const struct sp_child child = { .argv = argv, .env = env, .max_output = SP_FILE_MAX, .seconds = BUILD_SECONDS };
	sp_autobuf struct sp_buf said = { 0 };
	return sp_child_run(&child, &said, err);
}

/* It is ours, and nothing else: no kernel, none but our line. */
static int check_addon(const struct sp_root *root, const struct sp_boot *boot, const struct sp_buf *addon,
		       const struct sp_tokens *wanted, struct sp_error **err)
{
	sp_autope struct sp_pe pe = { 0 };
	sp_autobuf struct sp_buf section = { 0 };
	sp_autofree char *line = NULL, *source = NULL;
	int r = sp_pe_parse(addon, addon->len, &pe, err);
	const struct sp_pe_section *s = r == 0 ? sp_pe_find(&pe, ".cmdline") : NULL;

	if (r < 0)
		return r;
	if (!s || sp_pe_find(&pe, ".linux") || sp_pe_find(&pe, ".initrd") || sp_pe_find(&pe, ".uname"))
		return sp_error_set(err, -EBADMSG, "it is not an addon of a command line alone");
	if (boot->started.secure_boot && !pe.is_signed)
		return sp_error_set(err, -EBADMSG, "it has no signature");
	sp_buf_add(&section, addon->data + s->offset, (size_t) s->size);
	r = sp_pe_line(&section, &line, err);
	if (r == 0)
		r = sp_line_read(root, SP_UKI_SOURCE, &source, err);
	if (r < 0)
		return r;
	if (!sp_streq(line, source))
		return sp_error_set(err, -EBADMSG, "its line is '%s'", line);
	for (size_t i = 0; i < wanted->n; i++)
		if (sp_cmdline_presence(line, wanted->v[i].text) != SP_PRESENT)
			return sp_error_set(err, -EBADMSG, "it does not have '%s' once", wanted->v[i].text);
	return 0;
}

static int make(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted, struct sp_buf *ret,
		struct sp_error **err)
{
	sp_autoscratch struct sp_scratch scratch = { 0 };
	int r = sp_scratch_open(root, &scratch, err);

	if (r == 0)
		r = run(root, boot, scratch.file, err);
	if (r < 0)
		return r;
	r = sp_scratch_read(&scratch, SP_FILE_MAX, ret, err);
	if (r == 0)
		r = check_addon(root, boot, ret, wanted, err);
	return r < 0 ? sp_error_wrap(err, "what ukify made cannot be used") : 0;
}

/* An image that was built with all of ours in it needs no addon. */
static bool needs_addon(const struct sp_entry *e, const struct sp_tokens *wanted)
{
	for (size_t i = 0; i < wanted->n; i++) {
		const enum sp_presence p = sp_cmdline_presence(e->fixed, wanted->v[i].text);

		if (p != SP_PRESENT && p != SP_EFFECTIVE)
			return true;
	}
	return false;
}

static bool any_needs(const struct sp_boot *boot, const struct sp_tokens *wanted)
{
	bool any = false;

	for (size_t i = 0; i < boot->n_entries; i++)
		any = any || (sp_entry_changes(&boot->entries[i]) && needs_addon(&boot->entries[i], wanted));
	return any;
}

int sp_uki_generate(const struct sp_root *root, const struct sp_boot *boot, const struct sp_tokens *wanted,
		    struct sp_edits *products, struct sp_error **err)
{
	sp_autobuf struct sp_buf addon = { 0 };
	int r = any_needs(boot, wanted) ? make(root, boot, wanted, &addon, err) : 0;

	for (size_t i = 0; i < boot->n_entries && r == 0; i++) {
		const struct sp_entry *e = &boot->entries[i];
		const bool needed = needs_addon(e, wanted);

		if (sp_entry_changes(e) && (needed || sp_root_exists(root, e->product)))
			r = sp_edits_add(products, root, e->product, needed ? &addon : NULL, NULL, err);
	}
	return r;
}
