/* SPDX-License-Identifier: MIT */
/* A small machine with GRUB and BLS entries, for tests of boot/ (after cmocka.h): a case is this and what differs. */
#pragma once

#include "base/root.h"
#include "fixture-tree.h"
#include "format/cmdline.h"

#define MID "5a3b0c9d8e7f41628394a5b6c7d8e9f0"
#define OTHER "f0e1d2c3b4a5968778695a4b3c2d1e0f"
#define FFFF "ffffffffffffffffffffffffffffffff"
#define DIR "boot/loader/entries/"
#define ENTRY(id) DIR id ".conf"
#define NEW MID "-6.19.8-200.fc43.x86_64"
#define OLD MID "-6.18.16-200.fc43.x86_64"
#define RESCUE MID "-0-rescue"
#define TEXT(version, options) "title Fedora (" version ")\nversion " version "\nlinux /vmlinuz-" version "\n" options
#define LINE "root=UUID=1 ro quiet"
#define OURS "iommu=pt transparent_hugepage=always"
#define BLSCFG "GRUB_ENABLE_BLSCFG=true\n"
#define GRUB "GRUB_TIMEOUT=5\nGRUB_CMDLINE_LINUX=\"quiet\"\n" BLSCFG
#define CFG "insmod blscfg\nblscfg\n"

static const struct fixture grub_tree[] = {
	{ "etc/machine-id", MID "\n", FIXTURE_FILE, 0 },
	{ "etc/default/grub", GRUB, FIXTURE_FILE, 0 },
	{ "etc/kernel/cmdline", LINE "\n", FIXTURE_FILE, 0 },
	{ "boot/grub2/grub.cfg", CFG, FIXTURE_FILE, 0 },
	{ ENTRY(NEW), TEXT("6.19.8-200.fc43.x86_64", "options " LINE "\n"), FIXTURE_FILE, 0 },
	{ ENTRY(OLD), TEXT("6.18.16-200.fc43.x86_64", "options " LINE "\n"), FIXTURE_FILE, 0 },
	{ ENTRY(RESCUE), TEXT("0-rescue-" MID, "options " LINE "\n"), FIXTURE_FILE, 0 },
	{ ENTRY(OTHER "-6.17.4-300.fc43.x86_64"), TEXT("6.17.4", "options root=UUID=2 ro\n"), FIXTURE_FILE, 0 },
	{ 0 },
};

#define F(path, text) { path, text, FIXTURE_FILE, 0 }
#define GONE(path) { path, "", FIXTURE_GONE, 0 }
#define NONE { 0 }
#define MAX_FILES 8

/* An environment block, filled up. */
static inline void add_env(const char *dir, const char *variables)
{
	char block[1025] = { 0 };

	if (!variables)
		return;
	(void) snprintf(block, sizeof(block), "# GRUB Environment Block\n%s", variables);
	memset(block + strlen(block), '#', sizeof(block) - 1 - strlen(block));
	fixture_add(dir, &(struct fixture){ "boot/grub2/grubenv", block, FIXTURE_FILE, 1024 });
}

static inline char *build(const struct fixture *changes, const char *env)
{
	char *dir = fixture_new();

	fixture_add_all(dir, grub_tree);
	add_env(dir, env);
	fixture_add_all(dir, changes);
	return dir;
}

static inline struct sp_root *open_root(const char *dir)
{
	struct sp_root *root = NULL;

	assert_int_equal(sp_root_open(dir, 0, &root, NULL), 0);
	return root;
}

static inline bool contains(const char *text, const char *what)
{
	return text && strstr(text, what);
}

static inline void want(struct sp_tokens *ret)
{
	sp_tokens_add(ret, "iommu=pt", NULL);
	sp_tokens_add(ret, "transparent_hugepage=always", NULL);
}
