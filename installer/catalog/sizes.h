/* SPDX-License-Identifier: MIT */
/*
 * How much memory the GPU may use. Pure integer arithmetic on the memory of
 * the NEXT boot:
 *
 *   m = MemTotal + d - d/64      d = carve-out now - carve-out at the next boot (page structs take 1/64)
 *   c = carve-out of the next boot (unknown: the current one)
 *   auto GTT in GiB = min(round_GiB(m + c) - 4, floor_GiB(m) - 3)
 *   MiB = GiB * 1024, pages = GiB * 262144 (4 KiB each)
 *
 * ZBook Ultra G1a 64 GB at 512 MB: MemTotal 65074108 KiB gives 59 GiB, 60416 MiB, 15466496 pages.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"
#include "catalog/catalog.h"

struct sp_size_input {
	uint64_t mem_total_kib;
	uint64_t carve_out_kib;	     /* now */
	uint64_t next_carve_out_kib; /* next boot; the current one where unknown */
	uint64_t gtt_mib;	     /* asked for; 0: auto */
	uint64_t host_reserve_mib;   /* asked for; 0: what the profile says */
	uint64_t recorded_mib;	     /* what an earlier apply computed for the same carve-out; 0: none */
	enum sp_headroom headroom;
	uint64_t least_carve_out_kib; /* the smallest that the firmware offers; 0: 512 MiB */
};

/* m: the carve-out that goes is memory, less the page structs for it; one that comes takes them along. */
int64_t sp_next_memory_kib(int64_t mem_kib, int64_t now_kib, int64_t next_kib);

struct sp_sizes {
	uint64_t gtt_mib, gtt_pages;
	uint64_t next_mem_kib;	/* m */
	uint64_t host_mib;	/* what stays for the host: m - GTT */
	uint64_t gain_mib;	/* GTT that the smallest carve-out would add; 0: none */
	const char *origin;	/* "auto", "given", "recorded" */
	struct sp_strv warnings;
};

/*
 * -ERANGE, exit SP_EXIT_USAGE: more than m, or nothing left for the GPU. Recorded numbers are kept unless they differ
 * from what would be computed now by more than 1 GiB. Warns where less than max(8 GiB, 12.5 %) stays for the host.
 */
int sp_sizes_compute(const struct sp_size_input *in, struct sp_sizes *ret, struct sp_error **err) sp_must_check;
void sp_sizes_clear(struct sp_sizes *s);

/* Values that "${name}" stands for: gtt_mib, gtt_gib, gtt_pages, ttm_module. */
struct sp_derived {
	const struct sp_sizes *sizes; /* NULL: not known; then an expansion that needs them fails */
	const char *ttm_module;
};
bool sp_derived_name_ok(const char *name, size_t len);
/* Owned text; -ENODATA with a message where a value is not known; -EINVAL for an unknown name. Shell forms such as
 * "${VAR:+x}" are not derived values and stay as they are. */
int sp_derive(const char *text, const struct sp_derived *d, char **ret, struct sp_error **err) sp_must_check;
