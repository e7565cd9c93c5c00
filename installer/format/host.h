/* SPDX-License-Identifier: MIT */
/*
 * The kinds of file that hold a command line, behind one table: get the line
 * out of the bytes, put a changed line back in, and nothing else changes.
 * Pure: bytes to bytes.
 *
 *  bls      a Boot Loader Specification entry; the first `options` line, which is the only one that GRUB reads. Line
 *           ends and the blanks behind "options" are kept.
 *  bls-all  the same as systemd-boot reads it: all options lines, joined; ours goes to the last one.
 *  plain    /etc/kernel/cmdline: the whole file is the line; several lines and comment lines are kept and joined for
 *           reading; ours goes to the last line that is not a comment.
 *  shell    a variable of a shell file such as /etc/default/grub (var names it), see format/shellvar.h.
 *  grubenv  a variable of GRUB's environment block (var names it), see format/grubenv.h.
 *  refind   refind_linux.conf: the options of its first line, which boots when nobody chooses; see format/refind.h.
 *  limine   the command line of an entry of limine.conf (var is its path), see format/limine.h.
 *  limine-tool  what a file of limine-entry-tool gives to kernels of a name (var), see format/limine-tool.h.
 *  kernelstub   the list of arguments of kernelstub's configuration, see format/kernelstub.h.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

enum sp_host_kind {
	SP_HOST_BLS,
	SP_HOST_PLAIN,
	SP_HOST_SHELL,
	SP_HOST_GRUBENV,
	SP_HOST_REFIND,
	SP_HOST_BLS_ALL,
	SP_HOST_LIMINE,
	SP_HOST_LIMINE_TOOL,
	SP_HOST_KERNELSTUB,
	SP_HOST__COUNT,
};

struct sp_host {
	enum sp_host_kind kind;
	char *var; /* shell and grubenv: the variable; limine: the entry; limine-tool: the kernel's name; else NULL */
};

/* A line longer than this (bytes) is taken for damage: sixteen times what a kernel reads. */
#define SP_HOST_LINE_MAX ((size_t) 32 * 1024)

/*
 * The line that the file holds, owned. -ENOENT: it holds none (no options line, variable not there); -EINVAL:
 * damaged (message says how, with the line number); -EOPNOTSUPP: only a shell can tell (message says why).
 */
int sp_host_get(const struct sp_host *host, const struct sp_buf *file, char **ret, struct sp_error **err) sp_must_check;
/*
 * The file with the line changed. Where it held none, the smallest addition that makes it hold this one (shell: a
 * new assignment at the end; bls: an options line at the end). -ENOSPC: does not fit (grubenv).
 */
int sp_host_put(const struct sp_host *host, const struct sp_buf *file, const char *line, struct sp_buf *ret,
		struct sp_error **err) sp_must_check;

const char *sp_host_name(enum sp_host_kind kind);			/* "bls", ... */
int sp_host_by_name(const char *name, enum sp_host_kind *ret) sp_must_check; /* -ENOENT */
