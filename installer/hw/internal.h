/* SPDX-License-Identifier: MIT */
/*
 * Inside hw/: how readers fill in facts, and the index of installed modules.
 *
 * A reader sets its fact, known or with the reason why not. `source` is the
 * path inside the machine that told, or would have told.
 */
#pragma once

#include "format/assign.h"
#include "hw/facts.h"

/* The first replaces what does not print by '?', the second takes the bytes as they are. */
void sp_fact_set_text(struct sp_facts *f, enum sp_fact fact, const char *source, const char *text);
void sp_fact_set_bytes(struct sp_facts *f, enum sp_fact fact, const char *source, const char *text);
void sp_fact_set_num(struct sp_facts *f, enum sp_fact fact, const char *source, uint64_t number);
void sp_fact_set_list(struct sp_facts *f, enum sp_fact fact, const char *source, const struct sp_strv *list);
/* Decimal, or hexadecimal with 0x; anything else is unknown with the text quoted. */
void sp_fact_set_parsed(struct sp_facts *f, enum sp_fact fact, const char *source, const char *text);
void sp_fact_set_unknown(struct sp_facts *f, enum sp_fact fact, const char *source, const char *fmt, ...)
	sp_printf(4, 5);
void sp_fact_set_errno(struct sp_facts *f, enum sp_fact fact, const char *source, int code);
const char *sp_hw_reason(int code); /* "not there", "Permission denied" */

typedef void sp_fact_reader(struct sp_facts *f, enum sp_fact fact, const char *arg);

/* sysfs.c: arg is the path */
sp_fact_reader sp_read_text;	  /* first line, blanks cut off */
sp_fact_reader sp_read_number;	  /* first line */
sp_fact_reader sp_read_mib;	  /* first line, bytes */
sp_fact_reader sp_read_bracketed; /* the word in [brackets] */
sp_fact_reader sp_read_whole;	  /* everything on one line, bytes as they are */
sp_fact_reader sp_read_count;	  /* number of names in a directory */
sp_fact_reader sp_read_ranges;	  /* how many numbers "0-3,8" names */

sp_fact_reader sp_read_cpu;	    /* cpu.c: all facts of the CPU; arg /proc/cpuinfo */
sp_fact_reader sp_read_gpu;	    /* pci.c: all facts of the GPU */
sp_fact_reader sp_read_npu;	    /* pci.c: all facts of the NPU */
sp_fact_reader sp_read_gpu_number;  /* pci.c: arg is a file of the GPU */
sp_fact_reader sp_read_meminfo;	    /* memory.c: arg is the key */
sp_fact_reader sp_read_swaps;	    /* memory.c: disk swap and zram; arg /proc/swaps */
sp_fact_reader sp_read_installed;   /* memory.c: from facts read before */
sp_fact_reader sp_read_uma_next;    /* carveout.c */
sp_fact_reader sp_read_iommu_type;  /* platform.c: arg is the directory of the groups */
sp_fact_reader sp_read_efi;	    /* efi.c: arg is the directory that tells */
sp_fact_reader sp_read_secure_boot; /* efi.c: arg is the variable's file */
sp_fact_reader sp_read_sealed;	    /* sealed.c */
sp_fact_reader sp_read_chroot;	    /* platform.c */
sp_fact_reader sp_read_ttm_module;  /* platform.c */
sp_fact_reader sp_read_ttm_number;  /* platform.c: arg is a parameter of the ttm module */

sp_fact_reader sp_read_mes;		 /* gpu-firmware.c: arg is the file's name in debugfs */
sp_fact_reader sp_read_firmware_package; /* gpu-firmware.c */
sp_fact_reader sp_read_vulkan;		 /* software.c: arg is how the manifest's name begins */
sp_fact_reader sp_read_variable;	 /* software.c: arg is the variable's name */
sp_fact_reader sp_read_amd_ttm;		 /* software.c: arg is the parameter that makes the file one of theirs */
sp_fact_reader sp_read_users;		 /* users.c */
/* owners.c: who else says what the kernel is told */
sp_fact_reader sp_read_modprobe_sizes, sp_read_tuned, sp_read_kernelstub, sp_read_grub_d;
bool sp_hw_sizes_gtt(const struct sp_assign *a); /* of modprobe.d: it sets how much memory the GPU may have */

/* sealed.c. The block device that the kernel calls so, and no other; in a recorded machine a file that stands for it. */
int sp_hw_open_block(const struct sp_root *machine, const char *name) sp_must_check;

/* software.c. Names of a folder in the root that begin and end so, as whole paths; 0, or negative errno. */
int sp_hw_list_paths(struct sp_facts *f, const char *dir, const char *begin, const char *end,
		     struct sp_strv *ret) sp_must_check;
/* Where a file assigns a variable, as "path:line"; 0, or negative errno. A file that is not there assigns nothing. */
int sp_hw_find_variable(struct sp_facts *f, const char *path, const char *name, struct sp_strv *ret) sp_must_check;
/* Is this the file of amd-ttm or amd-smi? */
bool sp_hw_is_amd_ttm(const char *path);

/* "512 MB", "32 GB", "32G", in any case and binary: bytes; -EINVAL, -ERANGE. carveout.c */
int sp_hw_parse_size(const char *text, uint64_t *ret_bytes) sp_must_check;

#define SP_PCI_DEVICES "/sys/bus/pci/devices"
/* Names that AMD's ttm has had, DKMS before the kernel's own; NULL at the end. kernel.c */
extern const char *const sp_ttm_names[];

void sp_kernels_read(struct sp_facts *f); /* kernel.c: the installed kernels */

/* modules.c: what the root's kernels have, each file read once. */
struct sp_modules;
struct sp_modules *sp_modules_new(const struct sp_root *root);
void sp_modules_free(struct sp_modules *modules);
/* Directory of a kernel's modules in the root (owned): -ENOENT, or -EINVAL for what is no kernel version. */
int sp_modules_dir(const struct sp_root *root, const char *kernel, char **ret) sp_must_check;

struct sp_module {
	enum sp_tristate present;
	bool builtin;
	char *path;	      /* in the root; NULL: built in, or not there */
	bool asked;	      /* parms was filled in, or why says why it could not be */
	struct sp_strv parms; /* '-' as '_' */
	char *why;	      /* what cannot be told: the reason; NULL: nothing */
	char *name;
	struct sp_module *next;
};
/* Both borrowed, never NULL; '-' is equal to '_' in names. The second fills in the parameters. */
const struct sp_module *sp_modules_find(struct sp_modules *modules, const char *kernel, const char *name);
const struct sp_module *sp_modules_parms(struct sp_modules *modules, const char *kernel, const char *name);

/* The spelling of the kernel: '-' as '_' (owned). */
char *sp_module_name(const char *name);
/* parms.c: what a module file says it takes, by libkmod; 0, or negative errno with why (owned). */
int sp_parms_of_file(const struct sp_root *root, const char *path, struct sp_strv *ret, char **why) sp_must_check;
/* "name:what it does" to a list of names, each once. */
void sp_parms_add(struct sp_strv *parms, const char *text);
