/* SPDX-License-Identifier: MIT */
/*
 * A recorded machine: files of a machine of tests/machines are replaced. Each text of the input is one: its path on
 * the first line ("path -> target": a link), and its bytes. Every fact is known, or says why it is not.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "catalog/catalog.h"
#include "catalog/sizes.h"
#include "hw/carveout.h"
#include "hw/facts.h"
#include "targets.h"

#define MACHINE "tests/machines/zbook-64-fedora"

static char *dir;
static struct sp_root *root;
static struct sp_catalog *catalog;

/* --- the machine to begin with ------------------------------------------------------------------------------------- */

static struct base {
	char *path;
	struct sp_buf bytes;
} *base;
static size_t n_base;

static size_t source_len;

static int copy_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	sp_autoclose int fd = -1;

	(void) ftw;
	if (flag != FTW_F || st->st_size > 16384)
		return 0;
	struct base b = { .path = sp_xstrdup(path + source_len + 1) };
	fd = open(path, O_RDONLY | O_CLOEXEC);
	fuzz_check(fd >= 0 && sp_fd_read(fd, 16384, &b.bytes) == 0, "%s cannot be read", path);
	fuzz_tree_write(dir, b.path, b.bytes.data, b.bytes.len);
	base = sp_xrealloc(base, n_base + 1, sizeof(*base));
	base[n_base++] = b;
	return 0;
}

static void start(void)
{
	sp_autofree char *source = sp_xasprintf("%s/" MACHINE, fuzz_sources());
	sp_autoerror struct sp_error *err = NULL;

	dir = sp_xasprintf("%s/machine", fuzz_tree());
	source_len = strlen(source);
	fuzz_check(nftw(source, copy_one, 16, FTW_PHYS) == 0 && n_base, "%s cannot be read", source);
	fuzz_check(sp_root_open(dir, 0, &root, NULL) == 0, "%s", dir);
	fuzz_check(sp_catalog_load_parts(fuzz_sources(), SP_CATALOG_PLATFORMS, &catalog, &err) == 0, "%s", err->message);
}

/* --- what an input replaces ---------------------------------------------------------------------------------------- */

/* A place in the machine, and no way out of it. */
static bool is_path(const char *path)
{
	static const char *const folders[] = { "sys/", "proc/", "usr/", "etc/", "var/", "lib/" };
	bool known = false;

	for (size_t i = 0; i < SP_ELEMENTS(folders); i++)
		known |= sp_startswith(path, folders[i]);
	if (!known || strlen(path) > 200 || strstr(path, "..") || strstr(path, "//") || strstr(path, "/./") || sp_endswith(path, "/"))
		return false;
	for (; *path; path++)
		if ((unsigned char) *path < ' ')
			return false;
	return true;
}

static void replace(const struct sp_buf *text, struct sp_strv *done)
{
	size_t n = strcspn(text->data, "\n"), head = n + (n < text->len);
	sp_autofree char *path = sp_xstrndup(text->data, n);
	char *arrow = strstr(path, " -> ");
	const char *name = NULL;

	if (arrow)
		*arrow = '\0';
	if (!is_path(path))
		return;
	/* What is in the way stays: a file in the place of a folder, a name that is too long. */
	if (!arrow && fuzz_tree_try(dir, path, text->data + head, text->len - head) == 0)
		sp_strv_add(done, path);
	sp_autoclose int parent = arrow ? fuzz_tree_parent(dir, path, &name) : -1;
	if (parent >= 0 && unlinkat(parent, name, 0) <= 0 && symlinkat(arrow + 4, parent, name) == 0)
		sp_strv_add(done, path);
}

/* Backwards: a later one may stand in a folder that an earlier one made way for. */
static void restore(const struct sp_strv *done)
{
	for (size_t i = done->n; i-- > 0;) {
		sp_autofree char *path = sp_xstrdup(done->v[i]);
		const char *name = NULL;
		sp_autoclose int parent = fuzz_tree_parent(dir, path, &name);

		if (parent >= 0)
			(void) unlinkat(parent, name, 0); /* of two for one path the second finds nothing */
		for (char *slash; (slash = strrchr(path, '/'));) {
			*slash = '\0';
			sp_autoclose int above = fuzz_tree_parent(dir, path, &name);
			if (above < 0 || unlinkat(above, name, AT_REMOVEDIR) < 0)
				break; /* something else is in it */
		}
		for (size_t k = 0; k < n_base; k++)
			if (sp_streq(base[k].path, done->v[i]))
				fuzz_tree_write(dir, base[k].path, base[k].bytes.data, base[k].bytes.len);
	}
}

/* --- the facts ------------------------------------------------------------------------------------------------------ */

static void check_printable(const char *text, const char *name)
{
	for (; text && *text; text++)
		fuzz_check(*text >= ' ' && *text <= '~', "'%s' does not print", name);
}

static void check_fact(const struct sp_facts *f, enum sp_fact fact)
{
	const struct sp_value *v = &f->v[fact];
	const char *name = sp_fact_name(fact);
	enum sp_fact same = SP_FACT__COUNT;

	fuzz_check(v->known ? v->text && !v->why : !v->text && v->why && *v->why, "'%s' is neither known nor unknown", name);
	fuzz_check(sp_fact_by_name(name, &same) == 0 && same == fact, "'%s' is another fact", name);
	fuzz_check(v->known || sp_fact_num(f, fact) == 0, "'%s' is unknown and a number", name);
	check_printable(v->why, name);
	if (fact != SP_FACT_CMDLINE)
		check_printable(v->text, name);
	if (v->known && v->is_number) {
		sp_autofree char *text = sp_xasprintf("%llu", (unsigned long long) v->number);

		fuzz_check(sp_streq(text, v->text), "'%s' is %s and '%s'", name, text, v->text);
	}
}

static void check_kernels(const struct sp_facts *f)
{
	for (size_t i = 0; i < f->n_kernels; i++) {
		const char *version = f->kernels[i].version;
		sp_autofree char *why = NULL, *none = NULL;

		fuzz_check(i == 0 || sp_version_compare(f->kernels[i - 1].version, version) <= 0, "kernels are not in order");
		enum sp_tristate has = sp_kernel_has_parm(f, version, "amdgpu", "gttsize", &why);
		fuzz_check(has != SP_UNKNOWN || why, "a parameter is unknown for no reason");
		fuzz_check(has != SP_YES || sp_kernel_has_module(f, version, "amdgpu") != SP_NO, "a parameter of no module in %s", version);
		(void) sp_kernel_has_parm(f, version, "ttm", "pages_limit", &none);
		fuzz_check(sp_kernel_ttm_module(f, version), "ttm has no name");
	}
}

static void check_carveout(const struct sp_facts *f)
{
	sp_autocarveout struct sp_carveout c = { 0 };

	sp_carveout_read(root, sp_fact_text(f, SP_FACT_GPU_ADDRESS), &c);
	for (size_t i = 0; i < c.n_sources; i++) {
		const struct sp_uma_source *s = &c.sources[i];

		fuzz_check(s->name && s->path && (s->mib || s->why), "a source that says nothing");
		check_printable(s->name, "the carve-out");
		for (size_t k = 0; k < s->n_choices; k++) {
			fuzz_check(s->choices[k].text && s->choices[k].name, "a choice without a name");
			if (s->choices[k].mib)
				fuzz_check(sp_uma_choice(s, s->choices[k].mib) && sp_uma_nearest(s, s->choices[k].mib), "a choice is not offered");
		}
	}
}

/* What is computed from the facts is less than there is. */
static void check_sizes(const struct sp_facts *f)
{
	const struct sp_size_input in = {
		.mem_total_kib = sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB), .carve_out_kib = sp_fact_num(f, SP_FACT_VRAM_BYTES) / 1024,
		.next_carve_out_kib = sp_fact_known(f, SP_FACT_UMA_NEXT_BYTES) ? sp_fact_num(f, SP_FACT_UMA_NEXT_BYTES) / 1024
									     : sp_fact_num(f, SP_FACT_VRAM_BYTES) / 1024,
	};
	struct sp_sizes s = { 0 };
	sp_autoerror struct sp_error *err = NULL;

	if (sp_sizes_compute(&in, &s, &err) < 0) {
		fuzz_check(err && err->message, "an error says nothing");
		return;
	}
	fuzz_check(s.gtt_mib && s.gtt_pages == s.gtt_mib * 256 && s.gtt_mib <= s.next_mem_kib / 1024, "%llu MiB of %llu KiB",
		   (unsigned long long) s.gtt_mib, (unsigned long long) s.next_mem_kib);
	sp_sizes_clear(&s);
}

static void run(const uint8_t *data, size_t size)
{
	fuzz_autofields struct fuzz_fields in = { 0 };
	sp_autostrv struct sp_strv done = { 0 };
	sp_autofacts struct sp_facts *f = NULL;
	sp_autofree char *why = NULL;

	fuzz_cut(data, size, &in);
	for (size_t i = 0; i < in.n; i++)
		replace(&in.v[i], &done);
	if (sp_facts_read(root, root, &f, NULL) == 0) {
		for (int i = 0; i < SP_FACT__COUNT; i++)
			check_fact(f, (enum sp_fact) i);
		const struct sp_platform *p = sp_platform_match(catalog, f, &why);
		fuzz_check(p || why, "no platform, and no reason");
		check_kernels(f);
		check_carveout(f);
		check_sizes(f);
	}
	restore(&done);
}

#define GPU "sys/bus/pci/devices/0000:c5:00.0/"
#define HP "sys/class/firmware-attributes/hp-bioscfg/attributes/Dedicated Graphics Memory/"
static const char *const words[] = {
	"\x1e" "proc/cpuinfo\n", "\x1e" "proc/meminfo\n", "\x1e" "proc/swaps\n", "\x1e" "proc/cmdline\n", "\x1e" GPU "uma/carveout\n", "\x1e" GPU "uma/carveout_options\n",
	"\x1e" GPU "mem_info_vram_total\n", "\x1e" HP "current_value\n", "\x1e" HP "possible_values\n", "\x1e" "usr/lib/modules/6.19.8-200.fc43.x86_64/modules.dep\n",
	"\x1e" "usr/lib/modules/6.19.8-200.fc43.x86_64/modules.builtin.modinfo\n", "\x1e" "etc/passwd\n", "\x1e" "etc/group\n", "\x1e" "etc/environment\n",
	"\x1e" "etc/modprobe.d/ttm.conf\n", "\x1e" "sys/kernel/mm/transparent_hugepage/enabled\n", "\x1e" "sys/devices/system/node/online\n", " -> /etc/passwd",
	"MemTotal:  65074108 kB\n", "512 MB;1 GB", "0: Minimum (512 MB)\n", "18446744073709551615", "0x", "always [madvise] never", "0-3,8", "-", "\n", "\x1e", NULL
};

static const struct fuzz_files files[] = {
	{ "tests/machines/*/proc/cpuinfo", "proc/cpuinfo\n" },
	{ "tests/machines/*/proc/meminfo", "proc/meminfo\n" },
	{ "tests/machines/*/proc/swaps", "proc/swaps\n" },
	{ "tests/machines/*/usr/lib/modules/*/modules.builtin.modinfo", "usr/lib/modules/6.19.8-200.fc43.x86_64/modules.builtin.modinfo\n" },
	{ "tests/machines/*/usr/lib/modules/*/modules.dep", "usr/lib/modules/6.19.8-200.fc43.x86_64/modules.dep\n" },
	{ "tests/machines/*/sys/class/firmware-attributes/*/attributes/*/possible_values", HP "possible_values\n" },
	{ "corpus/environment/*", "etc/environment\n" },
	{ "corpus/modprobe/*", "etc/modprobe.d/a.conf\n" },
	{ NULL, NULL },
};

const struct fuzz_target fuzz_machine = { .name = "machine", .run = run, .words = words, .files = files, .start = start };
