/* SPDX-License-Identifier: MIT */
/* The table of options, and how the value of each kind is stored. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>

#include "cmd/cmd.h"

static int bad_value(const struct sp_option *o, const char *value, const char *expected, struct sp_error **err)
{
	(void) sp_error_set(err, -EINVAL, "option '--%s': bad value '%s'", o->name, value);
	(void) sp_error_hint(err, "%s", expected);
	return sp_error_exit(err, SP_EXIT_USAGE);
}

static void *field(const struct sp_option *o, struct sp_cli *cli)
{
	return (char *) cli + o->offset;
}

static int set_flag(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	(void) value;
	(void) err;
	*(bool *) field(o, cli) = true;
	return 0;
}

static int set_text(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	(void) err;
	*(const char **) field(o, cli) = value;
	return 0;
}

static int set_color(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	for (unsigned i = 0; o->words[i]; i++) {
		if (sp_streq(o->words[i], value)) {
			cli->color = (enum sp_color) i;
			return 0;
		}
	}
	return bad_value(o, value, "one of: auto, always, never", err);
}

static int set_profile(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	(void) o;
	(void) err;
	free(cli->selection.profile);
	cli->selection.profile = sp_xstrdup(value);
	return 0;
}

static int set_list(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	sp_autofree char *copy = sp_xstrdup(value);
	struct sp_strv *list = field(o, cli);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ","))) {
		item = sp_strip(item);
		if (!*item)
			return bad_value(o, value, "settings by their id, with commas between: iommu,thp", err);
		if (!sp_strv_has(list, item))
			sp_strv_add(list, item);
	}
	return 0;
}

static int set_size(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	uint64_t *mib = field(o, cli);

	if (sp_size_parse(value, mib, err) < 0) {
		(void) sp_error_wrap(err, "option '--%s'", o->name);
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	return 0;
}

static int set_gtt(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	if (!sp_streq(value, "auto"))
		return set_size(o, value, cli, err);
	cli->selection.gtt_mib = 0;
	return 0;
}

static int set_uma(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	const bool keep = sp_streq(value, "keep");

	cli->selection.uma = keep ? SP_UMA_KEEP : SP_UMA_SIZE;
	cli->selection.uma_mib = 0;
	return keep ? 0 : set_size(o, value, cli, err);
}

static int set_uma_by_hand(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	cli->selection.uma = SP_UMA_BY_HAND;
	return set_size(o, value, cli, err);
}

/* One that is open, and that no child of ours inherits. */
static int set_descriptor(const struct sp_option *o, const char *value, struct sp_cli *cli, struct sp_error **err)
{
	uint64_t fd = 0;

	if (sp_parse_u64(value, &fd) < 0 || fd > INT_MAX || fcntl((int) fd, F_GETFD) < 0)
		return bad_value(o, value, "the number of a descriptor that is open: --password-fd 3 3<file", err);
	if (fd > STDERR_FILENO && fcntl((int) fd, F_SETFD, FD_CLOEXEC) < 0)
		return sp_error_errno(err, -errno, "option '--%s'", o->name);
	cli->password_fd = (int) fd;
	cli->has_password_fd = true;
	return 0;
}

static const char *const color_words[] = { "auto", "always", "never", NULL }; /* in the order of enum sp_color */
static const char *const uma_words[] = { "keep", "512M", NULL };
static const char *const gtt_words[] = { "auto", NULL };

#define FIELD(f) offsetof(struct sp_cli, f)
#define FLAG(f) NULL, set_flag, FIELD(f)
#define TEXT(f) NULL, set_text, FIELD(f)
#define LIST(f) NULL, set_list, FIELD(selection.f)
#define SIZE(f) NULL, set_size, FIELD(selection.f)

const struct sp_option sp_options[] = {
	{ "root", 0, "DIR", "the tree that is read and changed (default /)", SP_OPTIONS_GLOBAL, false, TEXT(root) },
	{ "machine", 0, "DIR", "read sys/ and proc/ of a recorded machine (default /)", SP_OPTIONS_GLOBAL, false,
	  TEXT(machine) },
	{ "config", 0, "FILE", "instead of /etc/strix-provision.conf in the root", SP_OPTIONS_GLOBAL, false,
	  TEXT(config) },
	{ "data", 0, "DIR", "catalogues, profiles and platforms", SP_OPTIONS_GLOBAL, false, TEXT(data) },
	{ "boot", 0, "NAME", "name the boot setup instead of recognising it", SP_OPTIONS_GLOBAL, false, TEXT(boot) },
	{ "json", 0, NULL, "print one JSON object instead of text", SP_OPTIONS_GLOBAL, false, FLAG(json) },
	{ "quiet", 'q', NULL, "print results, warnings and errors only", SP_OPTIONS_GLOBAL, false, FLAG(quiet) },
	{ "verbose", 'v', NULL, "print more: sources, evidence, every check", SP_OPTIONS_GLOBAL, false, FLAG(verbose) },
	{ "log", 0, "FILE", "append messages to a file, with the time in UTC", SP_OPTIONS_GLOBAL, false, TEXT(log) },
	{ "color", 0, "WHEN", "auto, always or never", SP_OPTIONS_GLOBAL, false, color_words, set_color, 0 },
	{ "help", 'h', NULL, "print this help", SP_OPTIONS_GLOBAL, false, FLAG(help) },
	{ "version", 'V', NULL, "print the version", SP_OPTIONS_GLOBAL, false, FLAG(version) },

	{ "profile", 0, "NAME", "the profile to start from", SP_OPTIONS_SELECT, false, NULL, set_profile, 0 },
	{ "with", 0, "ID", "also these settings (commas between, repeatable)", SP_OPTIONS_SELECT, false, LIST(with) },
	{ "without", 0, "ID", "not these settings", SP_OPTIONS_SELECT, false, LIST(without) },
	{ "replace", 0, "ID", "put ours in place of what blocks these settings", SP_OPTIONS_SELECT, false,
	  LIST(replace) },
	{ "gtt", 0, "SIZE", "memory that the GPU may use (K, M, G; or auto)", SP_OPTIONS_SELECT, false, gtt_words,
	  set_gtt, FIELD(selection.gtt_mib) },
	{ "host-reserve", 0, "SIZE", "memory that stays for everything else", SP_OPTIONS_SELECT, false,
	  SIZE(host_reserve_mib) },
	{ "uma", 0, "SIZE", "set the carve-out; keep: accept it as it is", SP_OPTIONS_SELECT, false, uma_words,
	  set_uma, FIELD(selection.uma_mib) },
	{ "uma-by-hand", 0, "SIZE", "the carve-out that you will set in the setup", SP_OPTIONS_SELECT, false, NULL,
	  set_uma_by_hand, FIELD(selection.uma_mib) },
	{ "any-platform", 0, NULL, "also on a machine that is not supported", SP_OPTIONS_SELECT, false,
	  FLAG(selection.any_platform) },

	{ "check", 0, NULL, "exit with 3 when changes are pending", SP_OPTIONS_PLAN, false, FLAG(check) },
	{ "reboot", 0, NULL, "restart the machine at the end, if it needs that", SP_OPTIONS_REBOOT, false,
	  FLAG(reboot) },
	{ "trial", 0, NULL, "only for the next start; then: confirm", SP_OPTIONS_TRIAL, false,
	  FLAG(trial) },
	{ "first-boot", 0, NULL, "leave it to the first boot of the tree", SP_OPTIONS_TRIAL, false, FLAG(first_boot) },
	{ "requested", 0, NULL, "only what was left to the first boot", SP_OPTIONS_TRIAL, false, FLAG(requested) },
	{ "in-hook", 0, NULL, "started by the package manager, whose locks are not waited for", SP_OPTIONS_TRIAL, true, FLAG(in_hook) },
	{ "if-armed", 0, NULL, "do nothing where there is nothing to confirm", SP_OPTIONS_CONFIRM, false, FLAG(if_armed) },
	{ "cancel", 0, NULL, "take the trial back, whatever became of it", SP_OPTIONS_CONFIRM, false, FLAG(cancel) },
	{ "all", 0, NULL, "undo every transaction", SP_OPTIONS_ROLLBACK, false, FLAG(all) },
	{ "keep-conflicts", 0, NULL, "leave what was changed by hand, undo the rest", SP_OPTIONS_ROLLBACK, false,
	  FLAG(keep_conflicts) },
	{ "markdown", 0, NULL, "print a page in Markdown", SP_OPTIONS_EXPLAIN, false, FLAG(markdown) },
	{ "output", 0, "FILE", "write FILE.tar, or the folder FILE", SP_OPTIONS_RECORD, false, TEXT(output) },
	{ "boot", 0, NULL, "also etc and boot: entries, kernels' lists, drop-ins", SP_OPTIONS_RECORD, false,
	  FLAG(with_boot) },
	{ "password-fd", 0, "N", "read the firmware's password from descriptor N", SP_OPTIONS_PASSWORD, false,
	  NULL, set_descriptor, 0 },
	{ "yes", 'y', NULL, "do not ask", SP_OPTIONS_CONSENT, false, FLAG(yes) },
	{ 0 },
};
