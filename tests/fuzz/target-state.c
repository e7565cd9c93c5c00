/* SPDX-License-Identifier: MIT */
/*
 * What is kept between two runs: state.json, modules.json. The second is only remembered: whatever is in it, it
 * answers for the very file alone, and what is learned is found again.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "engine/engine.h"
#include "engine/internal.h"
#include "hw/remembered.h"
#include "targets.h"

#define STATE "var/lib/strix-provision/state.json"
#define MODULES "var/lib/strix-provision/modules.json"
#define MODULE "usr/lib/modules/6.19.8/amdgpu.ko" /* of the size and time that seeds name */

static char *dir;
static struct sp_root *root;

static void start(void)
{
	const struct timespec times[2] = { { .tv_sec = 1764500000 }, { .tv_sec = 1764500000 } };

	dir = sp_xasprintf("%s/state", fuzz_tree());
	fuzz_tree_write(dir, MODULE, "0123456789", 10);
	fuzz_tree_write(dir, "proc/sys/kernel/random/boot_id", "b1\n", 3);
	sp_autofree char *module = sp_xasprintf("%s/" MODULE, dir);
	fuzz_check(utimensat(AT_FDCWD, module, times, 0) == 0, "%s", module);
	fuzz_check(sp_root_open(dir, 0, &root, NULL) == 0, "%s", dir);
}

/* Of the same kind in the file and in what is written for it, a value is the same; lists are as long. */
static void check_members(const json_t *file, const json_t *written)
{
	const char *key = NULL;
	json_t *w = NULL;

	json_object_foreach((json_t *) written, key, w)
	{
		const json_t *v = json_object_get(file, key);

		if (json_is_array(v) && json_is_array(w))
			fuzz_check(json_array_size(v) == json_array_size(w), "'%s' has %zu of %zu", key, json_array_size(w), json_array_size(v));
		else if (v && !json_is_object(v) && json_typeof(v) == json_typeof(w))
			fuzz_check(json_equal(v, w), "'%s' is read as another", key);
	}
}

/* Written down and read again it says the same. */
static void check_applied(const struct sp_applied *a, const json_t *file)
{
	json_t *json = sp_applied_to_json(a), *again = NULL;
	struct sp_applied read = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	fuzz_check(json, "what is applied cannot be written down");
	fuzz_check(sp_applied_from_json(json, &read, &err) == 0, "what is applied cannot be read: %s", err->message);
	check_members(file, json);
	for (size_t i = 0; i < a->n_live; i++)
		fuzz_check(a->live[i].path && a->live[i].before && a->live[i].after, "a live value without its values");
	for (size_t i = 0; i < a->n_settings; i++)
		fuzz_check(a->settings[i].id && a->settings[i].key && a->settings[i].value, "a setting without its values");
	again = sp_applied_to_json(&read);
	fuzz_check(json_equal(json, again) && sp_tokens_eq(&a->common, &read.common), "another state is read");
	json_decref(json);
	json_decref(again);
	sp_applied_clear(&read);
}

static void check_state(const struct sp_session *s, const struct sp_buf *text)
{
	json_t *file = json_loadb(text->data, text->len, 0, NULL);
	struct sp_state st = { 0 };
	sp_autoerror struct sp_error *err = NULL;
	int r = sp_state_read(s, &st, &err);

	fuzz_check(r == 0 || (err && err->message), "an error says nothing");
	fuzz_check(r != -EBADMSG || (err->exit == SP_EXIT_RECOVER && err->hint), "a damaged state exits with %d",
		   (int) (err ? err->exit : 0));
	if (r == 0) {
		check_applied(&st.applied, json_object_get(file, "applied"));
		check_applied(&st.was, json_object_get(file, "was"));
	}
	json_decref(file);
	sp_state_clear(&st);
}

static void check_status(const struct sp_session *s)
{
	struct sp_status *st = NULL;
	sp_autoerror struct sp_error *err = NULL;
	int r = sp_status_read(s, &st, &err);

	fuzz_check((r < 0) == !st, "half read");
	fuzz_check(r == 0 || (err && err->message), "an error says nothing");
	for (size_t i = 0; st && i < st->n_txns; i++)
		fuzz_check(st->txns[i].kind && st->txns[i].state && st->txns[i].time && st->txns[i].text, "a transaction says nothing");
	sp_status_free(st);
}

static void check_modules(void)
{
	struct sp_remembered *r = sp_remembered_new(root), *again = NULL;
	sp_autostrv struct sp_strv known = { 0 }, learned = { 0 }, found = { 0 };

	(void) sp_remembered_find(r, "6.19.8", "/" MODULE, &known);
	fuzz_check(!sp_remembered_find(r, "6.19.9", "/" MODULE, &found) || found.n <= 4096, "parameters of another kernel");
	fuzz_check(!sp_remembered_find(r, "6.19.8", "/usr/lib/modules/none", &found), "parameters of a file that is not there");
	fuzz_check(!sp_remembered_text(r), "something was learned from nothing");
	sp_strv_add(&learned, "gttsize");
	sp_remembered_learn(r, "6.20.0", "/" MODULE, &learned);
	sp_autofree char *text = sp_remembered_text(r);
	fuzz_check(text, "nothing was learned");
	if (!text)
		return;
	fuzz_tree_write(dir, MODULES, text, strlen(text));
	again = sp_remembered_new(root);
	sp_strv_clear(&found);
	fuzz_check(sp_remembered_find(again, "6.20.0", "/" MODULE, &found) && found.n >= 1, "what was learned is not remembered: %s",
		   fuzz_shows(text));
	sp_remembered_free(r);
	sp_remembered_free(again);
}

static void run(const uint8_t *data, size_t size)
{
	const struct sp_session s = { .root = root, .machine = root };
	fuzz_autofields struct fuzz_fields f = { 0 };

	fuzz_cut(data, size, &f);
	fuzz_tree_write(dir, STATE, f.v[0].data, f.v[0].len);
	fuzz_tree_write(dir, MODULES, f.v[1].data, f.v[1].len);
	check_state(&s, &f.v[0]);
	check_status(&s);
	check_modules();
}

static const char *const words[] = {
	"\"transactions\":[", "\"applied\":{", "\"was\":null", "\"boot_id\":\"b1\"", "\"transaction\":1", "\"gtt_mib\":60416", "\"carve_out_mib\":512",
	"\"settings\":[", "\"owned\":[", "\"common\":[", "\"live\":[{\"path\":\"/proc/sys/vm/swappiness\",\"before\":\"60\",\"after\":\"1\"}]",
	"\"selection\":{\"given\":false,\"profile\":null,\"with\":[],\"without\":[],\"replace\":[],\"gtt_mib\":0,\"host_reserve_mib\":0,\"uma_mib\":0,\"uma\":\"unset\",\"any_platform\":false}",
	"\"token\":\"iommu=pt\"", "\"displaced\":[\"@0 iommu=off\"]", "\"modules\":[", "\"kernel\":\"6.19.8\"", "\"path\":\"/usr/lib/modules/6.19.8/amdgpu.ko\"",
	"\"size\":10", "\"mtime\":1764500000", "\"mtime_ns\":0", "\"parameters\":[\"gttsize\"]", "null", "true", "-1", "9223372036854775807", "1.5", "{", "}",
	"[", "]", ",", "\"", "\\u0000", "\x1e", "\"id\":1", "\"state\":\"committed\"", "\"firmware\":{", NULL
};

const struct fuzz_target fuzz_state = { .name = "state", .run = run, .words = words, .start = start };
