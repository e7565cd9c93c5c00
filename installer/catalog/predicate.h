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
 *   boot-setup NAME                    the boot setup that was recognised
 *   fact-known FACT                    by the names of hw/facts.h
 *   fact-is FACT TEXT                  fact-begins FACT TEXT
 *   fact-at-least FACT NUMBER          fact-at-most FACT NUMBER; of a list: how many it has
 *   kernel-flavour-since FLAVOUR VERSION   the kernel that will boot is "VERSION-FLAVOUR" or later: Ubuntu's backports
 *   cmdline-has TOKEN                  in effect on the line of the next boot
 *   gtt-over-percent PERCENT           the GTT of the next boot, of its memory
 *   gttsize-disagrees                  amdgpu.gttsize will be set, and to something else than the limit of TTM
 *
 * "A and B" holds when both do; it is unknown when one is and the other does not say no.
 */
#pragma once

#include "base/error.h"
#include "catalog/catalog.h"
#include "hw/facts.h"

struct sp_question {
	const struct sp_facts *facts;
	const char *kernel;   /* version that boots by default; NULL: unknown */
	const char *platform; /* id; NULL: none */
	const char *boot;     /* name of the boot setup; NULL: unknown */
	/* Of the next boot; predicates about advice need them, those of settings do not. */
	const char *line;     /* kernel command line; NULL: unknown */
	uint64_t mem_kib;     /* MemTotal; 0: unknown */
	uint64_t gtt_mib;     /* what TTM's limit allows; 0: unknown */
	uint64_t gttsize_mib; /* what amdgpu.gttsize is set to; 0: not set */
};

/* -EINVAL with a message: no such predicate, or the wrong number of arguments. */
int sp_predicate_check(const char *text, struct sp_error **err) sp_must_check;
/* SP_UNKNOWN sets why (owned; may be NULL). */
enum sp_tristate sp_predicate_ask(const char *text, const struct sp_question *q, char **why);
/* The platform that the text names (owned); NULL: it names none. */
char *sp_predicate_platform(const char *text);

/* Is it to be said here? And how: the text with what was found filled in (owned). */
bool sp_advisory_holds(const struct sp_advisory *a, const struct sp_question *q);
char *sp_advisory_text(const struct sp_advisory *a, const struct sp_question *q);
