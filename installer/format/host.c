/* SPDX-License-Identifier: MIT */
#include "format/host.h"

#include <errno.h>

#include "format/bls.h"
#include "format/grubenv.h"
#include "format/kernelstub.h"
#include "format/limine-tool.h"
#include "format/limine.h"
#include "format/plain.h"
#include "format/refind.h"
#include "format/shellvar.h"

static const struct {
	const char *name;
	bool has_var;
	int (*get)(const struct sp_buf *file, const char *var, char **ret, struct sp_error **err);
	int (*put)(const struct sp_buf *file, const char *var, const char *line, struct sp_buf *ret,
		   struct sp_error **err);
} kinds[SP_HOST__COUNT] = {
	[SP_HOST_BLS] = { "bls", false, sp_bls_get_options, sp_bls_put_options },
	[SP_HOST_PLAIN] = { "plain", false, sp_plain_get, sp_plain_put },
	[SP_HOST_SHELL] = { "shell", true, sp_shellvar_get, sp_shellvar_put },
	[SP_HOST_BLS_ALL] = { "bls-all", false, sp_bls_get_all_options, sp_bls_put_all_options },
	[SP_HOST_GRUBENV] = { "grubenv", true, sp_grubenv_get, sp_grubenv_put },
	[SP_HOST_REFIND] = { "refind", false, sp_refind_get, sp_refind_put },
	[SP_HOST_LIMINE] = { "limine", true, sp_limine_get, sp_limine_put },
	[SP_HOST_LIMINE_TOOL] = { "limine-tool", true, sp_limine_tool_get, sp_limine_tool_put },
	[SP_HOST_KERNELSTUB] = { "kernelstub", false, sp_kernelstub_get, sp_kernelstub_put },
};

static int check(const struct sp_host *host, struct sp_error **err)
{
	if (host->kind >= SP_HOST__COUNT || kinds[host->kind].has_var != !!host->var)
		return sp_error_set(err, -EINVAL, "internal: place of kind %d %s a variable", (int) host->kind,
				    host->var ? "with" : "without");
	return 0;
}

int sp_host_get(const struct sp_host *host, const struct sp_buf *file, char **ret, struct sp_error **err)
{
	sp_autofree char *line = NULL;
	int r = check(host, err);

	if (r < 0)
		return r;
	r = kinds[host->kind].get(file, host->var, &line, err);
	if (r < 0)
		return r;
	if (strlen(line) > SP_HOST_LINE_MAX)
		return sp_error_set(err, -EINVAL, "a line of %zu bytes cannot be a kernel command line", strlen(line));
	*ret = sp_steal(line);
	return 0;
}

int sp_host_put(const struct sp_host *host, const struct sp_buf *file, const char *line, struct sp_buf *ret,
		struct sp_error **err)
{
	int r = check(host, err);

	return r < 0 ? r : kinds[host->kind].put(file, host->var, line, ret, err);
}

const char *sp_host_name(enum sp_host_kind kind)
{
	return kind < SP_HOST__COUNT ? kinds[kind].name : "unknown";
}

int sp_host_by_name(const char *name, enum sp_host_kind *ret)
{
	for (size_t i = 0; i < SP_ELEMENTS(kinds); i++)
		if (sp_streq(kinds[i].name, name)) {
			*ret = (enum sp_host_kind) i;
			return 0;
		}
	return -ENOENT;
}
