/* SPDX-License-Identifier: MIT */
/*
 * Named questions that the catalogue asks of a machine. One table; a new
 * predicate is one row and one function.
 *
 *   kernel-has-parm MODULE PARAMETER   the kernel that will boot knows it (libkmod); "ttm" means this kernel's ttm
 *   kernel-has-module MODULE
 *   kernel-older-than VERSION          the kernel that will boot
 *   npu-present                        a 1022:17f0 device
 *   zram-present                       swap on zram
 *   no-disk-swap
 *   platform ID                        the platform that was matched
 *
 * "A and B" holds when both do; it is unknown when one is and the other does not say no.
 */
#pragma once

#include "base/error.h"
#include "hw/facts.h"

struct sp_question {
	const struct sp_facts *facts;
	const char *kernel;   /* version that boots by default; NULL: unknown */
	const char *platform; /* id; NULL: none */
};

/* -EINVAL with a message: no such predicate, or the wrong number of arguments. */
int sp_predicate_check(const char *text, struct sp_error **err) sp_must_check;
/* SP_UNKNOWN sets why (owned; may be NULL). */
enum sp_tristate sp_predicate_ask(const char *text, const struct sp_question *q, char **why);
/* The platform that the text names (owned); NULL: it names none. */
char *sp_predicate_platform(const char *text);
