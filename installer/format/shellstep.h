/* SPDX-License-Identifier: MIT */
/*
 * What one file of a chain does to a variable, where a shell sources the files one after the other (/etc/default/grub,
 * then its drop-ins): leaves it, sets it anew, or adds to what it was. Read without a shell, by the rules of
 * format/shellvar.h; a value that names the variable itself (NAME="$NAME more", NAME="${NAME} more", NAME+=" more")
 * is understood here, any other expansion is not. Pure.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct sp_shell_step {
	enum sp_shell_step_kind {
		SP_STEP_NONE, /* the file does not assign it */
		SP_STEP_SET,  /* before is the new value; what it was is lost */
		SP_STEP_ADD,  /* the new value is before, what it was, after */
	} kind;
	char *before, *after; /* "" where they say nothing */
	unsigned line;	      /* 1-based: where it is assigned last */
};

/* As sp_shellvar_get(), but a file that does not assign var is no error. */
int sp_shellvar_step(const struct sp_buf *file, const char *var, struct sp_shell_step *ret,
		     struct sp_error **err) sp_must_check;
void sp_shell_step_clear(struct sp_shell_step *step);
#define sp_autoshellstep sp_cleanup(sp_shell_step_clear)
