/* SPDX-License-Identifier: MIT */
/* Conditions of settings and advisories. */
#include "catalog/internal.h"

static int check_ask(const config_setting_t *s, const char *text, struct sp_error **err)
{
	return sp_predicate_check(text, err) < 0 ? sp_wrap_at(s, err) : 0;
}

static const struct sp_key condition_keys[] = {
	{ "ask", sp_cfg_text, offsetof(struct sp_condition, text), true },
	{ "message", sp_cfg_text, offsetof(struct sp_condition, message), true },
	{ 0 },
};

/* "npu-present", or { ask = "npu-present"; message = "..."; } */
static int read_one(const config_setting_t *s, struct sp_condition *c, struct sp_error **err)
{
	int r = config_setting_is_group(s) ? sp_cfg_group(s, condition_keys, c, err) : sp_cfg_text(s, &c->text, err);

	return r < 0 ? r : check_ask(s, c->text, err);
}

int sp_conditions_read(const config_setting_t *s, struct sp_condition **v, size_t *n, struct sp_error **err)
{
	const bool many = config_setting_is_list(s) || config_setting_is_array(s);
	const size_t length = many ? (size_t) config_setting_length(s) : 1;

	*v = sp_xcalloc(length, sizeof(**v));
	for (*n = 0; *n < length;) {
		const config_setting_t *one = many ? config_setting_get_elem(s, (unsigned) *n) : s;
		int r = read_one(one, &(*v)[(*n)++], err);
		if (r < 0)
			return r;
	}
	return 0;
}

void sp_conditions_clear(struct sp_condition *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].text);
		free(v[i].message);
	}
	free(v);
}
