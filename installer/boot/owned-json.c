/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "boot/owned.h"

/* --- strings: a file may hold bytes that are no UTF-8, which JSON cannot ------------------------------------------ */

static json_t *text_to_json(const char *s)
{
	static const char digits[] = "0123456789abcdef";
	sp_autobuf struct sp_buf hex = { 0 };
	json_t *text = json_string(s);

	if (text)
		return text;
	for (; *s; s++) {
		unsigned char c = (unsigned char) *s;

		sp_buf_add(&hex, &digits[c >> 4], 1);
		sp_buf_add(&hex, &digits[c & 15], 1);
	}
	return json_pack("{s:s}", "hex", hex.data);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Owned; NULL when it is neither. */
static char *text_from_json(const json_t *json)
{
	const char *hex = json_string_value(json_object_get(json, "hex"));
	sp_autobuf struct sp_buf b = { 0 };

	if (!hex)
		return sp_xstrdup(json_string_value(json));
	for (; *hex; hex += 2) {
		int high = digit(hex[0]), low = high < 0 ? -1 : digit(hex[1]);
		char c = (char) (high * 16 + low);

		if (low < 0 || !c)
			return NULL;
		sp_buf_add(&b, &c, 1);
	}
	return sp_buf_steal(&b);
}

static int damaged(struct sp_error **err, const char *what)
{
	return sp_error_set(err, -EBADMSG, "a record of what is ours is damaged: %s", what);
}

/* --- tokens ------------------------------------------------------------------------------------------------------ */

json_t *sp_tokens_to_json(const struct sp_tokens *tokens)
{
	json_t *list = json_array();

	for (size_t i = 0; i < tokens->n; i++) {
		json_t *displaced = json_array();

		for (size_t k = 0; k < tokens->v[i].displaced.n; k++)
			json_array_append_new(displaced, text_to_json(tokens->v[i].displaced.v[k]));
		json_array_append_new(list, json_pack("{s:o, s:o}", "text", text_to_json(tokens->v[i].text), "displaced",
						      displaced));
	}
	return list;
}

static int token_from_json(const json_t *json, struct sp_tokens *ret, struct sp_error **err)
{
	sp_autofree char *text = text_from_json(json_object_get(json, "text"));
	const json_t *list = json_object_get(json, "displaced");
	sp_autostrv struct sp_strv displaced = { 0 };

	if (!text || !json_is_array(list))
		return damaged(err, "a token without text");
	for (size_t i = 0; i < json_array_size(list); i++) {
		char *one = text_from_json(json_array_get(list, i));

		if (!one)
			return damaged(err, "a displaced token that is no text");
		sp_strv_take(&displaced, one);
	}
	sp_tokens_add(ret, text, &displaced);
	return 0;
}

int sp_tokens_from_json(const json_t *json, struct sp_tokens *ret, struct sp_error **err)
{
	int r = 0;

	*ret = (struct sp_tokens){ 0 };
	if (!json_is_array(json))
		return damaged(err, "no list of tokens");
	for (size_t i = 0; i < json_array_size(json) && r == 0; i++)
		r = token_from_json(json_array_get(json, i), ret, err);
	if (r < 0)
		sp_tokens_clear(ret);
	return r;
}

/* --- where a line stands ----------------------------------------------------------------------------------------- */

static void put_host(json_t *object, const struct sp_host *host)
{
	json_object_set_new(object, "host", json_string(sp_host_name(host->kind)));
	if (host->var)
		json_object_set_new(object, "var", text_to_json(host->var));
}

static int host_from_json(const json_t *json, struct sp_host *ret, struct sp_error **err)
{
	const char *name = json_string_value(json_object_get(json, "host"));
	const json_t *var = json_object_get(json, "var");

	*ret = (struct sp_host){ 0 };
	if (!name || sp_host_by_name(name, &ret->kind) < 0)
		return damaged(err, "an unknown kind of line");
	ret->var = var ? text_from_json(var) : NULL;
	return var && !ret->var ? damaged(err, "a variable that is no text") : 0;
}

/* --- the list of what is ours ------------------------------------------------------------------------------------ */

static json_t *owned_to_json(const struct sp_owned *o)
{
	json_t *object = json_pack("{s:o}", "path", text_to_json(o->path));

	if (o->whole) {
		json_object_set_new(object, "whole", json_true());
		json_object_set_new(object, "text", text_to_json(o->text));
	} else {
		put_host(object, &o->host);
		json_object_set_new(object, "tokens", sp_tokens_to_json(&o->tokens));
	}
	return object;
}

json_t *sp_owned_to_json(const struct sp_owned_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->n; i++)
		json_array_append_new(array, owned_to_json(&list->v[i]));
	return array;
}

static int owned_from_json(const json_t *json, struct sp_owned_list *ret, struct sp_error **err)
{
	sp_autofree char *path = text_from_json(json_object_get(json, "path"));
	sp_autofree char *text = text_from_json(json_object_get(json, "text"));
	sp_autotokens struct sp_tokens tokens = { 0 };
	struct sp_host host = { 0 };

	if (!path)
		return damaged(err, "a file without a path");
	if (json_is_true(json_object_get(json, "whole"))) {
		if (!text)
			return damaged(err, "a file without its text");
		sp_owned_set_whole(ret, path, text);
		return 0;
	}
	int r = host_from_json(json, &host, err);
	if (r == 0)
		r = sp_tokens_from_json(json_object_get(json, "tokens"), &tokens, err);
	if (r == 0)
		sp_owned_set_tokens(ret, path, &host, &tokens);
	free(host.var);
	return r;
}

int sp_owned_from_json(const json_t *json, struct sp_owned_list *ret, struct sp_error **err)
{
	int r = 0;

	*ret = (struct sp_owned_list){ 0 };
	if (!json_is_array(json))
		return damaged(err, "no list of files");
	for (size_t i = 0; i < json_array_size(json) && r == 0; i++)
		r = owned_from_json(json_array_get(json, i), ret, err);
	if (r < 0)
		sp_owned_clear(ret);
	return r;
}

/* --- notes ------------------------------------------------------------------------------------------------------- */

static json_t *line_to_json(const struct sp_line_note *line)
{
	json_t *object = json_object();

	put_host(object, &line->host);
	if (line->linux_path)
		json_object_set_new(object, "linux", text_to_json(line->linux_path));
	json_object_set_new(object, "from", sp_tokens_to_json(&line->from));
	json_object_set_new(object, "to", sp_tokens_to_json(&line->to));
	return object;
}

json_t *sp_note_to_json(const struct sp_note *note)
{
	json_t *lines = json_array();

	if (note->block || note->whole || note->product) {
		json_decref(lines);
		if (note->block)
			return json_pack("{s:s}", "block", note->block);
		return json_pack("{s:b}", note->whole ? "whole" : "product", 1);
	}
	for (size_t i = 0; i < note->n_lines; i++)
		json_array_append_new(lines, line_to_json(&note->lines[i]));
	return json_pack("{s:o}", "lines", lines);
}

static int line_from_json(const json_t *json, struct sp_note *ret, struct sp_error **err)
{
	sp_autotokens struct sp_tokens from = { 0 }, to = { 0 };
	const json_t *linux_path = json_object_get(json, "linux");
	struct sp_host host = { 0 };
	int r = host_from_json(json, &host, err);

	if (r == 0)
		r = sp_tokens_from_json(json_object_get(json, "from"), &from, err);
	if (r == 0)
		r = sp_tokens_from_json(json_object_get(json, "to"), &to, err);
	if (r == 0) {
		sp_note_add(ret, &host, &from, &to);
		if (linux_path)
			ret->lines[ret->n_lines - 1].linux_path = text_from_json(linux_path);
	}
	free(host.var);
	return r;
}

int sp_note_from_json(const json_t *json, struct sp_note *ret, struct sp_error **err)
{
	const json_t *lines = json_object_get(json, "lines");
	int r = 0;

	*ret = (struct sp_note){
		.whole = json_is_true(json_object_get(json, "whole")),
		.product = json_is_true(json_object_get(json, "product")),
		.block = sp_xstrdup(json_string_value(json_object_get(json, "block"))),
	};
	if (!ret->whole && !ret->product && !ret->block && !json_is_array(lines))
		return damaged(err, "a change without a note");
	for (size_t i = 0; i < json_array_size(lines) && r == 0; i++)
		r = line_from_json(json_array_get(lines, i), ret, err);
	if (r < 0)
		sp_note_clear(ret);
	return r;
}
