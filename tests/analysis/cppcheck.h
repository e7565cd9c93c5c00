/* SPDX-License-Identifier: MIT */
/* What cppcheck, which reads no header of the system, has to know of libraries: macros that are loops. */
#define json_array_foreach(list, i, value) for ((i) = 0; ((value) = json_array_get((list), (i))); (i)++)
#define json_object_foreach(object, key, value)                                                                        \
	for ((key) = first_key((object)); ((value) = json_object_get((object), (key))); (key) = next_key((key)))
#define json_object_foreach_safe(object, n, key, value) json_object_foreach(object, key, value)
