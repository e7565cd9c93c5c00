/* SPDX-License-Identifier: MIT */
/*
 * What was learnt of a tree, by path: content, that nothing is there, or that no link is on the way to what is. Behind
 * sp_root_remember() and sp_root_keep(); nothing else uses it.
 */
#pragma once

#include "base/str.h"

struct sp_memory;

struct sp_memory *sp_memory_new(void);
void sp_memory_free(struct sp_memory *m);

void sp_memory_keep_absent(struct sp_memory *m, const char *path);
void sp_memory_keep(struct sp_memory *m, const char *path, const struct sp_buf *bytes);
void sp_memory_keep_direct(struct sp_memory *m, const char *path); /* it is there, and no link leads to it */
bool sp_memory_is_absent(const struct sp_memory *m, const char *path);
bool sp_memory_is_direct(const struct sp_memory *m, const char *path);
const struct sp_buf *sp_memory_find(const struct sp_memory *m, const char *path); /* content; NULL: not known, or absent */
