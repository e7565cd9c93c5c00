/* SPDX-License-Identifier: MIT */
#include "format/booster.h"

#include "format/lines.h"

/* "text", 'text' or text. */
static char *unquote(char *s)
{
	const size_t n = strlen(s);

	if (n < 2 || s[0] != s[n - 1] || (*s != '"' && *s != '\''))
		return s;
	s[n - 1] = '\0';
	return s + 1;
}

void sp_booster_options(const struct sp_buf *yaml, struct sp_buf *ret)
{
	struct sp_textline l = { 0 };
	bool inside = false;

	while (sp_text_next(yaml, &l)) {
		sp_autofree char *line = sp_xstrndup(yaml->data + l.start, l.end - l.start);
		const bool indented = sp_text_is_blank(*line);
		char *key = sp_strip(line), *colon = strstr(key, ": ");

		if (!*key || *key == '#')
			continue;
		if (!indented)
			inside = sp_streq(key, "modprobeoptions:");
		if (!inside || !indented || !colon)
			continue;
		*colon = '\0';
		sp_buf_addf(ret, "options %s %s\n", unquote(sp_strip(key)), unquote(sp_strip(colon + 1)));
	}
}
