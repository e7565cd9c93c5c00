/* SPDX-License-Identifier: MIT */
/*
 * What module files said about their parameters. Asking one may mean to unpack
 * it (amdgpu of Linux 7.2: half a second and 50 MiB), so the answer is kept
 * for the build: by kernel, path, size and time of the file. The program reads
 * the memory in any command and writes it when it applies; a memory that is
 * lost or damaged costs time, and nothing else.
 */
#pragma once

#include "base/root.h"
#include "base/str.h"
#include "hw/facts.h"

/* 0644 in the root; {"schema": ..., "modules": [{kernel, path, size, mtime, mtime_ns, parameters}]} */
#define SP_REMEMBERED_DIR "/var/lib/strix-provision"
#define SP_REMEMBERED_NAME "modules.json"

struct sp_remembered;
struct sp_remembered *sp_remembered_new(const struct sp_root *root); /* the root is borrowed; reads nothing yet */
void sp_remembered_free(struct sp_remembered *r);
/* Fill in the parameters; false: nothing is known about this very file. */
bool sp_remembered_find(struct sp_remembered *r, const char *kernel, const char *path, struct sp_strv *parms);
void sp_remembered_learn(struct sp_remembered *r, const char *kernel, const char *path, const struct sp_strv *parms);
/* The text of the file with what was learned, and without what is no longer so; owned. NULL: nothing was learned. */
char *sp_remembered_text(const struct sp_remembered *r);
/* The same for what was asked while these facts were in use. */
char *sp_facts_learned(const struct sp_facts *f);
