/* SPDX-License-Identifier: MIT */
/*
 * The facts of a machine, read once into plain values. A fact is a number, a
 * text, a list, or unknown with the reason; it is never a guessed zero. Each
 * says where it came from.
 *
 * What is hardware, firmware or the running kernel is read from the machine
 * handle (its sys/ and proc/; a recorded machine is a directory); what is
 * installed (kernels and their modules) from the root handle.
 */
#pragma once

#include "base/error.h"
#include "base/root.h"
#include "base/str.h"

enum sp_fact {
	/* DMI: /sys/class/dmi/id (text) */
	SP_FACT_DMI_VENDOR, /* sys_vendor */
	SP_FACT_DMI_PRODUCT,
	SP_FACT_DMI_FAMILY,
	SP_FACT_DMI_BOARD_VENDOR,
	SP_FACT_DMI_BOARD,
	SP_FACT_BIOS_VERSION,
	SP_FACT_BIOS_DATE,
	/* CPU: /proc/cpuinfo */
	SP_FACT_CPU_VENDOR, /* text, "AuthenticAMD" */
	SP_FACT_CPU_FAMILY, /* number */
	SP_FACT_CPU_MODEL,  /* number */
	SP_FACT_CPU_NAME,
	SP_FACT_CPU_COUNT,
	/* PCI: /sys/bus/pci/devices; ids as lower-case text "1002:1586" */
	SP_FACT_GPU_ID, /* of the AMD display device; with several, the one with the Strix Halo id, else the first */
	SP_FACT_GPU_ADDRESS, /* "0000:c5:00.0" */
	SP_FACT_GPU_REVISION, /* two hexadecimal digits: "d1" */
	SP_FACT_GPU_DRIVER,
	SP_FACT_NPU_PRESENT, /* number: 1, or 0 where the PCI devices could be listed and none is an NPU */
	SP_FACT_NPU_ID,
	SP_FACT_NPU_ADDRESS,
	SP_FACT_NPU_DRIVER,
	/* Memory */
	SP_FACT_MEM_TOTAL_KIB,	/* /proc/meminfo MemTotal, KiB */
	SP_FACT_SWAP_KIB,	/* disk swap, zram not counted, KiB */
	SP_FACT_ZRAM_KIB,	/* swap on zram, KiB */
	SP_FACT_VRAM_BYTES,	/* mem_info_vram_total: the carve-out that is in force, bytes */
	SP_FACT_GTT_BYTES,	/* mem_info_gtt_total, bytes */
	SP_FACT_UMA_NEXT_BYTES, /* carve-out of the next boot, bytes; unknown where no source tells */
	SP_FACT_INSTALLED_MIB,	/* MemTotal + carve-out rounded up to what memory is sold in (8 GiB steps), MiB */
	/* Running kernel */
	SP_FACT_KERNEL_RELEASE, /* /proc/sys/kernel/osrelease */
	SP_FACT_BOOT_ID,	/* /proc/sys/kernel/random/boot_id */
	SP_FACT_CMDLINE,	/* /proc/cmdline; the bytes as they are, which need not be UTF-8 */
	SP_FACT_LOCKDOWN,	/* "none", "integrity", "confidentiality" */
	SP_FACT_THP,		/* the bracketed word of transparent_hugepage/enabled */
	SP_FACT_IOMMU_GROUPS,	/* number */
	SP_FACT_IOMMU_TYPE,	/* "identity", "DMA", "DMA-FQ": the GPU's group; unknown: all groups, which may be "mixed" */
	SP_FACT_NUMA_NODES,	/* number */
	SP_FACT_TTM_MODULE,	/* "ttm", "amdttm" or "amd_ttm": the loaded one that amdgpu holds */
	SP_FACT_PAGES_LIMIT,	/* /sys/module/<ttm module>/parameters/pages_limit, 4 KiB pages */
	SP_FACT_GTTSIZE,	/* text: may be -1; /sys/module/amdgpu/parameters/gttsize is 0600: unknown without root */
	SP_FACT_EFI,		/* number: 1 booted by UEFI, 0 not */
	SP_FACT_SECURE_BOOT,	/* number: 1, 0; unknown without EFI variables */
	SP_FACT_TPM_SEALED,	/* list: encrypted disks that are open, whose key the TPM binds to what a command line changes */
	SP_FACT_CHROOT,		/* number: 1 we run in a chroot, 0 not; 0 for a recorded machine */
	/* What advisories are about. Of the machine: */
	SP_FACT_CRASH_MIB,	/* memory that is kept for a crash kernel, MiB */
	SP_FACT_OVERCOMMIT,	/* vm.overcommit_memory */
	SP_FACT_MIN_FREE_KIB,	/* vm.min_free_kbytes, KiB */
	SP_FACT_DIRTY_RATIO,	/* vm.dirty_ratio, percent; 0: dirty_bytes is in force */
	SP_FACT_DIRTY_BYTES,	/* vm.dirty_bytes; 0: dirty_ratio is in force */
	SP_FACT_MES,		/* number: firmware of the GPU's scheduler; debugfs, root only */
	/* Of the root; lists are places or names, and may be empty: */
	SP_FACT_FIRMWARE_PACKAGE, /* text: version of the package with the GPU's firmware, where MES does not tell */
	SP_FACT_AMDVLK,		/* list: manifests of the Vulkan driver AMDVLK */
	SP_FACT_RADV,		/* list: manifests of the Vulkan driver RADV */
	SP_FACT_HSA_OVERRIDE,	/* list of "file:line": HSA_OVERRIDE_GFX_VERSION is set for more than one user */
	SP_FACT_RADV_PERFMODE,	/* likewise RADV_PERFMODE, which no driver reads */
	SP_FACT_AMD_TTM,	/* list: files that amd-ttm or amd-smi wrote */
	SP_FACT_MODPROBE_SIZES, /* list of "file:line": others size the GTT in modprobe.d; without amd-ttm's files */
	SP_FACT_TUNED_LINE,	/* list of "'arguments' (file)": what TuneD adds to the line */
	SP_FACT_KERNELSTUB_LINE, /* likewise what kernelstub writes into entries */
	SP_FACT_GRUB_D_LINE,	/* list of "file:line": files of /etc/default/grub.d that assign the line, without ours */
	SP_FACT_USERS_NO_GPU,	/* list: people in neither of the groups render and video */
	SP_FACT__COUNT,
};

struct sp_value {
	bool known;
	bool is_number, is_list;
	uint64_t number; /* lists: how many */
	char *text;   /* numbers, too: their decimal text; lists: "a, b", or "" */
	char *source; /* path or the name of what told */
	char *why;    /* unknown: the reason, such as "Permission denied" */
};

/* A kernel installed in the root (/usr/lib/modules or /lib/modules). */
struct sp_kernel {
	char *version;
	char *pkgbase; /* Arch: its image is vmlinuz-PKGBASE, whatever the version; NULL elsewhere */
	bool running;
};

struct sp_facts {
	struct sp_value v[SP_FACT__COUNT];
	struct sp_kernel *kernels; /* by version, oldest first */
	size_t n_kernels;
	const struct sp_root *root, *machine; /* borrowed */
	void *kmod_cache;		      /* hw/kernel.c: answers by kernel and module */
};

/*
 * Read everything. Fails only when nothing can be read at all (-errno); a fact that is missing is unknown. `machine`
 * and `root` must outlive the result.
 */
int sp_facts_read(const struct sp_root *root, const struct sp_root *machine, struct sp_facts **ret,
		  struct sp_error **err) sp_must_check;
void sp_facts_free(struct sp_facts *facts);

const char *sp_fact_name(enum sp_fact fact);	/* "dmi.vendor", "memory.total_kib": the name in JSON and catalogues */
int sp_fact_by_name(const char *name, enum sp_fact *ret) sp_must_check; /* -ENOENT */
bool sp_fact_known(const struct sp_facts *f, enum sp_fact fact);
uint64_t sp_fact_num(const struct sp_facts *f, enum sp_fact fact);	   /* only where known; 0 otherwise */
const char *sp_fact_text(const struct sp_facts *f, enum sp_fact fact); /* NULL where unknown */

enum sp_tristate { SP_NO, SP_YES, SP_UNKNOWN };

/*
 * Does this kernel know the parameter of this module (loadable or built in)? Cheapest source first: the running
 * kernel's /sys/module/<m>/parameters, modules.builtin.modinfo, then libkmod on the module file. why (owned, may be
 * NULL) is set for SP_UNKNOWN. A module that the kernel does not have: SP_NO.
 */
enum sp_tristate sp_kernel_has_parm(const struct sp_facts *f, const char *kernel, const char *module, const char *parm,
				    char **why);
enum sp_tristate sp_kernel_has_module(const struct sp_facts *f, const char *kernel, const char *module);
bool sp_kernel_module_builtin(const struct sp_facts *f, const char *kernel, const char *module);
/* The ttm module's name for a kernel that is to boot: "amdttm", "amd_ttm" or "ttm". Borrowed, never NULL. */
const char *sp_kernel_ttm_module(const struct sp_facts *f, const char *kernel);
/* Version order as rpm and dpkg see it ("6.9" before "6.18.4"); <0, 0, >0. */
int sp_version_compare(const char *a, const char *b);

static inline void sp_cleanup_facts_(struct sp_facts **f)
{
	sp_facts_free(*f);
}
#define sp_autofacts sp_cleanup(sp_cleanup_facts_)
