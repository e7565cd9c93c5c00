/* SPDX-License-Identifier: MIT */
#include "hw/carveout.h"

#include <ctype.h>
#include <errno.h>

#include "hw/internal.h"
#include "hw/paths.h"

#define HP "/sys/class/firmware-attributes/hp-bioscfg/"

int sp_hw_parse_size(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *unit;
		unsigned shift;
	} units[] = { { "MB", 20 }, { "M", 20 }, { "MiB", 20 }, { "GB", 30 }, { "G", 30 }, { "GiB", 30 } };
	size_t n = strspn(text, "0123456789");
	sp_autofree char *digits = sp_xstrndup(text, n), *rest = sp_xstrdup(text + n);
	const char *unit = sp_strip(rest);
	uint64_t number = 0;
	int r = sp_parse_u64(digits, &number);

	if (r < 0)
		return r;
	for (size_t i = 0; i < SP_ELEMENTS(units); i++) {
		if (strcasecmp(units[i].unit, unit) != 0)
			continue;
		if (number > UINT64_MAX >> units[i].shift)
			return -ERANGE;
		*ret_bytes = number << units[i].shift;
		return 0;
	}
	return -EINVAL;
}

static uint64_t size_mib(const char *text)
{
	uint64_t bytes = 0;

	return sp_hw_parse_size(text, &bytes) < 0 ? 0 : bytes >> 20;
}

static struct sp_uma_source *add_source(struct sp_carveout *c, enum sp_uma_kind kind, char *name, char *path)
{
	c->sources = sp_xrealloc(c->sources, c->n_sources + 1, sizeof(*c->sources));
	c->sources[c->n_sources] = (struct sp_uma_source){ .kind = kind, .name = name, .path = path };
	return &c->sources[c->n_sources++];
}

static void add_choice(struct sp_uma_source *s, const char *text, const char *name, uint64_t mib)
{
	s->choices = sp_xrealloc(s->choices, s->n_choices + 1, sizeof(*s->choices));
	s->choices[s->n_choices++] = (struct sp_uma_choice){ sp_xstrdup(text), sp_xstrdup(name), mib };
}

/* The value, and whether anybody may write it. false: it cannot be read, and why says so. */
static bool read_value(const struct sp_root *machine, struct sp_uma_source *s)
{
	sp_autofree char *line = NULL;
	struct stat st;
	int r = sp_root_read_line(machine, s->path, &line);

	if (r < 0) {
		s->why = sp_xstrdup(sp_hw_reason(r));
		return false;
	}
	s->value = sp_xstrdup(sp_strip(line));
	s->read_only = sp_root_stat(machine, s->path, &st) == 0 && !(st.st_mode & 0222);
	return true;
}

/* --- amdgpu ------------------------------------------------------------------------------------------------------- */

/* "INDEX: NAME (SIZE)": the size is in the last parentheses, and a name may have some. */
static void add_option(struct sp_uma_source *s, char *line)
{
	char *colon = strchr(line, ':'), *open = strrchr(line, '('), *close = open ? strchr(open, ')') : NULL;
	uint64_t index = 0;

	if (!colon)
		return;
	*colon = '\0';
	const char *name = sp_strip(colon + 1);
	if (sp_parse_u64(sp_strip(line), &index) < 0)
		return;
	sp_autofree char *whole = sp_xstrdup(name), *text = sp_xasprintf("%llu", (unsigned long long) index);
	if (close && open > colon)
		*close = '\0';
	add_choice(s, text, whole, close && open > colon ? size_mib(sp_strip(open + 1)) : 0);
}

static void read_amdgpu(const struct sp_root *machine, const char *gpu, struct sp_carveout *c)
{
	char *path = sp_xasprintf(SP_PCI_DEVICES "/%s/uma/carveout", gpu), *save = NULL;
	sp_autofree char *options_path = sp_xasprintf("%s_options", path);
	struct sp_uma_source *s = add_source(c, SP_UMA_AMDGPU, sp_xstrdup("amdgpu"), path);
	sp_autobuf struct sp_buf options = { 0 };
	uint64_t index = 0;

	if (!read_value(machine, s))
		return;
	if (sp_parse_u64(s->value, &index) < 0) {
		s->why = sp_xasprintf("'%s' is not a number", s->value);
		return;
	}
	int r = sp_root_read(machine, options_path, SP_FILE_MAX, &options, NULL);
	for (char *line = r < 0 ? NULL : strtok_r(options.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_option(s, line);
	for (size_t i = 0; i < s->n_choices; i++)
		if (sp_streq(s->choices[i].text, s->value))
			s->mib = s->choices[i].mib;
	if (s->mib == 0)
		s->why = sp_xasprintf("its options: %s",
				      r < 0 ? sp_hw_reason(r) : "the chosen line is not there, or is no size");
}

/* --- firmware attributes ------------------------------------------------------------------------------------------ */

/*
 * How sure a BIOS attribute's name is to mean the carve-out; 0: it does not. Firmware differs in case and in '_' for
 * ' '. "Dedicated Graphics Memory" is HP's; the others are labels of menus.
 */
static int rate_name(const char *name)
{
	static const char *const known[] = { "dedicated graphics memory", "uma video memory size", "video memory size",
					     "uma frame buffer size" };
	sp_autofree char *plain = sp_xstrdup(name);

	for (char *c = plain; *c; c++)
		*c = *c == '_' ? ' ' : (char) tolower((unsigned char) *c);
	for (size_t i = 0; i < SP_ELEMENTS(known); i++)
		if (sp_streq(plain, known[i]))
			return 10 - (int) i;
	return sp_startswith(plain, "uma ") ? 1 : 0;
}

bool sp_firmware_is_carve_out(const char *attribute)
{
	return rate_name(attribute) > 0;
}

/* "512 MB;4 GB;8 GB" */
static void read_choices(const struct sp_root *machine, const char *folder, struct sp_uma_source *s)
{
	sp_autofree char *path = sp_xasprintf("%s/possible_values", folder), *line = NULL;
	char *save = NULL;

	if (sp_root_read_line(machine, path, &line) < 0)
		return; /* then none is known */
	for (char *word = strtok_r(line, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		word = sp_strip(word);
		if (*word)
			add_choice(s, word, word, size_mib(word));
	}
}

static void read_attribute(const struct sp_root *machine, const char *name, struct sp_carveout *c)
{
	sp_autofree char *folder = sp_xasprintf(HP "attributes/%s", name);
	struct sp_uma_source *s = add_source(c, SP_UMA_ATTRIBUTE, sp_xasprintf("hp-bioscfg '%s'", name),
					     sp_xasprintf("%s/current_value", folder));

	if (!read_value(machine, s))
		return;
	s->mib = size_mib(s->value);
	if (s->mib == 0)
		s->why = sp_xasprintf("'%s' is not a size", s->value);
	read_choices(machine, folder, s);
}

static void read_hp(const struct sp_root *machine, struct sp_carveout *c)
{
	sp_autostrv struct sp_strv names = { 0 };
	bool any = false;
	int r = sp_root_list(machine, HP "attributes", &names);

	for (int rating = 10; rating > 0; rating--)
		for (size_t i = 0; i < names.n; i++)
			if (rate_name(names.v[i]) == rating) {
				read_attribute(machine, names.v[i], c);
				any = true;
			}
	if (!any)
		add_source(c, SP_UMA_ATTRIBUTE, sp_xstrdup("hp-bioscfg"), sp_xstrdup(HP "attributes"))->why =
			sp_xstrdup(r < 0 ? sp_hw_reason(r) : "none tells the carve-out");
}

static bool reads(const struct sp_root *machine, const char *object, const char *file, const char *expected)
{
	sp_autofree char *path = sp_xasprintf(HP "authentication/%s/%s", object, file), *line = NULL;

	return sp_root_read_line(machine, path, &line) == 0 && sp_streq(sp_strip(line), expected);
}

/* "Setup Password" is the administrator's; "SPM" stands for HP Sure Admin. */
static void read_authentication(const struct sp_root *machine, struct sp_carveout *c)
{
	c->no_password_object = sp_root_exists(machine, HP "authentication") &&
				!sp_root_exists(machine, HP "authentication/Setup Password");
	if (reads(machine, "Setup Password", "is_enabled", "1"))
		c->credential = sp_xstrdup(HP "authentication/Setup Password/current_password");
	c->sure_admin = reads(machine, "SPM", "role", "enhanced-bios-auth") && reads(machine, "SPM", "is_enabled", "1");
}

/* --- together ----------------------------------------------------------------------------------------------------- */

static void choose_source(struct sp_carveout *c)
{
	for (size_t i = 0; i < c->n_sources && !c->source; i++)
		if (c->sources[i].mib)
			c->source = &c->sources[i];
	for (size_t i = 0; i < c->n_sources && !c->source; i++)
		if (c->sources[i].value)
			c->source = &c->sources[i];
}

void sp_carveout_read(const struct sp_root *machine, const char *gpu, struct sp_carveout *ret)
{
	*ret = (struct sp_carveout){ 0 };
	if (gpu)
		read_amdgpu(machine, gpu, ret);
	read_hp(machine, ret);
	choose_source(ret);
	if (ret->source && ret->source->kind == SP_UMA_ATTRIBUTE)
		read_authentication(machine, ret);
}

void sp_carveout_clear(struct sp_carveout *c)
{
	for (size_t i = 0; i < c->n_sources; i++) {
		struct sp_uma_source *s = &c->sources[i];
		for (size_t k = 0; k < s->n_choices; k++) {
			free(s->choices[k].text);
			free(s->choices[k].name);
		}
		free(s->choices);
		free(s->name);
		free(s->path);
		free(s->value);
		free(s->why);
	}
	free(c->sources);
	free(c->credential);
	*c = (struct sp_carveout){ 0 };
}

const struct sp_uma_choice *sp_uma_choice(const struct sp_uma_source *s, uint64_t mib)
{
	for (size_t i = 0; i < s->n_choices; i++)
		if (s->choices[i].mib && s->choices[i].mib == mib)
			return &s->choices[i];
	return NULL;
}

const struct sp_uma_choice *sp_uma_nearest(const struct sp_uma_source *s, uint64_t mib)
{
	const struct sp_uma_choice *best = NULL;
	uint64_t off = 0;

	for (size_t i = 0; i < s->n_choices; i++) {
		const struct sp_uma_choice *c = &s->choices[i];
		uint64_t d = c->mib < mib ? mib - c->mib : c->mib - mib;
		if (c->mib && (!best || d < off || (d == off && c->mib < best->mib))) {
			best = c;
			off = d;
		}
	}
	return best;
}

/* The reasons of all, where none tells. */
void sp_read_uma_next(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	const struct sp_value *gpu = &f->v[SP_FACT_GPU_ADDRESS];
	sp_autocarveout struct sp_carveout c = { 0 };
	sp_autostrv struct sp_strv why = { 0 };

	(void) arg;
	sp_carveout_read(f->machine, gpu->known ? gpu->text : NULL, &c);
	if (c.source && c.source->mib) {
		sp_fact_set_num(f, fact, c.source->path, c.source->mib << 20);
		return;
	}
	if (!gpu->known)
		sp_strv_addf(&why, "%s: %s", gpu->source, gpu->why);
	for (size_t i = 0; i < c.n_sources; i++)
		sp_strv_addf(&why, "%s: %s", c.sources[i].path, c.sources[i].why);
	sp_autofree char *reasons = sp_strv_join(&why, "; ");
	sp_fact_set_unknown(f, fact, "firmware", "%s", reasons);
}
