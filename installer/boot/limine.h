/* SPDX-License-Identifier: MIT */
/*
 * The parts of the setup limine: which limine.conf counts (limine-where.c), its entries (limine.c), and what
 * limine-entry-tool makes new ones of (limine-tool.c).
 */
#pragma once

#include "boot/internal.h"
#include "format/limine.h"

/* --- limine-where.c ---------------------------------------------------------------------------------------------- */

struct sp_limine_where {
	char *folder;		 /* where the partition is mounted */
	struct sp_strv confs;	 /* configurations that may be the one that is read, each once; the first is the likeliest */
	struct sp_strv programs; /* Limine's programs there */
	char *enrolled;		 /* one of them that has a checksum of its configuration; NULL: none */
};
void sp_limine_where_clear(struct sp_limine_where *w);
/* The partition that Limine starts from. loader: LoaderInfo, whose version counts; NULL: not known. 1, or 0: there is none. */
int sp_limine_find(const struct sp_root *root, const char *loader, struct sp_limine_where *ret);

/* --- limine-tool.c ------------------------------------------------------------------------------------------------ */

#define SP_LIMINE_DEFAULT "/etc/default/limine"
#define SP_LIMINE_D	  "/etc/limine-entry-tool.d"
#define SP_LIMINE_OWN	  SP_LIMINE_D "/zz-strix-provision.conf"

/* What a layer says of the line of kernels that have none of their own. */
struct sp_limine_layer {
	char *path, *text;
	unsigned line;
	bool anew; /* with '=': no layer before it counts */
};
struct sp_limine_layers {
	bool tool; /* limine-entry-tool is there */
	struct sp_limine_layer *v; /* in the order in which they are read; ours is not among them */
	size_t n;
	char *own;		   /* what ours says; NULL: it is not there */
	struct sp_strv kernels;	   /* names that have a line of their own, with the file: "linux-lts (/etc/...)" */
};
int sp_limine_layers_read(const struct sp_root *root, struct sp_limine_layers *ret, struct sp_error **err) sp_must_check;
void sp_limine_layers_clear(struct sp_limine_layers *l);
/* The text that the layers make, without ours; owned; NULL: none says anything. */
char *sp_limine_layers_text(const struct sp_limine_layers *l);
/* Sources and places. booted: the line of the entry that this system boots. -ENOTSUP: the layers have no root=. */
int sp_limine_add_layers(const struct sp_root *root, const struct sp_limine_layers *l, const char *booted, struct sp_boot *boot,
			 struct sp_error **err) sp_must_check;
void sp_limine_render(const struct sp_dropin_line *lines, size_t n, struct sp_buf *ret); /* ops->render */
