/* SPDX-License-Identifier: MIT */
/*
 * What a record takes. Nothing leaves the machine that these tables, the paths
 * of the facts and the live values of the catalogue do not name. A '*' stands
 * for anything within one part of a path.
 */
#include <errno.h>
#include <fnmatch.h>

#include "engine/record.h"
#include "format/modinfo.h"
#include "hw/paths.h"
#include "hw/remembered.h"

struct row {
	const char *glob;
	enum sp_take how;
};

#define HP "/sys/class/firmware-attributes/hp-bioscfg/"

static const struct row machine_rows[] = {
	{ "/proc/cpuinfo", SP_TAKE_PLAIN },
	{ "/proc/meminfo", SP_TAKE_PLAIN },
	{ "/sys/bus/pci/devices/*/vendor", SP_TAKE_PLAIN },
	{ "/sys/bus/pci/devices/*/device", SP_TAKE_PLAIN },
	{ "/sys/bus/pci/devices/*/class", SP_TAKE_PLAIN },
	{ "/sys/bus/pci/devices/*/revision", SP_TAKE_PLAIN },
	{ "/sys/bus/pci/devices/*/driver", SP_TAKE_TARGET },
	{ "/sys/bus/pci/devices/*/iommu_group", SP_TAKE_GROUP },
	{ "/sys/bus/pci/devices/*/mem_info_*_total", SP_TAKE_PLAIN },
	{ "/sys/bus/pci/devices/*/uma/carveout*", SP_TAKE_PLAIN },
	{ "/sys/kernel/iommu_groups/*", SP_TAKE_NAME },
	{ "/sys/kernel/iommu_groups/*/type", SP_TAKE_PLAIN },
	{ "/sys/kernel/debug/dri/*/amdgpu_firmware_info", SP_TAKE_PLAIN },
	{ "/sys/firmware/efi", SP_TAKE_NAME },
	{ "/sys/firmware/efi/efivars/OsIndications*-8be4df61-93ca-11d2-aa0d-00e098032b8c", SP_TAKE_PLAIN },
	{ HP "authentication", SP_TAKE_NAME }, /* never what was put into current_password */
	{ HP "authentication/Setup Password/is_enabled", SP_TAKE_PLAIN },
	{ HP "authentication/Setup Password/role", SP_TAKE_PLAIN },
	{ HP "authentication/SPM/is_enabled", SP_TAKE_PLAIN },
	{ HP "authentication/SPM/role", SP_TAKE_PLAIN },
	/* which boot loader; its other variables have identifiers in UTF-16 */
	{ "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", SP_TAKE_PLAIN },
	{ "/sys/firmware/efi/efivars/StubInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f", SP_TAKE_PLAIN },
	{ "/proc/swaps", SP_TAKE_COPY }, /* and whatever else a fact comes from: see sp_facts_paths() */
	{ NULL, SP_TAKE_COPY },
};

/* Of a module that is loaded. */
static const struct row module_rows[] = {
	{ "", SP_TAKE_NAME },
	{ "/parameters/*", SP_TAKE_PLAIN },
	{ "/holders/*", SP_TAKE_NAME },
};
static const char *const modules[] = { "amdgpu", "ttm", "amdttm", "amd_ttm", "amdxdna" };

#define HP_ATTRIBUTES HP "attributes"

static const struct row root_rows[] = {
	/* ours */
	{ "/etc/strix-provision.conf", SP_TAKE_COPY },
	{ "/etc/*.d/*strix-provision*", SP_TAKE_COPY },
	{ "/etc/default/grub.d/*", SP_TAKE_COPY },
	{ "/var/lib/strix-provision/state.json", SP_TAKE_COPY },
	/* the system */
	{ "/etc/os-release", SP_TAKE_COPY },
	{ "/usr/lib/os-release", SP_TAKE_COPY },
	{ "/etc/debian_version", SP_TAKE_COPY },
	{ "/etc/default/locale", SP_TAKE_COPY },
	{ "/etc/locale.conf", SP_TAKE_COPY },
	{ "/etc/machine-id", SP_TAKE_COPY },
	{ "/etc/passwd", SP_TAKE_PEOPLE },
	{ "/etc/group", SP_TAKE_GROUPS },
	{ "/var/lib/pacman/local/linux-firmware*", SP_TAKE_NAME },
	/* boot setups */
	{ "/etc/default/grub", SP_TAKE_COPY },
	{ "/etc/grub.d/*", SP_TAKE_NAME },
	{ "/usr/bin/grub*-mkconfig", SP_TAKE_PLAIN },
	{ "/usr/sbin/grub*-mkconfig", SP_TAKE_PLAIN },
	{ "/etc/default/grub.d", SP_TAKE_NAME },
	{ "/etc/kernel/*", SP_TAKE_COPY },
	{ "/usr/lib/kernel/cmdline", SP_TAKE_COPY },
	{ "/etc/kernelstub/configuration", SP_TAKE_COPY },
	{ "/usr/bin/kernelstub", SP_TAKE_NAME },
	{ "/usr/bin/sdbootutil", SP_TAKE_PLAIN },
	{ "/etc/sysconfig/bootloader", SP_TAKE_COPY },
	{ "/etc/kernel/cmdline.d/*", SP_TAKE_COPY },
	{ "/usr/kernel/cmdline.d/*", SP_TAKE_COPY },
	{ "/usr/share/grub2/x86_64-efi/grubbls.efi", SP_TAKE_NAME },
	{ "/usr/lib/systemd*/systemd-bootx64.efi", SP_TAKE_NAME },
	{ "/usr/lib/systemd/boot/efi/systemd-bootx64.efi", SP_TAKE_NAME },
	{ "/etc/tuned/bootcmdline", SP_TAKE_COPY },
	{ "/boot/loader/entries/*.conf", SP_TAKE_COPY },
	{ "/boot/loader/loader.conf", SP_TAKE_COPY },
	{ "/efi/loader/*.conf", SP_TAKE_COPY },
	{ "/efi/loader/entries/*.conf", SP_TAKE_COPY },
	{ "/boot/efi/loader/*.conf", SP_TAKE_COPY },
	{ "/boot/efi/loader/entries/*.conf", SP_TAKE_COPY },
	{ "/boot/grub*/grub.cfg", SP_TAKE_COPY },
	{ "/boot/grub*/grubenv", SP_TAKE_COPY },
	{ "/boot/grub*/*/blscfg.mod", SP_TAKE_NAME },
	{ "/boot/grub*/*/blsuki.mod", SP_TAKE_NAME },
	{ "/boot/EFI/systemd/*", SP_TAKE_NAME },
	{ "/efi/EFI/systemd/*", SP_TAKE_NAME },
	{ "/boot/efi/EFI/systemd/*", SP_TAKE_NAME },
	{ "/boot/EFI/Linux/*.efi", SP_TAKE_IMAGE },
	{ "/boot/EFI/Linux/*.efi.extra.d/*.addon.efi", SP_TAKE_IMAGE },
	{ "/boot/loader/addons/*.addon.efi", SP_TAKE_IMAGE },
	{ "/efi/EFI/Linux/*.efi", SP_TAKE_IMAGE },
	{ "/efi/EFI/Linux/*.efi.extra.d/*.addon.efi", SP_TAKE_IMAGE },
	{ "/efi/loader/addons/*.addon.efi", SP_TAKE_IMAGE },
	{ "/boot/efi/EFI/Linux/*.efi", SP_TAKE_IMAGE },
	{ "/boot/efi/EFI/Linux/*.efi.extra.d/*.addon.efi", SP_TAKE_IMAGE },
	{ "/boot/efi/loader/addons/*.addon.efi", SP_TAKE_IMAGE },
	{ "/boot/EFI/Linux/*", SP_TAKE_NAME },
	{ "/efi/EFI/Linux/*", SP_TAKE_NAME },
	{ "/boot/efi/EFI/Linux/*", SP_TAKE_NAME },
	{ "/boot/limine*", SP_TAKE_COPY },
	{ "/boot/EFI/limine/*.efi", SP_TAKE_PLAIN }, /* whether a checksum is enrolled */
	{ "/efi/EFI/limine/*.efi", SP_TAKE_PLAIN },
	{ "/boot/efi/EFI/limine/*.efi", SP_TAKE_PLAIN },
	{ "/usr/bin/limine-*", SP_TAKE_NAME },
	{ "/etc/default/limine", SP_TAKE_COPY },
	{ "/etc/limine-entry-tool*", SP_TAKE_COPY },
	{ "/etc/limine-entry-tool.d/*", SP_TAKE_COPY },
	{ "/boot/limine/limine.conf", SP_TAKE_COPY },
	{ "/boot/efi/limine.conf", SP_TAKE_COPY },
	{ "/boot/refind_linux.conf", SP_TAKE_COPY },
	{ "/boot/EFI/refind/*.conf", SP_TAKE_COPY },
	{ "/efi/EFI/refind/*.conf", SP_TAKE_COPY },
	{ "/boot/efi/EFI/refind/*.conf", SP_TAKE_COPY },
	{ "/ostree/repo", SP_TAKE_NAME },
	{ "/sysroot/ostree/repo", SP_TAKE_NAME },
	{ "/run/ostree-booted", SP_TAKE_NAME },
	{ "/usr/bin/rpm-ostree", SP_TAKE_NAME },
	{ "/usr/bin/bootc", SP_TAKE_NAME },
	/* kernels */
	{ "/boot/vmlinuz*", SP_TAKE_NAME },
	{ "/boot/initr*", SP_TAKE_NAME },
	{ "/boot/*/*/linux", SP_TAKE_NAME },
	{ "/boot/*/*/vmlinuz*", SP_TAKE_NAME },
	{ "/boot/*/*/initr*", SP_TAKE_NAME },
	{ "/efi/*/*/linux", SP_TAKE_NAME },
	{ "/efi/*/*/initr*", SP_TAKE_NAME },
	{ "/boot/efi/*/*/linux*", SP_TAKE_NAME },
	{ "/boot/efi/*/*/initr*", SP_TAKE_NAME },
	{ "/boot/efi/*/*/vmlinuz*", SP_TAKE_NAME },
	{ "/lib", SP_TAKE_NAME },
	{ "/usr/lib/modules/*/pkgbase", SP_TAKE_PLAIN },
	{ "/usr/lib/modules/*/modules.dep", SP_TAKE_PLAIN },
	{ "/usr/lib/modules/*/modules.builtin", SP_TAKE_PLAIN },
	{ "/usr/lib/modules/*/modules.builtin.modinfo", SP_TAKE_PLAIN },
	{ "/usr/lib/modules/*/vmlinuz", SP_TAKE_NAME },
	{ "/usr/lib/modules/*/kernel", SP_TAKE_NAME },
	/* drop-ins */
	{ "/etc/sysctl.d", SP_TAKE_NAME },
	{ "/etc/modprobe.d", SP_TAKE_NAME },
	{ "/etc/environment.d", SP_TAKE_NAME },
	{ "/etc/sysctl.conf", SP_TAKE_COPY },
	{ "/etc/sysctl.d/*.conf", SP_TAKE_COPY },
	{ "/run/sysctl.d/*.conf", SP_TAKE_COPY },
	{ "/usr/local/lib/sysctl.d/*.conf", SP_TAKE_COPY },
	{ "/usr/lib/sysctl.d/*.conf", SP_TAKE_COPY },
	{ "/etc/modprobe.d/*.conf", SP_TAKE_COPY },
	{ "/run/modprobe.d/*.conf", SP_TAKE_COPY },
	{ "/usr/local/lib/modprobe.d/*.conf", SP_TAKE_COPY },
	{ "/usr/lib/modprobe.d/*.conf", SP_TAKE_COPY },
	/* where people set variables, and much else that is nobody's business */
	{ "/etc/environment", SP_TAKE_LINES },
	{ "/etc/environment.d/*.conf", SP_TAKE_LINES },
	{ "/run/environment.d/*.conf", SP_TAKE_LINES },
	{ "/usr/local/lib/environment.d/*.conf", SP_TAKE_LINES },
	{ "/usr/lib/environment.d/*.conf", SP_TAKE_LINES },
	{ "/etc/profile", SP_TAKE_LINES },
	{ "/etc/profile.d/*.sh", SP_TAKE_LINES },
	{ "/etc/systemd/system.conf.d/*.conf", SP_TAKE_LINES },
	{ "/etc/systemd/user.conf.d/*.conf", SP_TAKE_LINES },
	{ "/etc/systemd/system/*.service.d/*.conf", SP_TAKE_LINES },
	/* Vulkan drivers */
	{ "/etc/vulkan/icd.d/*.json", SP_TAKE_NAME },
	{ "/usr/local/share/vulkan/icd.d/*.json", SP_TAKE_NAME },
	{ "/usr/share/vulkan/icd.d/*.json", SP_TAKE_NAME },
	{ NULL, SP_TAKE_COPY },
};

/* --- expanding -----------------------------------------------------------------------------------------------------
 */

struct walk {
	const struct sp_root *root;
	bool machine;
	enum sp_take how;
	struct sp_items *items;
};

/* `at` is what has been expanded, `rest` what has not. */
static void expand(const struct walk *w, const char *at, const char *rest)
{
	const size_t n = strcspn(rest + 1, "/") + 1;
	sp_autofree char *part = sp_xstrndup(rest + 1, n - 1);
	sp_autostrv struct sp_strv names = { 0 };
	int r = 0;

	if (strchr(part, '*'))
		r = sp_root_list(w->root, *at ? at : "/", &names);
	else
		sp_strv_add(&names, part);
	if (r == -EACCES || r == -EPERM)
		sp_record_denied(w->root, at, r, w->items);
	for (size_t i = 0; i < names.n; i++) {
		sp_autofree char *path = sp_xasprintf("%s/%s", at, names.v[i]);

		if (fnmatch(part, names.v[i], 0) != 0)
			continue;
		if (rest[n])
			expand(w, path, rest + n);
		else
			sp_record_take(w->root, w->machine, path, w->how, w->items);
	}
}

static void take_glob(const struct sp_root *root, bool machine, const char *glob, enum sp_take how,
		      struct sp_items *ret)
{
	const struct walk w = { root, machine, how, ret };

	expand(&w, "", glob);
}

static void take_modules(const struct sp_root *machine, struct sp_items *ret)
{
	for (size_t i = 0; i < SP_ELEMENTS(modules); i++)
		for (size_t k = 0; k < SP_ELEMENTS(module_rows); k++) {
			sp_autofree char *glob = sp_xasprintf("/sys/module/%s%s", modules[i], module_rows[k].glob);
			take_glob(machine, true, glob, module_rows[k].how, ret);
		}
}

static void take_firmware(const struct sp_root *machine, struct sp_items *ret)
{
	static const char *const files[] = { "current_value", "possible_values" };
	sp_autostrv struct sp_strv names = { 0 };

	if (sp_root_list(machine, HP_ATTRIBUTES, &names) < 0)
		return; /* no such driver */
	for (size_t i = 0; i < names.n; i++)
		for (size_t k = 0; k < SP_ELEMENTS(files) && sp_firmware_is_carve_out(names.v[i]); k++) {
			sp_autofree char *path = sp_xasprintf(HP_ATTRIBUTES "/%s/%s", names.v[i], files[k]);
			const size_t before = ret->n;
			struct stat st;
			sp_record_take(machine, true, path, SP_TAKE_PLAIN, ret);
			if (ret->n > before && sp_root_stat(machine, path, &st) == 0)
				ret->v[ret->n - 1].read_only = !(st.st_mode & 0222);
		}
}

static void take_live(const struct sp_session *s, const struct sp_facts *f, const struct sp_catalog *c,
		      struct sp_items *ret)
{
	const struct sp_derived derived = { .ttm_module =
						    sp_kernel_ttm_module(f, sp_fact_text(f, SP_FACT_KERNEL_RELEASE)) };

	for (size_t i = 0; i < c->n_settings; i++) {
		sp_autofree char *path = NULL;
		if (c->settings[i].live && sp_derive(c->settings[i].live, &derived, &path, NULL) == 0)
			sp_record_take(s->machine, true, path, SP_TAKE_COPY, ret);
	}
}

/* --- what stands for something large -------------------------------------------------------------------------------
 */

/* Module files are asked for their parameters, and a stub says the same. */
static void take_stubs(const struct sp_facts *f, struct sp_items *ret)
{
	for (size_t i = 0; i < f->n_kernels; i++)
		for (size_t k = 0; k < SP_ELEMENTS(modules); k++) {
			sp_autofree char *path = NULL;
			sp_autostrv struct sp_strv parms = { 0 };
			if (sp_kernel_module_file(f, f->kernels[i].version, modules[k], &path, &parms) < 0)
				continue;
			struct sp_item *item = sp_items_add(ret, SP_ITEM_FILE, path);
			if (!item)
				continue;
			item->plain = true;
			sp_modinfo_stub(&parms, &item->bytes);
		}
}

/* dpkg's list of packages is megabytes long and says what is installed: the one version that is a fact is enough. */
static void take_package(const struct sp_facts *f, struct sp_items *ret)
{
	static const char list[] = "/var/lib/dpkg/status";
	const struct sp_value *v = &f->v[SP_FACT_FIRMWARE_PACKAGE];
	struct sp_item *item = v->known && sp_streq(v->source, list) ? sp_items_add(ret, SP_ITEM_FILE, list) : NULL;

	if (item)
		sp_buf_addf(&item->bytes, "Package: linux-firmware\nStatus: install ok installed\nVersion: %s\n",
			    v->text);
}

/* A folder that cannot be listed, but out of which something could be read by its name, stays open. */
static void open_folders(struct sp_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		const size_t n = strlen(items->v[i].path);
		for (size_t k = 0; k < items->n && items->v[i].kind == SP_ITEM_FOLDER && items->v[i].denied; k++)
			if (sp_startswith(items->v[k].path, items->v[i].path) && items->v[k].path[n] == '/')
				items->v[i].denied = false;
	}
}

static void collect_root(const struct sp_session *s, const struct sp_facts *facts, struct sp_items *ret)
{
	for (const struct row *row = root_rows; row->glob; row++)
		take_glob(s->root, false, row->glob, row->how, ret);
	take_stubs(facts, ret);
	take_package(facts, ret);
}

void sp_record_collect(const struct sp_session *s, const struct sp_facts *facts, const struct sp_catalog *catalog,
		       bool boot, struct sp_items *ret)
{
	sp_autostrv struct sp_strv paths = { 0 };

	for (const struct row *row = machine_rows; row->glob; row++)
		take_glob(s->machine, true, row->glob, row->how, ret);
	take_modules(s->machine, ret);
	take_firmware(s->machine, ret);
	sp_facts_paths(&paths);
	for (size_t i = 0; i < paths.n; i++)
		sp_record_take(s->machine, true, paths.v[i], SP_TAKE_COPY, ret);
	take_live(s, facts, catalog, ret);
	if (boot)
		collect_root(s, facts, ret);
	open_folders(ret);
}
