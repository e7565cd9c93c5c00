/* SPDX-License-Identifier: MIT */
#include "hw/facts.h"

#include <errno.h>

#include "hw/internal.h"
#include "hw/paths.h"

#define DMI "/sys/class/dmi/id/"
#define VM "/proc/sys/vm/"

/*
 * What each fact is called and who reads it. Rows are read in order, so a
 * reader may use facts above it; a row without a reader is filled in by the
 * first row of its group.
 */
static const struct {
	const char *name;
	sp_fact_reader *read;
	const char *arg;
} table[SP_FACT__COUNT] = {
	[SP_FACT_DMI_VENDOR] = { "dmi.vendor", sp_read_text, DMI "sys_vendor" },
	[SP_FACT_DMI_PRODUCT] = { "dmi.product", sp_read_text, DMI "product_name" },
	[SP_FACT_DMI_FAMILY] = { "dmi.family", sp_read_text, DMI "product_family" },
	[SP_FACT_DMI_BOARD_VENDOR] = { "dmi.board_vendor", sp_read_text, DMI "board_vendor" },
	[SP_FACT_DMI_BOARD] = { "dmi.board", sp_read_text, DMI "board_name" },
	[SP_FACT_BIOS_VERSION] = { "bios.version", sp_read_text, DMI "bios_version" },
	[SP_FACT_BIOS_DATE] = { "bios.date", sp_read_text, DMI "bios_date" },
	[SP_FACT_CPU_VENDOR] = { "cpu.vendor", sp_read_cpu, "/proc/cpuinfo" },
	[SP_FACT_CPU_FAMILY] = { "cpu.family", NULL, NULL },
	[SP_FACT_CPU_MODEL] = { "cpu.model", NULL, NULL },
	[SP_FACT_CPU_NAME] = { "cpu.name", NULL, NULL },
	[SP_FACT_CPU_COUNT] = { "cpu.count", NULL, NULL },
	[SP_FACT_GPU_ID] = { "gpu.id", sp_read_gpu, NULL },
	[SP_FACT_GPU_ADDRESS] = { "gpu.address", NULL, NULL },
	[SP_FACT_GPU_REVISION] = { "gpu.revision", NULL, NULL },
	[SP_FACT_GPU_DRIVER] = { "gpu.driver", NULL, NULL },
	[SP_FACT_NPU_PRESENT] = { "npu.present", sp_read_npu, NULL },
	[SP_FACT_NPU_ID] = { "npu.id", NULL, NULL },
	[SP_FACT_NPU_ADDRESS] = { "npu.address", NULL, NULL },
	[SP_FACT_NPU_DRIVER] = { "npu.driver", NULL, NULL },
	[SP_FACT_MEM_TOTAL_KIB] = { "memory.total_kib", sp_read_meminfo, "MemTotal" },
	[SP_FACT_SWAP_KIB] = { "memory.swap_kib", sp_read_swaps, "/proc/swaps" },
	[SP_FACT_ZRAM_KIB] = { "memory.zram_kib", NULL, NULL },
	[SP_FACT_VRAM_BYTES] = { "memory.vram_bytes", sp_read_gpu_number, "mem_info_vram_total" },
	[SP_FACT_GTT_BYTES] = { "memory.gtt_bytes", sp_read_gpu_number, "mem_info_gtt_total" },
	[SP_FACT_UMA_NEXT_BYTES] = { "memory.uma_next_bytes", sp_read_uma_next, NULL },
	[SP_FACT_INSTALLED_MIB] = { "memory.installed_mib", sp_read_installed, NULL },
	[SP_FACT_KERNEL_RELEASE] = { "kernel.release", sp_read_text, "/proc/sys/kernel/osrelease" },
	[SP_FACT_BOOT_ID] = { "kernel.boot_id", sp_read_text, "/proc/sys/kernel/random/boot_id" },
	[SP_FACT_CMDLINE] = { "kernel.cmdline", sp_read_whole, "/proc/cmdline" },
	[SP_FACT_LOCKDOWN] = { "kernel.lockdown", sp_read_bracketed, "/sys/kernel/security/lockdown" },
	[SP_FACT_THP] = { "kernel.thp", sp_read_bracketed, "/sys/kernel/mm/transparent_hugepage/enabled" },
	[SP_FACT_IOMMU_GROUPS] = { "iommu.groups", sp_read_count, "/sys/kernel/iommu_groups" },
	[SP_FACT_IOMMU_TYPE] = { "iommu.type", sp_read_iommu_type, "/sys/kernel/iommu_groups" },
	[SP_FACT_NUMA_NODES] = { "memory.numa_nodes", sp_read_ranges, "/sys/devices/system/node/online" },
	[SP_FACT_TTM_MODULE] = { "ttm.module", sp_read_ttm_module, NULL },
	[SP_FACT_PAGES_LIMIT] = { "ttm.pages_limit", sp_read_ttm_number, "pages_limit" },
	[SP_FACT_GTTSIZE] = { "amdgpu.gttsize", sp_read_text, "/sys/module/amdgpu/parameters/gttsize" },
	[SP_FACT_EFI] = { "boot.efi", sp_read_efi, "/sys/firmware" },
	[SP_FACT_SECURE_BOOT] = { "boot.secure_boot", sp_read_secure_boot,
				  "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c" },
	[SP_FACT_TPM_SEALED] = { "disk.tpm_sealed", sp_read_sealed, NULL },
	[SP_FACT_CHROOT] = { "boot.chroot", sp_read_chroot, NULL },
	[SP_FACT_CRASH_MIB] = { "memory.crash_mib", sp_read_mib, "/sys/kernel/kexec_crash_size" },
	[SP_FACT_OVERCOMMIT] = { "sysctl.overcommit_memory", sp_read_number, VM "overcommit_memory" },
	[SP_FACT_MIN_FREE_KIB] = { "sysctl.min_free_kib", sp_read_number, VM "min_free_kbytes" },
	[SP_FACT_DIRTY_RATIO] = { "sysctl.dirty_ratio", sp_read_number, VM "dirty_ratio" },
	[SP_FACT_DIRTY_BYTES] = { "sysctl.dirty_bytes", sp_read_number, VM "dirty_bytes" },
	[SP_FACT_MES] = { "gpu.mes_firmware", sp_read_mes, "amdgpu_firmware_info" },
	[SP_FACT_FIRMWARE_PACKAGE] = { "gpu.firmware_package", sp_read_firmware_package, NULL },
	[SP_FACT_AMDVLK] = { "vulkan.amdvlk", sp_read_vulkan, "amd_icd" },
	[SP_FACT_RADV] = { "vulkan.radv", sp_read_vulkan, "radeon_icd" },
	[SP_FACT_HSA_OVERRIDE] = { "environment.hsa_override", sp_read_variable, "HSA_OVERRIDE_GFX_VERSION" },
	[SP_FACT_RADV_PERFMODE] = { "environment.radv_perfmode", sp_read_variable, "RADV_PERFMODE" },
	[SP_FACT_AMD_TTM] = { "modprobe.amd_ttm", sp_read_amd_ttm, "pages_limit" },
	[SP_FACT_MODPROBE_SIZES] = { "modprobe.sizes", sp_read_modprobe_sizes, NULL },
	[SP_FACT_TUNED_LINE] = { "cmdline.tuned", sp_read_tuned, NULL },
	[SP_FACT_KERNELSTUB_LINE] = { "cmdline.kernelstub", sp_read_kernelstub, NULL },
	[SP_FACT_GRUB_D_LINE] = { "cmdline.grub_d", sp_read_grub_d, NULL },
	[SP_FACT_USERS_NO_GPU] = { "users.without_gpu", sp_read_users, NULL },
};

/* Empty a value, and say where the next one comes from. */
static struct sp_value *renew(struct sp_facts *f, enum sp_fact fact, const char *source)
{
	struct sp_value *v = &f->v[fact];
	char *copy = sp_xstrdup(source);

	free(v->text);
	free(v->source);
	free(v->why);
	*v = (struct sp_value){ .source = copy };
	return v;
}

/* Firmware strings hold anything; what comes out goes to terminals and JSON. */
static void make_printable(char *s)
{
	for (; *s; s++)
		if ((unsigned char) *s < ' ' || (unsigned char) *s > '~')
			*s = '?';
}

void sp_fact_set_text(struct sp_facts *f, enum sp_fact fact, const char *source, const char *text)
{
	sp_fact_set_bytes(f, fact, source, text);
	make_printable(f->v[fact].text);
}

void sp_fact_set_bytes(struct sp_facts *f, enum sp_fact fact, const char *source, const char *text)
{
	char *copy = sp_xstrdup(text);
	struct sp_value *v = renew(f, fact, source);

	v->known = true;
	v->text = copy;
}

void sp_fact_set_num(struct sp_facts *f, enum sp_fact fact, const char *source, uint64_t number)
{
	struct sp_value *v = renew(f, fact, source);

	v->known = v->is_number = true;
	v->number = number;
	v->text = sp_xasprintf("%llu", (unsigned long long) number);
}

void sp_fact_set_list(struct sp_facts *f, enum sp_fact fact, const char *source, const struct sp_strv *list)
{
	sp_autofree char *text = sp_strv_join(list, ", ");

	sp_fact_set_text(f, fact, source, text);
	f->v[fact].is_list = true;
	f->v[fact].number = list->n;
}

void sp_fact_set_parsed(struct sp_facts *f, enum sp_fact fact, const char *source, const char *text)
{
	uint64_t number = 0;

	if (sp_parse_u64(text, &number) < 0)
		sp_fact_set_unknown(f, fact, source, "'%s' is not a number", text);
	else
		sp_fact_set_num(f, fact, source, number);
}

void sp_fact_set_unknown(struct sp_facts *f, enum sp_fact fact, const char *source, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *why = sp_xvasprintf(fmt, ap);
	va_end(ap);
	make_printable(why);
	renew(f, fact, source)->why = why;
}

const char *sp_hw_reason(int code)
{
	return code == -ENOENT || code == -ENOTDIR ? "not there" : strerror(-code);
}

void sp_fact_set_errno(struct sp_facts *f, enum sp_fact fact, const char *source, int code)
{
	sp_fact_set_unknown(f, fact, source, "%s", sp_hw_reason(code));
}

/* A recorded machine is never in a chroot, and what the root tells is none of it: these prove no machine. */
static bool anything_known(const struct sp_facts *f)
{
	for (int i = 0; i < SP_FACT_FIRMWARE_PACKAGE; i++)
		if (i != SP_FACT_CHROOT && f->v[i].known)
			return true;
	return false;
}

int sp_facts_read(const struct sp_root *root, const struct sp_root *machine, struct sp_facts **ret,
		  struct sp_error **err)
{
	sp_autofacts struct sp_facts *f = sp_xcalloc(1, sizeof(*f));

	f->root = root;
	f->machine = machine;
	f->kmod_cache = sp_modules_new(root);
	for (int i = 0; i < SP_FACT__COUNT; i++)
		if (table[i].read)
			table[i].read(f, (enum sp_fact) i, table[i].arg);
	if (!anything_known(f)) {
		(void) sp_error_set(err, -ENOENT, "nothing is known about the machine in '%s'",
				    sp_root_display(machine));
		return sp_error_hint(err, "a machine is a directory that holds sys and proc");
	}
	sp_kernels_read(f);
	*ret = sp_steal(f);
	return 0;
}

void sp_facts_paths(struct sp_strv *ret)
{
	for (int i = 0; i < SP_FACT__COUNT; i++)
		if (table[i].arg && *table[i].arg == '/' && !sp_strv_has(ret, table[i].arg))
			sp_strv_add(ret, table[i].arg);
}

void sp_facts_free(struct sp_facts *facts)
{
	if (!facts)
		return;
	for (int i = 0; i < SP_FACT__COUNT; i++) {
		free(facts->v[i].text);
		free(facts->v[i].source);
		free(facts->v[i].why);
	}
	for (size_t i = 0; i < facts->n_kernels; i++) {
		free(facts->kernels[i].version);
		free(facts->kernels[i].pkgbase);
	}
	free(facts->kernels);
	sp_modules_free(facts->kmod_cache);
	free(facts);
}

const char *sp_fact_name(enum sp_fact fact)
{
	return table[fact].name;
}

int sp_fact_by_name(const char *name, enum sp_fact *ret)
{
	for (int i = 0; i < SP_FACT__COUNT; i++)
		if (sp_streq(table[i].name, name)) {
			*ret = (enum sp_fact) i;
			return 0;
		}
	return -ENOENT;
}

bool sp_fact_known(const struct sp_facts *f, enum sp_fact fact)
{
	return f->v[fact].known;
}

uint64_t sp_fact_num(const struct sp_facts *f, enum sp_fact fact)
{
	return f->v[fact].known ? f->v[fact].number : 0;
}

const char *sp_fact_text(const struct sp_facts *f, enum sp_fact fact)
{
	return f->v[fact].known ? f->v[fact].text : NULL;
}
