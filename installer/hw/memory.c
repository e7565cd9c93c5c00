/* SPDX-License-Identifier: MIT */
/* /proc/meminfo, /proc/swaps, and what memory is installed. */
#include "hw/internal.h"

/* What follows "Key:"; NULL where there is no such line. */
static const char *value_of(const char *text, const char *key)
{
	size_t n = strlen(key);

	while (text) {
		if (strncmp(text, key, n) == 0 && text[n] == ':')
			return text + n + 1;
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return NULL;
}

void sp_read_meminfo(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	static const char source[] = "/proc/meminfo";
	sp_autobuf struct sp_buf b = { 0 };
	int r = sp_root_read(f->machine, source, SP_FILE_MAX, &b, NULL);

	if (r < 0) {
		sp_fact_set_errno(f, fact, source, r);
		return;
	}
	const char *value = value_of(b.data, arg);
	if (!value) {
		sp_fact_set_unknown(f, fact, source, "no line '%s'", arg);
		return;
	}
	sp_autofree char *line = sp_xstrndup(value, strcspn(value, "\n"));
	char *number = sp_strip(line);
	if (!sp_endswith(number, " kB")) {
		sp_fact_set_unknown(f, fact, source, "'%s' is not in kB", number);
		return;
	}
	number[strlen(number) - strlen(" kB")] = '\0';
	sp_fact_set_parsed(f, fact, source, sp_strip(number));
}

/* "name type size used priority", blanks in the name as \040; sizes in KiB. false: not such a line. */
static bool add_swap(char *line, uint64_t *disk, uint64_t *zram)
{
	char *save = NULL;
	const char *name = strtok_r(line, " \t", &save);
	const char *type = strtok_r(NULL, " \t", &save), *size = strtok_r(NULL, " \t", &save);
	uint64_t kib = 0;

	if (!name || !type || !size || sp_parse_u64(size, &kib) < 0)
		return false;
	*(sp_startswith(name, "/dev/zram") ? zram : disk) += kib;
	return true;
}

void sp_read_swaps(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	sp_autobuf struct sp_buf b = { 0 };
	uint64_t disk = 0, zram = 0;
	int r = sp_root_read(f->machine, arg, SP_FILE_MAX, &b, NULL);
	char *line = r < 0 ? NULL : b.data + strcspn(b.data, "\n"), *save = NULL; /* after the heading */

	if (r < 0) {
		sp_fact_set_errno(f, fact, arg, r);
		sp_fact_set_errno(f, SP_FACT_ZRAM_KIB, arg, r);
		return;
	}
	for (line = strtok_r(line, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (!add_swap(line, &disk, &zram)) {
			sp_fact_set_unknown(f, fact, arg, "a line is not understood");
			sp_fact_set_unknown(f, SP_FACT_ZRAM_KIB, arg, "a line is not understood");
			return;
		}
	sp_fact_set_num(f, fact, arg, disk);
	sp_fact_set_num(f, SP_FACT_ZRAM_KIB, arg, zram);
}

/*
 * Memory is sold in steps of 8 GiB, and what MemTotal and the carve-out leave
 * out (firmware, the kernel itself, a crash kernel: up to about 5 GiB have
 * been seen) is less than one step.
 */
void sp_read_installed(struct sp_facts *f, enum sp_fact fact, const char *arg)
{
	static const char source[] = "memory.total_kib + memory.vram_bytes";
	static const enum sp_fact needs[] = { SP_FACT_MEM_TOTAL_KIB, SP_FACT_VRAM_BYTES };
	const uint64_t step = 8 * 1024;

	(void) arg;
	for (size_t i = 0; i < SP_ELEMENTS(needs); i++)
		if (!sp_fact_known(f, needs[i])) {
			sp_fact_set_unknown(f, fact, source, "%s is not known", sp_fact_name(needs[i]));
			return;
		}
	uint64_t mib = sp_fact_num(f, SP_FACT_MEM_TOTAL_KIB) / 1024 + sp_fact_num(f, SP_FACT_VRAM_BYTES) / 1024 / 1024;
	sp_fact_set_num(f, fact, source, (mib + step - 1) / step * step);
}
