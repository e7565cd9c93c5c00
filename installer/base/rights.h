/* SPDX-License-Identifier: MIT */
/*
 * What this process and its children may do, cut down to what they need: whoever finds a way to misuse the program on
 * a tree of theirs finds as little as possible. No library is needed for it, and where the kernel refuses a step (a
 * sandbox, no rights to begin with) the others are taken all the same.
 */
#pragma once

#include <stdbool.h>

/*
 * At the start: umask 022, no core dumps, no more than SP_MEMORY_MAX bytes of memory (a module file can be a few KiB
 * that unpack to many GiB), and no descriptor of the caller but 0, 1 and 2 goes on to a child.
 */
#define SP_MEMORY_MAX ((unsigned long) 1024 * 1024 * 1024)
void sp_rights_begin(void);

/*
 * Once it is known what is meant. root_is_host: the running system's tree is changed, and its own programs may be
 * started, with all that root has; capabilities in use are lowered all the same. Any other tree: nothing is started, so
 * nothing can be had any more: the bounding set goes, too, and no_new_privs is set. machine_is_host: facts are read of
 * the running machine.
 */
void sp_rights_limit(bool root_is_host, bool machine_is_host);

/* Around the start of another program: it may have as much memory as whoever started us. */
void sp_rights_lend(bool lend);
