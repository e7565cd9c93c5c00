/* SPDX-License-Identifier: MIT */
#include "catalog/predicate.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "catalog/internal.h"
#include "format/cmdline.h"

/* --- the questions --------------------------------------------------------------------------------------------- */

static enum sp_tristate unknown(char **why, const char *reason)
{
	*why = sp_xstrdup(reason ? reason : "unknown");
	return SP_UNKNOWN;
}

static enum sp_tristate no_kernel(char **why)
{
	return unknown(why, "no kernel is installed that would boot");
}

/* "ttm" is whatever this kernel calls it: AMD's DKMS driver brings one with another name. */
static const char *module_of(const struct sp_question *q, const char *name)
{
	return sp_streq(name, "ttm") ? sp_kernel_ttm_module(q->facts, q->kernel) : name;
}

static enum sp_tristate has_parm(const struct sp_question *q, char **args, char **why)
{
	if (!q->kernel)
		return no_kernel(why);
	return sp_kernel_has_parm(q->facts, q->kernel, module_of(q, args[0]), args[1], why);
}

static enum sp_tristate has_module(const struct sp_question *q, char **args, char **why)
{
	if (!q->kernel)
		return no_kernel(why);
	enum sp_tristate answer = sp_kernel_has_module(q->facts, q->kernel, module_of(q, args[0]));
	return answer == SP_UNKNOWN ? unknown(why, "the modules of that kernel cannot be read") : answer;
}

static enum sp_tristate older_than(const struct sp_question *q, char **args, char **why)
{
	if (!q->kernel)
		return no_kernel(why);
	return sp_version_compare(q->kernel, args[0]) < 0 ? SP_YES : SP_NO;
}

static enum sp_tristate more_than_0(const struct sp_question *q, enum sp_fact fact, char **why)
{
	if (!sp_fact_known(q->facts, fact))
		return unknown(why, q->facts->v[fact].why);
	return sp_fact_num(q->facts, fact) > 0 ? SP_YES : SP_NO;
}

static enum sp_tristate npu_present(const struct sp_question *q, char **args, char **why)
{
	(void) args;
	return more_than_0(q, SP_FACT_NPU_PRESENT, why);
}

static enum sp_tristate zram_present(const struct sp_question *q, char **args, char **why)
{
	(void) args;
	return more_than_0(q, SP_FACT_ZRAM_KIB, why);
}

static enum sp_tristate no_disk_swap(const struct sp_question *q, char **args, char **why)
{
	(void) args;
	enum sp_tristate swap = more_than_0(q, SP_FACT_SWAP_KIB, why);
	return swap == SP_UNKNOWN ? swap : swap == SP_YES ? SP_NO : SP_YES;
}

static enum sp_tristate is_platform(const struct sp_question *q, char **args, char **why)
{
	(void) why;
	return sp_streq(q->platform, args[0]) ? SP_YES : SP_NO;
}

/* --- the table ------------------------------------------------------------------------------------------------- */

static bool is_word(const char *arg)
{
	return arg[strspn(arg, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static bool is_version(const char *arg)
{
	return isdigit((unsigned char) *arg);
}

static bool is_number(const char *arg)
{
	uint64_t n;

	return sp_parse_u64(arg, &n) == 0;
}

static bool is_fact(const char *arg)
{
	enum sp_fact fact;

	return sp_fact_by_name(arg, &fact) == 0;
}

static bool is_text(const char *arg)
{
	return *arg != '\0';
}

#define MAX_ARGS 2
static const struct predicate {
	const char *name;
	sp_predicate_fn *ask;
	bool (*arg_ok[MAX_ARGS])(const char *arg);
	const char *args; /* for people */
} table[] = {
	{ "kernel-has-parm", has_parm, { is_word, is_word }, " MODULE PARAMETER" },
	{ "kernel-has-module", has_module, { is_word }, " MODULE" },
	{ "kernel-older-than", older_than, { is_version }, " VERSION" },
	{ "kernel-flavour-since", sp_ask_flavour_since, { is_word, is_version }, " FLAVOUR VERSION" },
	{ "npu-present", npu_present, { NULL }, "" },
	{ "zram-present", zram_present, { NULL }, "" },
	{ "no-disk-swap", no_disk_swap, { NULL }, "" },
	{ "platform", is_platform, { sp_id_ok }, " ID" },
	{ "boot-setup", sp_ask_boot_setup, { sp_id_ok }, " NAME" },
	{ "fact-known", sp_ask_fact_known, { is_fact }, " FACT" },
	{ "fact-is", sp_ask_fact_is, { is_fact, is_text }, " FACT TEXT" },
	{ "fact-begins", sp_ask_fact_begins, { is_fact, is_text }, " FACT TEXT" },
	{ "fact-at-least", sp_ask_fact_at_least, { is_fact, is_number }, " FACT NUMBER" },
	{ "fact-at-most", sp_ask_fact_at_most, { is_fact, is_number }, " FACT NUMBER" },
	{ "cmdline-has", sp_ask_cmdline_has, { sp_token_is_safe }, " TOKEN" },
	{ "gtt-over-percent", sp_ask_gtt_over, { is_number }, " PERCENT" },
	{ "gttsize-disagrees", sp_ask_gttsize_disagrees, { NULL }, "" },
};

static size_t n_args(const struct predicate *p)
{
	size_t n = 0;

	while (n < MAX_ARGS && p->arg_ok[n])
		n++;
	return n;
}

static const struct predicate *find(const char *name)
{
	for (size_t i = 0; i < SP_ELEMENTS(table); i++)
		if (sp_streq(table[i].name, name))
			return &table[i];
	return NULL;
}

/* --- the text -------------------------------------------------------------------------------------------------- */

static void split(const char *text, struct sp_strv *words)
{
	while (*(text += strspn(text, " "))) {
		size_t len = strcspn(text, " ");
		sp_strv_take(words, sp_xstrndup(text, len));
		text += len;
	}
}

/* The end of the part that begins at word `from`: the next "and", or the end of all. */
static size_t part_end(const struct sp_strv *words, size_t from)
{
	while (from < words->n && !sp_streq(words->v[from], "and"))
		from++;
	return from;
}

static int fail(struct sp_error **err, const char *before, const char *word, const char *after)
{
	(void) sp_error_set(err, -EINVAL, "%s'%s'%s", before, word, after);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	return -EINVAL;
}

static int no_fact(const char *name, struct sp_error **err)
{
	const char *names[SP_FACT__COUNT];

	for (int i = 0; i < SP_FACT__COUNT; i++)
		names[i] = sp_fact_name((enum sp_fact) i);
	(void) fail(err, "there is no fact ", name, "");
	(void) sp_hint_names(err, name, names, SP_FACT__COUNT);
	return -EINVAL;
}

static int check_part(const char *text, char **words, size_t n, struct sp_error **err)
{
	const char *names[SP_ELEMENTS(table)];
	const struct predicate *p = n ? find(words[0]) : NULL;

	if (n == 0)
		return fail(err, "a predicate is missing in ", text, "");
	for (size_t i = 0; i < SP_ELEMENTS(table); i++)
		names[i] = table[i].name;
	if (!p) {
		(void) fail(err, "there is no predicate ", words[0], "");
		(void) sp_hint_names(err, words[0], names, SP_ELEMENTS(names));
		return -EINVAL;
	}
	if (n - 1 != n_args(p)) {
		(void) fail(err, "", text, n - 1 < n_args(p) ? " says too little" : " says too much");
		(void) sp_error_hint(err, "the form is '%s%s'", p->name, p->args);
		return -EINVAL;
	}
	for (size_t i = 1; i < n; i++)
		if (!p->arg_ok[i - 1](words[i]))
			return p->arg_ok[i - 1] == is_fact ? no_fact(words[i], err)
							   : fail(err, "", words[i], " cannot be asked for");
	return 0;
}

int sp_predicate_check(const char *text, struct sp_error **err)
{
	sp_autostrv struct sp_strv words = { 0 };
	size_t from = 0;

	split(text, &words);
	for (;;) {
		size_t end = part_end(&words, from);
		int r = check_part(text, words.v + from, end - from, err);
		if (r < 0 || end == words.n)
			return r;
		from = end + 1;
	}
}

enum sp_tristate sp_predicate_ask(const char *text, const struct sp_question *q, char **why)
{
	sp_autostrv struct sp_strv words = { 0 };
	sp_autofree char *first_why = NULL;
	enum sp_tristate all = SP_YES;

	split(text, &words);
	for (size_t from = 0; from < words.n; from = part_end(&words, from) + 1) {
		const struct predicate *p = find(words.v[from]);
		sp_autofree char *reason = NULL;
		if (!p || part_end(&words, from) - from - 1 != n_args(p))
			return SP_NO; /* refused on load */
		enum sp_tristate one = p->ask(q, words.v + from + 1, &reason);
		if (one == SP_NO)
			return SP_NO;
		if (one == SP_UNKNOWN && all == SP_YES)
			first_why = sp_steal(reason);
		if (one == SP_UNKNOWN)
			all = SP_UNKNOWN;
	}
	if (why && all == SP_UNKNOWN)
		*why = sp_steal(first_why);
	return all;
}

char *sp_predicate_platform(const char *text)
{
	sp_autostrv struct sp_strv words = { 0 };

	split(text, &words);
	for (size_t i = 0; i + 1 < words.n; i = part_end(&words, i) + 1)
		if (sp_streq(words.v[i], "platform"))
			return sp_xstrdup(words.v[i + 1]);
	return NULL;
}
