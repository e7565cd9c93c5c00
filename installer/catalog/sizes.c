/* SPDX-License-Identifier: MIT */
#include "catalog/sizes.h"

#include <errno.h>
#include <inttypes.h>

#define GIB_KIB INT64_C(1048576)
#define SMALL_KIB (GIB_KIB / 2) /* 512 MiB: the smallest carve-out that any firmware offers */

int64_t sp_next_memory_kib(int64_t mem_kib, int64_t now_kib, int64_t next_kib)
{
	const int64_t d = now_kib - next_kib;

	return mem_kib + d - d / 64;
}

/* What should stay for the host, KiB: max(8 GiB, 12.5 %). */
static int64_t host_share(int64_t m)
{
	return m / 8 > 8 * GIB_KIB ? m / 8 : 8 * GIB_KIB;
}

/* The size that we would choose, GiB; may be less than 1. */
static int64_t auto_gib(const struct sp_size_input *in, int64_t m, int64_t c)
{
	if (in->host_reserve_mib)
		return (m - (int64_t) in->host_reserve_mib * 1024) / GIB_KIB;
	if (in->headroom == SP_HEADROOM_HOST)
		return (m - host_share(m)) / GIB_KIB;
	const int64_t installed = (m + c + GIB_KIB / 2) / GIB_KIB - 4, visible = m / GIB_KIB - 3;
	return installed < visible ? installed : visible;
}

static int refuse(struct sp_error **err, int64_t m, const char *hint, const char *fmt, ...) sp_printf(4, 5);
static int refuse(struct sp_error **err, int64_t m, const char *hint, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	sp_autofree char *text = sp_xvasprintf(fmt, ap);
	va_end(ap);
	(void) sp_error_set(err, -ERANGE, "%s: the memory at the next boot is %" PRId64 " MiB", text, m / 1024);
	(void) sp_error_exit(err, SP_EXIT_USAGE);
	(void) sp_error_hint(err, "%s", hint);
	return -ERANGE;
}

static int take_given(const struct sp_size_input *in, int64_t m, struct sp_sizes *s, struct sp_error **err)
{
	s->gtt_mib = in->gtt_mib;
	s->origin = "given";
	if ((int64_t) in->gtt_mib <= m / 1024)
		return 0;
	return refuse(err, m, "choose less with --gtt, or leave it out to have it computed",
		      "a GTT of %" PRIu64 " MiB (%" PRIu64 " GiB) is more than there is", in->gtt_mib,
		      in->gtt_mib / 1024);
}

static int choose(const struct sp_size_input *in, int64_t m, struct sp_sizes *s, struct sp_error **err)
{
	const int64_t gib = auto_gib(in, m, (int64_t) in->next_carve_out_kib), mib = gib * 1024;
	const int64_t recorded = (int64_t) in->recorded_mib;

	if (in->gtt_mib)
		return take_given(in, m, s, err);
	if (gib < 1 && in->host_reserve_mib)
		return refuse(err, m, "choose less with --host-reserve",
			      "a host reserve of %" PRIu64 " MiB leaves less than 1 GiB for the GPU",
			      in->host_reserve_mib);
	if (gib < 1)
		return refuse(err, m, "--gtt SIZE sets a size by hand", "nothing is left for the GPU");
	const bool keep = recorded && recorded - mib <= 1024 && mib - recorded <= 1024 && recorded <= m / 1024;
	s->gtt_mib = (uint64_t) (keep ? recorded : mib);
	s->origin = keep ? "recorded" : in->host_reserve_mib ? "given" : "auto";
	return 0;
}

/* What the smallest carve-out would add. */
static uint64_t gain(const struct sp_size_input *in, int64_t m)
{
	const int64_t now = (int64_t) in->carve_out_kib, next = (int64_t) in->next_carve_out_kib;
	const int64_t least = in->least_carve_out_kib ? (int64_t) in->least_carve_out_kib : SMALL_KIB;

	if (next <= least)
		return 0;
	const int64_t with = auto_gib(in, sp_next_memory_kib((int64_t) in->mem_total_kib, now, least), least);
	const int64_t without = auto_gib(in, m, next);
	return with > without ? (uint64_t) (with - (without > 0 ? without : 0)) * 1024 : 0;
}

static void add_warning(const struct sp_size_input *in, int64_t m, struct sp_sizes *s)
{
	const uint64_t share = (uint64_t) host_share(m) / 1024;

	if (in->gtt_mib && s->host_mib < in->host_reserve_mib)
		sp_strv_addf(&s->warnings,
			     "the given GTT size wins over the host reserve: %" PRIu64 " MiB stay, not %" PRIu64,
			     s->host_mib, in->host_reserve_mib);
	else if (s->host_mib < share)
		sp_strv_addf(&s->warnings,
			     "when the GPU uses all it may, %" PRIu64
			     " MiB stay for everything else; with less than %" PRIu64
			     " MiB machines of others froze (profile headroom leaves that much)",
			     s->host_mib, share);
}

int sp_sizes_compute(const struct sp_size_input *in, struct sp_sizes *ret, struct sp_error **err)
{
	const uint64_t most = (uint64_t) 1 << 50; /* KiB; also keeps the signed arithmetic far from its ends */
	struct sp_sizes s = { 0 };

	if (in->mem_total_kib == 0 || in->mem_total_kib > most || in->carve_out_kib > most ||
	    in->next_carve_out_kib > most || in->least_carve_out_kib > most || in->gtt_mib > most || in->host_reserve_mib > most / 1024 ||
	    in->recorded_mib > most) {
		(void) sp_error_set(err, -ERANGE, "a memory of %" PRIu64 " KiB cannot be", in->mem_total_kib);
		return sp_error_exit(err, SP_EXIT_USAGE);
	}
	const int64_t m =
		sp_next_memory_kib((int64_t) in->mem_total_kib, (int64_t) in->carve_out_kib, (int64_t) in->next_carve_out_kib);
	if (m <= 0)
		return refuse(err, 0, "set a smaller carve-out in the firmware",
			      "the carve-out of the next boot takes it all");
	int r = choose(in, m, &s, err);
	if (r < 0)
		return r;
	s.gtt_pages = s.gtt_mib * 256;
	s.next_mem_kib = (uint64_t) m;
	s.host_mib = (uint64_t) m / 1024 - s.gtt_mib;
	s.gain_mib = gain(in, m);
	add_warning(in, m, &s);
	*ret = s;
	return 0;
}

void sp_sizes_clear(struct sp_sizes *s)
{
	sp_strv_clear(&s->warnings);
	*s = (struct sp_sizes){ 0 };
}
