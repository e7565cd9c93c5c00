/* SPDX-License-Identifier: MIT */
#include "format/cmdline.h"

/* The kernel's isspace() without its Latin-1 blank 0xa0, which would cut UTF-8 letters in two. */
static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t token_length(const char *s)
{
	bool quoted = false;
	size_t i;

	for (i = 0; s[i] && (quoted || !is_blank(s[i])); i++)
		if (s[i] == '"')
			quoted = !quoted;
	return i;
}

/*
 * Key and value as the kernel's next_arg() cuts them: one quote at the start of the token or of the value, and one at
 * the very end, are dropped; the first '=' counts, unless the token starts with it.
 */
static void split_token(struct sp_arg *arg)
{
	bool quoted = arg->text[0] == '"';
	const char *s = arg->text + quoted;
	size_t n = strlen(s), equals = 0, value;

	for (size_t i = 1; i < n && !equals; i++)
		if (s[i] == '=')
			equals = i;
	value = equals + 1;
	if (equals && s[value] == '"') {
		value++;
		quoted = true;
	}
	if (quoted && n > 0 && s[n - 1] == '"')
		n--;
	arg->key = sp_xstrndup(s, equals ? equals : n);
	if (equals)
		arg->value = sp_xstrndup(s + value, n > value ? n - value : 0);
}

void sp_args_parse(const char *line, struct sp_args *ret)
{
	bool for_init = false;

	*ret = (struct sp_args){ 0 };
	for (size_t i = 0; line[i];) {
		if (is_blank(line[i])) {
			i++;
			continue;
		}
		struct sp_arg arg = { .start = i, .len = token_length(line + i) };

		arg.text = sp_xstrndup(line + i, arg.len);
		split_token(&arg);
		if (!arg.value && sp_streq(arg.key, "--"))
			for_init = true;
		arg.for_init = for_init;
		ret->v = sp_xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
		ret->v[ret->n++] = arg;
		i += arg.len;
	}
}

void sp_args_clear(struct sp_args *args)
{
	for (size_t i = 0; i < args->n; i++) {
		free(args->v[i].text);
		free(args->v[i].key);
		free(args->v[i].value);
	}
	free(args->v);
	*args = (struct sp_args){ 0 };
}

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

bool sp_key_eq(const char *a, const char *b)
{
	while (*a && fold(*a) == fold(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/*
 * Keys that are given several times on purpose: each one counts, or they come in ordered pairs. '*' stands for
 * anything, at one end. (kernel-parameters.txt; dracut.cmdline(7); systemd's kernel-command-line(7))
 */
static const char *const multi_keys[] = {
	"acpi_osi",
	"bond",
	"bridge",
	"cgroup_disable",
	"console",
	"crashkernel", /* ",high" and ",low" come as a pair */
	"*.dyndbg",
	"dyndbg",
	"earlycon",
	"earlyprintk",
	"efi_fake_mem",
	"hugepages", /* counts for the hugepagesz before it */
	"hugepagesz",
	"ifname",
	"initrd",
	"ip",
	"kunit.filter",
	"luks.*",
	"memmap",
	"modprobe.blacklist",
	"modules_load",
	"nameserver",
	"netdev",
	"ostree",
	"rd.*",
	"reserve_mem",
	"systemd.mask",
	"systemd.mount_extra",
	"systemd.set_credential",
	"systemd.setenv",
	"systemd.swap_extra",
	"systemd.wants",
	"team",
	"video",
	"vlan",
};

static bool key_matches(const char *pattern, const char *key)
{
	size_t n = strlen(pattern), m = strlen(key);

	if (pattern[0] == '*')
		return m >= n - 1 && sp_key_eq(pattern + 1, key + (m - (n - 1)));
	if (pattern[n - 1] != '*')
		return sp_key_eq(pattern, key);
	for (size_t i = 0; i + 1 < n; i++)
		if (fold(key[i]) != fold(pattern[i]))
			return false;
	return true;
}

bool sp_key_is_multi(const char *key)
{
	for (size_t i = 0; i < SP_ELEMENTS(multi_keys); i++)
		if (key_matches(multi_keys[i], key))
			return true;
	return false;
}

char *sp_token_key(const char *token)
{
	sp_autoargs struct sp_args args = { 0 };

	sp_args_parse(token, &args);
	return args.n > 0 ? sp_steal(args.v[0].key) : sp_xstrdup("");
}

static bool arg_eq(const struct sp_arg *a, const struct sp_arg *b)
{
	return sp_key_eq(a->key, b->key) && (a->value ? sp_streq(a->value, b->value) : !b->value);
}

bool sp_token_eq(const char *a, const char *b)
{
	sp_autoargs struct sp_args x = { 0 }, y = { 0 };

	sp_args_parse(a, &x);
	sp_args_parse(b, &y);
	return x.n == 1 && y.n == 1 && arg_eq(&x.v[0], &y.v[0]);
}

bool sp_token_is_open(const char *token)
{
	bool open = false;

	for (; *token; token++)
		open ^= *token == '"';
	return open;
}

char *sp_cmdline_value(const char *line, const char *key)
{
	sp_autoargs struct sp_args args = { 0 };
	const struct sp_arg *found = NULL;

	sp_args_parse(line, &args);
	for (size_t i = 0; i < args.n; i++)
		if (!args.v[i].for_init && sp_key_eq(args.v[i].key, key))
			found = &args.v[i];
	if (!found)
		return NULL;
	return sp_xstrdup(found->value ? found->value : "");
}

enum sp_presence sp_cmdline_presence(const char *line, const char *token)
{
	sp_autoargs struct sp_args args = { 0 }, want = { 0 };
	size_t of_key = 0, equal = 0;
	bool last = false;

	sp_args_parse(line, &args);
	sp_args_parse(token, &want);
	if (want.n != 1)
		return SP_ABSENT;
	bool multi = sp_key_is_multi(want.v[0].key);
	for (size_t i = 0; i < args.n; i++) {
		bool eq = arg_eq(&args.v[i], &want.v[0]);

		if (args.v[i].for_init || (multi ? !eq : !sp_key_eq(args.v[i].key, want.v[0].key)))
			continue;
		of_key++;
		equal += eq;
		last = eq;
	}
	if (of_key == 0)
		return SP_ABSENT;
	if (equal == 0)
		return SP_OTHER;
	if (!last)
		return SP_OVERRIDDEN;
	return of_key == 1 ? SP_PRESENT : SP_EFFECTIVE;
}

bool sp_token_is_safe(const char *token)
{
	if (!*token || *token == '=' || *token == '-' || strlen(token) >= SP_CMDLINE_MAX)
		return false;
	for (const char *c = token; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("\"'`#$\\;&|{}()<>*?!~", *c))
			return false;
	return true;
}
