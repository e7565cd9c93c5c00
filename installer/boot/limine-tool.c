/* SPDX-License-Identifier: MIT */
/*
 * limine-entry-tool (with limine-mkinitcpio-hook, limine-dracut-support) gives new entries the line that its layers make, read
 * in this order: /usr/share/limine-entry-tool.d, /etc/limine-entry-tool.conf, /etc/limine-entry-tool.d, /etc/default/limine. As
 * soon as one of them says anything, also "+=", /etc/kernel/cmdline and the line of the running kernel do not count any
 * more. So a file of ours is added only where the others have root= already (rule R0); where none says anything, ours goes into
 * /etc/kernel/cmdline; and where a layer that is read after ours begins anew with '=', it goes there.
 */
#include <errno.h>

#include "boot/limine.h"
#include "format/dropin.h"
#include "format/limine-tool.h"

#define VENDOR_D "/usr/share/limine-entry-tool.d"
#define CONF	 "/etc/limine-entry-tool.conf"
#define NAME	 "default"

static const struct sp_host host = { .kind = SP_HOST_LIMINE_TOOL, .var = (char *) NAME };
static const char *const tools[] = { "/usr/bin/limine-entry-tool", "/usr/bin/limine-mkinitcpio", "/usr/bin/limine-update" };

void sp_limine_layers_clear(struct sp_limine_layers *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].text);
	}
	free(l->v);
	free(l->own);
	sp_strv_clear(&l->kernels);
	*l = (struct sp_limine_layers){ 0 };
}

/* --- read -------------------------------------------------------------------------------------------------------- */

/* "fallback" is for entries that people go to when the others fail. */
static void note_kernels(const struct sp_limine_assigns *a, const char *path, struct sp_strv *kernels)
{
	for (size_t i = 0; i < a->n; i++) {
		sp_autofree char *text = sp_xasprintf("'%s' (%s)", a->v[i].name, path);

		if (!sp_streq(a->v[i].name, NAME) && !sp_streq(a->v[i].name, "fallback") && !sp_strv_has(kernels, text))
			sp_strv_add(kernels, text);
	}
}

static void add_layer(const struct sp_limine_assigns *a, const struct sp_buf *file, const char *path, struct sp_limine_layers *l)
{
	struct sp_limine_layer layer = { 0 };

	if (sp_host_get(&host, file, &layer.text, NULL) < 0)
		return;
	layer.path = sp_xstrdup(path);
	for (size_t i = 0; i < a->n; i++) {
		if (!sp_streq(a->v[i].name, NAME))
			continue;
		layer.line = a->v[i].line;
		layer.anew = layer.anew || a->v[i].anew;
	}
	l->v = sp_xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = layer;
}

static int read_layer(const struct sp_root *root, const char *path, struct sp_limine_layers *l, struct sp_error **err)
{
	sp_autoerror struct sp_error *why = NULL;
	sp_autobuf struct sp_buf file = { 0 };
	sp_autolayer struct sp_limine_assigns a = { 0 };
	int r = sp_root_read(root, path, SP_FILE_MAX, &file, &why);

	if (r == -ENOENT)
		return 0;
	if (r == 0) {
		r = sp_limine_tool_parse(&file, &a, &why);
		if (r < 0)
			(void) sp_error_wrap(&why, "'%s'", path);
	}
	if (r < 0) {
		(void) sp_error_path(&why, path);
		return sp_boot_fail(err, &why);
	}
	if (sp_streq(path, SP_LIMINE_OWN)) {
		if (sp_host_get(&host, &file, &l->own, NULL) < 0)
			l->own = NULL; /* it says nothing */
		return 0;
	}
	note_kernels(&a, path, &l->kernels);
	add_layer(&a, &file, path, l);
	return 0;
}

static int read_folder(const struct sp_root *root, const char *dir, struct sp_limine_layers *l, struct sp_error **err)
{
	sp_autostrv struct sp_strv names = { 0 };
	int r = sp_root_list(root, dir, &names);

	if (r < 0 && r != -ENOENT) {
		(void) sp_error_errno(err, r, "cannot list '%s'", dir);
		return sp_error_path(err, dir);
	}
	r = 0;
	sp_strv_sort(&names);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", dir, names.v[i]);

		if (names.v[i][0] != '.' && sp_endswith(names.v[i], ".conf"))
			r = read_layer(root, path, l, err);
	}
	return r;
}

int sp_limine_layers_read(const struct sp_root *root, struct sp_limine_layers *ret, struct sp_error **err)
{
	*ret = (struct sp_limine_layers){ 0 };
	for (size_t i = 0; i < SP_ELEMENTS(tools); i++)
		ret->tool = ret->tool || sp_root_exists(root, tools[i]);
	if (!ret->tool)
		return 0;
	int r = read_folder(root, VENDOR_D, ret, err);
	if (r == 0)
		r = read_layer(root, CONF, ret, err);
	if (r == 0)
		r = read_folder(root, SP_LIMINE_D, ret, err);
	if (r == 0)
		r = read_layer(root, SP_LIMINE_DEFAULT, ret, err);
	return r;
}

/* The first layer that counts. */
static size_t first_layer(const struct sp_limine_layers *l)
{
	size_t first = 0;

	for (size_t i = 0; i < l->n; i++)
		first = l->v[i].anew ? i : first;
	return first;
}

char *sp_limine_layers_text(const struct sp_limine_layers *l)
{
	struct sp_buf b = { 0 };

	for (size_t i = first_layer(l); i < l->n; i++)
		sp_buf_addf(&b, "%s%s", b.len > 0 ? " " : "", l->v[i].text);
	return l->n > 0 ? sp_buf_steal(&b) : NULL;
}

/* --- places ------------------------------------------------------------------------------------------------------ */

/* It is read after our file. */
static bool is_behind(const struct sp_limine_layer *layer)
{
	return sp_streq(layer->path, SP_LIMINE_DEFAULT) ||
	       (sp_startswith(layer->path, SP_LIMINE_D "/") && strcmp(layer->path, SP_LIMINE_OWN) > 0);
}

static int no_root(const struct sp_limine_layers *l, const char *booted, struct sp_error **err)
{
	sp_autofree char *line = sp_line_without_loader(booted, NULL);

	(void) sp_error_set(err, -ENOTSUP, "'%s' gives new entries a command line, and none of limine-entry-tool's files gives "
			    "them a root=: such an entry does not start", l->v[l->n - 1].path);
	(void) sp_error_path(err, l->v[l->n - 1].path);
	(void) sp_error_hint(err, "put this into " SP_LIMINE_DEFAULT ", without what the files say already: "
			     "KERNEL_CMDLINE[default]+=\" %s \"", line);
	return sp_error_exit(err, SP_EXIT_UNSUPPORTED);
}

/* No layer says anything: then the tool takes /etc/kernel/cmdline. */
static int add_future(const struct sp_root *root, const char *booted, struct sp_boot *boot, struct sp_error **err)
{
	sp_autofree char *line = NULL;
	int r = sp_line_read(root, SP_FUTURE, &line, err);
	const struct sp_future f = { .line = line, .booted = booted };

	return r < 0 ? r : sp_future_add(root, boot, &f, err);
}

static struct sp_place *add_place(const struct sp_root *root, const struct sp_limine_layer *layer, struct sp_boot *boot)
{
	struct sp_place *p = sp_place_add(root, boot, SP_PLACE_GENERATOR, &host, layer->path);

	p->line = sp_xstrdup(layer->text);
	return p;
}

/* One that is left as it is, but for what --replace takes out. */
static void add_source(const struct sp_root *root, const struct sp_limine_layer *layer, bool behind, struct sp_boot *boot)
{
	struct sp_source *s = sp_source_add(boot, layer->path);
	struct sp_place *p = add_place(root, layer, boot);

	s->line = layer->line;
	s->text = sp_xstrdup(layer->text);
	s->behind = behind;
	p->only_remove = p->only_displaced = true;
}

static void add_own(const struct sp_root *root, const struct sp_limine_layers *l, struct sp_boot *boot)
{
	struct sp_place *p = sp_place_add(root, boot, SP_PLACE_GENERATOR, &host, SP_LIMINE_OWN);
	struct sp_buf b = { 0 };

	/* In the order of the files, which matters where a key stands in two of them. */
	for (size_t i = first_layer(l); i < l->n; i++)
		if (!is_behind(&l->v[i]))
			sp_buf_addf(&b, "%s ", l->v[i].text);
	sp_buf_adds(&b, l->own ? l->own : "");
	for (size_t i = first_layer(l); i < l->n; i++)
		if (is_behind(&l->v[i]))
			sp_buf_addf(&b, " %s", l->v[i].text);
	p->whole = true;
	p->line = sp_buf_steal(&b);
}

static void warn_of_kernels(const struct sp_limine_layers *l, struct sp_boot *boot)
{
	sp_autofree char *all = sp_strv_join(&l->kernels, ", ");

	if (l->kernels.n > 0)
		sp_strv_addf(&boot->warnings, "new entries of kernels that have a KERNEL_CMDLINE of their own do not inherit ours: %s",
			     all);
}

int sp_limine_add_layers(const struct sp_root *root, const struct sp_limine_layers *l, const char *booted, struct sp_boot *boot,
			 struct sp_error **err)
{
	const size_t first = first_layer(l);
	sp_autofree char *text = sp_limine_layers_text(l), *value = text ? sp_cmdline_value(text, "root") : NULL;

	boot->own_file_idle = true;
	warn_of_kernels(l, boot);
	if (!l->tool)
		return 0;
	if (l->n == 0)
		return add_future(root, booted, boot, err);
	if (!value || !*value)
		return no_root(l, booted, err);
	boot->own_file_idle = l->v[first].anew && is_behind(&l->v[first]);
	for (size_t i = first; i + boot->own_file_idle < l->n; i++)
		add_source(root, &l->v[i], !boot->own_file_idle && is_behind(&l->v[i]), boot);
	if (boot->own_file_idle)
		(void) add_place(root, &l->v[l->n - 1], boot);
	else
		add_own(root, l, boot);
	return 0;
}

/* --- our file ---------------------------------------------------------------------------------------------------- */

/* A blank at both ends: values are joined as they are. */
static void add_line(const struct sp_dropin_line *line, struct sp_buf *b)
{
	sp_buf_addf(b, "KERNEL_CMDLINE[" NAME "]+=\" %s=%s \"\n", line->key, line->value);
}

void sp_limine_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret)
{
	sp_dropin_render(lines, n, add_line, ret);
}
