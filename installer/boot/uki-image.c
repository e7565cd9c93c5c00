/* SPDX-License-Identifier: MIT */
/* One unified kernel image, or an addon of one: what its sections say. Only the headers and a few sections are read. */
#include <errno.h>

#include "boot/internal.h"
#include "format/pe.h"
#include "format/shellvar.h"

enum { TEXT_MAX = 64 * 1024 }; /* of a section; a kernel takes 2 KiB of a line */

/* "#### LoaderInfo: systemd-stub 257.9-1 ####" */
#define STUB_MARK "systemd-stub "

/* Bytes of a section, or none where it is not there or too long to be what it should be. */
static int read_section(const struct sp_root *root, const char *path, const struct sp_pe *pe, const char *name,
			struct sp_buf *ret, struct sp_error **err)
{
	const struct sp_pe_section *s = sp_pe_find(pe, name);

	sp_buf_clear(ret);
	if (!s || s->size == 0)
		return 0;
	if (s->size > TEXT_MAX)
		return sp_error_set(err, -EBADMSG, "its section %s is larger than %d bytes", name, TEXT_MAX);
	return sp_root_read_part(root, path, s->offset, (size_t) s->size, ret, err);
}

static char *variable(const struct sp_buf *release, const char *name)
{
	char *value = NULL;

	return release->len > 0 && sp_shellvar_get(release, name, &value, NULL) == 0 ? value : NULL;
}

static void take_release(const struct sp_buf *release, struct sp_uki *u)
{
	u->os = variable(release, "ID");
	u->title = variable(release, "PRETTY_NAME");
	u->sort_key = variable(release, "IMAGE_ID");
	if (!u->sort_key)
		u->sort_key = sp_xstrdup(u->os);
}

static void take_stub(const struct sp_buf *magic, struct sp_uki *u)
{
	const char *at = magic->len ? memmem(magic->data, magic->len, STUB_MARK, strlen(STUB_MARK)) : NULL;

	for (at = at ? at + strlen(STUB_MARK) : ""; *at >= '0' && *at <= '9' && u->stub < 100000; at++)
		u->stub = u->stub * 10 + (unsigned) (*at - '0');
}

static int read_texts(const struct sp_root *root, const char *path, const struct sp_pe *pe, struct sp_uki *u,
		      struct sp_error **err)
{
	sp_autobuf struct sp_buf section = { 0 };
	int r = read_section(root, path, pe, ".cmdline", &section, err);

	if (r == 0)
		r = sp_pe_line(&section, &u->line, err);
	if (r == 0)
		r = read_section(root, path, pe, ".uname", &section, err);
	if (r == 0 && section.len > 0)
		r = sp_pe_line(&section, &u->version, err);
	if (r == 0)
		r = read_section(root, path, pe, ".osrel", &section, err);
	if (r < 0)
		return r;
	take_release(&section, u);
	r = read_section(root, path, pe, ".sdmagic", &section, err);
	if (r == 0)
		take_stub(&section, u);
	return r;
}

int sp_uki_read(const struct sp_root *root, const char *path, struct sp_uki *ret, struct sp_error **err)
{
	sp_autobuf struct sp_buf head = { 0 };
	sp_autope struct sp_pe pe = { 0 };
	sp_autouki struct sp_uki u = { 0 };
	struct stat st;
	int r = sp_root_read_part(root, path, 0, SP_PE_HEAD, &head, err);

	if (r < 0)
		return r;
	r = sp_root_stat(root, path, &st);
	if (r < 0)
		return sp_error_errno(err, r, "cannot look at '%s'", path);
	r = sp_pe_parse(&head, (uint64_t) st.st_size, &pe, err);
	if (r == 0 && !sp_pe_find(&pe, ".cmdline"))
		r = sp_error_set(err, -EBADMSG, "it has no command line in it");
	if (r == 0)
		r = read_texts(root, path, &pe, &u, err);
	if (r < 0) {
		(void) sp_error_wrap(err, "'%s'", path);
		return sp_error_path(err, path);
	}
	u.is_image = sp_pe_find(&pe, ".linux");
	u.is_signed = pe.is_signed;
	u.machine = pe.machine;
	*ret = u;
	u = (struct sp_uki){ 0 };
	return 0;
}

void sp_uki_clear(struct sp_uki *u)
{
	free(u->line);
	free(u->version);
	free(u->os);
	free(u->title);
	free(u->sort_key);
	*u = (struct sp_uki){ 0 };
}
