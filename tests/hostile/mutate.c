/* SPDX-License-Identifier: MIT */
#include "mutate.h"

/* What is put in the place of each value, and under each key. */
static json_t *hostile_value(size_t which)
{
	sp_autofree char *deep = NULL;

	switch (which) {
	case 0:
		return json_null();
	case 1:
		return json_integer(-1);
	case 2:
		return json_integer(INT64_MAX);
	case 3:
		return json_integer(04755);
	case 4:
		return json_string("");
	case 5:
		return json_string("../../../../../../../../outside/etc/default/grub");
	case 6:
		return json_string("/realproc/self/cwd/outside/etc/default/grub");
	case 7:
		return json_string("\033]0;owned\007\033[31m\nFORGED-LINE\302\233" "31m");
	case 8:
		return json_pack("[[[]]]");
	case 9:
		return json_pack("{s:{s:[]}}", "a", "b");
	case 10:
		return json_real(1e300);
	case 11:
		return json_true();
	case 12:
		deep = sp_xmalloc(100001);
		memset(deep, 'A', 100000);
		deep[100000] = '\0';
		return json_string(deep);
	case 13:
		return json_string("/etc/./default//grub");
	case 14:
		return json_string("1");
	default:
		return NULL; /* it is left out */
	}
}
const size_t n_hostile_values = 16;

/* Depth first; *left counts down to the value that is meant. */
static bool mutate(json_t *at, size_t *left, size_t which)
{
	const char *key = NULL;
	json_t *v = NULL;
	void *next = NULL;
	size_t i;

	if (json_is_object(at))
		json_object_foreach_safe (at, next, key, v) {
			if ((*left)-- == 0) {
				json_t *evil = hostile_value(which);
				return evil ? json_object_set_new(at, key, evil) == 0 : json_object_del(at, key) == 0;
			}
			if (mutate(v, left, which))
				return true;
		}
	if (json_is_array(at))
		json_array_foreach (at, i, v) {
			if ((*left)-- == 0) {
				json_t *evil = hostile_value(which);
				return evil ? json_array_set_new(at, i, evil) == 0 : json_array_remove(at, i) == 0;
			}
			if (mutate(v, left, which))
				return true;
		}
	return false;
}

size_t count_values(const json_t *at)
{
	const char *key = NULL;
	json_t *v = NULL;
	size_t i, n = 0;

	json_object_foreach ((json_t *) at, key, v)
		n += 1 + count_values(v);
	json_array_foreach (at, i, v)
		n += 1 + count_values(v);
	return n;
}

json_t *mutated(const json_t *from, size_t value, size_t which)
{
	json_t *copy = json_deep_copy(from);
	size_t left = value;

	if (!mutate(copy, &left, which)) {
		json_decref(copy);
		return NULL;
	}
	return copy;
}
