/* SPDX-License-Identifier: MIT */
/* A small Debian with GRUB, for tests of the setup grub-d (after cmocka.h): a case is this and what differs. */
#pragma once

#include "grub-tree.h"

#define BEGIN_LINUX "### BEGIN /etc/grub.d/10_linux ###\n"
#define END_LINUX "### END /etc/grub.d/10_linux ###\n"
#define ENTRY_OF(id, line) "menuentry 'Debian " id "' --class x $menuentry_id_option '" id "' {\n\tlinux\t/vmlinuz-6.12 " line \
			   "\n\tinitrd\t/initrd.img-6.12\n}\n"
#define NORMAL(line) ENTRY_OF("gnulinux-simple-1", line)
#define RECOVERY(line) ENTRY_OF("gnulinux-6.12-recovery-1", line)
#define MENU(normal, recovery) BEGIN_LINUX NORMAL(normal) RECOVERY(recovery) END_LINUX
#define OLD_MENU MENU("root=UUID=1 ro  quiet", "root=UUID=1 ro single ")
#define NEW_MENU MENU("root=UUID=1 ro  quiet " OURS, "root=UUID=1 ro single ")
#define READS_FOLDER "#!/bin/sh\n# /etc/default/grub.d\n"
#define TOOL "usr/sbin/grub-mkconfig"
#define CHECKER "usr/bin/grub-script-check"
#define VAR "GRUB_CMDLINE_LINUX_DEFAULT"
#define SELF "$" VAR
#define OWN "etc/default/grub.d/zz-strix-provision.cfg"
#define OWN_TEXT VAR "=\"" SELF " iommu=pt\"\n" VAR "=\"" SELF " transparent_hugepage=always\"\n"

static const struct fixture debian_tree[] = {
	F("etc/machine-id", MID "\n"),
	F("etc/debian_version", "13.4\n"),
	F("etc/default/grub", "GRUB_TIMEOUT=5\n" VAR "=\"quiet\"\n"),
	F("boot/grub/grub.cfg", OLD_MENU),
	F(TOOL, READS_FOLDER),
	{ 0 },
};

static inline char *build_debian(const struct fixture *changes)
{
	char *dir = fixture_new();

	fixture_add_all(dir, debian_tree);
	fixture_add_all(dir, changes);
	return dir;
}
