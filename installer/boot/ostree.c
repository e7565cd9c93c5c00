/* SPDX-License-Identifier: MIT */
/*
 * ostree (Fedora Silverblue, Kinoite, CoreOS, Bazzite and other images): the line is a part of each deployment. rpm-ostree
 * makes a new deployment with another line and leaves the old one in the menu; on a running system the new one is staged
 * and gets its entry when the system is shut down. An entry edited by hand is lost with the next deployment, so none is.
 *
 * bootc keeps tokens of one owner together ("loader-entries set-options-for-source", 2026), also across images: it is
 * asked where it can do that and only tokens of ours move; rpm-ostree else. (rpm-ostree: rpmostree-builtin-kargs.cxx;
 * bootc: bootc-loader-entries-set-options-for-source(8); ostree: names of entries, ostree-NUMBER-STATEROOT.conf)
 */
#include <errno.h>

#include "base/child.h"
#include "boot/internal.h"
#include "format/bls.h"

#define ENTRIES "/boot/loader/entries"
#define STAGED	"/run/ostree/staged-deployment"
#define RPM	"/usr/bin/rpm-ostree"
#define BOOTC	"/usr/bin/bootc"
#define SOURCE	"x-options-source-strix-provision"

enum { ASK_SECONDS = 60, DEPLOY_SECONDS = 600, OUTPUT_MAX = 65536 };

/* --- the programs -------------------------------------------------------------------------------------------------- */

static int run(const struct sp_root *root, const struct sp_strv *words, unsigned seconds, struct sp_buf *out, struct sp_error **err)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", NULL };
	sp_autofree char *path = sp_root_join(root, words->v[0]);
	sp_autofree const char **argv = sp_xcalloc(words->n + 1, sizeof(*argv));

	argv[0] = path;
	for (size_t i = 1; i < words->n; i++)
		argv[i] = words->v[i];
	const struct sp_child child = { .argv = argv, .env = env, .max_output = OUTPUT_MAX, .seconds = seconds };
	return sp_child_run(&child, out, err);
}

/* Of the deployment that starts next, staged or not; one line. */
static int read_line(const struct sp_root *root, char **ret, struct sp_error **err)
{
	sp_autostrv struct sp_strv words = { 0 };
	sp_autobuf struct sp_buf out = { 0 };

	sp_strv_add(&words, RPM);
	sp_strv_add(&words, "kargs");
	int r = run(root, &words, ASK_SECONDS, &out, err);
	if (r < 0)
		return r;
	sp_autofree char *text = sp_buf_steal(&out);
	if (!text || !strstr(text, "root=") || strchr(sp_strip(text), '\n'))
		return sp_error_set(err, -EBADMSG, "'rpm-ostree kargs' does not answer with a line that has root=");
	*ret = sp_xstrdup(sp_strip(text));
	return 0;
}

static int change_by_rpm_ostree(const struct sp_root *root, const struct sp_strv *gone, const struct sp_strv *come,
				struct sp_error **err)
{
	sp_autostrv struct sp_strv words = { 0 };
	sp_autobuf struct sp_buf out = { 0 };

	sp_strv_add(&words, RPM);
	sp_strv_add(&words, "kargs");
	for (size_t i = 0; i < gone->n; i++)
		sp_strv_addf(&words, "--delete=%s", gone->v[i]);
	for (size_t i = 0; i < come->n; i++)
		sp_strv_addf(&words, "--append=%s", come->v[i]);
	return run(root, &words, DEPLOY_SECONDS, &out, err);
}

/* options NULL: nothing is ours any more. */
static int set_by_bootc(const struct sp_root *root, const char *options, struct sp_error **err)
{
	static const char *const head[] = { BOOTC, "loader-entries", "set-options-for-source", "--source", "strix-provision" };
	sp_autostrv struct sp_strv words = { 0 };
	sp_autobuf struct sp_buf out = { 0 };

	for (size_t i = 0; i < SP_ELEMENTS(head); i++)
		sp_strv_add(&words, head[i]);
	if (options) {
		sp_strv_add(&words, "--options");
		sp_strv_add(&words, options);
	}
	return run(root, &words, DEPLOY_SECONDS, &out, err);
}

static bool has_bootc(const struct sp_root *root)
{
	static const char *const question[] = { BOOTC, "loader-entries", "set-options-for-source", "--help" };
	sp_autostrv struct sp_strv words = { 0 };
	sp_autobuf struct sp_buf out = { 0 };

	if (!sp_root_exists(root, BOOTC))
		return false;
	for (size_t i = 0; i < SP_ELEMENTS(question); i++)
		sp_strv_add(&words, question[i]);
	return run(root, &words, ASK_SECONDS, &out, NULL) == 0;
}

/* --- whose tokens are they? ------------------------------------------------------------------------------------------ */

/*
 * What bootc has as ours for the next start: a key of the entry; while that deployment is staged, a string of the file
 * that ostree keeps of it, and the one behind it. "": nothing.
 */
static char *told_by_bootc(const struct sp_root *root, const struct sp_boot *boot)
{
	static const char key[] = SOURCE; /* with its NUL */
	const struct sp_entry *e = sp_boot_default(boot);
	sp_autobuf struct sp_buf file = { 0 };
	char *value = NULL;

	if (sp_root_read(root, STAGED, SP_FILE_MAX, &file, NULL) == 0) {
		const char *at = memmem(file.data, file.len, key, sizeof(key));
		const char *end = at ? memchr(at + sizeof(key), '\0', file.len - (size_t) (at - file.data) - sizeof(key)) : NULL;
		return end ? sp_xstrdup(at + sizeof(key)) : sp_xstrdup("");
	}
	if (!e || sp_root_read(root, e->path, SP_FILE_MAX, &file, NULL) < 0 || sp_bls_last(&file, SOURCE, &value, NULL) < 0)
		value = NULL;
	return value ? value : sp_xstrdup("");
}

static bool has(const struct sp_args *args, const char *token)
{
	for (size_t i = 0; i < args->n; i++)
		if (sp_token_eq(args->v[i].text, token))
			return true;
	return false;
}

/* What bootc is to have afterwards (NULL: nothing). false: something is to go that it does not have. */
static bool plan_source(const char *told, const struct sp_strv *gone, const struct sp_strv *come, char **ret)
{
	sp_cleanup(sp_args_clear) struct sp_args args = { 0 };
	sp_autostrv struct sp_strv options = { 0 };

	sp_args_parse(told, &args);
	for (size_t i = 0; i < gone->n; i++)
		if (!has(&args, gone->v[i]))
			return false;
	for (size_t i = 0; i < args.n; i++) {
		bool stays = true;
		for (size_t k = 0; k < gone->n; k++)
			stays = stays && !sp_token_eq(args.v[i].text, gone->v[k]);
		if (stays)
			sp_strv_add(&options, args.v[i].text);
	}
	sp_strv_copy(&options, come);
	*ret = options.n ? sp_strv_join(&options, " ") : NULL;
	return true;
}

/* --- entries --------------------------------------------------------------------------------------------------------- */

static uint64_t number_of(const struct sp_entry *e)
{
	sp_autofree char *digits = sp_startswith(e->id, "ostree-") ? sp_xstrdup(e->id + strlen("ostree-")) : sp_xstrdup("");
	uint64_t n = 0;

	digits[strspn(digits, "0123456789")] = '\0';
	return sp_parse_u64(digits, &n) < 0 ? 0 : n;
}

/* The newest deployment has the highest number, and is the default. */
static int in_menu_order(const void *a, const void *b)
{
	const uint64_t x = number_of(a), y = number_of(b);

	return x != y ? (x < y ? 1 : -1) : strcmp(((const struct sp_entry *) a)->id, ((const struct sp_entry *) b)->id);
}

static int no_entries(struct sp_error **err)
{
	(void) sp_error_set(err, -ENOTSUP, "this ostree system has no entry of a deployment in '" ENTRIES "': its line is sealed "
			    "in its image, or is kept elsewhere");
	(void) sp_error_exit(err, SP_EXIT_UNSUPPORTED);
	return sp_error_hint(err, "where the image is yours, give it /usr/lib/bootc/kargs.d/50-strix-provision.toml");
}

/* "version" of these entries is the deployment's number; the kernel's is in its file's name. */
static char *kernel_of(const struct sp_entry *e)
{
	const char *name = e->linux_path ? strrchr(e->linux_path, '/') : NULL;

	return name && sp_startswith(name, "/vmlinuz-") ? sp_xstrdup(name + strlen("/vmlinuz-")) : NULL;
}

static int read_entries(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	static const struct sp_entry_rules rules = { .all_options = false, .compare = in_menu_order };
	int r = sp_entries_read(root, ENTRIES, &rules, boot, err);

	if (r < 0 && r != -ENOENT)
		return r;
	for (size_t i = 0; i < boot->n_entries; i++) {
		struct sp_entry *e = &boot->entries[i];

		e->named = number_of(e) > 0;
		free(e->line);
		e->line = sp_xstrdup(e->options ? e->options : "");
		free(e->version);
		e->version = kernel_of(e);
	}
	if (boot->n_entries == 0 || !boot->entries[0].named)
		return no_entries(err);
	boot->entries[0].by_default = true;
	return 0;
}

/* The deployment that waits to be finished at shutdown has no entry yet, and is the one that starts next. */
static int add_staged(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	char *line = NULL;

	if (sp_generators_refusal(root) || !sp_root_exists(root, STAGED))
		return 0;
	int r = read_line(root, &line, err);
	if (r < 0)
		return sp_error_wrap(err, "cannot look at the staged deployment");
	boot->entries = sp_xrealloc(boot->entries, boot->n_entries + 1, sizeof(*boot->entries));
	memmove(boot->entries + 1, boot->entries, boot->n_entries++ * sizeof(*boot->entries));
	boot->entries[1].by_default = false;
	boot->entries[0] = (struct sp_entry){
		.id = sp_xstrdup("staged"), .path = sp_xstrdup(STAGED), .title = sp_xstrdup("the staged deployment"),
		.options = sp_xstrdup(line), .line = line, .named = true, .by_default = true,
		.version = sp_xstrdup(boot->entries[1].version), /* as far as one can tell: an update may wait, too */
	};
	return 0;
}

/* The one that starts next is ours to change; what was before it stays as it is, to fall back to. */
static int claim(struct sp_boot *boot, struct sp_error **err)
{
	struct sp_entry *next = &boot->entries[0];
	sp_autofree char *value = sp_cmdline_value(next->line, "root");

	if (!value || next->why) {
		(void) sp_error_set(err, -ENOENT, "'%s': %s", next->path, next->why ? next->why : "it has no root=");
		return sp_error_path(err, next->path);
	}
	boot->root_arg = sp_xasprintf("root=%s", value);
	next->ours = true;
	for (size_t i = 1; i < boot->n_entries; i++)
		if (!boot->entries[i].why)
			boot->entries[i].why = sp_xstrdup("an older deployment, which stays as it is");
	return 0;
}

/* --- the setup ------------------------------------------------------------------------------------------------------- */

static int probe(const struct sp_root *root, struct sp_strv *seen, struct sp_error **err)
{
	(void) err;
	if (!sp_boot_is_ostree(root) || !sp_root_exists(root, RPM))
		return 0;
	sp_strv_add(seen, RPM);
	sp_strv_add(seen, "an ostree deployment");
	return 1;
}

static int read_setup(const struct sp_root *root, struct sp_boot *boot, struct sp_error **err)
{
	int r = read_entries(root, boot, err);

	if (r == 0)
		r = add_staged(root, boot, err);
	return r < 0 ? r : claim(boot, err);
}

static int change(const struct sp_root *root, const struct sp_strv *gone, const struct sp_strv *come, struct sp_error **err)
{
	sp_autoboot struct sp_boot *boot = sp_xcalloc(1, sizeof(*boot));
	sp_autofree char *told = NULL, *options = NULL;
	int r = has_bootc(root) ? read_entries(root, boot, err) : -ENOENT;

	if (r < 0)
		return r == -ENOENT ? change_by_rpm_ostree(root, gone, come, err) : r;
	told = told_by_bootc(root, boot);
	if (plan_source(told, gone, come, &options))
		return set_by_bootc(root, options, err);
	return change_by_rpm_ostree(root, gone, come, err);
}

static const struct sp_keeper_ops keeper = {
	.command = "rpm-ostree kargs",
	.read = read_line,
	.change = change,
};

const struct sp_boot_ops sp_boot_ostree = {
	.name = "ostree",
	.title = "ostree deployments (rpm-ostree, bootc)",
	.product = "the next deployment",
	.later = "strix-provision apply",
	.probe = probe,
	.read = read_setup,
	.check = sp_entries_check,
	.keeper = &keeper,
};
