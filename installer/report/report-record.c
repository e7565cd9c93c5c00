/* SPDX-License-Identifier: MIT */
/* record: what was written, what was replaced in it, what could not be read. */
#include "report/internal.h"

static int record_json(struct sp_report *r, const struct sp_recording *res, enum sp_exit status)
{
	json_t *object = sp_json_open(r, status, NULL), *replaced = json_object();

	for (int k = 0; k < SP_ANON__COUNT; k++)
		sp_json_put(replaced, sp_anon_kind_name((enum sp_anon_kind) k),
			    json_integer((json_int_t) res->replaced[k]));
	sp_json_put(object, "path", sp_json_text(res->path));
	sp_json_put(object, "form", sp_json_text(res->tar ? "tar" : "tree"));
	sp_json_put(object, "files", json_integer((json_int_t) res->files));
	sp_json_put(object, "bytes", json_integer((json_int_t) res->bytes));
	sp_json_put(object, "replaced", replaced);
	sp_json_put(object, "unread", sp_json_strv(&res->unread));
	return sp_json_print(r, object);
}

/* "7 UUIDs, 1 host names": of each kind that there was. */
static char *replaced_text(const struct sp_recording *res)
{
	sp_autostrv struct sp_strv parts = { 0 };

	for (int k = 0; k < SP_ANON__COUNT; k++)
		if (res->replaced[k])
			sp_strv_addf(&parts, "%s (%zu)", sp_anon_kind_name((enum sp_anon_kind) k), res->replaced[k]);
	return parts.n ? sp_strv_join(&parts, ", ") : sp_xstrdup("nothing that names a machine or a person was found");
}

int sp_report_record(struct sp_report *r, const struct sp_recording *res, enum sp_exit status)
{
	const uint64_t kib = (res->bytes + 1023) / 1024;
	struct sp_pair pairs[] = {
		{ "written", sp_xstrdup(res->path) },
		{ "files", sp_xasprintf("%zu, %ju KiB", res->files, (uintmax_t) kib) },
		{ "replaced", replaced_text(res) },
	};

	if (r->json) {
		for (size_t i = 0; i < SP_ELEMENTS(pairs); i++)
			free(pairs[i].value);
		return record_json(r, res, status);
	}
	sp_heading(r, "Record");
	sp_pairs_print(r, pairs, SP_ELEMENTS(pairs));
	sp_section(r, "Could not be read, and is missing", &res->unread);
	sp_gap(r);
	sp_paragraph(r, "", 0,
		     res->tar ? "Look into it before you send it. Unpacked, it is a machine: "
				"strix-provision --machine FOLDER detect."
			      : "Look into it before you send it. It is a machine: strix-provision --machine FOLDER "
				"detect.");
	return 0;
}
