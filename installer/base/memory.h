/* SPDX-License-Identifier: MIT */
/*
 * What was read of a tree, by path: content, or that nothing is there. Behind sp_root_remember(); nothing else uses it.
 */
#pragma once

#include "base/str.h"

struct sp_memory;

struct sp_memory *sp_memory_new(void);
void sp_memory_free(struct sp_memory *m);

void sp_memory_keep_absent(struct sp_memory *m, const char *path);
void sp_memory_keep(struct sp_memory *m, const char *path, const struct sp_buf *bytes);
bool sp_memory_is_absent(const struct sp_memory *m, const char *path);
const struct sp_buf *sp_memory_find(const struct sp_memory *m, const char *path); /* content; NULL: not known, or absent */
