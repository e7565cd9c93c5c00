/* SPDX-License-Identifier: MIT */
/* What the two halves of sp-tree share. */
#pragma once

#include <dirent.h>

#define TREE_DEFAULT_MTIME ((struct timespec){ .tv_sec = 1767225600, .tv_nsec = 123456789 }) /* 2026-01-01 UTC */

/* Say what went wrong, with the text of errno unless that is 0, and exit 1. */
_Noreturn void tree_die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *tree_join(const char *dir, const char *name); /* owned */
/* Names in a folder in byte order, without "." and ".."; their number or -1; each and the array are to be freed. */
int tree_scan(const char *dir, struct dirent ***ret);

int tree_unpack(const char *src, const char *dst);
