/* SPDX-License-Identifier: MIT */
/* Predicates about facts as they are, and about what the next boot will get. */
#include "catalog/internal.h"
#include "format/cmdline.h"

/* --- facts ----------------------------------------------------------------------------------------------------- */

/* The value of a fact that was named; NULL and why: it is not known. The names were checked on load. */
static const struct sp_value *value_of(const struct sp_question *q, const char *name, char **why)
{
	enum sp_fact fact;

	if (sp_fact_by_name(name, &fact) < 0) {
		*why = sp_xasprintf("there is no fact '%s'", name);
		return NULL;
	}
	if (!q->facts->v[fact].known) {
		*why = sp_xasprintf("%s: %s", name, q->facts->v[fact].why);
		return NULL;
	}
	return &q->facts->v[fact];
}

enum sp_tristate sp_ask_fact_known(const struct sp_question *q, char **args, char **why)
{
	sp_autofree char *reason = NULL;

	(void) why;
	return value_of(q, args[0], &reason) ? SP_YES : SP_NO;
}

enum sp_tristate sp_ask_fact_is(const struct sp_question *q, char **args, char **why)
{
	const struct sp_value *v = value_of(q, args[0], why);

	return !v ? SP_UNKNOWN : sp_streq(v->text, args[1]) ? SP_YES : SP_NO;
}

enum sp_tristate sp_ask_fact_begins(const struct sp_question *q, char **args, char **why)
{
	const struct sp_value *v = value_of(q, args[0], why);

	return !v ? SP_UNKNOWN : sp_startswith(v->text, args[1]) ? SP_YES : SP_NO;
}

/* <0, 0, >0; false: cannot be compared. */
static bool compare(const struct sp_question *q, char **args, char **why, int *ret)
{
	const struct sp_value *v = value_of(q, args[0], why);
	uint64_t bound = 0;

	if (!v)
		return false;
	if ((!v->is_number && !v->is_list) || sp_parse_u64(args[1], &bound) < 0) {
		*why = sp_xasprintf("%s is no number", args[0]);
		return false;
	}
	*ret = v->number < bound ? -1 : v->number > bound;
	return true;
}

enum sp_tristate sp_ask_fact_at_least(const struct sp_question *q, char **args, char **why)
{
	int r = 0;

	return !compare(q, args, why, &r) ? SP_UNKNOWN : r >= 0 ? SP_YES : SP_NO;
}

enum sp_tristate sp_ask_fact_at_most(const struct sp_question *q, char **args, char **why)
{
	int r = 0;

	return !compare(q, args, why, &r) ? SP_UNKNOWN : r <= 0 ? SP_YES : SP_NO;
}

/* --- the next boot --------------------------------------------------------------------------------------------- */

/* "6.14.0-1018-oem" is of the flavour "oem"; a kernel of another flavour is not, whatever its version. */
enum sp_tristate sp_ask_flavour_since(const struct sp_question *q, char **args, char **why)
{
	if (!q->kernel) {
		*why = sp_xstrdup("no kernel is installed that would boot");
		return SP_UNKNOWN;
	}
	sp_autofree char *suffix = sp_xasprintf("-%s", args[0]);
	return sp_endswith(q->kernel, suffix) && sp_version_compare(q->kernel, args[1]) >= 0 ? SP_YES : SP_NO;
}

enum sp_tristate sp_ask_boot_setup(const struct sp_question *q, char **args, char **why)
{
	if (!q->boot) {
		*why = sp_xstrdup("the boot setup is not known");
		return SP_UNKNOWN;
	}
	return sp_streq(q->boot, args[0]) ? SP_YES : SP_NO;
}

enum sp_tristate sp_ask_cmdline_has(const struct sp_question *q, char **args, char **why)
{
	if (!q->line) {
		*why = sp_xstrdup("the command line is not known");
		return SP_UNKNOWN;
	}
	enum sp_presence p = sp_cmdline_presence(q->line, args[0]);
	return p == SP_PRESENT || p == SP_EFFECTIVE ? SP_YES : SP_NO;
}

enum sp_tristate sp_ask_gtt_over(const struct sp_question *q, char **args, char **why)
{
	uint64_t percent = 0;

	if (q->gtt_mib == 0 || q->mem_kib == 0 || sp_parse_u64(args[0], &percent) < 0) {
		*why = sp_xstrdup(q->mem_kib ? "the limit of TTM is not known" : "the size of memory is not known");
		return SP_UNKNOWN;
	}
	return q->gtt_mib * 1024 * 100 > q->mem_kib * percent ? SP_YES : SP_NO;
}

/* The kernel compares the two to the byte, and says "this is unusual" where they differ. */
enum sp_tristate sp_ask_gttsize_disagrees(const struct sp_question *q, char **args, char **why)
{
	(void) args;
	if (q->gttsize_mib == 0)
		return SP_NO;
	if (q->gtt_mib == 0) {
		*why = sp_xstrdup("the limit of TTM is not known");
		return SP_UNKNOWN;
	}
	return q->gttsize_mib != q->gtt_mib ? SP_YES : SP_NO;
}
